"""What a run is asked for and what it says: plain values between the main lane and the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.media import Frame, Reader
from app.model.tracks import Observation, State
from app.settings import CommitMode
from app.work.choice import TrackerChoice
from tracker.api import Box, Exemplar, Prediction, Target, Tracker

OpenReader = Callable[[Path], Reader]
"""Opens a video in the calling thread, which then owns the reader."""


class Reason(StrEnum):
    """Why the following of one object ended."""

    END = "end"
    KEYFRAME = "keyframe"
    UNTIL = "until"
    FILLED = "filled"
    """Everything beyond is labelled already."""
    SETTLED = "settled"
    """The run agrees with what an earlier one has left there, or is lost where that was not."""
    LOST = "lost"
    UNCERTAIN = "uncertain"
    RELEASED = "released"
    """A person changed the track, and the run left it alone."""


DISAGREES = 0.5
"""Passes over a gap that overlap less than this somewhere are worth a look there."""
SETTLE = 12
"""Frames in a row in which a second walk agrees with a first one before it may end, after a correction."""
SETTLED = 0.7
"""Walks that overlap this much (IoU) on frame after frame follow the same thing."""
PAUSES = frozenset({Reason.LOST, Reason.UNCERTAIN})
"""Endings at which a person is asked what to do."""


@dataclass(frozen=True)
class Memory:
    """What a run has learnt of an object, to go on without forgetting it.

    ``frame``: the last frame that ``target`` has seen, walking by ``step``. ``owner``: the tracker that made it, as it
    was loaded then for ``device``.
    """

    track: int
    frame: int
    step: int
    tracker: TrackerChoice
    device: str
    target: Target
    owner: Tracker | None


Book = dict[int, Memory]
"""What was learnt last of each track. Written and read by the tracking lane; the main lane only tears pages out."""


@dataclass(frozen=True)
class Aim:
    """One object of a run. ``stop`` is exclusive in the direction of the run; ``ending`` says what it is.

    ``box``: where the object is in frame ``start``, the frame before the first one written; with ``memory`` the run
    goes on from there instead of starting anew. ``taught``: the box was drawn by hand after a run, and what the `Book`
    knows of the object is told.
    ``persist``: stay on, lost or uncertain, until the object was found once (going on after a pause); while it is
    lost, ``absent`` is what is written. ``mode``: which frames may be written; only what nobody vouches for ever is.
    ``known``: boxes that an earlier run has left on the way; after `SETTLE` frames of agreement the rest stays, and a
    loss does not replace them.
    """

    track: int
    start: int
    stop: int
    box: Box
    ending: Reason = Reason.END
    persist: bool = False
    absent: State = State.LOST
    memory: Memory | None = None
    taught: bool = False
    mode: CommitMode = "fill"
    known: Mapping[int, Box] = field(default_factory=dict)


@dataclass(frozen=True)
class TrackRequest:
    """One walk in the direction ``step`` (+1 or -1) for one object or several, self-contained.

    ``lost_after`` and ``uncertain_after``: frames in a row that end it for an object; None for never. ``keys``: by
    track the boxes of keyframes that the walk passes (see `app.settings.CommitMode`, "range"), which correct it there.
    """

    run: int
    media: Path
    step: int
    tracker: TrackerChoice
    device: str
    aims: tuple[Aim, ...]
    masks: bool = True
    lost_after: int | None = 4
    uncertain_after: int | None = None
    keys: dict[int, dict[int, Box]] = field(default_factory=dict)

    @property
    def tracks(self) -> tuple[int, ...]:
        return tuple(aim.track for aim in self.aims)

    @property
    def start(self) -> int:
        """The first frame that is read, or the last that was before."""
        return min(a.start for a in self.aims) if self.step > 0 else max(a.start for a in self.aims)

    @property
    def stop(self) -> int:
        """Exclusive: where the last object's way ends."""
        return max(a.stop for a in self.aims) if self.step > 0 else min(a.stop for a in self.aims)

    @property
    def total(self) -> int:
        """Frames to be computed if nothing stops the run."""
        return max(0, abs(self.stop - self.start) - 1)


@dataclass(frozen=True)
class GapRequest:
    """The frames between two keyframes of a track, to be followed from both sides and fused.

    ``left`` and ``right``: the frames of the keyframes; their boxes are None where the object is not in the picture,
    and then the other side goes alone. ``settle``: the pass from the right ends when it agrees with the one from the
    left for so many frames in a row; None: it goes all the way. ``made``: what one undisturbed pass from the left
    has made of the gap already (and of the right keyframe), as far as that is known; it is not walked again then.
    """

    run: int
    media: Path
    track: int
    left: int
    right: int
    left_box: Box | None
    right_box: Box | None
    tracker: TrackerChoice
    device: str
    masks: bool = True
    settle: int | None = None
    made: dict[int, Observation] | None = None

    @property
    def tracks(self) -> tuple[int, ...]:
        return (self.track,)

    @property
    def start(self) -> int:
        return self.left

    @property
    def stop(self) -> int:
        return self.right

    @property
    def step(self) -> int:
        return 1

    @property
    def total(self) -> int:
        """Frames to be computed in both passes."""
        length = self.right - self.left
        passes = (self.left_box is not None and self.made is None) + (self.right_box is not None)
        return length * passes


Part = TrackRequest | GapRequest


@dataclass(frozen=True)
class LiveItem:
    """The newest answer of a run, for the eyes only. ``image`` is None for items remembered by `Recent`.

    ``exemplar``: what the target was started from, where the tracker tells; one object for all items of a run.
    """

    run: int
    track: int
    frame: int
    prediction: Prediction
    image: Frame | None = None
    fps: float = 0.0
    exemplar: Exemplar | None = None


@dataclass(frozen=True)
class Note:
    """News of a run that goes on: ``text`` for the person to read, ``device`` when that is known or changed.

    ``part``: what begins now.
    """

    text: str = ""
    device: str = ""
    part: Part | None = None


@dataclass(frozen=True)
class Found:
    """What a run says of one object on one frame. ``mode``: which frames may be written with it."""

    track: int
    frame: int
    observation: Observation
    mode: CommitMode = "fill"


@dataclass(frozen=True)
class Tracked:
    """One frame's results; nothing in ``found`` for a frame that was only looked at. ``live``: one item an object."""

    frame: int
    found: tuple[Found, ...]
    live: tuple[LiveItem, ...] = ()


@dataclass(frozen=True)
class Ending:
    """How the following of one object ended. ``frame``: where to look now; ``last``: the last frame that was written.

    ``why``: the reason in words, for a pause.
    """

    aim: Aim
    reason: Reason
    frame: int
    last: int
    why: str = ""
    memory: Memory | None = None


@dataclass(frozen=True)
class Meeting:
    """How the two passes over a gap agreed, as overlaps (IoU); None where they could not be compared.

    ``agreement``: the mean over the gap; ``worst`` at frame ``worst_at``; ``closure``: the lower one of the overlaps at
    the opposite keyframes. ``one_sided``: only one keyframe had a box to start from.
    """

    left: int
    right: int
    agreement: float | None = None
    worst: float | None = None
    worst_at: int = 0
    closure: float | None = None
    one_sided: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run, or a part of it, ended by itself: one `Ending` for each object followed, or how a gap was closed."""

    endings: tuple[Ending, ...] = ()
    meetings: tuple[Meeting, ...] = ()

    @property
    def reason(self) -> Reason:
        """Of the object that matters most: one that waits for a person, else the first."""
        return self._chief.reason if self._chief else Reason.KEYFRAME

    @property
    def frame(self) -> int | None:
        """Where to look now; None where there is nothing in particular to see."""
        if self._chief is not None:
            return self._chief.frame
        apart = [m for m in self.meetings if m.worst is not None and m.worst < DISAGREES]
        return min(apart, key=lambda m: m.worst or 0.0).worst_at if apart else None

    @property
    def resume(self) -> Memory | None:
        """The memory to go on with after a pause."""
        return self._chief.memory if self._chief and self._chief.reason in PAUSES else None

    @property
    def _chief(self) -> Ending | None:
        return next((e for e in self.endings if e.reason in PAUSES), self.endings[0] if self.endings else None)
