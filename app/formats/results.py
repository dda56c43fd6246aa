"""Result files of trackers, as tracks with their confidences.

Read:

- VOT: ``<clip>_001.txt`` or ``.bin`` (with several objects ``<clip>_<id>_001.txt``), a region a line: code 0 is
  nothing known, 1 the frame on which the tracker was started, 2 a failure, read as lost. Confidences are lines of
  ``<clip>_001_confidence.value``.
- GOT-10k, OTB and others: a box ``x,y,w,h`` a line, commas, tabs or blanks between. Pixels count from 0,
  unless ``counted_from`` says 1: so do the MATLAB toolkits of OTB and LaSOT, and whoever starts a tracker from their
  ground truths as they are. The file does not tell. In the window a first box that lies one pixel right of and below a
  labelled one gives it away, for trackers repeat the box that they are started on.
- MOTChallenge: ``frame,id,x,y,w,h,confidence,...``, frames and pixels counted from 1 always.

What a tracker said has `Source.TRACKER`: nobody vouches for it, and the next run may overwrite it. Confidences outside
of 0 to 1 are scaled so that the lowest is 0 and the highest 1.

Written: VOT's texts with their confidences, boxes or masks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from app.formats.base import KEPT, LOST, Aspect, FormatError, Picture, Preflight
from app.formats.compare import differences
from app.formats.names import stem
from app.formats.results_read import CONFIDENCE, read, recognises, started
from app.formats.rle import vot_text
from app.formats.selection import Choice, Selection, select
from app.formats.sequence_folder import NOTE, note_of, put
from app.formats.vot_read import labels_of
from app.model.document import Document
from app.model.tracks import Observation, Source, State
from app.words import mark, tr

_OURS = re.compile(rf"[^/]+_001\.txt|[^/]+_001_{CONFIDENCE}\.value|{re.escape(NOTE)}")


class ResultsParams(Choice, frozen=True, kw_only=True):
    """Options of tracker results."""

    region: Annotated[
        Literal["rectangle", "mask"],
        msgspec.Meta(title="Region", description="Boxes, or masks where there are any and boxes elsewhere"),
    ] = "rectangle"


class ResultsReading(msgspec.Struct, frozen=True, kw_only=True):
    """Options at reading."""

    counted_from: Annotated[
        Literal["0", "1"],
        msgspec.Meta(
            title="Pixels count from",
            description="1 for results of MATLAB toolkits (OTB, LaSOT); masks count from 0, MOT rows from 1 always",
        ),
    ] = "0"


class ResultsFormat:
    """See the module's text for the conventions, `ResultsParams` for the options."""

    id = "results"
    title = mark("Tracker results")
    suffix = ""
    folder = True
    params = ResultsParams
    reading = ResultsReading
    holds: Mapping[Aspect, str] = {
        Aspect.BOXES: "rounded to 0.001 px; the mask's where a mask is written",
        Aspect.MASKS: "kept as masks, lost as rectangles",
        Aspect.TRACKS: "a file for each; ids in siamlabel.json",
        Aspect.LABELS: "in siamlabel.json; those without a track are lost",
        Aspect.STATES: "lost is kept; out of view becomes lost, occluded visible",
        Aspect.SOURCE: "all is the tracker's",
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: KEPT,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: LOST,
        Aspect.IGNORED: LOST,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: KEPT,
    }

    def recognises(self, path: Path) -> bool:
        return recognises(Path(path))

    def plan(self, doc: Document, params: ResultsParams) -> Preflight:
        return _chosen(doc, params)[1]

    def keep(self, doc: Document, params: ResultsParams) -> Document:
        kept = _chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                tr("there is no track with a box to write"),
                remedy=tr("Results need one; label a frame, or choose tracks."),
            )
        return kept

    def wants_pictures(self, params: ResultsParams) -> bool:
        return False

    def may_replace(self, out: Path) -> str:
        """Only an empty folder or an earlier export makes way."""
        there = {entry.name for entry in out.iterdir()}
        strangers = {name for name in there if not _OURS.fullmatch(name)}
        if strangers:
            return tr("the folder holds '{strangers}', which is no part of such an export").format(
                strangers=min(strangers)
            )
        return "" if not there or NOTE in there else tr("the folder holds results that SiamLabel did not write")

    def write(
        self,
        kept: Document,
        part: Path,
        params: ResultsParams,
        names: Sequence[str],
        pictures: Iterator[Picture] | None,
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        video = kept.video
        assert video is not None
        part.mkdir()
        written = [put(part, NOTE, note_of(kept, {key: key for key in kept.tracks}))]
        for done, (key, track) in enumerate(kept.tracks.items()):
            name = f"{stem(video)}_{key}_001" if len(kept.tracks) > 1 else f"{stem(video)}_001"
            seen = [track.frames.get(frame) for frame in range(video.frames)]
            regions = [_region(obs) for obs in seen]
            written.append(put(part, f"{name}.txt", "".join(f"{line}\n" for line in regions)))
            if any(obs is not None and obs.score is not None for obs in seen):
                scores = ["" if obs is None or obs.score is None else repr(obs.score) for obs in seen]
                written.append(put(part, f"{name}_{CONFIDENCE}.value", "".join(f"{line}\n" for line in scores)))
            yield (done + 1) / len(kept.tracks)
        return written

    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        found = read(part)
        yield 0.6
        return differences(kept, found)

    def read(self, path: Path) -> Document:
        return read(Path(path))

    def read_as(self, path: Path, how: ResultsReading) -> Document:
        """`read`, counting pixels as ``how`` says."""
        return read(Path(path), int(how.counted_from))

    def guess(self, found: Document, here: Document) -> tuple[ResultsReading, str] | None:
        """See `app.formats.detect.guess`; ``found`` was read as counted from 0."""
        starts = started(found, here)
        if starts is None:
            return None
        why = tr("Its first box lies one pixel right of and below that of object {number}: it counts pixels from 1.")
        return ResultsReading(counted_from="1"), why.format(number=starts)


RESULTS = ResultsFormat()

_SENTENCES = {
    "no_box": mark("Tracks without a box on any frame, not written: {n}."),
    "masks": mark("Masks, not written among rectangles: {n}."),
    "box_off": mark("Boxes of frames with a mask, replaced by the mask's tight box: {n}."),
    "absent": mark("Frames where the object is out of view, written as failures of the tracker: {n}."),
    "occluded": mark("Frames where the object is occluded, written as visible: {n}."),
    "scores": mark("Confidences outside of 0 to 1, not written: {n}."),
    "kinds": mark("Attributes that labels define, not written: {n}."),
}


def _chosen(doc: Document, params: ResultsParams) -> tuple[Selection, Preflight]:
    """What is kept of ``doc`` and the preflight that says so."""
    chosen = select(doc, params)
    tally: Counter[str] = Counter()
    for key, track in list(chosen.document.tracks.items()):
        if not any(obs.present for obs in track.frames.values()):
            tally["no_box"] += 1
            del chosen.document.tracks[key]
    counts = chosen.preflight(masks=params.region == "mask", losses=[]).counts
    for track in chosen.document.tracks.values():
        track.frames = {frame: _reduced(obs, params, tally) for frame, obs in track.frames.items()}
    tally["kinds"] = sum(len(label.attributes) for label in chosen.document.labels)
    chosen.document.labels = labels_of(chosen.document)
    chosen.document.next_id = max(chosen.document.tracks, default=0) + 1
    losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
    losses.append(tr("Everything is written as a tracker's: who drew or verified a frame is not, nor are keyframes."))
    return chosen, Preflight(counts, chosen.losses() + losses)


def _reduced(obs: Observation, params: ResultsParams, tally: Counter[str]) -> Observation:
    score = obs.score
    if score is not None and not 0 <= score <= 1:
        tally["scores"] += 1
        score = None
    if obs.box is None:
        tally["absent"] += obs.state is not State.LOST
        return Observation(source=Source.TRACKER, state=State.LOST, score=score)
    tally["occluded"] += obs.state is State.OCCLUDED
    box, mask = obs.box, obs.mask
    if mask is not None and params.region == "rectangle":
        tally["masks"] += 1
        mask = None
    elif mask is not None:
        tally["box_off"] += box != mask.box
        box = mask.box
    return Observation(box=box, mask=mask, source=Source.TRACKER, score=score)


def _region(obs: Observation | None) -> str:
    if obs is None:
        return "0"
    if obs.box is None:
        return "2"
    if obs.mask is not None:
        return vot_text(obs.mask)
    return ",".join(repr(round(float(value), 3)).removesuffix(".0") for value in obs.box)
