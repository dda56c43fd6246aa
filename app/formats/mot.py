"""MOTChallenge: ``<clip>/gt/gt.txt``, ``<clip>/seqinfo.ini`` and ``<clip>/img1/000001.jpg``.

- A line is ``frame,id,x,y,w,h,flag,class,visibility``: frames, ids, classes and pixels are counted from 1. The flag is
  0 for what evaluation is to leave out; visibility is the part that can be seen, 0 to 1.
- Classes are MOTChallenge's (1 pedestrian, 3 car, ...) when all labels are, else lines of ``gt/labels.txt`` as CVAT
  writes it.
- Visibility is told by cover levels: 1 where nobody said how much of a visible object can be seen, 0.525 where it is
  occluded. Read again, less than 1 is occluded.
- A frame without a line was never labelled, or the object is absent.
- A flag of 0 on some frames of an object is their attribute ``ignored``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from app.formats.base import KEPT, LOST, Aspect, Preflight
from app.formats.mot_read import CLASSES, IGNORED, level, read, recognises
from app.formats.names import stem
from app.formats.selection import Extra, Selection, select
from app.formats.sequence_folder import NOTE, SequenceFolder, note_of, put
from app.formats.vot_read import labels_of
from app.model.document import Document, VideoRef
from app.model.tracks import Observation, Source, State
from app.words import mark, tr

_MIDDLES = (0.0, 0.075, 0.225, 0.375, 0.525, 0.675, 0.825, 0.95, 1.0)
"""The visibility that a cover level is written as."""
_ALL, _SOME = 8, 4


class MotFormat(SequenceFolder):
    """See the module's text for the conventions, `FolderParams` for the options."""

    id = "mot"
    title = "MOTChallenge"
    ours = re.compile(rf"[^/]+/(gt/gt\.txt|gt/labels\.txt|seqinfo\.ini|{re.escape(NOTE)}|img1/\d{{6,}}\.jpg)")
    holds: Mapping[Aspect, str] = {
        Aspect.BOXES: "rounded to 0.001 px",
        Aspect.MASKS: LOST,
        Aspect.TRACKS: KEPT,
        Aspect.LABELS: "those without a track are lost; colours in siamlabel.json",
        Aspect.STATES: "occluded is a visibility below 1; out of view and lost are frames without a line",
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: "kept where present; 8 or 4 where nobody said",
        Aspect.IGNORED: KEPT,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "exact in siamlabel.json; the rate in seqinfo.ini is a whole number",
        Aspect.UNLABELLED: KEPT,
    }

    def chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, (Extra.ATTRIBUTES, Extra.COVER, Extra.IGNORED))
        tally: Counter[str] = Counter()
        for key, track in list(chosen.document.tracks.items()):
            if not any(obs.present for obs in track.frames.values()):
                tally["no_box"] += 1
                del chosen.document.tracks[key]
        counts = chosen.preflight(masks=False, losses=[]).counts
        for track in chosen.document.tracks.values():
            settled = {frame: _settled(obs, track.ignored, tally) for frame, obs in track.frames.items()}
            track.frames = {frame: obs for frame, obs in settled.items() if obs is not None}
            tally["attributes"] += len(track.attributes)
            track.attributes = {}
        tally["kinds"] = sum(len(label.attributes) for label in chosen.document.labels)
        chosen.document.labels = labels_of(chosen.document)
        chosen.document.next_id = max(chosen.document.tracks, default=0) + 1
        losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
        own = [label.name for label in chosen.document.labels if label.name.lower() not in CLASSES]
        if own:
            losses.append(
                tr("Tools for MOTChallenge take the first label for pedestrians; not theirs is '{own}'.").format(
                    own=own[0]
                )
            )
        if params.with_frames:
            losses.append(tr("Frame pictures are written as JPEG, which alters pixels slightly."))
        return chosen, Preflight(counts, [*chosen.losses(), *losses, *map(tr, _ALWAYS)])

    def labels(self, kept: Document, part: Path, params: Any) -> Generator[float, None, list[str]]:
        video = kept.video
        assert video is not None
        names = _classes(kept)
        number = {name: at for at, name in enumerate(names, 1)}
        rows = sorted((frame, key) for key, track in kept.tracks.items() for frame in track.frames)
        lines = []
        for done, (frame, key) in enumerate(rows):
            track = kept.tracks[key]
            lines.append(_line(frame, key, track.frames[frame], track.ignored, number[_class(track.label, names)]))
            if done % 1000 == 999:
                yield done / len(rows)
        name = stem(video)
        return [
            put(part, f"{name}/gt/gt.txt", "".join(lines)),
            put(part, f"{name}/gt/labels.txt", "".join(f"{one}\n" for one in names)),
            put(part, f"{name}/seqinfo.ini", seqinfo(video)),
            put(part, f"{name}/{NOTE}", note_of(kept, {key: key for key in kept.tracks})),
        ]

    def shown(self, kept: Document, params: Any) -> Path:
        assert kept.video is not None
        return Path(stem(kept.video)) / "img1"

    def picture(self, frame: int, params: Any) -> str:
        return f"{frame + 1:06d}.jpg"

    def read(self, path: Path) -> Document:
        return read(Path(path))

    def recognises(self, path: Path) -> bool:
        return recognises(Path(path))


MOT = MotFormat()

_SENTENCES = {
    "no_box": mark("Tracks without a box on any frame, not written: {n}."),
    "masks": mark("Masks, not written: {n}."),
    "absent": mark("Frames where the object is absent, written as nothing: {n}."),
    "states": mark("Frames whose state does not fit their cover, read again by the cover: {n}."),
    "no_cover": mark("Frames without a cover level, written as visible or as 0.525 visible where occluded: {n}."),
    "attributes": mark("Attributes of tracks and frames, not written: {n}."),
    "kinds": mark("Attributes that labels define, not written: {n}."),
}
_ALWAYS = (
    mark("Source, verification, keyframes and scores of frames are not written; nor are labels without a track."),
    mark("Colours and the clip's name lie in siamlabel.json, which other tools ignore."),
)


def seqinfo(video: VideoRef) -> str:
    """The text of ``seqinfo.ini``."""
    told = {
        "name": stem(video), "imDir": "img1", "frameRate": max(1, round(video.fps or 30)), "seqLength": video.frames,
        "imWidth": video.width, "imHeight": video.height, "imExt": ".jpg",
    }  # fmt: skip
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in told.items())


def _settled(obs: Observation, ignored: bool, tally: Counter[str]) -> Observation | None:
    """``obs`` as it will be read again; None when it is not written."""
    flag = obs.attributes.get(IGNORED) is True and not ignored
    tally["attributes"] += len(obs.attributes) - flag
    if obs.box is None:
        tally["absent"] += 1
        return None
    tally["masks"] += obs.mask is not None
    cover = obs.cover
    if cover is None:
        cover = _SOME if obs.state is State.OCCLUDED else _ALL
        tally["no_cover"] += 1
    state = State.VISIBLE if cover == _ALL else State.OCCLUDED
    tally["states"] += state is not obs.state
    return Observation(
        obs.box, source=Source.IMPORTED, state=state, cover=cover, attributes={IGNORED: True} if flag else {}
    )


def _classes(kept: Document) -> list[str]:
    """The names of the classes, the first one's number being 1."""
    used = [label.name for label in kept.labels]
    if all(name.lower() in CLASSES for name in used):
        return list(CLASSES)
    return used


def _class(label: str, names: list[str]) -> str:
    return label if label in names else label.lower()


def _line(frame: int, key: int, obs: Observation, ignored: bool, number: int) -> str:
    assert obs.box is not None
    assert obs.cover is not None
    x, y, w, h = (repr(round(float(value), 3)).removesuffix(".0") for value in _counted(obs))
    flag = 0 if ignored or obs.attributes else 1
    seen = f"{_MIDDLES[obs.cover]:g}"
    assert level(float(seen)) == obs.cover
    return f"{frame + 1},{key},{x},{y},{w},{h},{flag},{number},{seen}\n"


def _counted(obs: Observation) -> tuple[float, float, float, float]:
    """The box with pixels counted from 1."""
    assert obs.box is not None
    return obs.box.x + 1, obs.box.y + 1, obs.box.w, obs.box.h
