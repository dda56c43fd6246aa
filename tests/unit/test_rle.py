"""Run lengths as numbers: the same pixels as by hand, whoever wrote them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.rle import mask_from_runs, runs_of
from app.model.masks import Mask


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 12), max_size=20))
def test_numbers_fill_columns_in_turn(height: int, width: int, lengths: list[int]) -> None:
    """Runs of no length among them, as some tools write."""
    runs, left = [], height * width
    for length in lengths:
        runs.append(min(length, left))
        left -= runs[-1]
    runs.append(left)
    pixels = [at % 2 == 1 for at, length in enumerate(runs) for _ in range(length)]
    mask = mask_from_runs(height, width, np.array(runs))
    bits = np.array(pixels).reshape(width, height).T
    assert np.array_equal(mask.decode(), bits)
    assert mask == Mask.encode(bits)
    numbers = runs_of(mask)
    assert sum(numbers) == height * width
    assert all(number > 0 for number in numbers[1:])
    assert mask_from_runs(height, width, np.array(numbers)) == mask


@pytest.mark.parametrize("runs", [[], [-1, 7], [5], [7], [3, 4], [1 << 40], [6, -6, 6]])
def test_runs_that_do_not_fill_the_picture(runs: list[int]) -> None:
    with pytest.raises(ValueError, match="do not fill"):
        mask_from_runs(2, 3, np.array(runs, np.int64))


def test_runs_of_a_broken_mask() -> None:
    with pytest.raises(ValueError, match="do not fill 3 x 2"):
        runs_of(Mask(2, 3, b"oo7oo7"))
