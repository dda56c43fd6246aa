"""The window: layout and wiring only. What happens, happens in the session; what is drawn, in the views."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSettings, Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import diagnostics
from app.commands import BY_ID
from app.gui import recent, theme
from app.gui.actions import Actions, Ask
from app.gui.canvas.mask_tools import PaintTool
from app.gui.canvas.tools import DrawTool, SelectTool, rect_at
from app.gui.canvas.view import Canvas
from app.gui.choosing import Choosing
from app.gui.dialogs.error import ErrorDesk
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.palette import Palette
from app.gui.dialogs.params import RangeAsking
from app.gui.dialogs.settings import SettingsDialog
from app.gui.documents import Documents
from app.gui.dropping import dropped_paths
from app.gui.exporting import Exporting
from app.gui.foreseeing import Foreseeing
from app.gui.gauge import Gauge
from app.gui.hands import Hands
from app.gui.menus import recent_menu, theme_menu
from app.gui.notices import NoticeBar
from app.gui.panels.attributes import AttributesPanel
from app.gui.panels.clips import ClipsPanel
from app.gui.panels.comments import CommentsPanel
from app.gui.panels.history import HistoryPanel
from app.gui.panels.keyframes import KeyframesPanel
from app.gui.panels.review import ReviewPanel
from app.gui.panels.thumbs import Thumbs
from app.gui.panels.tracker import TrackerPanel
from app.gui.panels.tracks import TracksPanel
from app.gui.panels.transport import TransportBar
from app.gui.pause_bar import PauseBar
from app.gui.player import Player
from app.gui.progress import WorkBar
from app.gui.showing import Showing
from app.gui.side import Side
from app.gui.start_page import StartPage
from app.gui.status import StatusLine
from app.gui.timeline import Timeline
from app.gui.tool_bar import tool_bar
from app.gui.tour import Touring
from app.scene import mode_line
from app.session import Mode, RelinkError, Session, SessionError
from app.words import tr
from app.work.painting import MaskTool
from tracker import registry

OBJECT_MENU = (
    "track.forward", "track.backward", "track.gap", "", "object.keyframe", "object.occluded", "object.out_of_view", "",
    "object.redraw", "object.delete_box", "object.delete",
)  # fmt: skip
GROUND_MENU = ("object.new", "", "view.fit", "view.zoom_in", "view.zoom_out", "view.heat")


class MainWindow(QMainWindow):
    """One window, one session. It is the `Ui` of the commands."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.documents = Documents(self, session, self.show_error)
        self.hands = Hands(session, self.show_error)
        self.errors = ErrorDesk(self)
        self.exporting = Exporting(self, session, self.show_error)
        self._closing = False
        self.ranges = RangeAsking(self, session)
        self.actions_ = Actions(
            session, self, self._asks(), self.show_error, lambda: self.canvas.cancel_gesture(), self
        )
        self._build()
        self.player = Player(session, self, self.transport.show_note)
        self.showing = Showing(self)
        self.foreseeing = Foreseeing(self)
        self.touring = Touring(self)
        self._connect()
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)
        self._restore_geometry()
        self._mode_changed(session.mode)
        self.tracker_panel.show_settings(session.settings, session.tracker)
        self.start_page.set_recent(recent.load())

    def _asks(self) -> dict[str, Ask]:
        """What commands ask for, by name, or by the command's own id."""
        asking = self.documents.asking
        return {
            "open": self.documents.ask_open,
            "clip_folder": self.documents.ask_folder,
            "file.sample": self.documents.ask_sample,
            "save_as": asking.save_as,
            "export": self.exporting.ask,
            "frame": self.documents.asking.frame,
            "labels": asking.labels,
            "label_file": asking.label_file,
            "comment": asking.comment,
            "label_data": asking.label_data,
            "label_folder": asking.label_folder,
            "frames": self.ranges.frames,
            "range": self.ranges.track_range,
            "delete_range": self.ranges.delete_range,
            "copies": self.ranges.copies,
            "tolerance": self.ranges.tolerance,
        }

    # --- layout -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.select_tool, self.draw_tool = SelectTool(self.hands), DrawTool(self.hands)
        self.paint_tool = PaintTool(
            self.hands,
            lambda: self.session.mask_tool or MaskTool.BRUSH,
            lambda: self.session.settings.brush,
            self._selected_colour,
        )
        self.canvas = Canvas(self.select_tool)
        self.start_page = StartPage(self.actions_)
        self.notices = NoticeBar(lambda error: self.errors.show(error))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.start_page)
        self.stack.addWidget(self.canvas)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        self.pause_bar = PauseBar(self.session, self.actions_)
        column.addWidget(self.pause_bar)
        column.addWidget(self.stack, 1)
        self.tracks_panel = TracksPanel(self._set_track)
        self.choosing = Choosing(self, self.session, self.notices)
        self.tracker_panel = TrackerPanel(
            registry.infos(),
            self._set_option,
            lambda name: self.choosing.choose(name, self.tracker_panel),
            self.choosing.menu,
        )
        self.side = Side()
        self.thumbs = Thumbs(self.session, self)
        self.review_panel = ReviewPanel(self.session, self.actions_.__getitem__, self.thumbs)
        self.side.above.add("objects", tr("Objects"), "timeline", self.tracks_panel)
        self.side.above.add("review", tr("Review"), "warning", self.review_panel)
        self.review_panel.counted.connect(lambda count: self.side.above.set_badge("review", count))
        asking = self.documents.asking
        self.clips_panel = ClipsPanel(
            self.session, self.actions_.__getitem__, lambda: asking.clips(), lambda: asking.folders(), self.show_error
        )
        self.side.above.add("clips", tr("Clips"), "film", self.clips_panel)
        self.history_panel = HistoryPanel(self.session)
        self.side.above.add("history", tr("History"), "undo", self.history_panel)
        self.comments_panel = CommentsPanel(self.session, self.actions_.__getitem__, self.show_error)
        self.side.above.add("comments", tr("Comments"), "info", self.comments_panel)
        self.comments_panel.counted.connect(lambda count: self.side.above.set_badge("comments", count))
        self.attributes_panel = AttributesPanel(
            self.session, self.show_error, lambda: self.actions_.trigger(BY_ID["label.edit"])
        )
        self.side.below.add("tracker", tr("Tracker"), "signal", self.tracker_panel, scrolls=True)
        self.side.below.add("attributes", tr("Attributes"), "tag", self.attributes_panel, scrolls=True)
        self.keyframes_panel = KeyframesPanel(self.session, self.actions_.__getitem__, self.thumbs, self.show_error)
        self.side.below.add("keyframes", tr("Keyframes"), "keyframe", self.keyframes_panel)
        top = QSplitter(Qt.Orientation.Horizontal)
        top.setHandleWidth(1)
        top.addWidget(middle)
        top.addWidget(self.side)
        top.setStretchFactor(0, 1)
        top.setCollapsible(0, False)
        top.setSizes([10_000, 340])
        self.transport = TransportBar(self.actions_.__getitem__)
        self.timeline = Timeline()
        low = QWidget()
        low.setObjectName("timelineArea")
        column = QVBoxLayout(low)
        column.setContentsMargins(0, 1, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.transport)
        column.addWidget(self.timeline, 1)
        self.rows = QSplitter(Qt.Orientation.Vertical)
        self.rows.setHandleWidth(1)
        self.rows.addWidget(top)
        self.rows.addWidget(low)
        self.rows.setStretchFactor(0, 1)
        self.rows.setCollapsible(0, False)
        self.rows.setSizes([10_000, 216])
        self.setCentralWidget(self.rows)
        for ground in (self.canvas, self.timeline, self.transport):
            self.actions_.add_ground(ground)
        menus = self.actions_.fill(self.menuBar())
        menus["File"].insertMenu(self.actions_["file.sample"], recent_menu(menus["File"], self.documents.open))
        menus["View"].addMenu(theme_menu(menus["View"], self.session))
        self.addToolBar(tool_bar(self.actions_))
        self.status = StatusLine()
        self.work = WorkBar(self.session.cancel, self.session.cancellable)
        self.status.insertPermanentWidget(1, self.work)
        self.gauge = Gauge(self.session, self.status)
        self.setStatusBar(self.status)

    # --- wiring -------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        events = self.session.events
        events.mode.connect(self._mode_changed)
        events.message.connect(self.show_message)
        events.error.connect(self.show_error)
        events.progress.connect(self.work.tell)
        events.settings.connect(self._settings_changed)
        events.trackers.connect(self._trackers_changed)
        events.opened.connect(self._opened)
        events.saved.connect(lambda _: self.refresh())
        for changed in (events.document, events.selection, events.position, events.run, events.loop):
            changed.connect(lambda *_: self.refresh())
        self.timeline.scrubbed.connect(self.session.seek)
        self.timeline.picked.connect(self.session.select)
        self.tracks_panel.picked.connect(self.session.select)
        self.start_page.opened.connect(self.documents.open)
        self.canvas.hovered.connect(self.status.show_place)
        self.canvas.zoomed.connect(self._tell_zoom)
        self.canvas.menu_wanted.connect(self._menu)

    def refresh(self) -> None:
        """What depends on the session as a whole: what can be done, the mode in words, the title."""
        self.actions_.refresh()
        self.status.show_mode(mode_line(self.session.status))
        self.setWindowTitle(f"{self.session.title or 'SiamLabel'}[*]" + (" — SiamLabel" if self.session.title else ""))
        if self.isWindowModified() != self.session.dirty:  # Qt tells every widget, changed or not
            self.setWindowModified(self.session.dirty)

    def _mode_changed(self, mode: Mode) -> None:
        self.stack.setCurrentWidget(self.canvas if self.session.is_open else self.start_page)
        self.start_page.show_busy(self.session.status.opening if mode is Mode.OPENING else "")
        tools = {Mode.DRAWING: self.draw_tool, Mode.MASKING: self.paint_tool}
        self.canvas.set_tool(tools.get(mode, self.select_tool))
        self.actions_.show_playing(self.session.playing)
        self.player.mode_changed()
        self.refresh()

    def _opened(self) -> None:
        self.notices.hide()
        self.canvas.setFocus()
        self.refresh()

    def _settings_changed(self, settings: object) -> None:
        self.tracker_panel.show_settings(self.session.settings, self.session.tracker)
        theme.current().set_scheme(self.session.settings.theme)

    def _trackers_changed(self) -> None:
        self.notices.dismiss()
        self.tracker_panel.show_trackers(registry.infos())

    def _set_option(self, name: str, value: object) -> None:
        self.session.change_settings(**{name: value})

    def _set_track(self, track: int, **values: object) -> None:
        try:
            self.session.set_track(track, **values)  # type: ignore[arg-type]
        except Exception as error:
            self.show_error(error)

    def _menu(self, at: QPoint) -> None:
        """What can be done with the object under the cursor, or on empty ground with the view."""
        hit = rect_at(self.canvas, QPointF(self.canvas.mapFromGlobal(at)))
        if hit is not None:
            self.session.select(hit.track)
        menu = QMenu(self)
        for name in OBJECT_MENU if hit is not None else GROUND_MENU:
            menu.addAction(self.actions_[name]) if name else menu.addSeparator()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _selected_colour(self) -> str:
        chosen = self.session.selected
        return theme.current().tokens.accent if chosen is None else self.session.document.tracks[chosen].colour

    def _tell_zoom(self, scale: float) -> None:
        seen = self.canvas.image_size != (0, 0)
        self.status.show_zoom(scale * self.devicePixelRatioF() if seen else None)

    def show_message(self, text: str) -> None:
        self.status.tell(text)

    def show_error(self, error: Exception) -> None:
        """Every failure ends here: a question, a hint, a note on the picture, an error in words, or a crash report."""
        if isinstance(error, RelinkError):
            self.documents.relink(error)
        elif self.exporting.owns(error):
            return
        elif isinstance(error, SessionError):
            self.notices.hint(str(error))
        elif type(error).__module__.partition(".")[0] in ("app", "tracker") or isinstance(error, OSError):
            self.notices.error(error)
            self.showing.failed(error)
        else:
            raise error

    # --- opening and leaving ------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing:
            event.ignore()  # saving first takes its time
            self.documents.leave(self._end)
        event.setAccepted(self._closing)

    def _end(self) -> None:
        """Nothing unsaved is left, or nobody wants it."""
        self._closing = True
        self.player.stop()
        self.showing.close()
        self.foreseeing.close()
        self._save_geometry()
        self.session.close()
        QTimer.singleShot(0, self.close)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()
            self.start_page.show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.start_page.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.start_page.show_drop(False)
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.documents.dropped(paths)

    # --- Ui of the commands -------------------------------------------------------------------------------------

    def fit(self) -> None:
        self.canvas.fit()

    def zoom(self, factor: float) -> None:
        self.canvas.zoom(factor)

    def finish_shape(self) -> None:
        self.paint_tool.close()
        self.canvas.update()

    def actual_size(self) -> None:
        self.canvas.actual_size()

    def show_keys(self) -> None:
        dialog = KeysDialog(self.actions_.keymap, self)
        dialog.changed.connect(lambda keymap: self.session.change_settings(keys=keymap.changed()))
        dialog.exec()

    def show_palette(self) -> None:
        palette = Palette(self.actions_, self)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.show()
        palette.search.setFocus()

    def show_tour(self) -> None:
        self.touring.start()

    def show_log(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(diagnostics.paths().log.parent)))

    def show_settings(self) -> None:
        SettingsDialog(self.session, self).exec()

    def quit(self) -> None:
        self.close()

    # --- geometry, the one thing that QSettings keeps -----------------------------------------------------------

    def _qsettings(self) -> QSettings:
        return QSettings(str(diagnostics.paths().state / "window.ini"), QSettings.Format.IniFormat)

    def _restore_geometry(self) -> None:
        self.resize(1360, 860)
        kept = self._qsettings().value("geometry")
        if kept is not None:
            self.restoreGeometry(kept)  # type: ignore[arg-type]

    def _save_geometry(self) -> None:
        self._qsettings().setValue("geometry", self.saveGeometry())
