from __future__ import annotations

import json
from pathlib import Path

import pytest
from session_fakes import FakeTrackers, square, write_clip

from app.model.document import Attribute, AttributeKind, Label
from app.session import Session, SessionError
from app.settings import Settings
from app.work import schema

CAR = Label(
    "car",
    "#112233",
    (
        Attribute("make", AttributeKind.CHOICE, ("audi", "seat"), "seat"),
        Attribute("parked", AttributeKind.FLAG, per_frame=True),
        Attribute("doors", AttributeKind.NUMBER, lowest=0, highest=9),
    ),
)
PERSON = Label("person", "#445566")


@pytest.fixture
def session(tmp_path: Path):
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    session.set_labels([CAR, PERSON])
    yield session
    session.close(discard=True)


def test_a_number_labels_the_selected_object_or_the_next_one(session) -> None:
    session.label_with(1)
    track = session.document.tracks[session.add_object(square(0))]
    assert (track.label, track.colour, track.attributes) == ("car", "#112233", {"make": "seat"})
    session.label_with(2)
    assert (track.label, track.colour) == ("person", "#445566")
    with pytest.raises(SessionError, match="no label 3"):
        session.label_with(3)


def test_renaming_a_label_takes_its_objects_along(session) -> None:
    track = session.document.tracks[session.add_object(square(0), "car")]
    session.set_labels([Label("vehicle", "#998877", CAR.attributes), PERSON], {"car": "vehicle"})
    assert (track.label, track.colour) == ("vehicle", "#998877")
    session.undo()
    assert (track.label, session.document.labels) == ("car", [CAR, PERSON])


def test_attributes_are_said_of_the_track_or_of_the_frame(session) -> None:
    track = session.document.tracks[session.add_object(square(0), "car")]
    session.set_attribute("make", "audi")
    session.set_attribute("parked", True)
    assert (track.attributes, track.at(0).attributes) == ({"make": "audi"}, {"parked": True})
    session.set_attribute("parked", None)
    assert track.at(0).attributes == {}
    for name, value, told in [("make", "bmw", "choose one of audi, seat"), ("doors", 12, "a number from 0 to 9"),
                              ("parked", "x", "yes or no")]:  # fmt: skip
        with pytest.raises(SessionError, match=told):
            session.set_attribute(name, value)
    session.set_attribute("remark", "an attribute that nobody defined")
    assert track.attributes["remark"]


def test_attributes_of_a_frame_can_be_repeated(session) -> None:
    track = session.document.tracks[session.add_object(square(0), "car")]
    session.wait(session.track(until=6))
    session.seek(0)
    session.set_attribute("parked", True)
    session.carry_attributes(4)
    assert [track.at(n).attributes for n in range(7)] == [{"parked": True}] * 5 + [{}] * 2
    session.undo()
    assert track.at(3).attributes == {}


def test_cover_levels_are_said_of_a_frame(session) -> None:
    session.add_object(square(0))
    session.set_cover(5)
    assert session.here.cover == 5
    session.set_cover(None)
    assert session.here.cover is None


def test_comments_are_left_changed_settled_and_walked_to(session) -> None:
    track = session.add_object(square(0))
    session.seek(7)
    id_ = session.comment(" Is this one? ", track)
    session.seek(0)
    session.select()
    session.go_to_comment(id_)
    assert (session.frame, session.selected) == (7, track)
    session.change_comment(id_, resolved=True)
    assert session.document.comments[id_].resolved
    session.delete_comment(id_)
    with pytest.raises(SessionError, match="gone"):
        session.go_to_comment(id_)
    session.undo()
    assert session.document.comments[id_].text == "Is this one?"
    with pytest.raises(SessionError, match="empty"):
        session.comment("  ")


def test_a_label_set_goes_through_a_file(tmp_path: Path) -> None:
    schema.write([CAR, PERSON], tmp_path / "labels.json")
    assert schema.read(tmp_path / "labels.json") == [CAR, PERSON]


def test_labels_of_cvat_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "cvat.json"
    said = [
        {"name": "car", "id": 1, "color": "#33DDFF", "type": "any", "attributes": [
            {"id": 1, "name": "make", "input_type": "select", "mutable": False, "values": ["audi", "seat"],
             "default_value": "audi"},
            {"id": 2, "name": "parked", "input_type": "checkbox", "mutable": True, "values": ["false"],
             "default_value": "false"},
            {"id": 3, "name": "age", "input_type": "number", "mutable": False, "values": ["0", "99", "1"]},
            {"id": 4, "name": "plate", "input_type": "text", "mutable": False, "values": []},
        ]},
        {"name": "person", "color": "nonsense", "attributes": []},
    ]  # fmt: skip
    path.write_text(json.dumps(said))
    car, person = schema.read(path)
    assert car.colour == "#33ddff"
    assert car.attributes == (
        Attribute("make", AttributeKind.CHOICE, ("audi", "seat"), "audi"),
        Attribute("parked", AttributeKind.FLAG, default=False, per_frame=True),
        Attribute("age", AttributeKind.NUMBER, lowest=0, highest=99),
        Attribute("plate"),
    )
    assert person.name == "person"


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "not a label set"), ("[{}]", "not a label set"), ('{"format": "x", "labels": []}', "its format is 'x'"),
     ("[" * 5000, "not a label set"), ('[{"name": "a"}, {"name": "a"}]', "twice"), ("\xff", "not a label set"),
     ('[{"name": "a", "attributes": [{"name": "b", "input_type": "select"}]}]', "choice without values")],
)  # fmt: skip
def test_what_is_no_label_set_is_told_with_the_file(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(content, "latin-1")
    with pytest.raises(SessionError, match=told) as error:
        schema.read(path)
    assert "labels.json" in str(error.value)


def test_importing_adds_labels_and_the_attributes_that_are_missing(session, tmp_path: Path) -> None:
    more = Label("person", "#000000", (Attribute("age", AttributeKind.NUMBER),))
    schema.write([more, Label("dog", "#0000ff")], tmp_path / "labels.json")
    assert session.import_labels(tmp_path / "labels.json") == 1
    person = session.document.labels[1]
    assert (person.colour, person.attributes) == ("#445566", more.attributes)
    assert session.document.labels[2].name == "dog"
