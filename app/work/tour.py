"""The guided tour: steps as data, and a guide that goes on when the session shows that a step was really done.

It runs on the sample clip, opened anew as a project without a file; what a step points at is told, not where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from app.model.document import Change
from app.model.tracks import Source
from app.words import mark
from app.work.events import Event
from tracker.api import Box

if TYPE_CHECKING:  # the tour watches the session and is no part of it
    from app.session import Session

WATCHED = 25
"""Frames of a run that one should have seen before the tour speaks of the next thing."""
NEAR = 6
"""Frames beside the one of a step that will do as well."""


class Place(StrEnum):
    """What a step points at."""

    PICTURE = "picture"
    TRACKER = "tracker"
    PAUSE = "pause"
    REVIEW = "review"
    EXPORT = "export"


@dataclass(frozen=True)
class Heard:
    """What has just happened. ``calm``: nothing has, somebody looks in between, so that nothing is half done."""

    change: Change | None = None
    exported: bool = False
    calm: bool = False


Watch = Callable[[Heard], bool]
"""Whether the step is done now that this happened. Made when the step begins, so that only what follows counts."""


@dataclass(frozen=True)
class Step:
    """``text`` has places like ``{new}`` for the keys of the commands in ``keys``.

    ``frame``: one has to go there first; ``box``: where the tug is on it, in pixels of the sample.
    """

    id: str
    title: str
    text: str
    place: Place
    begin: Callable[[Session], Watch]
    keys: Mapping[str, str] = field(default_factory=dict)
    frame: int | None = None
    box: Box | None = None


# When a step is done


def drawn(session: Session) -> Watch:
    """A new object is there."""
    before = set(session.document.tracks)
    return lambda _: bool(session.document.tracks.keys() - before)


def tracking(session: Session) -> Watch:
    """A run that was asked for by hand has gone on for a while, or has ended."""
    began = False

    def watch(_: Heard) -> bool:
        nonlocal began
        run = session.run
        if run is not None and not run.background:
            began = True
            return run.done >= WATCHED
        return began and run is None

    return watch


def answered(session: Session) -> Watch:
    """A run paused and somebody said how it goes on; or it came to the end of the clip without asking."""
    asked: object = None

    def watch(_: Heard) -> bool:
        nonlocal asked
        if asked is not None and session.pause is not asked:
            return True
        asked = session.pause
        if session.run is not None or asked is not None:
            return False
        return any(lane.summary()[2] == session.frame_count - 1 for lane in session.lanes.lanes.values())

    return watch


def corrected(session: Session) -> Watch:
    """A box was drawn by hand on a track that has other frames, and what lies beside it was tracked again."""
    mended = False

    def watch(heard: Heard) -> bool:
        nonlocal mended
        for id_, frames in heard.change.frames.items() if heard.change else ():
            track = session.document.tracks.get(id_)
            if track is not None and len(frames) == 1 and len(track.frames) > 1:
                seen = track.at(next(iter(frames)))
                mended |= seen is not None and seen.present and seen.source is Source.MANUAL
        return mended and heard.calm and session.run is None and not session.retracking

    return watch


def verified(session: Session) -> Watch:
    """Somebody vouched for a frame."""

    def watch(heard: Heard) -> bool:
        tracks = session.document.tracks
        return any(
            (seen := tracks[id_].at(frame)) is not None and seen.verified
            for id_, frames in (heard.change.frames.items() if heard.change else ())
            if id_ in tracks
            for frame in frames
        )

    return watch


def painted(session: Session) -> Watch:
    """A mask was changed by hand, and the tool is down again."""
    touched = False

    def watch(heard: Heard) -> bool:
        nonlocal touched
        touched |= heard.change is not None and bool(heard.change.frames) and session.mask_tool is not None
        return touched and session.mask_tool is None

    return watch


def exported(session: Session) -> Watch:
    """Labels were written and checked."""
    return lambda heard: heard.exported


STEPS: tuple[Step, ...] = (
    Step("draw", mark("Draw a box around the boat"),
         mark("Press {new}, then drag from one corner of the tugboat to the other. One box is all that is needed to "
              "begin."),
         Place.PICTURE, drawn, {"new": "object.new"}, 0, Box(342.0, 400.9, 93.8, 52.6)),
    Step("track", mark("Let it be followed"),
         mark("Press {track}. Box and mask travel through the clip. The warm colours are the heat map: where the "
              "tracker looks. The panel says how sure it is."),
         Place.TRACKER, tracking, {"track": "track.forward"}),
    Step("pause", mark("Answer when it asks"),
         mark("The boat goes under the bridge. The run pauses there, since the tracker has lost it, and asks. Press "
              "{occluded}: it is hidden. The run goes on looking for it."),
         Place.PAUSE, answered, {"occluded": "object.occluded"}),
    Step("correct", mark("Correct one frame"),
         mark("Behind the bridge the tracker may follow something else. Go to frame {frame} in the timeline, press "
              "{redraw} and draw the box of the boat. The gaps on both sides of it are tracked again by themselves."),
         Place.PICTURE, corrected, {"redraw": "object.redraw"}, 215, Box(672.1, 289.7, 106.3, 88.4)),
    Step("review", mark("Review what it was not sure of"),
         mark("{next} goes to the next doubtful frame, the panel lists the worst first. If it is right, {verify} says "
              "so and goes on; {stretch} says it of the whole place."),
         Place.REVIEW, verified,
         {"next": "review.next", "verify": "review.verify", "stretch": "review.verify_stretch"}),
    Step("mask", mark("Mend a mask"),
         mark("Go to frame {frame}. {mask} takes the mask in hand: a drag paints, with {eraser} it erases. Paint a "
              "little, then press {mask} again to put it down."),
         Place.PICTURE, painted, {"mask": "mask.edit", "eraser": "mask.eraser"}, 230, Box(696.0, 244.7, 97.2, 108.3)),
    Step("export", mark("Export with proof"),
         mark("Press {export} and choose a format. You see beforehand what it cannot hold, and afterwards the file is "
              "read back and compared."),
         Place.EXPORT, exported, {"export": "file.export"}),
)  # fmt: skip

END_TITLE = mark("That was the tour")
END_TEXT = mark(
    "{keys} shows all keys, {palette} finds any command by its name. This is a project of its own: nothing is kept of "
    "it unless you save it."
)
END_KEYS = {"keys": "help.keys", "palette": "help.palette"}


class Guide:
    """Where one is in the tour. ``changed`` is told at every step and at the end, when `step` is None."""

    def __init__(self, session: Session, steps: tuple[Step, ...] = STEPS) -> None:
        self.changed: Event[[]] = Event()
        self.steps = steps
        self.number = 0
        """The step one is at, from 0; as many as there are when all are behind."""
        self._session = session
        self._watch = steps[0].begin(session)
        events = session.events
        self._ends = [
            events.document.connect(lambda change: self._hear(Heard(change))),
            events.exported.connect(lambda report: self._hear(Heard(exported=True))),
            events.run.connect(lambda _: self._hear(Heard())),
            events.mode.connect(lambda _: self._hear(Heard())),
        ]

    @property
    def step(self) -> Step | None:
        return self.steps[self.number] if self.number < len(self.steps) else None

    def look(self) -> None:
        """See whether the step is done. Whoever shows the tour calls it now and then, never from within an event."""
        self._hear(Heard(calm=True))

    def skip(self) -> None:
        """On to the next step, done or not."""
        self._go(self.number + 1)

    def back(self) -> None:
        """The step before once more."""
        self._go(self.number - 1)

    def end(self) -> None:
        """Watch no longer."""
        for end in self._ends:
            end()
        self._ends = []

    def _go(self, number: int) -> None:
        self.number = min(len(self.steps), max(0, number))
        if self.step is not None:
            self._watch = self.step.begin(self._session)
        self.changed()

    def _hear(self, heard: Heard) -> None:
        if self.step is not None and self._ends and self._watch(heard):
            self._go(self.number + 1)
