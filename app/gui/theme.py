"""Colours, spacing and tinted icons: one visual language in light and dark.

Chrome takes its colours from here; annotation colours are data and never follow the theme.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.diagnostics import paths, resource

GRID = 8
"""Spacing unit in logical pixels; margins and gaps are multiples (or halves) of it."""


@dataclass(frozen=True)
class Tokens:
    """The colours of one scheme, as ``#rrggbb``."""

    dark: bool
    window: str
    panel: str
    base: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    canvas: str
    grid: str
    danger: str
    warning: str
    good: str
    source_manual: str
    source_tracker: str
    source_interpolated: str
    source_imported: str


DARK = Tokens(
    dark=True,
    window="#1e2025",
    panel="#24272d",
    base="#191b1f",
    raised="#2e3239",
    border="#3a3f48",
    text="#e8eaed",
    muted="#9ba3ae",
    accent="#5aa2ff",
    on_accent="#0b1726",
    canvas="#121316",
    grid="#30343b",
    danger="#ff6b61",
    warning="#f2b34c",
    good="#5ccb8a",
    source_manual="#5aa2ff",
    source_tracker="#3fb6a8",
    source_interpolated="#b493f0",
    source_imported="#8d96a3",
)

LIGHT = Tokens(
    dark=False,
    window="#f2f3f5",
    panel="#fafbfc",
    base="#ffffff",
    raised="#ffffff",
    border="#d3d7dd",
    text="#1c2026",
    muted="#626b77",
    accent="#1665d8",
    on_accent="#ffffff",
    canvas="#dcdfe4",
    grid="#e4e7eb",
    danger="#c9302c",
    warning="#b26a00",
    good="#1e8a52",
    source_manual="#1665d8",
    source_tracker="#169184",
    source_interpolated="#8455d6",
    source_imported="#7b8491",
)


def palette(t: Tokens) -> QPalette:
    """The Qt palette of a scheme; every role that Fusion reads is set, so both schemes are complete."""
    p = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: t.window,
        role.WindowText: t.text,
        role.Base: t.base,
        role.AlternateBase: t.panel,
        role.Text: t.text,
        role.Button: t.raised,
        role.ButtonText: t.text,
        role.BrightText: t.danger,
        role.Highlight: t.accent,
        role.HighlightedText: t.on_accent,
        role.Accent: t.accent,
        role.Link: t.accent,
        role.LinkVisited: t.source_interpolated,
        role.ToolTipBase: t.raised,
        role.ToolTipText: t.text,
        role.PlaceholderText: t.muted,
        role.Light: t.raised,
        role.Midlight: t.raised,
        role.Mid: t.border,
        role.Dark: t.border,
        role.Shadow: "#000000",
    }
    for r, c in colours.items():
        p.setColor(r, QColor(c))
    faded = QColor(t.muted)
    faded.setAlpha(140)
    for r in (role.WindowText, role.Text, role.ButtonText):
        p.setColor(QPalette.ColorGroup.Disabled, r, faded)
    p.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(t.border))
    return p


def stylesheet(t: Tokens) -> str:
    """The little that a palette cannot say: flat tool buttons, section headings, quiet tables and splitters."""
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px 6px; }}
    QToolBar {{ background: {t.window}; border: 0; border-bottom: 1px solid {t.border}; padding: 4px 8px;
        spacing: 4px; }}
    QToolBar::separator {{ background: {t.border}; width: 1px; margin: 6px 8px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 5px; color: {t.text}; }}
    QToolButton:hover {{ background: {t.raised}; border-color: {t.border}; }}
    QToolButton:pressed, QToolButton:checked {{ background: {t.border}; }}
    QToolButton:focus {{ border-color: {t.accent}; }}
    QToolButton:disabled {{ color: {_mix(t.muted, t.window, 0.6)}; }}
    QToolButton#primary {{ background: {t.accent}; color: {t.on_accent}; font-weight: 600; padding: 5px 10px; }}
    QToolButton#primary:disabled {{ background: {t.raised}; color: {t.muted}; border-color: {t.border}; }}
    QToolButton#stop {{ background: {t.danger}; color: {"#260604" if t.dark else "#ffffff"}; font-weight: 600;
        padding: 5px 10px; }}
    QMenuBar {{ background: {t.window}; padding: 2px 4px; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; }}
    QMenuBar::item:selected {{ background: {t.raised}; }}
    QMenu {{ background: {t.panel}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
    QMenu::icon {{ padding-left: 8px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu::item:disabled {{ color: {t.muted}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QStatusBar {{ background: {t.window}; border-top: 1px solid {t.border}; }}
    QStatusBar::item {{ border: 0; }}
    QSplitter::handle {{ background: {t.border}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {t.border}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 24px; }}
    QScrollBar::handle:horizontal {{ min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QDialog#palette {{ background: {t.panel}; border: 1px solid {t.border}; }}
    QTreeView, QListWidget {{ background: {t.base}; border: 1px solid {t.border}; border-radius: 6px;
        selection-background-color: {_mix(t.accent, t.base, 0.28)}; selection-color: {t.text}; outline: 0; }}
    QTreeView::item, QListWidget::item {{ padding: 3px 4px; }}
    QTabWidget::pane {{ border: 0; border-top: 1px solid {t.border}; background: {t.panel}; }}
    QTabWidget::tab-bar {{ left: 8px; }}
    QTabBar {{ background: {t.window}; }}
    QTabBar::tab {{ background: transparent; color: {t.text}; font-weight: 600; padding: 6px 4px; border: 0;
        border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ border-bottom-color: {t.accent}; }}
    QTabBar::tab:hover {{ background: {t.raised}; }}
    QTabBar::tab:focus {{ background: {t.raised}; }}
    QLabel#heading {{ color: {t.muted}; font-weight: 600; }}
    QLabel#muted {{ color: {t.muted}; }}
    QLabel#title {{ font-size: 16pt; font-weight: 600; }}
    QLabel#value {{ font-weight: 600; }}
    QWidget#panel {{ background: {t.panel}; }}
    QWidget#timelineArea {{ background: {t.panel}; border-top: 1px solid {t.border}; }}
    QTableView, QListView, QPlainTextEdit {{ background: {t.base}; border: 1px solid {t.border}; border-radius: 6px;
        selection-background-color: {_mix(t.accent, t.base, 0.28)}; selection-color: {t.text}; outline: 0; }}
    QTableView::item {{ padding: 0 6px; border: 0; }}
    QHeaderView {{ background: {t.base}; }}
    QHeaderView::section {{ background: {t.base}; color: {t.muted}; border: 0; border-bottom: 1px solid {t.border};
        padding: 4px 6px; font-weight: 400; }}
    QPushButton {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 6px; padding: 6px 14px;
        min-height: 18px; }}
    QPushButton:hover {{ border-color: {t.muted}; }}
    QPushButton:focus {{ border-color: {t.accent}; }}
    QPushButton:default {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.window}; border-color: {t.border}; }}
    QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QKeySequenceEdit {{ background: {t.base};
        border: 1px solid {t.border};
        border-radius: 6px; padding: 4px 8px; min-height: 18px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    QLineEdit {{ padding: 4px 6px; }}
    QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {t.accent}; }}
    QComboBox::drop-down {{ border: 0; width: 24px; }}
    QComboBox::down-arrow {{ image: url({_tinted_file("chevron-down", t.muted)}); width: 14px; height: 14px; }}
    QComboBox QAbstractItemView {{ background: {t.panel}; border: 1px solid {t.border}; outline: 0; }}
    QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{ border: 0;
        width: 20px; subcontrol-origin: border; background: transparent; }}
    QSpinBox::up-button, QDoubleSpinBox::up-button {{ subcontrol-position: top right; margin-top: 2px; }}
    QSpinBox::down-button, QDoubleSpinBox::down-button {{ subcontrol-position: bottom right; margin-bottom: 2px; }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({_tinted_file("chevron-up", t.muted)}); width: 10px;
        height: 10px; }}
    QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({_tinted_file("chevron-down", t.muted)});
        width: 10px; height: 10px; }}
    QToolButton#answer {{ background: {t.raised}; border-color: {t.border}; padding: 4px 10px; }}
    QToolButton#answer:hover {{ border-color: {t.muted}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QTableView QLineEdit {{ border-radius: 0; padding: 0 4px; }}
    QCheckBox {{ spacing: 8px; }}
    QCheckBox::indicator, QListView::indicator {{ width: 16px; height: 16px; border: 1px solid {t.muted};
        border-radius: 4px; background: {t.base}; }}
    QCheckBox::indicator:checked, QListView::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
        image: url({_tinted_file("check", t.on_accent)}); }}
    QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
    QProgressBar {{ background: {t.base}; border: 1px solid {t.border}; border-radius: 4px; height: 8px;
        text-align: center; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    """


def _tinted_file(name: str, colour: str) -> str:
    """A tinted copy of an icon in the cache, for style sheets, which know files only; the plain one if that fails."""
    plain = resource(f"icons/{name}.svg")
    made = paths().cache / "icons" / f"{name}-{colour.lstrip('#')}.svg"
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(plain.read_bytes().replace(b"currentColor", colour.encode()))
    except OSError:
        return plain.as_posix()
    return made.as_posix()


def _mix(a: str, b: str, share: float) -> str:
    """``share`` of colour ``a`` over ``b``."""
    ca, cb = QColor(a), QColor(b)
    pairs = (ca.red(), cb.red()), (ca.green(), cb.green()), (ca.blue(), cb.blue())
    return QColor(*(round(x * share + y * (1 - share)) for x, y in pairs)).name()


class Theme(QObject):
    """The scheme in force. `changed` fires after the palette moved; views then ask `tokens` again."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._wish = "system"
        self.tokens = LIGHT
        app.setStyle(QStyleFactory.create("Fusion"))
        font = app.font()
        font.setPointSizeF(max(9.5, font.pointSizeF()))
        app.setFont(font)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def set_scheme(self, wish: str) -> None:
        """``system`` follows the desktop; ``light`` and ``dark`` are fixed."""
        if wish != self._wish:  # dressing every widget anew takes longer than a frame may
            self._wish = wish
            self._apply()

    def _apply(self, *_: object) -> None:
        hints = QGuiApplication.styleHints()
        dark = self._wish == "dark" or (self._wish == "system" and hints.colorScheme() == Qt.ColorScheme.Dark)
        self.tokens = DARK if dark else LIGHT
        self._app.setPalette(palette(self.tokens))
        self._app.setStyleSheet(stylesheet(self.tokens))
        _icons.clear()
        self.changed.emit()


_current: list[Theme] = []
_icons: dict[tuple[str, str], QIcon] = {}


def install(app: QApplication) -> Theme:
    """Make the theme of this application, once."""
    if not _current or _current[0].parent() is not app:
        _current[:] = [Theme(app)]
    return _current[0]


def current() -> Theme:
    """The installed theme."""
    if not _current:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        return install(app)
    return _current[0]


def icon(name: str, colour: str | None = None) -> QIcon:
    """``resources/icons/<name>.svg`` tinted with ``colour`` (default: the text colour); crisp up to 64 px."""
    t = current().tokens
    tint = colour or t.text
    found = _icons.get((name, tint))
    if found is not None:
        return found
    svg = resource(f"icons/{name}.svg").read_bytes()
    made = QIcon()
    for mode, c in ((QIcon.Mode.Normal, tint), (QIcon.Mode.Disabled, _mix(t.muted, t.window, 0.55))):
        renderer = QSvgRenderer(QByteArray(svg.replace(b"currentColor", c.encode())))
        for size in (16, 20, 24, 32, 40, 48, 64):
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, size, size))
            painter.end()
            made.addPixmap(pixmap, mode)
    _icons[(name, tint)] = made
    return made


def colour(value: str) -> QBrush:
    """A token as Qt's items take it."""
    return QBrush(QColor(value))


def fixed_font(pixels: int = 12, bold: bool = False) -> QFont:
    """A font of fixed screen size for tags, rulers and read-outs; digits of equal width keep numbers still."""
    font = QFont(QGuiApplication.font())
    font.setPixelSize(pixels)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
