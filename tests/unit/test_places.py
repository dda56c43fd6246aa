from __future__ import annotations

import numpy as np
import pytest

from app.work.errors import SessionError
from app.work.places import frame_at

TIMES = np.arange(1000) / 25


@pytest.mark.parametrize(
    ("text", "frame"),
    [("120", 120), (" 7 ", 7), ("99999", 999), ("+10", 60), ("-80", 0), ("1.2s", 30), ("0:02", 50), ("0:00:02.04", 51),
     ("1:02,5", 999), ("0:00.039", 0)],
)  # fmt: skip
def test_a_place_is_a_frame_a_step_or_a_time(text, frame) -> None:
    assert frame_at(text, 50, TIMES) == frame


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "--3", "1.5", "nan", "9" * 40])
def test_what_is_no_place_is_refused_with_examples(text) -> None:
    with pytest.raises(SessionError, match="is no place in the clip; write a frame"):
        frame_at(text, 50, TIMES)
