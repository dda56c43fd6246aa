"""What a run leaves to read: ``log.jsonl`` always, TensorBoard's files where it is installed, pictures in either."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

LOG = "log.jsonl"


class Log:
    """Figures and pictures of the run in ``out``; a resumed run (``step``) forgets what it will do again.

    ``tensorboard``: None writes for it when it is installed. Raises `ValueError` when it is asked for and not there.
    """

    def __init__(self, out: Path, step: int, tensorboard: bool | None = None) -> None:
        there = importlib.util.find_spec("tensorboard") is not None
        if tensorboard and not there:
            raise ValueError("TensorBoard is not installed here: pip install tensorboard, or leave --tensorboard out")
        out.mkdir(parents=True, exist_ok=True)
        self.out, path = out, out / LOG
        if path.exists():
            kept = [line for line in path.read_text().splitlines() if _step_of(line) <= step]
            path.write_text("".join(f"{line}\n" for line in kept))
        self._file = path.open("a", encoding="utf-8")
        self._board: Any = None
        if there and tensorboard is not False:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)

    def figures(self, row: dict[str, Any]) -> None:
        """One line of numbers; ``row["step"]`` says when."""
        json.dump(row, self._file)
        self._file.write("\n")
        self._file.flush()
        if self._board is not None:
            for name, value in row.items():
                if name != "step":
                    self._board.add_scalar(name, value, row["step"])

    def picture(self, step: int, picture: np.ndarray) -> None:
        """``picture``: (h, w, 3) uint8 BGR; a file of ``pictures/`` without TensorBoard."""
        if self._board is not None:
            self._board.add_image("pairs", np.ascontiguousarray(picture[..., ::-1]), step, dataformats="HWC")
            return
        folder = self.out / "pictures"
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"{step:07d}.jpg"), picture)

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # the last line of a run that was killed while writing it
        return float("inf")
