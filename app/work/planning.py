"""Which way a run goes and which frames it may write. Pure: a document in, a request out.

A run starts at a box and ends by itself before the next keyframe, after ``until``, at the end of the clip, or where
everything beyond is labelled already. What people vouch for (`Observation.protected`, locked tracks) is never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.model.document import Document
from app.model.edits import SetFrames
from app.model.tracks import Observation, Source, State, Track, unprotected
from app.settings import CommitMode
from app.words import tr
from app.work.choice import TrackerChoice
from app.work.errors import SessionError
from app.work.requests import PAUSES, Aim, Ending, Found, Memory, Reason
from tracker.api import Box


@dataclass(frozen=True)
class Way:
    """Where a run is to go: ``step`` +1 or -1, in a clip of ``frames`` frames, to ``until`` (inside) at the most.

    ``tracker``: what it goes with; the memory of another one is of no use.
    """

    step: int
    frames: int
    tracker: TrackerChoice
    until: int | None = None


def missing(track: Track, frame: int) -> bool:
    """Whether a run that fills may write this frame: nothing is known, or only that a tracker lost it."""
    seen = track.at(frame)
    return seen is None or (not seen.protected and seen.state is State.LOST)


def writable(track: Track, frames: Mapping[int, Observation], mode: CommitMode) -> dict[int, Observation | None]:
    """The part of a run's results that may be written now, whatever happened to the track since the run began."""
    chosen = unprotected(track, frames)
    return {f: seen for f, seen in chosen.items() if missing(track, f)} if mode == "fill" else chosen


def written(doc: Document, found: Sequence[Found]) -> list[SetFrames]:
    """What a run has found, as one edit a track; later answers for a frame stand for earlier ones."""
    newest: dict[tuple[int, CommitMode], dict[int, Observation]] = {}
    for one in found:
        newest.setdefault((one.track, one.mode), {})[one.frame] = one.observation
    edits: dict[int, SetFrames] = {}
    for (track, mode), frames in newest.items():
        new = writable(doc.tracks[track], frames, mode)
        if new:
            known = edits[track].frames if track in edits else {}
            edits[track] = SetFrames(track, known | new)
    return list(edits.values())


def aim(
    doc: Document, track: int, frame: int, way: Way, mode: CommitMode, paused: Ending | None = None, *,
    taught: bool = False,
) -> Aim:  # fmt: skip
    """The way of one object from ``frame`` on.

    It begins with the box of that frame, or, where there is none, goes on after a loss: with the memory of the run that
    lost it (``paused``), else from the last box before. ``taught``: the box was drawn by hand, to correct a run.
    Raises `SessionError` when there is nothing to start from or nowhere to go.
    """
    history = doc.tracks[track]
    if history.locked:
        raise SessionError(
            tr("{label} {track} is locked; press L to unlock it").format(label=history.label, track=track)
        )
    here = history.at(frame)
    start, persist, memory = frame, False, None
    if here is None or not here.present:
        start, persist = _last_box(history, frame, way.step), True
        memory = _resumed(history, paused, way)
    seen = history.at(start)
    assert seen is not None
    assert seen.box is not None
    after = memory.frame if memory else start
    stop, ending = _stop(history, after, way, mode)
    if (stop - after) * way.step <= 1:
        raise SessionError(_nowhere(ending, stop, way.step))
    return Aim(
        track, after, stop, seen.box, ending, persist, memory=memory, taught=taught, mode=mode,
    )  # fmt: skip


def keys_on(doc: Document, aims: tuple[Aim, ...]) -> dict[int, dict[int, Box]]:
    """By track, the boxes of the keyframes that runs with mode "range" pass."""
    passed: dict[int, dict[int, Box]] = {}
    for one in aims:
        if one.mode != "range":
            continue
        low, high = sorted((one.start, one.stop))
        boxes = {f: o.box for f, o in doc.tracks[one.track].frames.items() if low < f < high and o.protected}
        passed[one.track] = {f: box for f, box in boxes.items() if box is not None}
    return passed


def going_on(doc: Document, ending: Ending, way: Way, absent: State = State.LOST) -> Aim:
    """On from a pause with the same memory, patiently: until the object was found once. Raises `SessionError`."""
    history = doc.tracks[ending.aim.track]
    memory = ending.memory
    if memory is None:
        raise SessionError(tr("The run is forgotten; press T to track on"))
    stop, reason = _stop(history, memory.frame, way, ending.aim.mode)
    if (stop - memory.frame) * way.step <= 1:
        raise SessionError(_nowhere(reason, stop, way.step))
    return Aim(
        ending.aim.track, memory.frame, stop, ending.aim.box, reason, True, absent, memory, mode=ending.aim.mode,
    )  # fmt: skip


def reached(track: Track, frame: int, step: int) -> int | None:
    """How far an earlier run has come beyond ``frame``: the last frame in a row that a tracker wrote; None for none."""
    at = frame + step
    while (seen := track.at(at)) is not None and not seen.protected and seen.source is Source.TRACKER:
        at += step
    return None if at == frame + step else at - step


def _resumed(track: Track, paused: Ending | None, way: Way) -> Memory | None:
    """The memory of a pause, when it is this object's, walked this way, and nobody has said anything since."""
    memory = paused.memory if paused is not None and paused.reason in PAUSES else None
    if memory is None or (memory.track, memory.step, memory.tracker) != (track.id, way.step, way.tracker):
        return None
    return memory


def _stop(track: Track, after: int, way: Way, mode: CommitMode) -> tuple[int, Reason]:
    """Where a walk from ``after`` ends (exclusive), and what that is."""
    step = way.step
    stop, ending = (way.frames if step > 0 else -1), Reason.END
    if mode != "range" and (keyframe := track.next_keyframe(after, step)) is not None:
        stop, ending = keyframe, Reason.KEYFRAME
    if way.until is not None and (way.until + step - stop) * step < 0:
        stop, ending = way.until + step, Reason.UNTIL
    if mode == "fill" and (stop - after) * step > 1:
        wanted = next((f for f in range(stop - step, after, -step) if missing(track, f)), None)
        if wanted is None:
            return after + step, Reason.FILLED
        if wanted != stop - step:
            stop, ending = wanted + step, Reason.FILLED
    return stop, ending


def _last_box(track: Track, frame: int, step: int) -> int:
    behind = [f for f, o in track.frames.items() if o.present and (frame - f) * step > 0]
    if not behind:
        raise SessionError(
            tr("The object has no box on this frame nor before it; draw one first")
            if step > 0
            else tr("The object has no box on this frame nor after it; draw one first")
        )
    return max(behind) if step > 0 else min(behind)


def _nowhere(ending: Reason, stop: int, step: int) -> str:
    match ending:
        case Reason.KEYFRAME:
            return tr("The next frame ({stop}) is a keyframe already; track from there or delete its box").format(
                stop=stop
            )
        case Reason.UNTIL:
            said = (
                tr("Frame {frame} does not lie after the start of the run")
                if step > 0
                else tr("Frame {frame} does not lie before the start of the run")
            )
            return said.format(frame=stop - step)
        case Reason.FILLED:
            return (
                tr("Every frame after this one has a box up to the next keyframe; Ctrl+Shift+T tracks them again")
                if step > 0
                else tr("Every frame before this one has a box up to the next keyframe; Ctrl+Shift+T tracks them again")
            )
        case _:
            return tr("This is the last frame") if step > 0 else tr("This is the first frame")
