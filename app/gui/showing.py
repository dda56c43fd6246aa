"""Keeps the views in step with the session: which picture, which primitives, which lanes, which figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer

from app.gui.cutting import cut
from app.gui.panels.pictures import Picture
from app.media import Frame, MediaError
from app.model.document import Change
from app.model.tracks import State
from app.scene import Rect, scene
from app.session import LiveItem, RunStatus
from app.words import tr
from app.work.run import Phase
from tracker.api import Verdict

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class Showing:
    """Redraws are gathered: however many events come in one turn of the loop, the scene is made once."""

    def __init__(self, window: MainWindow) -> None:
        self._w = window
        self._session = window.session
        self._shown_as: dict[str, tuple[tuple[object, ...], Picture]] = {}
        self._template_of: int | None = None
        self._phase: Phase | None = None
        self._soon = QTimer(window)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._draw)
        events = self._session.events
        events.opened.connect(self._opened)
        events.document.connect(self._document)
        events.selection.connect(self._selection)
        events.position.connect(self._position)
        events.shown.connect(self._shown)
        events.live.connect(self._live)
        events.run.connect(self._run)
        events.settings.connect(lambda _: self._soon.start())
        events.mode.connect(lambda _: self._soon.start())
        events.cached.connect(self._cached)
        for several in (window.tracks_panel.chosen, window.timeline.chosen):
            several.connect(lambda tracks: self._session.select(*tracks))
        window.tracker_panel.wanted.connect(self._soon.start)

    def close(self) -> None:
        """No more drawing: the session is about to go."""
        self._soon.stop()

    def failed(self, error: Exception) -> None:
        """A frame that cannot be shown is said on the picture too, which would otherwise be another frame's."""
        if isinstance(error, MediaError) and self._session.is_open:
            self._w.canvas.set_note(tr("Frame {frame} cannot be shown").format(frame=self._session.frame))

    # --- events of the session ----------------------------------------------------------------------------------

    def _opened(self) -> None:
        doc, frames = self._session.document, self._session.frame_count
        w = self._w
        lanes = self._session.lanes
        w.timeline.reset(doc, frames, lanes)
        w.tracks_panel.reset(doc, lanes)
        w.canvas.set_image(None)
        w.canvas.set_note("")
        w.tracker_panel.show_prediction(None)
        w.tracker_panel.show_template(None)
        self._template_of = None
        self._shown_as.clear()
        self._tell_position()

    def _document(self, change: Change) -> None:
        doc = self._session.document
        w = self._w
        w.timeline.apply(doc, change)
        w.tracks_panel.apply(doc, change)
        self._soon.start()

    def _selection(self) -> None:
        self._w.timeline.set_selected(*self._session.selection)
        self._w.tracks_panel.select(*self._session.selection)
        self._soon.start()

    def _position(self, frame: int) -> None:
        self._w.timeline.set_frame(frame)
        self._tell_position()

    def _shown(self, frame: Frame) -> None:
        self._w.canvas.set_note("")
        self._w.canvas.set_image(frame.image)
        self._w.player.shown()
        self._draw()

    def _live(self, item: LiveItem) -> None:
        self._soon.start()

    def _run(self, status: RunStatus | None) -> None:
        phase = status.phase if status else None
        if phase is Phase.TRACKING and self._phase is Phase.LOADING:
            self._w.status.quiet()  # what was said of loading is over
        self._phase = phase
        if status is None:
            self._w.tracker_panel.show_idle()
            self._soon.start()
        else:
            self._w.tracker_panel.show_run(status.device, status.fps)

    def _cached(self) -> None:
        mask = np.zeros(self._session.frame_count, bool)
        mask[self._session.cached_frames()] = True
        self._w.timeline.set_cached(mask)

    # --- drawing ------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """The scene of the picture that is on show (not of the frame that is still being decoded)."""
        self._soon.stop()
        session = self._session
        if session.shown is None:
            self._w.canvas.set_scene(())
            return
        live = session.live_here
        shown = session.shown.index
        others = session.lives_here
        boxing = session.mask_tool is None
        drawn = scene(session.document, shown, session.selection, live, session.settings, others, handles=boxing)
        self._w.canvas.set_scene(drawn)
        self._w.canvas.set_magnifier(session.settings.magnifier)
        if session.settings.lock_camera and not self._w.canvas.gesturing:
            target = next((p for p in drawn if isinstance(p, Rect) and p.selected), None)
            if target is not None:
                self._w.canvas.centre_on(target.box)
        self._tell_tracker(live)

    def _tell_tracker(self, live: LiveItem | None) -> None:
        session, panel = self._session, self._w.tracker_panel
        shown, here = session.shown, None
        if shown is not None and session.selected is not None:
            here = session.document.tracks[session.selected].at(shown.index)
        score = live.prediction.score if live is not None else None if here is None else here.score
        self._w.timeline.set_score(score)
        if panel.visibleRegion().isEmpty():
            panel.ask_later()  # nobody looks: no work for a hidden panel
            return
        if live is not None:
            panel.show_prediction(live.prediction, self._search(live))
            panel.show_template(self._template(live))
            self._template_of = live.track
            return
        if session.selected != self._template_of:  # an object keeps its template, another one does not inherit it
            panel.show_template(None)
            self._template_of = None
        if here is not None and here.score is not None:
            verdict = Verdict.LOST if here.state is State.LOST else Verdict.TRACKED
            if here.signals.get("uncertain"):
                verdict = Verdict.UNCERTAIN
            panel.show_stored(here.score, verdict, "", here.signals)
        else:
            panel.show_prediction(None)

    def _tell_position(self) -> None:
        session = self._session
        times = session.media.times if session.media else None
        seconds = float(times[session.frame]) if times is not None and len(times) else 0.0
        self._w.transport.show_position(session.frame, session.frame_count, seconds)

    def _search(self, live: LiveItem) -> Picture | None:
        """The search region with the chosen map and the peaks; cut from the picture when the run's own is gone."""
        said, shown, options = live.prediction, self._session.shown, self._session.settings
        if said.crop is None:
            return None
        pixels = said.search
        if pixels is None and (shown is None or shown.index != live.frame):
            return None
        heat = said.heat.get(options.heat_kind)

        def make() -> Picture:
            seen = cut(shown.image, said.crop) if pixels is None else pixels  # type: ignore[union-attr, arg-type]
            return Picture(seen, said.crop.rect, heat, options.heat_opacity, said.peaks)  # type: ignore[union-attr]

        return self._kept("search", (live, heat, options.heat_opacity, pixels is None and shown), make)

    def _template(self, live: LiveItem) -> Picture | None:
        """What the target was started from, as its tracker tells; with the weights unless heat is off."""
        start, options = live.exemplar, self._session.settings
        if start is None:
            return None
        weights = None if options.heat_kind == "off" else start.weights
        key = start, weights, options.heat_opacity
        make = partial(Picture, start.pixels, start.crop.rect, weights, options.heat_opacity, (), start.part)
        return self._kept("template", key, make)

    def _kept(self, name: str, key: tuple[object, ...], make: Callable[[], Picture]) -> Picture:
        """The picture made last time, while it shows the same things."""
        found = self._shown_as.get(name)
        if found is None or len(found[0]) != len(key) or any(a is not b for a, b in zip(found[0], key, strict=True)):
            found = self._shown_as[name] = key, make()
        return found[1]
