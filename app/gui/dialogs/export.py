"""Export: ask what and where, say beforehand what will be written and what is lost, then prove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.formats import base as formats
from app.formats.base import ExportReport, FormatError, Preflight
from app.gui import theme
from app.gui.counting import Count, Told
from app.gui.dialogs.form import Form, form_label
from app.model.document import Document
from app.words import mark, tr


@dataclass(frozen=True)
class ExportAnswer:
    """What the dialog gathered; `Session.export` takes it."""

    format_id: str
    out: Path
    params: msgspec.Struct


COUNTS = {
    "frames": mark("Frames"), "tracks": mark("Tracks"), "boxes": mark("Boxes"), "masks": mark("Masks"),
    "absent": mark("Absent"), "occluded": mark("Occluded"), "unverified": mark("Unverified"),
    "ignored": mark("Ignored"),
}  # fmt: skip
COUNTING = 200
"""Milliseconds after which it is said that the counts are on their way."""
ACROSS = 4
"""Figures in a row: words may be long."""


class Counts(QWidget):
    """The counts of a preflight in rows of figures, and what the format cannot hold below."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GRID * 3)
        self._grid.setVerticalSpacing(0)
        self._figures: dict[str, QLabel] = {}
        self.losses = QLabel()
        self.losses.setWordWrap(True)
        self.losses.setTextFormat(Qt.TextFormat.PlainText)
        self.losses.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        row = QHBoxLayout()
        row.addLayout(self._grid)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.losses)

    def show_preflight(self, plan: Preflight) -> None:
        for n, (name, count) in enumerate(plan.counts.items()):
            if name not in self._figures:
                figure = QLabel()
                figure.setObjectName("value")
                word = QLabel(tr(COUNTS.get(name, name.capitalize())))
                word.setObjectName("muted")
                row, column = divmod(n, ACROSS)
                self._grid.addWidget(figure, 2 * row, column)
                self._grid.addWidget(word, 2 * row + 1, column)
                self._figures[name] = figure
            self._figures[name].setText(f"{count:,}".replace(",", " "))
        if plan.losses:
            self.losses.setText("\n".join([tr("Not kept by this export:"), *(f"•  {line}" for line in plan.losses)]))
        else:
            self.losses.setText(tr("Nothing is lost."))

    def show_problem(self, text: str) -> None:
        """A sentence in place of what would be lost; the figures say nothing then."""
        for figure in self._figures.values():
            figure.setText("–")
        self.losses.setText(text)


Start = Callable[[ExportAnswer], None]
"""Begins the export; the owner calls `ExportDialog.show_progress`, `show_report` or `show_error` later."""


class ExportDialog(QDialog):
    """Three pages in one window: options with preflight, progress with cancel, report."""

    def __init__(
        self,
        doc: Document,
        folder: Path,
        stem: str,
        selected: int | None,
        start: Start,
        cancel: Callable[[], None],
        count: Callable[[Count, Told], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export"))
        self.setMinimumWidth(600)
        self.setModal(True)
        self._doc, self._folder, self._stem = doc, folder, stem
        self._selected = selected
        self._start, self._cancel, self._count = start, cancel, count
        self._formats = formats.formats()
        self._running = False
        self._touched_path = False
        self._grow_soon = QTimer(self)  # a new form knows its size only once its style is applied
        self._grow_soon.setSingleShot(True)
        self._grow_soon.setInterval(0)
        self._grow_soon.timeout.connect(self._grow)
        self._count_slow = QTimer(self)
        self._count_slow.setSingleShot(True)
        self._count_slow.setInterval(COUNTING)
        self._count_slow.timeout.connect(lambda: self.counts.show_problem(tr("Counting…")))
        self.format = QComboBox()
        for name, known in self._formats.items():
            self.format.addItem(tr(known.title), name)
        self.format.setAccessibleName(tr("Format"))
        self.path = QLineEdit()
        self.path.setAccessibleName(tr("Where to write"))
        self.counts = Counts()
        self.form: Form | None = None
        self._form_slot = QVBoxLayout()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._ask_page())
        self._pages.addWidget(self._progress_page())
        self._pages.addWidget(self._report_page())
        self.buttons = QDialogButtonBox()
        self.export_button = self.buttons.addButton(tr("Export"), QDialogButtonBox.ButtonRole.ActionRole)
        self.export_button.setDefault(True)
        self.export_button.setAutoDefault(True)
        self.close_button = self.buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        self.folder_button = self.buttons.addButton(tr("Show in folder"), QDialogButtonBox.ButtonRole.ActionRole)
        self.folder_button.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID * 2)
        column.addWidget(self._pages, 1)
        column.addWidget(self.buttons)
        self.export_button.clicked.connect(self._begin)
        self.buttons.rejected.connect(self.reject)
        self.folder_button.clicked.connect(self._show_folder)
        self.format.currentIndexChanged.connect(self._format_changed)
        self.path.textEdited.connect(self._path_edited)
        self._format_changed()

    # --- pages --------------------------------------------------------------------------------------------------

    def _ask_page(self) -> QWidget:
        page = QWidget()
        self.browse = QPushButton(tr("Browse…"))
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.setSpacing(theme.GRID)
        where.addWidget(self.path, 1)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.setHorizontalSpacing(theme.GRID)
        form.addRow(form_label(tr("Format")), self.format)
        form.addRow(form_label(tr("Write to")), where)
        heading = QLabel(tr("Will be written"))
        heading.setObjectName("heading")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID * 2)
        column.addLayout(form)
        column.addLayout(self._form_slot)
        column.addWidget(heading)
        column.addWidget(self.counts)
        column.addStretch(1)
        return page

    def _progress_page(self) -> QWidget:
        page = QWidget()
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress_text = QLabel()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self.progress_text)
        column.addWidget(self.progress)
        column.addStretch(1)
        return page

    def _report_page(self) -> QWidget:
        page = QWidget()
        self.outcome = QLabel()
        self.outcome.setObjectName("title")
        self.result_note = QLabel()
        self.result_note.setWordWrap(True)
        self.result_note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result_counts = Counts()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID * 2)
        column.addWidget(self.outcome)
        column.addWidget(self.result_note)
        column.addWidget(self.result_counts)
        column.addStretch(1)
        return page

    # --- asking -------------------------------------------------------------------------------------------------

    @property
    def _format(self) -> formats.Format:
        return self._formats[self.format.currentData()]

    def _format_changed(self) -> None:
        choices: dict[str, list[tuple[str, object]]] = {"tracks": [(tr("All"), None)]}
        if self._selected is not None:
            label = self._doc.tracks[self._selected].label
            choices["tracks"].append(
                (tr("Only {object}").format(object=f"{self._selected}  {label}"), (self._selected,))
            )
        form = Form(self._format.params, choices)
        form.changed.connect(self._plan)
        if self.form is not None:
            self._form_slot.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        self.form = form
        self._form_slot.addWidget(form)
        for first, second in pairwise((self.browse, *form.controls.values())):
            self.setTabOrder(first, second)
        if not self._touched_path:
            name = self._stem + ("-" + self._format.id if self._format.folder else self._format.suffix)
            self.path.setText(str(self._folder / name))
        self._plan()

    def _path_edited(self) -> None:
        self._touched_path = True
        self._plan()

    def _plan(self) -> None:
        """Count what would be written, in the background: a long document takes its time."""
        assert self.form is not None
        known, doc, params = self._format, self._doc, self.form.value()
        if not self._count_slow.isActive():
            self._count_slow.start()
        self._count(lambda: known.plan(doc, params), self._counted)
        self._allow(True)

    def _counted(self, plan: Preflight | None, error: Exception | None) -> None:
        self._count_slow.stop()
        if plan is not None:
            self.counts.show_preflight(plan)
        elif isinstance(error, FormatError):
            self.counts.show_problem(str(error))
            self._allow(False)
        elif error is not None:
            raise error
        self._grow_soon.start()

    def _allow(self, sound: bool) -> None:
        self.export_button.setEnabled(sound and bool(self.path.text().strip()))

    def _grow(self) -> None:
        """Make room for everything that is said; never shrink under the hand."""
        layout = self.layout()
        if layout is not None and self.form is not None:
            for part in self.form.findChildren(QWidget):
                part.ensurePolished()  # else the sizes are those without padding, and the rows end up squeezed
                part.updateGeometry()
            for room in filter(None, (self.form, self._pages.currentWidget(), self._pages)):  # inner first; each caches
                if (inside := room.layout()) is not None:
                    inside.invalidate()
                    inside.activate()
                room.updateGeometry()
            layout.activate()
            need = max(layout.totalHeightForWidth(self.width()), layout.totalMinimumSize().height())
            if need > self.height():
                self.resize(self.width(), need)
                self._grow_soon.start()  # what wraps may ask for more once it is laid out

    def _browse(self) -> None:
        if self._format.folder:
            chosen = QFileDialog.getExistingDirectory(self, tr("Export into an empty folder"), str(self._folder))
        else:
            pattern = f"{tr(self._format.title)} (*{self._format.suffix})"
            chosen, _ = QFileDialog.getSaveFileName(self, tr("Export to"), self.path.text(), pattern)
        if chosen:
            self.path.setText(chosen)
            self._path_edited()

    def _begin(self) -> None:
        assert self.form is not None
        self._running = True
        self._count_slow.stop()
        self._pages.setCurrentIndex(1)
        self.export_button.hide()
        self.show_progress(0.0)
        self._out = Path(self.path.text()).expanduser()
        self._start(ExportAnswer(self._format.id, self._out, self.form.value()))

    # --- told by the owner --------------------------------------------------------------------------------------

    def show_progress(self, done: float) -> None:
        """``done`` in 0..1."""
        self.progress.setValue(round(done * 1000))
        self.progress_text.setText(tr("Writing…") if done < 0.7 else tr("Reading back and comparing…"))

    def show_report(self, report: ExportReport) -> None:
        """The last page: what was written, and that it reads back the same."""
        self._end()
        self.outcome.setText(tr("Exported and checked") if report.verified else tr("Exported, with differences"))
        said = (
            tr("{count} files and {pictures} pictures; read back and compared with the project.")
            if report.pictures
            else tr("{count} files; read back and compared with the project.")
        )
        lines = [str(report.written[0]), said.format(count=len(report.written), pictures=report.pictures)]
        if report.differences:
            lines += ["", *report.differences]
        self.result_note.setText("\n".join(lines))
        self.result_counts.show_preflight(report.preflight)
        self.folder_button.show()
        self._pages.setCurrentIndex(2)

    def show_error(self, error: Exception) -> None:
        """Nothing was written; back to the options."""
        self._end()
        self.close_button.setText(tr("Cancel"))
        self.export_button.show()
        self._pages.setCurrentIndex(0)
        self.counts.show_problem(str(error))

    def show_cancelled(self) -> None:
        """The export was cancelled; nothing is left behind."""
        self._end()
        self.reject()

    def _end(self) -> None:
        self._running = False
        self.close_button.setText(tr("Close"))
        self.close_button.setEnabled(True)

    def reject(self) -> None:
        if self._running:
            self.close_button.setEnabled(False)
            self.progress_text.setText(tr("Cancelling…"))
            self._cancel()
            return
        super().reject()

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._out.parent)))
