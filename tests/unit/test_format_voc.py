"""Pascal VOC: the folder by eye, round trips up to the stated losses, folders from elsewhere, and bad input."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from format_documents import documents, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import plan, run_export
from app.formats.compare import differences
from app.formats.voc import VOC, VocParams
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def wrapped(objects: str = "", size: str = "<size><width>20</width><height>10</height></size>") -> str:
    return f"<annotation><filename>a.jpg</filename>{size}{objects}</annotation>"


def thing(
    box: str = "<xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax>", more: str = "", name: str = "car"
) -> str:
    return f"<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>"


def track(number: object) -> str:
    return f"<attributes><attribute><name>track_id</name><value>{number}</value></attribute></attributes>"


def folder_of(root: Path, **files: str | bytes) -> Path:
    (root / "Annotations").mkdir(parents=True)
    for name, text in files.items():
        (root / "Annotations" / f"{name}.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


@settings(max_examples=120)
@given(
    documents(),
    st.builds(
        VocParams,
        pixels=st.sampled_from(("whole", "fractions")),
        frames=st.sampled_from(("labelled", "all")),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: VocParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, "voc", params).counts["boxes"]:
            with pytest.raises(FormatError, match="no box to write"):
                run_export(doc, None, "voc", out, params)
            return
        report = run_export(doc, None, "voc", out, params)
        found = VOC.read(out)
        assert report.verified
        assert VOC.recognises(out)
        assert VOC.may_replace(out) == ""
        assert not differences(VOC.keep(doc, params), found)
        again = VocParams(pixels=params.pixels, clip=False)
        assert not differences(found, VOC.keep(found, again))


def test_whole_pixels_are_the_nearest(tmp_path: Path) -> None:
    doc = small()
    doc.tracks = {7: doc.tracks[7]}
    doc.tracks[7].frames = {0: Observation(Box(3.4, 2.6, 4.2, 5.3)), 1: Observation(Box(19.8, 9.9, 5, 5))}
    frames = VOC.keep(doc, VocParams(clip=False)).tracks[7].frames
    assert [obs.box for obs in frames.values()] == [Box(3, 3, 5, 5), Box(19, 9, 6, 6)]


def test_the_folder_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.labels[0] = Label("a<:b", "#ff0000")
    doc.tracks[3].label = "a<:b"
    doc.tracks[3].attributes = {"brand": "x&y"}
    doc.tracks[3].ignored = True
    out = tmp_path / "set"
    report = run_export(doc, None, "voc", out)
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        *(f"Annotations/clip_one_00000{n}.xml" for n in range(5)),
        "ImageSets/Main/default.txt",
        "labelmap.txt",
        "siamlabel.json",
    ]
    assert (out / "labelmap.txt").read_text().splitlines()[1:] == [
        "a<:b:255,0,0::",
        "person:0,0,255::",
        "unused:0,255,0::",
    ]
    assert (out / "ImageSets/Main/default.txt").read_text().split() == [f"clip_one_00000{n}" for n in range(5)]
    assert (out / "Annotations/clip_one_000002.xml").read_text() == (
        "<annotation>\n"
        "  <folder>JPEGImages</folder>\n"
        "  <filename>clip_one_000002.jpg</filename>\n"
        "  <source><database>SiamLabel</database></source>\n"
        "  <size><width>20</width><height>10</height><depth>3</depth></size>\n"
        "  <segmented>0</segmented>\n"
        "  <object>\n"
        "    <name>a&lt;:b</name>\n"
        "    <pose>Unspecified</pose>\n"
        "    <truncated>0</truncated>\n"
        "    <occluded>1</occluded>\n"
        "    <difficult>1</difficult>\n"
        "    <bndbox><xmin>5</xmin><ymin>3</ymin><xmax>10</xmax><ymax>7</ymax></bndbox>\n"
        "    <attributes><attribute><name>track_id</name><value>3</value></attribute>"
        "<attribute><name>brand</name><value>x&amp;y</value></attribute></attributes>\n"
        "  </object>\n"
        "  <object>\n"
        "    <name>person</name>\n"
        "    <pose>Unspecified</pose>\n"
        "    <truncated>0</truncated>\n"
        "    <occluded>0</occluded>\n"
        "    <difficult>0</difficult>\n"
        "    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>\n"
        "    <attributes><attribute><name>track_id</name><value>7</value></attribute></attributes>\n"
        "  </object>\n"
        "</annotation>\n"
    )
    found = VOC.read(out)
    assert found.tracks[3].ignored
    assert found.tracks[3].frames[2] == Observation(
        Box(4, 2, 6, 5), source=Source.IMPORTED, state=State.OCCLUDED, attributes={"brand": "x&y"}
    )
    assert "Boxes, rounded to whole pixels: 2." in report.preflight.losses


def test_a_sliver_keeps_one_pixel(tmp_path: Path) -> None:
    doc = small()
    doc.tracks = {7: doc.tracks[7]}
    doc.tracks[7].frames = {0: Observation(Box(3.6, 2.1, 0.2, 0.3))}
    assert VOC.keep(doc, VocParams()).tracks[7].frames[0].box == Box(3, 2, 1, 1)


def test_folders_from_elsewhere(tmp_path: Path) -> None:
    root = folder_of(
        tmp_path / "set",
        shot_2=wrapped(thing(more="<difficult>1</difficult><occluded>1</occluded>") + thing(name="dog")),
        shot_10=wrapped(thing("<xmin>1.5</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax>")),
    )
    for path in (root, root / "Annotations"):
        doc = VOC.read(path)
        assert VOC.recognises(path)
        assert doc.video == VideoRef("set", "", 11, 20, 10, 0.0)
        assert [label.name for label in doc.labels] == ["car", "dog"]
        seen = [(one.label, one.ignored, *one.frames.items()) for one in doc.tracks.values()]
        assert seen == [
            ("car", True, (2, Observation(Box(0, 1, 4, 5), source=Source.IMPORTED, state=State.OCCLUDED))),
            ("dog", False, (2, Observation(Box(0, 1, 4, 5), source=Source.IMPORTED))),
            ("car", False, (10, Observation(Box(0.5, 1, 3.5, 5), source=Source.IMPORTED))),
        ]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotation>&b;</annotation>'
BAD: dict[str, tuple[dict[str, str | bytes], str]] = {
    "empty": ({"a1": ""}, r"a1\.xml: this is no well-formed XML"),
    "cut": ({"a1": wrapped(thing())[:-5]}, r"a1\.xml: this is no well-formed XML"),
    "entities": ({"a1": BOMB}, r"a1\.xml: it declares a document type or entities"),
    "deep": ({"a1": "<annotation>" + "<a>" * 9999}, r"more than 32 elements inside each other"),
    "other root": ({"a1": "<annotations/>"}, r"<annotations> is not what VOC has"),
    "huge": ({"a1": b" " * ((1 << 24) + 1)}, r"a1\.xml: it is too large for one picture"),
    "no box": ({"a1": wrapped("<object><name>car</name></object>")}, r"a1\.xml, object 1: it has no bndbox"),
    "no corner": ({"a1": wrapped(thing("<xmin>1</xmin>"))}, r"object 1, ymin: '' is no sensible coordinate"),
    "nan": ({"a1": wrapped(thing("<xmin>nan</xmin>"))}, r"object 1, xmin: 'nan' is no sensible coordinate"),
    "infinite": ({"a1": wrapped(thing("<xmin>1e999</xmin>"))}, r"xmin: '1e999' is no sensible coordinate"),
    "wrong way": (
        {"a1": wrapped(thing("<xmin>9</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax>"))},
        r"object 1: its corners are the wrong way round",
    ),
    "track": ({"a1": wrapped(thing(more=track("x")))}, r"object 1: track_id 'x' is no number of a track"),
    "track below": ({"a1": wrapped(thing(more=track(-1)))}, r"object 1: track_id '-1' is no number"),
    "track twice": ({"a1": wrapped(thing(more=track(1)) * 2)}, r"object 2: track 1 is there twice"),
    "track renamed": (
        {"a1": wrapped(thing(more=track(1))), "a2": wrapped(thing(more=track(1), name="dog"))},
        r"a2\.xml, object 1: track 1 is there twice, or has another name",
    ),
    "size text": ({"a1": wrapped(size="<size><width>a</width></size>")}, r"size, width: 'a' is no whole number"),
    "huge size": (
        {"a1": wrapped(size="<size><width>999999</width><height>999999</height></size>")},
        r"size: a picture of 999999 x 999999 pixels is not supported",
    ),
    "two sizes": (
        {"a1": wrapped(), "a2": wrapped(size="<size><width>2</width><height>2</height></size>")},
        r"a2\.xml, size: the pictures have different sizes",
    ),
    "no size": ({"a1": wrapped(size="")}, r"nothing says how large the pictures are"),
    "clips": ({"a1": wrapped(), "b1": wrapped()}, r"of 2 clips, by the beginnings of their names: 'a', 'b'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_folder_is_refused_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    files, words = BAD[name]
    root = folder_of(tmp_path / "set", **files)
    with pytest.raises(FormatError, match=words) as caught:
        VOC.read(root)
    assert str(root) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


@pytest.mark.parametrize("line", ["car:1,2,3", "car:1,2,3::\ncar:1,2,3::", ":1,2,3::"])
def test_a_bad_label_map_is_refused(tmp_path: Path, line: str) -> None:
    root = folder_of(tmp_path / "set", a1=wrapped())
    (root / "labelmap.txt").write_text(f"# label:color_rgb:parts:actions\n{line}\n")
    with pytest.raises(FormatError, match=r"labelmap\.txt, line \d: a line is"):
        VOC.read(root)


def test_what_is_missing_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        VOC.read(tmp_path / "nowhere")
    with pytest.raises(FormatError, match="no XML files"):
        VOC.read(tmp_path)
    assert not VOC.recognises(tmp_path / "nowhere")
    assert not VOC.recognises(tmp_path)
