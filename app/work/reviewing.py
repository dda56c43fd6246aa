"""Reviewing: walking from one suspicious frame to the next, and vouching for what is right."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from app.model.edits import SetFrames
from app.words import tr, trn
from app.work.errors import SessionError
from app.work.hand import Hand
from app.work.jobs import Jobs, Post
from app.work.overview import Lanes, Stretch
from app.work.requests import OpenReader
from app.work.thumbnails import Wish, thumbnails
from app.work.triage import Triage

log = logging.getLogger(__name__)


class Reviewing(Hand):
    """The reviewing part of the session."""

    lanes: Lanes
    """The document at a glance; follows every change before anybody else hears of it."""
    triage: Triage
    jobs: Jobs
    _post: Post
    _open_reader: OpenReader

    def go_to_suspicious(self, direction: int = 1) -> Stretch:
        """Go to the next suspicious frame (the one before when ``direction`` < 0) and select its object.

        Past the last one it begins again at the first. Raises `SessionError` when there is none.
        """
        self.require_open()
        found = self.triage.next(self.frame, self.selected, direction)
        if found is None:
            found = self.triage.next(-1 if direction > 0 else self.frame_count, None, direction)
            if found is None:
                raise SessionError(tr("No suspicious frames are left"))
            self.events.message(tr("Began again from the other end"))
        self.set_playing(False)
        self.select(found.track)
        self.seek(found.worst)
        return found

    def verify(self) -> None:
        """Vouch for the selected object on this frame, then go on to the next suspicious frame, if there is one."""
        track, here = self._editable(), self.here
        if here is None:
            raise SessionError(tr("The object has nothing on this frame that could be verified"))
        if not here.verified:
            edit = SetFrames(track, {self.frame: msgspec.structs.replace(here, verified=True)})
            self.commit(edit, tr("Verify the frame"))
        self._go_on()

    def verify_stretch(self) -> None:
        """Vouch for the whole stretch of suspicious frames around this one, then go on."""
        track = self._editable()
        stretch = self.triage.around(self.frame, track)
        if stretch is None:
            self.verify()
            return
        frames = self.document.tracks[track].frames
        seen = {f: msgspec.structs.replace(frames[f], verified=True) for f in range(stretch.start, stretch.stop)}
        self.commit(
            SetFrames(track, dict(seen)),
            tr("Verify frames {start} to {stop}").format(start=stretch.start, stop=stretch.stop - 1),
        )
        self._go_on()

    def unverify(self) -> None:
        """Take back that somebody vouched for the selected object on this frame."""
        track, here = self._editable(), self.here
        if here is None or not here.verified:
            raise SessionError(tr("This frame of the object is not verified"))
        edit = SetFrames(track, {self.frame: msgspec.structs.replace(here, verified=False)})
        self.commit(edit, tr("No longer verified"))

    def pictures(
        self,
        wishes: Sequence[Wish],
        width: int,
        height: int,
        take: Callable[[Wish, np.ndarray], object],
        done: Callable[[], object],
    ) -> None:
        """Cut small pictures in the background; ``take`` gets each, (height, width, 3) uint8 BGR, in the main lane.

        ``done`` is called once at the end, also after an error (which is only logged: the pictures are a help).
        """
        media = self.require_open()
        of = self.playhead

        def hand_over(item: tuple[Wish, np.ndarray]) -> None:
            self._post(lambda: show(item))

        def show(item: tuple[Wish, np.ndarray]) -> None:
            if self.playhead is of:  # else another video is open by now
                take(*item)

        def end(error: Exception | None, cancelled: bool) -> None:
            if error is not None:
                log.info("thumbnails of %s: %s", media.path, error)
            done()

        work = thumbnails(self._open_reader, media.path, wishes, width, height)
        self.jobs.run("thumbnails", work, on_item=hand_over, on_end=end)

    def _go_on(self) -> None:
        stretches, frames = self.triage.left()
        if stretches:
            self.go_to_suspicious()
            self.events.message(
                tr("Left to look at: {frames} in {places}").format(
                    frames=trn("{count} suspicious frame", "{count} suspicious frames", frames).format(count=frames),
                    places=trn("{count} place", "{count} places", stretches).format(count=stretches),
                )
            )
        else:
            self.events.message(tr("No suspicious frames are left"))
