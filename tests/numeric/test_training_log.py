"""What a run leaves to read, with and without TensorBoard."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tracker.training import log
from tracker.training.log import Log


class Board:
    """Stands for TensorBoard's writer."""

    made: list[Board]

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step = folder, purge_step
        self.scalars: list[tuple[str, float, int]] = []
        self.pictures: list[tuple[str, np.ndarray, int]] = []
        self.closed = False
        Board.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def add_image(self, name: str, picture: np.ndarray, step: int, dataformats: str) -> None:
        assert dataformats == "HWC"
        self.pictures.append((name, picture, step))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> type[Board]:
    module: Any = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter, Board.made = Board, []
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(log.importlib.util, "find_spec", lambda name: object())
    return Board


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log.importlib.util, "find_spec", lambda name: None)


@pytest.mark.usefixtures("alone")
def test_figures_are_lines_and_pictures_are_files(tmp_path: Path) -> None:
    told = Log(tmp_path / "run", 0)
    for step in (1, 2, 3):
        told.figures({"step": step, "total": step / 2})
    told.picture(3, np.zeros((4, 6, 3), np.uint8))
    told.close()
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines][-1] == {"step": 3, "total": 1.5}
    assert (tmp_path / "run" / "pictures" / "0000003.jpg").is_file()
    with pytest.raises(ValueError, match="pip install tensorboard"):
        Log(tmp_path / "run", 0, tensorboard=True)


@pytest.mark.usefixtures("alone")
def test_a_resumed_run_forgets_what_it_does_again(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    told = Log(tmp_path, 2)
    told.figures({"step": 3, "again": True})
    told.close()
    steps = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [{"step": 1}, {"step": 2}, {"step": 3, "again": True}]


def test_tensorboard_gets_the_same(board: type[Board], tmp_path: Path) -> None:
    told = Log(tmp_path, 6)
    told.figures({"step": 7, "total": 2.0, "cls": 1.0})
    blue = np.zeros((2, 2, 3), np.uint8)
    blue[..., 0] = 255
    told.picture(7, blue)
    told.close()
    (made,) = board.made
    assert made.purge_step == 7
    assert made.scalars == [("total", 2.0, 7), ("cls", 1.0, 7)]
    ((name, picture, step),) = made.pictures
    assert (name, step, picture[0, 0].tolist()) == ("pairs", 7, [0, 0, 255])
    assert made.closed
    assert (tmp_path / "log.jsonl").is_file()
    Log(tmp_path, 7, tensorboard=False).close()
    assert len(board.made) == 1
