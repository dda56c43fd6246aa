"""CVAT: bad input is refused, naming the place and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_documents import small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import run_export
from app.formats.cvat import CVAT
from app.formats.keys import MAX_FILLED


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def wrapped(
    tracks: str, meta: str = "<size>10</size><original_size><width>20</width><height>10</height></original_size>"
) -> str:
    return f"<annotations><version>1.1</version><meta><task>{meta}</task></meta>{tracks}</annotations>"


def box(frame: int, x: float, more: str = 'outside="0" occluded="0" keyframe="1"') -> str:
    return f'<box frame="{frame}" xtl="{x}" ytl="1" xbr="{x + 4}" ybr="6" {more}/>'


def file(folder: Path, text: str | bytes) -> Path:
    path = folder / "annotations.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


TRACK = '<track id="1" label="car">{}</track>'
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotations>&b;</annotations>'
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", r"no well-formed XML"),
    "cut": (wrapped(TRACK.format(box(0, 1)))[:-30], r"no well-formed XML"),
    "entities": (BOMB, r"declares a document type or entities"),
    "outside file": (
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotations>&a;</annotations>',
        r"declares a document type or entities",
    ),
    "deep": ("<annotations>" + "<a>" * 100_000, r"more than 32 elements inside each other"),
    "other root": ("<annotation><size/></annotation>", r"<annotation> is not what CVAT writes"),
    "encoding": ('<?xml version="1.0" encoding="klingon"?><annotations/>', r"no (well-formed )?XML"),
    "no text": (b"\xff\xfe\x00", r"no well-formed XML"),
    "no frame": (wrapped(TRACK.format('<box xtl="1" ytl="1" xbr="2" ybr="2"/>')), r"track 1, box on frame \?: '\?'"),
    "frame text": (wrapped(TRACK.format(box(0, 1).replace('"0"', '"a"', 1))), r"box on frame a: 'a' is no whole"),
    "frame below": (wrapped(TRACK.format(box(-1, 1))), r"box on frame -1: '-1' is no whole number"),
    "frame beyond": (wrapped(TRACK.format(box(10, 1))), r"box on frame 10: the clip has only 10 frames"),
    "twice": (wrapped(TRACK.format(box(1, 1) * 2)), r"track 1: frame 1 is there twice"),
    "nan": (wrapped(TRACK.format(box(1, 1).replace('ytl="1"', 'ytl="nan"'))), r"frame 1, ytl: 'nan' is no sensible"),
    "infinite": (wrapped(TRACK.format(box(1, 1).replace('ytl="1"', 'ytl="1e999"'))), r"ytl: '1e999' is no sensible"),
    "missing": (wrapped(TRACK.format(box(1, 1).replace('ytl="1"', ""))), r"ytl: '' is no sensible coordinate"),
    "negative": (wrapped(TRACK.format(box(1, 1).replace('ybr="6"', 'ybr="0"'))), r"corners are the wrong way round"),
    "points": (wrapped(TRACK.format('<polygon frame="1" points="1,2;a"/>')), r"points are 'x,y;x,y;\.\.\.'"),
    "two points": (wrapped(TRACK.format('<polygon frame="1" points="1,2;3,4"/>')), r"at least three points"),
    "odd points": (wrapped(TRACK.format('<polygon frame="1" points="1,2;3,4;5,6;7"/>')), r"at least three points"),
    "far points": (wrapped(TRACK.format('<polygon frame="1" points="1,2;3,4;5,9e6"/>')), r"far outside the picture"),
    "mask runs": (
        wrapped(TRACK.format('<mask frame="1" rle="0, 5" left="1" top="1" width="2" height="2"/>')),
        r"mask on frame 1: the run lengths do not fill 4 pixels",
    ),
    "mask away": (
        wrapped(TRACK.format('<mask frame="1" rle="0, 4" left="19" top="1" width="2" height="2"/>')),
        r"the mask's box 19,1,2,2 does not lie in the image of 20 x 10",
    ),
    "mask unsized": (
        wrapped(TRACK.format('<mask frame="1" rle="0, 4" left="1" top="1" width="2" height="2"/>'), "<size>4</size>"),
        r"a mask needs the picture's size",
    ),
    "size text": (wrapped("", "<size>many</size>"), r"meta, size: 'many' is no whole number"),
    "huge size": (wrapped("", "<size>99999999999</size>"), r"meta, size: '99999999999' is no whole number"),
    "huge picture": (
        wrapped("", "<original_size><width>99999</width><height>99999</height></original_size>"),
        r"original_size: a picture of 99999 x 99999 pixels is not supported",
    ),
    "far keyframes": (
        wrapped(TRACK.format(box(0, 1) + box(99_999_990, 1)), "<size>99999999</size>"),
        rf"track 1: .*asks for more than {MAX_FILLED:,} frames".replace(",", " "),
    ),
    "far absence": (
        wrapped(TRACK.format(box(0, 1, 'outside="1"') + box(99_999_990, 1)), "<size>99999999</size>"),
        r"asks for more than",
    ),
    "two sizes": (
        wrapped('<image id="0" width="2" height="2"/><image id="1" width="3" height="2"/>'),
        r"image 0: the pictures have different sizes",
    ),
    "several tasks": (
        "<annotations><meta><project><tasks><task><name>a</name></task><task><name>b</name></task></tasks></project>"
        "</meta></annotations>",
        r"meta: the file holds 2 tasks: a, b",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    data, words = BAD[name]
    path = file(tmp_path, data)
    with pytest.raises(FormatError, match=words) as caught:
        CVAT.read(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        CVAT.read(tmp_path / "nowhere.xml")
    assert not CVAT.recognises(tmp_path / "nowhere.xml")


@settings(max_examples=150)
@given(st.data())
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = tmp_path / "good.xml"
    if not good.exists():
        run_export(small(), None, "cvat", good)
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        stop = at + data.draw(st.integers(0, 6))
        content[at:stop] = data.draw(st.binary(max_size=4) | st.sampled_from((b"-", b"9999999", b"nan", b"<", b"e99")))
    path = file(tmp_path, bytes(content))
    refusal = ""
    try:
        CVAT.read(path)
    except FormatError as error:
        refusal = str(error)
    assert not refusal or str(path) in refusal
