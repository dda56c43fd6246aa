"""`main.py vot` as the VOT toolkit talks to it: the TraX protocol, line by line, over pipes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PLACES = [(60 + 3 * i, 50 + 2 * i) for i in range(4)]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A textured patch moving over a smooth ground."""
    folder = tmp_path_factory.mktemp("frames")
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(60, 120, (180, 240, 3)).astype(np.uint8), (0, 0), 3)
    patch = rng.integers(0, 256, (40, 48, 3), np.uint8)
    paths = []
    for i, (x, y) in enumerate(PLACES):
        image = ground.copy()
        image[y : y + 40, x : x + 48] = patch
        paths.append(folder / f"{i + 1:08d}.png")
        cv2.imwrite(str(paths[-1]), image)
    return paths


class Server:
    """The tracker's end, as a client sees it."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, str(ROOT / "main.py"), "vot", *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )

    @property
    def _in(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    def read(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@@TRAX:"):
                return line.removeprefix("@@TRAX:").strip()
        return ""

    def say(self, line: str) -> None:
        self._in.write(f"@@TRAX:{line}\n")
        self._in.flush()

    def ask(self, picture: Path, start: str = "") -> list[float]:
        """Send a frame, after a region to start on if given; the numbers of the region answered."""
        if start:
            self.say(f'initialize "{start}"')
        self.say(f'frame "file://{picture}"')
        answer = self.read()
        assert answer.startswith("state"), answer
        return [float(v) for v in answer.split('"')[1].split(",")]


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server("--tracker", "opencv-csrt")
    yield running
    running.process.kill()
    running.process.communicate()


def test_a_client_starts_steps_and_quits(server: Server, frames: list[Path]) -> None:
    hello = server.read()
    assert hello.startswith("hello")
    assert "opencv-csrt" in hello
    first, *rest = frames
    x, y = PLACES[0]
    assert server.ask(first, f"{x},{y},48,40") == [x, y, 48, 40]
    for path, (x, y) in zip(rest, PLACES[1:], strict=True):
        found = server.ask(path)
        assert found[:2] == pytest.approx([x, y], abs=4)
    server.say("quit")
    _, errors = server.process.communicate(timeout=30)
    assert server.process.returncode == 0, errors


def test_another_start_begins_anew(server: Server, frames: list[Path]) -> None:
    server.read()
    for path, (x, y) in zip(frames[:2], PLACES[:2], strict=True):
        server.say("initialize")  # the toolkit's way to end what was followed before
        assert server.ask(path, f"{x},{y},48,40") == [x, y, 48, 40], "one answer, of the new start"
    assert server.ask(frames[2])[:2] == pytest.approx(PLACES[2], abs=4)


def test_a_polygon_starts_its_box_and_objects_may_join_later(frames: list[Path]) -> None:
    server = Server("--tracker", "opencv-csrt", "--several")
    try:
        assert "multiobject" in server.read()
        x, y = PLACES[0]
        corners = f"{x},{y},{x + 48},{y},{x + 48},{y + 40},{x},{y + 40}"
        assert server.ask(frames[0], corners) == pytest.approx([x, y, 48, 40], abs=1)
        server.say(f'initialize "{x + 60},{y + 60},30,30"')
        server.say(f'frame "file://{frames[1]}"')
        first, second = server.read(), server.read()
        assert first.startswith("state")
        assert second.startswith("state")
    finally:
        server.process.kill()
        server.process.communicate()


def test_an_unreadable_picture_ends_the_session_with_its_name(server: Server, tmp_path: Path) -> None:
    server.read()
    broken = tmp_path / "00000001.png"
    broken.write_bytes(b"not a picture")
    server.say('initialize "1,2,30,40"')
    server.say(f'frame "file://{broken}"')
    assert server.read().startswith("quit")
    _, errors = server.process.communicate(timeout=30)
    assert "00000001.png is not a readable picture" in errors
    assert server.process.returncode != 0
