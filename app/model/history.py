"""The one door through which a document changes: commit, undo, redo, gestures, the saved marker."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.model.document import Change, Document
from app.model.edits import Edit, Group, SetFrames, apply
from app.model.prepared import Prepared

Subscriber = Callable[[Edit, Change], object]


@dataclass
class _Step:
    """One undo step. ``back``: inverses in the order of their commits (undone from the last to the first).

    ``before`` and ``after`` name the states of the document on both sides of it; a name is never given twice.
    """

    title: str
    gesture: str | None
    back: list[Edit]
    tracks: frozenset[int]
    video: bool
    before: int
    after: int
    when: int
    """Orders the steps of all histories of the process by when they began."""


_CLOCK = itertools.count(1)


@dataclass(frozen=True)
class Taken:
    """A step that a document has behind it already: ``back`` takes it back, ``change`` is what it touched."""

    title: str
    back: Edit
    change: Change


class History:
    """Owns a document's undo and redo. All calls come from one thread, the one of the first commit.

    ``dirty`` is for documents that already hold unsaved work (recovered). ``taken``: a step that was carried out before
    anyone looked, such as labels that came with a clip; it can be taken back like any other.
    """

    def __init__(self, document: Document, *, dirty: bool = False, taken: Taken | None = None) -> None:
        self.document = document
        self._names = itertools.count()
        self._state = next(self._names)
        self._saved: int | None = None if dirty else self._state
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._subscribers: list[Subscriber] = []
        self._owner: int | None = None
        self._telling = False
        self._taken: _Step | None = None
        if taken is not None:
            self._taken = self._new_step(taken.title, None, taken.change)
            _push(self._taken.back, taken.back)

    def commit(self, edit: Edit, title: str = "", gesture: str | None = None) -> Change:
        """Carry out ``edit`` as an undo step of its own, or as part of the step that ``gesture`` opened.

        Edits of one gesture (a drag, a tracking run) make one step, also when steps that concern other tracks came in
        between: the user may edit, undo and redo on one track while another one is being tracked. A later step on the
        same track ends a gesture, and so does undoing its step. A new step forgets what could be redone.

        Raises `EditError` when the edit does not fit; nothing has changed then. Subscribers are told last.
        """
        self._enter()
        inverse, change = apply(edit, self.document)
        at = self._open_step(gesture, change)
        if at is None or not all(_apart(change, step) for step in self._undone):
            self._undone.clear()
        if at is None:
            step = self._new_step(title, gesture, change)
        else:
            step = self._done[at]
            step.tracks |= change.tracks
            step.video |= change.video
            self._rename_states(at)
        _push(step.back, inverse)
        self._tell(edit, change)
        return change

    def take(self, ready: Prepared, title: str = "") -> Change:
        """As `commit`, of an edit that was carried out beforehand. Raises `EditError` when it does not fit any more."""
        self._enter()
        ready.put(self.document)
        self._undone.clear()
        _push(self._new_step(title, None, ready.change).back, ready.back)
        self._tell(ready.edit, ready.change)
        return ready.change

    def undo(self) -> Change | None:
        """Take back the last step; None when there is none."""
        return self._turn(self._done, self._undone, forward=False)

    def redo(self) -> Change | None:
        """Carry out again what was undone last; None when there is nothing."""
        return self._turn(self._undone, self._done, forward=True)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def undo_title(self) -> str:
        """Title of the step that undo would take back; empty when there is none."""
        return self._done[-1].title if self._done else ""

    @property
    def redo_title(self) -> str:
        """Title of the step that redo would carry out; empty when there is none."""
        return self._undone[-1].title if self._undone else ""

    @property
    def undo_when(self) -> int:
        """When the step began that undo would take back, among the steps of all histories; 0 when there is none."""
        return self._done[-1].when if self._done else 0

    @property
    def redo_when(self) -> int:
        """When the step began that redo would carry out; 0 when there is none."""
        return self._undone[-1].when if self._undone else 0

    @property
    def steps(self) -> tuple[str, ...]:
        """Titles of the steps that undo would take back, oldest first."""
        return tuple(step.title for step in self._done)

    @property
    def undone(self) -> tuple[str, ...]:
        """Titles of the steps that redo would carry out, the next one first."""
        return tuple(step.title for step in reversed(self._undone))

    @property
    def timed(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """`steps` and `undone`, each step with when it began (see `undo_when`)."""
        done = [(step.title, step.when) for step in self._done]
        return done, [(step.title, step.when) for step in reversed(self._undone)]

    @property
    def state(self) -> int:
        """A name for the document as it is now, for `mark_saved` later."""
        return self._state

    def mark_saved(self, state: int | None = None) -> None:
        """The document as it is now lies on disk, or as it was when its `state` was taken."""
        self._saved = self._state if state is None else state

    @property
    def dirty(self) -> bool:
        """Whether the document differs from what was saved last; undoing back to that point makes it clean again."""
        return self._state != self._saved

    @property
    def worked_on(self) -> bool:
        """Whether it holds more unsaved work than the step that was taken before anyone looked."""
        return self.dirty and not (self._taken is not None and self._done == [self._taken] and not self._undone)

    def subscribe(self, fn: Subscriber) -> Callable[[], None]:
        """Have ``fn(edit, change)`` called after every applied edit, also those of undo and redo; answers with the
        function that ends it. ``fn`` must not commit, undo or redo."""
        self._subscribers.append(fn)

        def unsubscribe() -> None:
            if fn in self._subscribers:
                self._subscribers.remove(fn)

        return unsubscribe

    def _new_step(self, title: str, gesture: str | None, change: Change) -> _Step:
        before, self._state = self._state, next(self._names)
        step = _Step(title, gesture, [], change.tracks, change.video, before, self._state, next(_CLOCK))
        self._done.append(step)
        return step

    def _turn(self, source: list[_Step], target: list[_Step], *, forward: bool) -> Change | None:
        self._enter()
        if not source:
            return None
        step = source[-1]
        step.gesture = None  # whatever is still to come of it comes too late
        edit = step.back[0] if len(step.back) == 1 else Group(tuple(reversed(step.back)))
        inverse, change = apply(edit, self.document)
        source.pop()
        step.back = []
        _push(step.back, inverse)
        target.append(step)
        self._state = step.after if forward else step.before
        self._tell(edit, change)
        return change

    def _open_step(self, gesture: str | None, change: Change) -> int | None:
        """Where the step of ``gesture`` stands, if ``change`` may still join it."""
        if gesture is None:
            return None
        for at in range(len(self._done) - 1, -1, -1):
            if self._done[at].gesture == gesture:
                return at
            if not _apart(change, self._done[at]):
                return None
        return None

    def _rename_states(self, first: int) -> None:
        """The states after step ``first`` are no longer what they were: one of them may have been the saved one."""
        later = [*self._done[first:], *reversed(self._undone)]
        for step in later:
            step.after = next(self._names)
        for step, following in itertools.pairwise(later):
            following.before = step.after
        self._state = self._done[-1].after

    def _enter(self) -> None:
        if self._telling:
            raise RuntimeError("a subscriber of the history must not change the document")
        me = threading.get_ident()
        self._owner = self._owner or me
        if self._owner != me:
            raise RuntimeError("the document changes in one thread only; hand the edit over to it")

    def _tell(self, edit: Edit, change: Change) -> None:
        self._telling = True
        failure: Exception | None = None
        try:
            for fn in tuple(self._subscribers):
                try:
                    fn(edit, change)
                except Exception as error:  # one view's failure must not keep the edit from the journal
                    failure = failure or error
        finally:
            self._telling = False
        if failure is not None:
            raise failure


def _apart(change: Change, step: _Step) -> bool:
    """Whether ``change``, of frames alone, could as well have come before ``step``."""
    return not (change.structure or change.video or step.video or change.tracks & step.tracks)


def _push(back: list[Edit], inverse: Edit) -> None:
    """Add an inverse to those of a step, compactly: a run's thousand chunks become one edit, undone in one go."""
    if isinstance(inverse, Group):
        for part in reversed(inverse.edits):
            _push(back, part)
        return
    if isinstance(inverse, SetFrames):
        for older in reversed(back):
            if not isinstance(older, SetFrames):
                break
            if older.track == inverse.track:
                for frame, seen in inverse.frames.items():
                    older.frames.setdefault(frame, seen)  # the older value is the one to go back to
                return
    back.append(inverse)
