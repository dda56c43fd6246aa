"""CVAT: golden lines, round trips up to the stated losses, and what CVAT itself writes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np
import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import plan, run_export
from app.formats.compare import differences
from app.formats.cvat import CVAT, CvatParams
from app.formats.cvat_shapes import expand
from app.formats.keys import Filler
from app.model.document import Attribute, AttributeKind, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def wrapped(
    tracks: str, meta: str = "<size>10</size><original_size><width>20</width><height>10</height></original_size>"
) -> str:
    return f"<annotations><version>1.1</version><meta><task>{meta}</task></meta>{tracks}</annotations>"


def box(frame: int, x: float, more: str = 'outside="0" occluded="0" keyframe="1"') -> str:
    return f'<box frame="{frame}" xtl="{x}" ytl="1" xbr="{x + 4}" ybr="6" {more}/>'


OUTSIDE = 'outside="1"'


def file(folder: Path, text: str | bytes) -> Path:
    path = folder / "annotations.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def error(a: Box, b: Box) -> float:
    return max(abs(a.x - b.x), abs(a.y - b.y), abs(a.x2 - b.x2), abs(a.y2 - b.y2))


@settings(max_examples=150)
@given(
    documents(),
    st.builds(
        CvatParams,
        keyframes=st.sampled_from(("within_tolerance", "every_frame")),
        tolerance=st.sampled_from((0.0, 0.5, 8.0)),
        masks=st.sampled_from(("polygons", "masks", "none")),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: CvatParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "annotations.xml")
        if not CVAT.chosen(doc, params)[0].document.tracks:
            with pytest.raises(FormatError, match="no track with a box"):
                run_export(doc, None, "cvat", out, params)
            return
        report = run_export(doc, None, "cvat", out, params)
        found = CVAT.read(out)
        assert report.verified
        assert CVAT.recognises(out)
        kept = CVAT.keep(doc, params)
        assert not differences(kept, found)
        again = CvatParams(keyframes="every_frame", masks=params.masks)
        for key, track in CVAT.keep(found, again).tracks.items():
            there = {frame: (obs.box, obs.mask, obs.state, obs.attributes) for frame, obs in track.frames.items()}
            here = {f: (o.box, o.mask, o.state, o.attributes) for f, o in found.tracks[key].frames.items()}
            assert there.keys() == here.keys()


@settings(max_examples=60)
@given(documents(), st.sampled_from((0.0, 0.5, 3.0)))
def test_boxes_stay_within_the_tolerance_and_states_as_they_are(doc: Document, tolerance: float) -> None:
    params = CvatParams(tolerance=tolerance, masks="none")
    dense = CVAT.chosen(doc, CvatParams(keyframes="every_frame", masks="none"))[0].document
    few = CVAT.chosen(doc, params)[0].document
    for key, track in dense.tracks.items():
        assert track.frames.keys() == few.tracks[key].frames.keys()
        for frame, obs in track.frames.items():
            other = few.tracks[key].frames[frame]
            assert (obs.state, obs.attributes) == (other.state, other.attributes)
            if obs.box is not None:
                assert other.box is not None
                assert error(obs.box, other.box) <= tolerance + 0.002


def test_the_file_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.labels[0] = Label("a<b", "#ff0000", (Attribute("pose", AttributeKind.CHOICE, ("up", "down"), per_frame=True),))
    doc.tracks[3].label = "a<b"
    doc.tracks[3].attributes = {"brand": 'x"y&'}
    doc.tracks[3].frames[2] = Observation(Box(4, 2, 6, 5), state=State.OCCLUDED, attributes={"pose": "up"})
    del doc.tracks[7]
    out = tmp_path / "annotations.xml"
    run_export(doc, None, "cvat", out, CvatParams(masks="none"))
    lines = out.read_text().splitlines()
    assert lines[:3] == ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>"]
    assert (
        "            <attribute><name>pose</name><mutable>True</mutable><input_type>select</input_type>"
        in "\n".join(lines)
    )
    at = next(number for number, line in enumerate(lines) if line.startswith("  <track"))
    assert lines[at:] == [
        '  <track id="3" label="a&lt;b" source="manual" colour="#123456">',
        '    <box frame="0" outside="0" occluded="0" keyframe="1" xtl="1.235" ytl="2" xbr="4.235" ybr="6" z_order="0"'
        ' source="manual"><attribute name="brand">x"y&amp;</attribute></box>',
        '    <box frame="1" outside="0" occluded="0" keyframe="1" xtl="2.5" ytl="2" xbr="8.75" ybr="7" z_order="0"'
        ' source="auto"><attribute name="brand">x"y&amp;</attribute></box>',
        '    <box frame="2" outside="0" occluded="1" keyframe="1" xtl="4" ytl="2" xbr="10" ybr="7" z_order="0"'
        ' source="manual"><attribute name="brand">x"y&amp;</attribute><attribute name="pose">up</attribute></box>',
        '    <box frame="3" outside="1" occluded="0" keyframe="1" xtl="4" ytl="2" xbr="10" ybr="7" z_order="0"'
        ' source="auto" state="lost"><attribute name="brand">x"y&amp;</attribute></box>',
        '    <box frame="4" outside="1" occluded="0" keyframe="1" xtl="4" ytl="2" xbr="10" ybr="7" z_order="0"'
        ' source="manual" state="out_of_view"><attribute name="brand">x"y&amp;</attribute></box>',
        '    <box frame="5" outside="1" occluded="0" keyframe="1" xtl="4" ytl="2" xbr="10" ybr="7" z_order="0"'
        ' source="file" state="unlabelled"><attribute name="brand">x"y&amp;</attribute></box>',
        "  </track>",
        "</annotations>",
    ]


def test_few_keyframes_on_a_straight_way(tmp_path: Path) -> None:
    frames = {f: Observation(Box(f * 2.0, 3, 5, 6), source=Source.TRACKER) for f in range(4, 90)}
    doc = Document(VideoRef("c", "", 100, 300, 50, 25.0), [Label("car", "#ff0000")])
    doc.tracks[1] = Track(1, "car", "#ff0000", frames=frames)
    out = tmp_path / "annotations.xml"
    report = run_export(doc, None, "cvat", out)
    assert out.read_text().count("<box ") == 3  # both ends, and the outside one that ends the track
    assert "Frames left to CVAT's interpolation, at most 0.5 px off" in "\n".join(report.preflight.losses)
    found = CVAT.read(out).tracks[1].frames
    assert found.keys() == frames.keys()
    assert found[4] == Observation(Box(8, 3, 5, 6), source=Source.TRACKER, keyframe=True)
    assert found[5].source is Source.INTERPOLATED
    assert error(found[50].box or Box(0, 0, 0, 0), frames[50].box or Box(9, 9, 9, 9)) < 1e-9


def test_masks_are_outlines_on_pixel_borders(tmp_path: Path) -> None:
    doc = small()
    solid = np.zeros((10, 20), bool)
    solid[2:7, 2:7] = True
    doc.tracks[3].frames[2] = Observation(mask=Mask.encode(solid))
    out = tmp_path / "annotations.xml"
    report = run_export(doc, None, "cvat", out)
    text = out.read_text()
    assert '<polygon frame="0" outside="0" occluded="0" keyframe="1" points="1.235,2;4.235,2;4.235,6;1.235,6"' in text
    assert 'points="2,2;4.5,2;7,2;7,7;2,7"' in text  # five corners: a mask that is a rectangle, no box
    assert 'points="2,2;3,3;3,6;6,6;6,3;3,3;2,2;7,2;7,7;2,7"' in text  # there and back over a bridge to the hole
    assert (
        "Masks with holes or several parts, whose outlines bridges of no width join into one: 1."
        in report.preflight.losses
    )
    found = CVAT.read(out).tracks[3].frames
    assert (found[1].mask, found[2].mask) == (ring(10, 20, 2, 2, 5), Mask.encode(solid))


def test_masks_as_masks_are_tracks_of_one_frame_that_are_read_as_one(tmp_path: Path) -> None:
    doc, out = small(), tmp_path / "annotations.xml"
    doc.tracks[3].frames[2] = Observation(Box(2, 2, 5, 5), mask=ring(10, 20, 2, 2, 5))
    report = run_export(doc, None, "cvat", out, CvatParams(masks="masks"))
    text = out.read_text()
    assert text.count('rle="0, 6, 3, 2, 3, 2, 3, 6" left="2" top="2" width="5" height="5"') == 2
    assert text.count('rle="0, 1" left="2" top="2" width="1" height="1"') == 4  # outside: both ends, and the rest of 3
    found = CVAT.read(out)
    assert found.tracks.keys() == {3, 7}
    assert {frame: obs.mask is not None for frame, obs in found.tracks[3].frames.items() if obs.present} == {
        0: False, 1: True, 2: True,
    }  # fmt: skip
    assert found.tracks[3].frames[1].mask == ring(10, 20, 2, 2, 5)
    assert found.tracks[3].frames[3].state is State.LOST
    assert "Masks, each a shape of one frame in CVAT, which has no tracks of them: 2." in report.preflight.losses


@settings(max_examples=60)
@given(documents())
def test_cvat_takes_every_mask_and_every_box(doc: Document) -> None:
    """CVAT makes a shape of the first shape of a track that begins with a mask, and drops the others of that track."""
    params = CvatParams(masks="masks")
    kept = CVAT.chosen(doc, params)[0].document
    with TemporaryDirectory() as folder:
        if not kept.tracks:
            return
        out = Path(folder, "annotations.xml")
        run_export(doc, None, "cvat", out, params)
        root = ElementTree.parse(out).getroot()
    tracks = list(root.iter("track"))
    firsts = [next(child for child in track if child.tag != "attribute") for track in tracks]
    masks = {
        (int(track.attrib["object"]), int(first.attrib["frame"]))
        for track, first in zip(tracks, firsts, strict=True)
        if first.tag == "mask"
    }
    boxes = {
        (int(track.attrib["object"]), int(shape.attrib["frame"]))
        for track in tracks
        for shape in track.iter("box")
        if shape.attrib["outside"] == "0"
    }
    seen = {(track.id, frame): obs for track in kept.tracks.values() for frame, obs in track.frames.items()}
    assert masks == {key for key, obs in seen.items() if obs.mask is not None}
    assert boxes == {key for key, obs in seen.items() if obs.keyframe and obs.present and obs.mask is None}
    assert len({track.attrib["id"] for track in tracks}) == len(tracks)
    assert all(first.attrib["outside"] == "0" for first in firsts if first.tag == "mask")


def test_a_piece_that_somebody_took_out_leaves_a_gap(tmp_path: Path) -> None:
    doc, out = small(), tmp_path / "annotations.xml"
    doc.tracks[3].frames[2] = Observation(Box(2, 2, 5, 5), mask=ring(10, 20, 2, 2, 5))
    run_export(doc, None, "cvat", out, CvatParams(masks="masks", tracks=(3,)))
    pieces = out.read_text().split("  <track")
    del pieces[2]
    out.write_text("  <track".join(pieces))
    found = CVAT.read(out).tracks[3].frames
    assert 1 not in found
    assert {0, 2, 3, 4} <= found.keys()


def test_a_text_for_what_the_label_calls_a_number_stays_text() -> None:
    doc = small()
    kind = Attribute("speed", AttributeKind.NUMBER, lowest=0, highest=9)
    doc.labels[0] = Label("car", "#ff0000", (kind,))
    doc.tracks[3].attributes = {"speed": "fast", "doors": 4}
    kept = CVAT.keep(doc, CvatParams())
    assert kept.tracks[3].attributes == {"speed": "fast", "doors": 4}
    assert kept.labels[0].attributes == (kind, Attribute("doors", AttributeKind.NUMBER))


def test_what_cvat_writes_is_read_as_cvat_shows_it(tmp_path: Path) -> None:
    track = (
        '<track id="0" label="car" source="manual">'
        + box(1, 0)
        + box(2, 1, 'outside="0" occluded="0" keyframe="0"')
        + box(3, 2, 'outside="0" occluded="1" keyframe="1"')
        + box(5, 2, 'outside="1" occluded="0" keyframe="1"')
        + box(7, 4, 'outside="0" occluded="0" keyframe="1"').replace("/>", '><attribute name="a">b</attribute></box>')
        + "</track>"
        + f'<track id="1" label="car" source="auto">{box(8, 0)}{box(9, 0, OUTSIDE)}</track>'
        + '<track id="2" label="dog"><points frame="0" points="1,1" outside="0" occluded="0" keyframe="1"/></track>'
    )
    doc = CVAT.read(file(tmp_path, wrapped(track)))
    assert doc.video == VideoRef("annotations", "", 10, 20, 10, 0.0)
    assert list(doc.tracks) == [1, 2]  # CVAT counts from 0; a track of points is none of ours
    frames = {
        frame: (obs.box.x if obs.box else None, obs.state.value, obs.source.value)
        for frame, obs in doc.tracks[1].frames.items()
    }
    assert frames == {
        1: (0, "visible", "manual"),
        2: (1, "visible", "interpolated"),
        3: (2, "occluded", "manual"),
        4: (2, "occluded", "interpolated"),
        5: (None, "out_of_view", "manual"),
        6: (None, "out_of_view", "manual"),
        7: (4, "visible", "manual"),
        8: (4, "visible", "interpolated"),
        9: (4, "visible", "interpolated"),
    }
    assert doc.tracks[1].frames[7].attributes == {"a": "b"}
    assert doc.tracks[2].frames == {8: Observation(Box(0, 1, 4, 5), source=Source.TRACKER, keyframe=True)}


def test_definitions_of_attributes_are_read(tmp_path: Path) -> None:
    labels = (
        "<size>3</size><labels><label><name>car</name><color>#00FF00</color><attributes>"
        "<attribute><name>doors</name><mutable>False</mutable><input_type>number</input_type>"
        "<default_value>4</default_value><values>2\n5\n1</values></attribute>"
        "<attribute><name>parked</name><mutable>True</mutable><input_type>checkbox</input_type>"
        "<default_value>false</default_value><values>false</values></attribute>"
        "<attribute><name>kind</name><mutable>False</mutable><input_type>radio</input_type>"
        "<default_value>van</default_value><values>van\nbus</values></attribute>"
        "</attributes></label></labels>"
    )
    told = "".join(
        f'<attribute name="{k}">{v}</attribute>' for k, v in (("doors", 3), ("parked", "true"), ("kind", "bus"))
    )
    track = f'<track id="4" label="car">{box(0, 0).replace("/>", f">{told}</box>")}</track>'
    doc = CVAT.read(file(tmp_path, wrapped(track, labels)))
    assert doc.video is None
    assert doc.labels == [
        Label(
            "car",
            "#00FF00",
            (
                Attribute("doors", AttributeKind.NUMBER, default=4, lowest=2, highest=5),
                Attribute("parked", AttributeKind.FLAG, default=False, per_frame=True),
                Attribute("kind", AttributeKind.CHOICE, ("van", "bus"), "van"),
            ),
        )
    ]
    assert doc.tracks[4].attributes == {"doors": 3, "kind": "bus"}
    assert [obs.attributes for obs in doc.tracks[4].frames.values()] == [{"parked": True}] * 3


def test_images_give_tracks_of_one_frame(tmp_path: Path) -> None:
    images = (
        '<image id="0" name="a.jpg" width="20" height="10"/>'
        '<image id="2" name="c.jpg" width="20" height="10">'
        '<box label="car" source="manual" occluded="1" xtl="1" ytl="2" xbr="4" ybr="6" z_order="0"/>'
        '<polygon label="dog" occluded="0" points="1,1;5,1;5,5;3,5;1,5"/>'
        '<mask label="dog" occluded="0" rle="0, 2, 2" left="3" top="4" width="2" height="2" z_order="0"/>'
        '<ellipse label="dog" occluded="0" cx="5" cy="5" rx="2" ry="1"/>'
        '<tag label="dog" source="manual"/></image>'
    )
    doc = CVAT.read(file(tmp_path, wrapped(images, "<size>3</size><mode>annotation</mode>")))
    assert doc.video == VideoRef("annotations", "", 3, 20, 10, 0.0)
    seen = [(track.label, *next(iter(track.frames.items()))) for track in doc.tracks.values()]
    assert [(label, frame, obs.box, obs.mask and obs.mask.area) for label, frame, obs in seen] == [
        ("car", 2, Box(1, 2, 3, 4), None),
        ("dog", 2, Box(1, 1, 4, 4), 16),
        ("dog", 2, Box(3, 4, 2, 1), 2),
        ("dog", 2, Box(3, 4, 4, 2), None),
    ]
    assert seen[0][2] == Observation(Box(1, 2, 3, 4), source=Source.MANUAL, state=State.OCCLUDED, keyframe=True)


def test_archives_and_folders_are_read_in_place(tmp_path: Path) -> None:
    inner = wrapped(f'<track id="1" label="car">{box(0, 0)}</track>')
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.writestr("images/frame_000000.txt", "x")
        archive.writestr("annotations.xml", inner)
    assert CVAT.recognises(tmp_path / "task.zip")
    assert len(CVAT.read(tmp_path / "task.zip").tracks[1].frames) == 10
    file(tmp_path, inner)
    assert CVAT.read(tmp_path).tracks.keys() == {1}
    assert CVAT.recognises(tmp_path)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("labels.txt", "x")
    assert not CVAT.recognises(tmp_path / "empty.zip")
    with pytest.raises(FormatError, match=r"empty\.zip: the archive holds no annotations\.xml"):
        CVAT.read(tmp_path / "empty.zip")
    broken = (tmp_path / "task.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(broken.replace(b"<version>1.1", b"<version>1.7", 1))  # the checksum is wrong
    with pytest.raises(FormatError, match=r"cut\.zip"):
        CVAT.read(tmp_path / "cut.zip")


def test_a_turned_box_is_the_box_around_it(tmp_path: Path) -> None:
    turned = box(0, 0, 'rotation="90" outside="0" occluded="0" keyframe="1"')
    doc = CVAT.read(file(tmp_path, wrapped(f'<track id="1" label="car">{turned}</track>')))
    assert doc.tracks[1].frames[0].box == pytest.approx(Box(-0.5, 1.5, 5, 4))


def test_nothing_to_write_is_said_before() -> None:
    doc = small()
    for track in doc.tracks.values():
        track.frames = {0: Observation(state=State.LOST)}
    assert "Tracks without a box on any frame, not written: 2." in plan(doc, "cvat").losses
    with pytest.raises(FormatError, match="no track with a box"):
        CVAT.keep(doc, CvatParams())


def test_an_empty_track_says_nothing() -> None:
    assert expand([], 10, Filler()) == {}
