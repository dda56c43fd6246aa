"""Coming and going of documents: opening, recovering, relinking, and leaving without losing anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from app.gui import recent
from app.gui.asking import Asking, Unsaved
from app.gui.dialogs.recover import RecoverDialog
from app.gui.dialogs.relink import RelinkDialog
from app.session import RelinkError, Session
from app.work.clips import manifest_for
from app.work.gathering import holds_images
from app.work.journal import Leftover


class Documents:
    """Failures go to ``on_error``, except for those that are questions, which are asked here."""

    def __init__(self, window: QWidget, session: Session, on_error: Callable[[Exception], None]) -> None:
        self._window = window
        self._session = session
        self._on_error = on_error
        self._last: Path | Leftover | None = None
        self._then: Callable[[], object] | None = None
        """What was asked for and waits for the present document to be saved."""
        self.asking = Asking(window, session)
        session.events.opened.connect(self._opened)
        session.events.saved.connect(recent.add)
        session.events.saved.connect(lambda _: self._saved())
        session.events.error.connect(lambda _: self._failed())

    def open(self, path: Path | None) -> None:
        """Open a path (None: the sample) once the present document may be left; a folder without images of its own as
        the collection of what it holds."""
        if path is not None and path.is_dir() and not holds_images(path):
            self.open_folder(path)
        else:
            self.leave(lambda: self._open(path))

    def ask_open(self) -> dict[str, Any] | None:
        """The ask-part of the open command; it opens what was chosen itself, for saving comes first and takes time."""
        path = self.asking.file_to_open()
        if path is not None:
            self.open(path)
        return None

    def ask_folder(self) -> dict[str, Any] | None:
        """As `ask_open`, for a folder of clips."""
        folder = self.asking.clip_folder()
        if folder is not None:
            self.open_folder(folder)
        return None

    def open_folder(self, folder: Path) -> None:
        """Open what a folder holds as one collection, once the present document may be left."""
        self.leave(lambda: self._collect(folder, lambda: self._session.open_folder(folder)))

    def open_several(self, paths: list[Path]) -> None:
        """Open several videos and folders as one collection, with its manifest beside the first."""
        manifest = manifest_for(paths[0].parent)
        self.leave(lambda: self._collect(manifest, lambda: self._session.new_collection(manifest, paths)))

    def dropped(self, paths: list[Path]) -> None:
        """Open what was dropped on the window: one path, or several as a collection."""
        if len(paths) > 1:
            self.open_several(paths)
        elif paths:
            self.open(paths[0])

    def _collect(self, path: Path, act: Callable[[], object]) -> None:
        self._last = path
        self._try(act)

    def ask_sample(self) -> dict[str, Any] | None:
        """The sample needs no path, but the present document must be left."""
        self.open(None)
        return None

    def offer_recovery(self) -> bool:
        """Ask about unsaved work of earlier sessions; True when something is being recovered."""
        found = self._session.leftovers()
        if not found:
            return False
        dialog = RecoverDialog(found, self._session.forget, self._window)
        dialog.exec()
        if dialog.chosen is None:
            return False
        self._last = dialog.chosen
        chosen = dialog.chosen
        self._try(lambda: self._session.recover(chosen))
        return True

    def relink(self, error: RelinkError) -> None:
        """Ask where the video is now, and go on with the answer."""
        dialog = RelinkDialog(error, self._window)
        if not dialog.exec() or dialog.video is None:
            return
        last, video, anyway = self._last, dialog.video, dialog.anyway
        clip = self._session.wanted_clip
        if clip is not None:
            self._try(lambda: self._session.go_to_clip(clip, video=video, accept=anyway))
        elif isinstance(last, Leftover):
            self._try(lambda: self._session.recover(last, video=video, accept=anyway))
        else:
            self._try(lambda: self._session.open(error.project, video=video, accept=anyway))

    def leave(self, then: Callable[[], object]) -> None:
        """Go on with ``then`` once the present document may go; asks first when it has unsaved changes.

        ``then`` is called at once, or when the document was saved; never when the user stays or saving fails.
        """
        self._then = None
        if not self._session.dirty:
            then()
            return
        answer = self.asking.unsaved()
        if answer is Unsaved.SAVE:
            self._then = then
            self._try(self._session.save)
        elif answer is Unsaved.DISCARD:
            self._session.abandon()
            then()

    def _saved(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            self.leave(then)  # what was changed while saving is asked about again

    def _failed(self) -> None:
        self._then = None

    def _open(self, path: Path | None) -> None:
        self._last = path
        self._try(lambda: self._session.open(path))

    def _opened(self) -> None:
        manifest = self._session.collection_path
        if manifest is not None:
            recent.add(manifest)
        elif isinstance(self._last, Path):
            recent.add(self._last)

    def _try(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except Exception as error:
            self._on_error(error)
            return False
        return True
