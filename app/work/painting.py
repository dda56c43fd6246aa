"""The mask in hand: strokes of the session's user as edits, each one undo step."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import StrEnum

import msgspec
import numpy as np

from app.media import Frame
from app.model.edits import SetFrames
from app.model.masks import Mask
from app.model.tracks import Observation, Source
from app.words import tr
from app.work import masking
from app.work.errors import SessionError
from app.work.jobs import Job
from app.work.run import LANE
from app.work.shaping import Shaping
from tracker.api import Box, MaskPatch, Segments

BRUSH_STEP = 1.25


class MaskTool(StrEnum):
    """What a drag on the picture does while masks are edited."""

    BRUSH = "brush"
    ERASER = "eraser"
    POLYGON = "polygon"
    FILL = "fill"


class Painting(Shaping):
    """The part of the session that edits masks of the selected object on the current frame."""

    mask_tool: MaskTool | None
    """The tool in hand; None while boxes are edited."""

    def begin_masking(self, tool: MaskTool = MaskTool.BRUSH) -> None:
        """Take a mask tool in hand. Raises `SessionError` without a selected object."""
        self.require_open()
        self._editable()
        self.end_drawing()
        self.set_playing(False)
        self.mask_tool = tool
        self.events.mode(self.mode)

    def end_masking(self) -> None:
        """Back to boxes."""
        if self.mask_tool is not None:
            self.mask_tool = None
            self.events.mode(self.mode)

    def size_brush(self, steps: int) -> None:
        """A larger (above zero) or smaller brush."""
        radius = self.settings.brush * BRUSH_STEP**steps
        self.change_settings(brush=float(min(max(radius, 0.5), 500.0)))

    def brush(self, points: masking.Points, *, erase: bool = False) -> None:
        """One stroke over ``points`` (image pixels)."""
        radius = self.settings.brush
        self._remask(
            tr("Erase mask") if erase else tr("Brush mask"),
            lambda mask, size: masking.brushed(mask, size, points, radius, erase=erase),
        )

    def outline(self, points: masking.Points, *, erase: bool = False) -> None:
        """The inside of a polygon, added or taken away."""
        self._remask(tr("Polygon"), lambda mask, size: masking.polygon(mask, size, points, erase=erase))

    def fill(self, at: tuple[float, float], *, erase: bool = False) -> None:
        """Fill the hole at a point, or take the part there away."""
        self._remask(tr("Fill"), lambda mask, size: masking.filled(mask, size, at, erase=erase))

    def box_from_mask(self) -> None:
        """Fit the box of the selected object to its mask."""
        here = self._with_mask()
        assert here.mask is not None
        box = here.mask.box
        assert box is not None
        self._write(here, here.mask, box, tr("Box from the mask"))

    def mask_from_box(self) -> None:
        """Make the mask the whole box: a beginning for square things."""
        here = self.here
        if here is None or here.box is None:
            raise SessionError(tr("The object has no box on this frame; draw one first (Shift+N)"))
        self._write(here, masking.of_box(here.box, self._size()), here.box, tr("Mask from the box"))

    def remove_mask(self) -> None:
        """Keep the box alone."""
        here = self._with_mask()
        self._write(here, None, here.box, tr("Delete the mask"))

    def refine_mask(self) -> Job[MaskPatch | None]:
        """Have the tracker draw the mask in the box of the selected object, in the background.

        What the hand changed meanwhile is left alone. Raises `SessionError` without a box or during a run.
        """
        track, here, shown = self._editable(), self.here, self.shown
        if here is None or here.box is None or not here.present:
            raise SessionError(tr("The object has no box on this frame; draw one first (Shift+N)"))
        if self.run is not None:
            raise SessionError(tr("A run is going on; press Esc to stop it first"))
        if shown is None or shown.index != self.frame:
            raise SessionError(tr("The picture is not here yet; try again in a moment"))
        frame, box = self.frame, here.box

        def end(error: Exception | None, cancelled: bool) -> None:
            if error is not None:
                self.events.error(error)
                return
            known = self.document.tracks.get(track)
            if cancelled or known is None or known.at(frame) is not here:
                return
            if job.value is None:
                self.events.message(tr("The tracker found no mask in this box"))
                return
            mask = Mask.from_patch(job.value, *self._size()[::-1])
            new = msgspec.structs.replace(here, mask=mask, source=Source.MANUAL, keyframe=True)
            self.commit(SetFrames(track, {frame: new}), tr("Mask by the tracker"))

        job: Job[MaskPatch | None] = self.jobs.run(LANE, self._segment(shown, box), on_end=end)
        self.events.message(tr("Drawing the mask in the box…"))
        return job

    def _segment(self, shown: Frame, box: Box) -> Generator[None, None, MaskPatch | None]:
        yield
        tracker = self._trackers.get(self.tracker, self.settings.device)
        if not isinstance(tracker, Segments):
            raise SessionError(
                tr("{title} draws no masks; choose siamatt-mobile or a mask tracker").format(title=self.tracker.title)
            )
        return tracker.segment(np.ascontiguousarray(shown.image), box)

    def _remask(self, title: str, change: Callable[[Mask | None, tuple[int, int]], Mask | None]) -> None:
        self._editable()
        here = self.here or Observation()
        new = change(here.mask, self._size())
        if new != here.mask:
            box = here.box if here.present else None
            self._write(here, new, box or (new.box if new else None), title)

    def _write(self, here: Observation, mask: Mask | None, box: Box | None, title: str) -> None:
        """A mask by hand makes a keyframe; an object that has no box left here is forgotten on this frame."""
        track = self._editable()
        state = {"state": type(here.state).VISIBLE} if not here.present else {}
        new = msgspec.structs.replace(here, mask=mask, box=box, source=Source.MANUAL, keyframe=True, **state)
        self.commit(SetFrames(track, {self.frame: new if box is not None else None}), title)

    def _with_mask(self) -> Observation:
        here = self.here
        if here is None or here.mask is None or not here.mask.area:
            raise SessionError(tr("The object has no mask on this frame; paint one (M) or let the tracker draw it"))
        return here

    def _size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        media = self.require_open()
        return media.width, media.height
