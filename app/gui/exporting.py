"""Between the dialogs of export and import and the session's jobs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from PySide6.QtWidgets import QInputDialog, QWidget

from app.formats import base as formats
from app.formats.several import SeveralClipsError
from app.gui.counting import Counting
from app.gui.dialogs.export import ExportAnswer, ExportDialog
from app.gui.dialogs.importing import ImportDialog
from app.session import Session
from app.words import tr
from app.work.incoming import Incoming
from app.work.jobs import Job
from app.work.opening import default_project


class Exporting:
    """Opens the dialog, starts the command with what it gathered, and tells it how the job goes."""

    def __init__(self, window: QWidget, session: Session, on_error: Callable[[Exception], None]) -> None:
        self._window = window
        self._session = session
        self._on_error = on_error
        self.dialog: ExportDialog | None = None
        self._job: Job[Any] | None = None
        self._counting = Counting(session.jobs)
        self._imports: ImportDialog | None = None
        session.events.progress.connect(self._progress)
        session.events.incoming.connect(self._incoming)
        session.events.error.connect(self._which)

    def prepare(self) -> None:
        """Load the formats beside the window, which would stand still for it when they are first asked for."""
        if self._window.isVisible():  # not when it was closed meanwhile, and the session with it
            self._session.jobs.run("formats", _load())

    def ask(self) -> dict[str, Any] | None:
        """The ask-part of the export command. The dialog itself runs the job, to show its progress and report."""
        session = self._session
        assert session.media is not None
        place = session.project or default_project(session.media.path)
        dialog = ExportDialog(
            session.document.copy(), place.parent, place.stem, session.selected, self._start, self._cancel,
            self._counting.ask, self._window,
        )  # fmt: skip
        self.dialog = dialog
        dialog.finished.connect(self._closed)
        dialog.open()
        return None

    def owns(self, error: Exception) -> bool:
        """Whether this error is shown in a dialog, or turned into a question, here."""
        mine = self.dialog is not None and self._job is not None and self._job.error is error
        return mine or isinstance(error, SeveralClipsError)

    def _start(self, answer: ExportAnswer) -> None:
        assert self.dialog is not None
        try:
            self._job = self._session.export(answer.format_id, answer.out, answer.params)
        except Exception as error:
            self.dialog.show_error(error)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _progress(self, title: str, done: float | None) -> None:
        job, dialog = self._job, self.dialog
        if job is None or dialog is None:
            return
        if done is not None:
            dialog.show_progress(done)
        elif job.error is not None:
            dialog.show_error(job.error)
        elif job.value is not None:
            dialog.show_report(job.value)
        else:
            dialog.show_cancelled()

    def _closed(self) -> None:
        self._counting.stop()
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = self._job = None

    def _incoming(self, incoming: Incoming) -> None:
        """Show what an import will bring; it comes when the user says so."""
        if self._imports is not None and self._imports.incoming.path == incoming.path:
            self._imports.show_incoming(incoming)  # read another way
            return
        self._imports = dialog = ImportDialog(incoming, self._window)
        dialog.accepted.connect(lambda: self._take(dialog.incoming))
        dialog.again.connect(lambda how: self._session.read_labels(incoming.path, incoming.format, how))
        dialog.finished.connect(self._imported)
        dialog.open()

    def _which(self, error: Exception) -> None:
        """Ask for the clip when a file is about several and none of them is called like this one."""
        if not isinstance(error, SeveralClipsError):
            return
        asking = QInputDialog(self._window)
        asking.setWindowTitle(tr("Import labels"))
        asking.setLabelText(
            tr("{file} holds the labels of {count} clips, none of them called like this one. Which are these?").format(
                file=error.file.name, count=len(error.clips)
            )
        )
        asking.setOption(QInputDialog.InputDialogOption.UseListViewForComboBoxItems)
        asking.setComboBoxItems(list(error.clips))
        asking.textValueSelected.connect(lambda name: self._session.read_labels(error.clips[name]))
        asking.finished.connect(asking.deleteLater)
        asking.open()

    def _imported(self) -> None:
        self._imports = None

    def _take(self, incoming: Incoming) -> None:
        try:
            self._session.take_labels(incoming)
        except Exception as error:
            self._on_error(error)


def _load() -> Generator[None, None, None]:
    for name in formats.FORMATS:
        yield
        formats.get(name)
