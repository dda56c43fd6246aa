"""A small dialog for the parameters of one command, made from the struct that declares them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.commands.params import Copies, DeleteRange, FramesWanted, Tolerance, TrackRange
from app.gui import theme
from app.gui.dialogs.form import Form
from app.session import Session
from app.words import tr
from app.work.frame_export import FrameParams


def modes() -> list[tuple[str, str]]:
    """What a run may write: titles and values."""
    return [
        (tr("what is missing"), "fill"),
        (tr("what is not verified"), "replace"),
        (tr("past keyframes, too"), "range"),
    ]


class ParamsDialog(QDialog):
    """``hint`` is a sentence above the form; ``go`` the word on the button."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        hint: str,
        go: str,
        value: msgspec.Struct,
        choices: Mapping[str, list[tuple[str, Any]]] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(360)
        said = QLabel(hint)
        said.setWordWrap(True)
        said.setObjectName("muted")
        self.form = Form(type(value), choices, value=value)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton(go, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID * 2)
        column.addWidget(said)
        column.addWidget(self.form)
        column.addWidget(buttons)

    def ask(self) -> dict[str, Any] | None:
        """What was filled in; None when it was cancelled."""
        return self.form.values() if self.exec() == QDialog.DialogCode.Accepted else None


class RangeAsking:
    """The questions of the commands about ranges. Tests replace `show`."""

    def __init__(self, window: QWidget, session: Session) -> None:
        self._window, self._session = window, session

    def show(self, dialog: ParamsDialog) -> dict[str, Any] | None:
        return dialog.ask()

    def track_range(self) -> dict[str, Any] | None:
        first, last = self._here_on()
        hint = tr(
            "What people vouch for never changes. A run ends before a keyframe, or goes past it and is corrected."
        )
        return self._ask(tr("Track a range"), hint, tr("Track"), TrackRange(first, last), {"mode": modes()})

    def delete_range(self) -> dict[str, Any] | None:
        first, last = self._here_on()
        hint = tr("Forgets the selected object on these frames. It can be undone.")
        return self._ask(tr("Delete a range of boxes"), hint, tr("Delete"), DeleteRange(first, last))

    def copies(self) -> dict[str, Any] | None:
        hint = tr("Copies the box of this frame to the frames after it, or before it when the number is negative.")
        return self._ask(tr("Copy the box on"), hint, tr("Copy"), Copies())

    def tolerance(self) -> dict[str, Any] | None:
        hint = tr("Keeps as few keyframes as hold every box, on every edge; the frames between them are interpolated.")
        return self._ask(tr("Simplify"), hint, tr("Simplify"), Tolerance())

    def frames(self) -> dict[str, Any] | None:
        """Which frames and how, then where to."""
        found = self._ask(
            tr("Export frames"), tr("Exactly these frames are written."), tr("Choose where…"), FramesWanted()
        )
        if found is None:
            return None
        media = self._session.require_open()
        beside = media.path.parent / f"{media.path.stem}-frames"
        if found["kind"] == "mp4":
            out, _ = QFileDialog.getSaveFileName(
                self._window, tr("Write the clip"), str(beside.with_suffix(".mp4")), tr("Clips (*.mp4)")
            )
        else:
            out, _ = QFileDialog.getSaveFileName(self._window, tr("Write the folder of pictures"), str(beside))
        if not out:
            return None
        which = {name: found.pop(name) for name in ("frames", "every")}
        return {"out": Path(out), "params": FrameParams(**found), **which}

    def _here_on(self) -> tuple[int, int]:
        """The range that playing loops over, else from this frame to the last."""
        session = self._session
        if session.loop is not None:
            return session.loop.start, session.loop.stop - 1
        return session.frame, max(0, session.frame_count - 1)

    def _ask(
        self, title: str, hint: str, go: str, value: msgspec.Struct,
        choices: Mapping[str, list[tuple[str, Any]]] | None = None,
    ) -> dict[str, Any] | None:  # fmt: skip
        return self.show(ParamsDialog(self._window, title, hint, go, value, choices))
