"""Dragging the timeline over a video that is not in the cache."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.settings import Settings

FRAMES = 240


def long_groups(path: Path) -> Path:
    """A clip with a single keyframe, too large for the cache: each jump decodes its way there."""
    image = np.full((360, 480, 3), 60, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"g": str(FRAMES)})
        stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
        for index in range(FRAMES):
            image[:, 2 * index % 400 :][:, :40] = index
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_a_drag_over_uncached_video_shows_frames_on_its_way(make_user, tmp_path: Path):
    user = make_user(settings=Settings(cache_mb=16))
    user.open(long_groups(tmp_path / "long.mp4"))
    session, lanes = user.session, user.window.timeline.lane_view
    passed: list[tuple[int, int]] = []
    session.events.shown.connect(lambda frame: passed.append((frame.index, session.frame)))

    def spot(frame: int) -> QPoint:
        return QPoint(round(lanes.x_of(frame + 0.5)), 8)

    QTest.mousePress(lanes, Qt.MouseButton.LeftButton, pos=spot(0))
    way = [*range(0, FRAMES, 7), *range(FRAMES - 1, 0, -7)]
    for _ in range(20):
        for goal in way:
            QTest.mouseMove(lanes, spot(goal))
            user.qtbot.wait(2)
        if any(index != goal for index, goal in passed):
            break
    assert any(index != goal for index, goal in passed), "nothing was shown before the mouse rested"
    QTest.mouseMove(lanes, spot(200))
    QTest.mouseRelease(lanes, Qt.MouseButton.LeftButton, pos=spot(200))
    goal = session.frame
    user.wait(lambda: session.shown.index == goal)
    assert abs(goal - 200) <= 1
