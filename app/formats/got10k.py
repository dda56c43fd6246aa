"""GOT-10k: ``list.txt`` and a folder for each sequence, with pictures and labels side by side.

- ``groundtruth.txt``: ``x,y,w,h`` a line with four decimals, pixels counted from 0; zeros where there is no box.
- ``absence.label``: 1 where the object is absent. ``cover.label``: how much of it can be seen, 0 to 8.
  ``cut_by_image.label``: 1 where the picture's border cuts it; kept as an attribute of the frame.
- A cover of 8 reads as visible and less as occluded. Absent is out of view.
- ``meta_info.ini``: eleven lines whose order readers rely on (and the blank after each colon); attributes of the track
  by the same names.
- ``00000001.jpg`` is frame 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.formats.base import MAX_PIXELS, FormatError, read_text
from app.formats.names import plain
from app.formats.selection import Extra
from app.formats.single import FILLED, SingleFormat, held, lines, text_kind
from app.formats.single_read import FPS, NOTE, Row, Spot, folders_of, read_levels
from app.model.document import Attribute, AttributeKind, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import tr

_ABSENCE, _COVER, _CUT, _META = "absence.label", "cover.label", "cut_by_image.label", "meta_info.ini"
_CUT_BY_IMAGE = "cut_by_image"
_ALL, _SOME = 8, 4
_TOLD = ("url", "begin", "end", "motion_class", "major_class", "root_class", "motion_adverb")
"""Lines of `_META` that are attributes of the track."""
_ORDER = (
    "url", "begin", "end", "anno_fps", "object_class", "motion_class", "major_class", "root_class", "motion_adverb",
    "resolution",
)  # fmt: skip


class Got10kFormat(SingleFormat):
    """See the module's text for the conventions, `app.formats.single.SingleParams` for the options."""

    id = "got10k"
    title = "GOT-10k"
    holds = held(
        boxes="rounded to 0.0001 px",
        states="occluded is a cover below 8; lost becomes out of view",
        attributes=f"the track's {', '.join(_TOLD)} and the frame's {_CUT_BY_IMAGE} are kept",
        cover="kept where there is a box; 8 or 4 where nobody said",
    )
    empty = "0.0000,0.0000,0.0000,0.0000"
    keeps = (Extra.ATTRIBUTES, Extra.COVER)
    kinds = (
        *map(text_kind, _TOLD),
        Attribute(_CUT_BY_IMAGE, AttributeKind.FLAG, default=False, per_frame=True),
    )
    ours = re.compile(rf"list\.txt|[^/]+/(groundtruth\.txt|{_ABSENCE}|{_COVER}|{_CUT}|{_META}|{NOTE}|\d{{8,}}\.jpg)")

    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        return Spot(name, {0: root / name / "groundtruth.txt"}, root / name, root / name / NOTE)

    def find(self, path: Path) -> Iterator[Spot]:
        for folder in folders_of(path, ("groundtruth.txt", _ABSENCE, _COVER, _CUT, _META)):
            marks = (folder / name for name in (_ABSENCE, _COVER, _META))
            if (folder / "groundtruth.txt").is_file() and any(mark.is_file() for mark in marks):
                meta = read_meta(folder / _META)
                yield Spot(
                    folder.name, {0: folder / "groundtruth.txt"}, folder, folder / NOTE,
                    meta.get("object_class", ""), size=_size(folder / _META, meta), fps=_rate(meta),
                )  # fmt: skip

    def settle(self, obs: Observation, video: VideoRef, tally: Counter[str]) -> Observation | None:
        if obs.box is None:
            tally["attributes"] += len(obs.attributes)
            tally["lost"] += obs.state is State.LOST
            return FILLED
        cover = obs.cover
        if cover is None:
            cover = _SOME if obs.state is State.OCCLUDED else _ALL
            tally["no_cover"] += 1
        state = _state(cover)
        tally["states"] += state is not obs.state
        told = obs.attributes.get(_CUT_BY_IMAGE)
        cut = told if isinstance(told, bool) else _cut(obs.box, video)
        tally["attributes"] += len(obs.attributes.keys() - {_CUT_BY_IMAGE})
        return Observation(
            obs.box, source=Source.IMPORTED, state=state, cover=cover, attributes={_CUT_BY_IMAGE: True} if cut else {}
        )

    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]:
        away, covers, cuts = (
            _levels(truth.with_name(name), len(rows), highest)
            for name, highest in ((_ABSENCE, 1), (_COVER, _ALL), (_CUT, 1))
        )
        out: dict[int, Observation] = {}
        for frame, box in enumerate(rows):
            if away and away[frame]:
                out[frame] = FILLED
            elif box is not None:
                cover = covers[frame] if covers else None
                flags: dict[str, AttributeValue] = {_CUT_BY_IMAGE: True} if cuts and cuts[frame] else {}
                out[frame] = Observation(
                    box, source=Source.IMPORTED, state=_state(cover), cover=cover, attributes=flags
                )
        return out

    def about(self, truth: Path, label: str) -> dict[str, AttributeValue]:
        meta = read_meta(truth.with_name(_META))
        return {name: meta[name] for name in _TOLD if meta.get(name)}

    def beside(self, truth: Path, track: Track, video: VideoRef) -> dict[Path, str]:
        found = [track.frames.get(frame) for frame in range(video.frames)]
        told = {
            **{name: str(track.attributes.get(name, "")) for name in _TOLD},
            "anno_fps": f"{max(1, round(video.fps or FPS))}Hz",
            "object_class": track.label,
            "resolution": f"({video.width}, {video.height})",
        }
        texts = {
            _ABSENCE: lines([str(int(obs is not None and obs.box is None)) for obs in found]),
            _COVER: lines([str((obs and obs.cover) or 0) for obs in found]),
            _CUT: lines([str(int(bool(obs and obs.attributes))) for obs in found]),
            _META: lines(["[METAINFO]", *(f"{name}: {told[name]}" for name in _ORDER)]),
        }
        return {truth.with_name(name): text for name, text in texts.items()}

    def listing(self, names: Sequence[str]) -> dict[str, str]:
        return {"list.txt": lines(names)}

    def number(self, value: float) -> str:
        return f"{value:.4f}"


GOT10K = Got10kFormat()


def _levels(path: Path, rows: int, highest: int) -> list[int] | None:
    """As `read_levels`; None also for a test clip, whose labels are there but all boxes save the first are not."""
    if rows == 1 and path.is_file() and len(read_text(path).split()) > 1:
        return None
    return read_levels(path, rows, highest)


def read_meta(path: Path) -> dict[str, str]:
    """The entries of a ``meta_info.ini`` by name; none when there is no such file. Raises `FormatError`."""
    if not path.is_file():
        return {}
    out: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() in ("", "[METAINFO]"):
            continue
        if not colon:
            raise FormatError(
                tr("'{line}' is no 'name: value'").format(line=line[:40]),
                path,
                tr("line {number}").format(number=number),
                tr("Correct the line."),
            )
        out[name.strip()] = plain(value)
    return out


def _size(path: Path, meta: dict[str, str]) -> tuple[int, int] | None:
    if "resolution" not in meta:
        return None
    found = re.fullmatch(r"\((\d{1,9}), ?(\d{1,9})\)", meta["resolution"], re.ASCII)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        what = tr("'{size}' is no size of a picture").format(size=meta["resolution"][:40])
        raise FormatError(what, path, "resolution", tr("Write (width, height) in pixels."))
    return size


def _rate(meta: dict[str, str]) -> float:
    found = re.match(r"\d{1,4}(\.\d{1,6})?", meta.get("anno_fps", ""), re.ASCII)
    return float(found[0]) if found else FPS


def _state(cover: int | None) -> State:
    return State.VISIBLE if cover is None or cover == _ALL else State.OCCLUDED


def _cut(box: Box, video: VideoRef) -> bool:
    """Whether the box reaches the picture's border."""
    return box.x <= 0 or box.y <= 0 or box.x2 >= video.width or box.y2 >= video.height
