"""The ask-parts of commands: dialogs that gather parameters, so that commands only do. Tests replace these methods."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QInputDialog,
    QListView,
    QMessageBox,
    QTreeView,
    QWidget,
)

from app.formats.collection import SUFFIX as CLIPS
from app.gui.dialogs.labels import LabelsDialog
from app.session import Session
from app.words import tr
from app.work.opening import SUFFIX, default_project


class Unsaved(Enum):
    """What to do with unsaved changes."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


VIDEOS = "*.mp4 *.mov *.mkv *.avi *.webm *.m4v *.mpg *.mpeg *.ts *.wmv"


class Asking:
    """Modal questions over a window."""

    def __init__(self, window: QWidget, session: Session) -> None:
        self._window = window
        self._session = session

    def save_as(self) -> dict[str, Any] | None:
        """``{"path": ...}`` of a project."""
        media = self._session.media
        start = self._session.project or (default_project(media.path) if media else Path())
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save the project"), str(start), f"SiamLabel (*{SUFFIX})"
        )
        return {"path": Path(chosen)} if chosen else None

    def file_to_open(self) -> Path | None:
        """A video, a project, or the folder of the picture that was chosen."""
        pictures = "*.jpg *.jpeg *.png *.bmp *.tif *.tiff *.webp"
        patterns = [
            tr("Videos, pictures and projects ({patterns})").format(patterns=f"{VIDEOS} {pictures} *{SUFFIX} *{CLIPS}"),
            tr("Videos ({patterns})").format(patterns=VIDEOS),
            tr("Projects ({patterns})").format(patterns=f"*{SUFFIX}"),
            tr("Collections ({patterns})").format(patterns=f"*{CLIPS}"),
            tr("All files (*)"),
        ]
        start = str(self._session.media.path.parent) if self._session.media else ""
        chosen, _ = QFileDialog.getOpenFileName(self._window, tr("Open"), start, ";;".join(patterns))
        if not chosen:
            return None
        path = Path(chosen)
        return path.parent if path.suffix.lower().lstrip(".") in pictures.replace("*.", "").split() else path

    def clip_folder(self) -> Path | None:
        """A folder of videos, of folders of images, or the root of a data set."""
        chosen = QFileDialog.getExistingDirectory(self._window, tr("Open a folder of clips"), self._beside())
        return Path(chosen) if chosen else None

    def clips(self) -> list[Path]:
        """Videos to add to the collection."""
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window, tr("Add clips"), self._beside(), tr("Videos ({patterns})").format(patterns=VIDEOS)
        )
        return [Path(one) for one in chosen]

    def folders(self) -> list[Path]:
        """Folders of images, or of such and videos, to add to the collection; several may be chosen."""
        dialog = QFileDialog(self._window, tr("Add folders"), self._beside())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # no system has one for several folders
        for view in (*dialog.findChildren(QListView), *dialog.findChildren(QTreeView)):
            view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        return [Path(one) for one in dialog.selectedFiles()] if dialog.exec() else []

    def frame(self) -> dict[str, Any] | None:
        """``{"place": ...}`` to go to, as it was written."""
        last = self._session.frame_count - 1
        said = tr("Frame (0 to {last}), step (+10) or time (1:02.5)").format(last=last)
        text, good = QInputDialog.getText(self._window, tr("Go to frame"), said, text=str(self._session.frame))
        return {"place": text} if good else None

    def labels(self) -> dict[str, Any] | None:
        """``{"labels": ..., "renamed": ...}`` of the label set."""
        dialog = LabelsDialog(self._session.document.labels, self._window)
        return {"labels": dialog.labels, "renamed": dialog.renamed} if dialog.exec() else None

    def label_file(self) -> dict[str, Any] | None:
        """``{"path": ...}`` of a file with labels."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._window,
            tr("Labels from"),
            "",
            tr("Labels and projects ({patterns})").format(patterns=f"*.json *{SUFFIX}"),
        )
        return {"path": Path(chosen)} if chosen else None

    def label_data(self) -> dict[str, Any] | None:
        """``{"path": ...}`` of a file with labels of another tool."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, tr("Import labels"), self._beside())
        return {"path": Path(chosen)} if chosen else None

    def label_folder(self) -> dict[str, Any] | None:
        """``{"path": ...}`` of a folder with labels of another tool."""
        chosen = QFileDialog.getExistingDirectory(self._window, tr("Import a folder of labels"), self._beside())
        return {"path": Path(chosen)} if chosen else None

    def _beside(self) -> str:
        return str(self._session.media.path.parent) if self._session.media else ""

    def comment(self) -> dict[str, Any] | None:
        """``{"text": ..., "track": ...}`` of a remark on this frame."""
        chosen = self._session.selected
        said = tr("About the picture on frame {frame}") if chosen is None else tr("About {object} on frame {frame}")
        about = "" if chosen is None else f"{self._session.document.tracks[chosen].label} {chosen}"
        text, good = QInputDialog.getMultiLineText(
            self._window,
            tr("Comment"),
            said.format(object=about, frame=self._session.frame),
        )
        return {"text": text, "track": chosen} if good and text.strip() else None

    def unsaved(self) -> Unsaved:
        """Once, when leaving a document with unsaved changes."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(tr("Unsaved changes"))
        box.setText(tr("Save the changes to {title}?").format(title=self._session.title))
        box.setInformativeText(tr("Without saving, they are gone for good."))
        kind = QMessageBox.StandardButton
        box.setStandardButtons(kind.Save | kind.Discard | kind.Cancel)
        box.setDefaultButton(kind.Save)
        return {kind.Save: Unsaved.SAVE, kind.Discard: Unsaved.DISCARD}.get(kind(box.exec()), Unsaved.CANCEL)
