"""Undo across clips: the steps of all of them in the order of time, and going back to any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.model.history import History
from app.work.collecting import Collecting


@dataclass(frozen=True)
class StepOf:
    """A step of the history. ``clip``: the number of its clip, None without a collection; ``when`` orders the steps of
    all clips."""

    title: str
    clip: int | None
    when: int


class Travelling(Collecting):
    """The part of the session that knows the steps of all clips."""

    @property
    def can_undo(self) -> bool:
        return self.history.can_undo or any(kept.history.can_undo for kept in self._left.values())

    @property
    def can_redo(self) -> bool:
        return self.history.can_redo or any(kept.history.can_redo for kept in self._left.values())

    def undo(self) -> None:
        """Take back the newest step of all clips, going to its clip first."""
        self.runs.flush()
        newest = max(self._left.items(), key=lambda item: item[1].history.undo_when, default=None)
        if newest is None or newest[1].history.undo_when <= self.history.undo_when:
            super().undo()
        else:
            self._at_clip(newest[0], super().undo)

    def redo(self) -> None:
        """Do again what was undone last in any clip, going to its clip first."""
        waiting = [(kept.history.redo_when, video) for video, kept in self._left.items() if kept.history.can_redo]
        if not waiting or (self.history.can_redo and self.history.redo_when < min(waiting)[0]):
            super().redo()
        else:
            self._at_clip(min(waiting)[1], super().redo)

    def steps(self) -> tuple[list[StepOf], list[StepOf]]:
        """What was done and what was undone in all clips that are remembered, both in the order of time."""
        done: list[StepOf] = []
        undone: list[StepOf] = []
        for video, history in self._histories():
            clip = self.collection.find(video) if self.collection is not None and video else None
            there, gone = history.timed
            done += [StepOf(title, clip, when) for title, when in there]
            undone += [StepOf(title, clip, when) for title, when in gone]
        return sorted(done, key=lambda step: step.when), sorted(undone, key=lambda step: step.when)

    def travel(self, when: int) -> None:
        """Go to the state after the step that began ``when``: later ones are undone, it and earlier ones redone.

        0 is the state before all steps. Clips are visited once each, that of the step last. A clip that cannot be
        opened ends the journey, with what was done up to there.
        """
        self.runs.flush()
        turns: list[tuple[str, int, int]] = []
        last, here = "", self._clip
        for video, history in self._histories():
            there, gone = history.timed
            back = sum(began > when for _, began in there)
            again = sum(began <= when for _, began in gone)
            if any(began == when for _, began in (*there, *gone)):
                last = video
            if back or again:
                turns.append((video, back, again))
        turns.sort(key=lambda turn: (turn[0] == last, turn[0] != here))
        self._turn(turns, last)

    def _turn(self, turns: list[tuple[str, int, int]], last: str) -> None:
        if not turns:
            self._at_clip(last, lambda: None)
            return
        video, back, again = turns[0]

        def act() -> None:
            for _ in range(back):
                super(Travelling, self).undo()
            for _ in range(again):
                super(Travelling, self).redo()
            self._turn(turns[1:], last)

        self._at_clip(video, act)

    def _histories(self) -> list[tuple[str, History]]:
        return [(self._clip, self.history), *((video, kept.history) for video, kept in self._left.items())]

    def _at_clip(self, video: str, then: Callable[[], object]) -> None:
        """Do ``then`` in a clip, now when it is the open one."""
        number = self._collection().find(video) if video and video != self._clip else None
        if number is not None:
            self.go_to_clip(number, then=then)
        elif video in ("", self._clip):
            then()
