from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import bit_masks

from app.model.geometry import Box
from app.model.masks import Mask, broken, mask_iou
from tracker.api import MaskPatch


@given(bit_masks())
def test_encoding_loses_nothing(bits) -> None:
    mask = Mask.encode(bits)
    assert (mask.height, mask.width) == bits.shape
    assert np.array_equal(mask.decode(), bits)
    assert mask.area == bits.sum()


@given(bit_masks())
def test_json_and_msgpack_lose_nothing(bits) -> None:
    mask = Mask.encode(bits)
    assert msgspec.json.decode(msgspec.json.encode(mask), type=Mask) == mask
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(mask), type=Mask) == mask


@given(bit_masks(), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_patch_encodes_like_the_whole_image(bits, left, top, right, bottom) -> None:
    height, width = bits.shape[0] + top + bottom, bits.shape[1] + left + right
    patch = MaskPatch(left, top, bits)
    assert Mask.from_patch(patch, height, width) == Mask.encode(patch.full(height, width))


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (3, 0), (0, 3)])
def test_a_patch_outside_the_image_is_refused(x, y) -> None:
    with pytest.raises(ValueError, match="not inside 4 x 4"):
        Mask.from_patch(MaskPatch(x, y, np.ones((2, 2), bool)), 4, 4)


def test_the_order_is_that_of_coco() -> None:
    bits = np.zeros((3, 4), bool)
    bits[0:2, 1] = True  # down the column: three pixels of background, then two of foreground
    assert Mask.encode(bits).counts == b"327"  # 3, 2, 7: COCO's digits start at "0"


@given(bit_masks())
def test_the_box_is_tight(bits) -> None:
    rows, columns = np.nonzero(bits)
    box = Mask.encode(bits).box
    if not len(rows):
        assert box is None
    else:
        assert box == Box.from_corners(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@given(bit_masks())
def test_the_patch_is_the_tight_crop(bits) -> None:
    patch = Mask.encode(bits).patch()
    if patch is None:
        assert not bits.any()
    else:
        assert np.array_equal(patch.full(*bits.shape), bits)
        assert patch.bits.any(axis=1)[[0, -1]].all()
        assert patch.bits.any(axis=0)[[0, -1]].all()


@given(st.data())
def test_overlap_is_that_of_the_pixels(data) -> None:
    a, b = data.draw(bit_masks(6, 5)), data.draw(bit_masks(6, 5))
    both, either = (a & b).sum(), (a | b).sum()
    assert mask_iou(Mask.encode(a), Mask.encode(b)) == pytest.approx(both / either if either else 1.0)


def test_masks_of_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="3 x 2 and 2 x 3"):
        mask_iou(Mask.encode(np.ones((2, 3), bool)), Mask.encode(np.ones((3, 2), bool)))


def test_a_mask_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="impossible"):
        Mask(0, 4, b"0")


@given(st.lists(bit_masks(), max_size=8))
def test_good_run_lengths_pass(several) -> None:
    assert not broken([Mask.encode(bits) for bits in several]).any()


@given(st.lists(st.tuples(bit_masks(), st.booleans()), max_size=8))
def test_masks_of_a_wrong_size_are_found_among_good_ones(several) -> None:
    masks = [Mask.encode(bits) for bits, _ in several]
    wrong = [bad for _, bad in several]
    masks = [Mask(m.height + bad, m.width, m.counts) for m, bad in zip(masks, wrong, strict=True)]
    assert broken(masks).tolist() == wrong


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=6))
def test_arbitrary_bytes_pass_only_when_they_decode_to_themselves(several) -> None:
    masks = [Mask(3, 4, counts) for counts in several]
    for mask, bad in zip(masks, broken(masks), strict=True):
        if not bad:
            assert mask.decode().shape == (3, 4)
            assert mask.area == mask.decode().sum()


@pytest.mark.parametrize("counts", [b"", b"5", b"\xff", b"no"])
def test_decoding_refuses_run_lengths_that_do_not_fill_the_image(counts) -> None:
    with pytest.raises(ValueError, match="do not fill 4 x 3 pixels"):
        Mask(3, 4, counts).decode()


def test_long_masks_are_checked_in_several_goes() -> None:
    rng = np.random.default_rng(1)
    masks = [Mask.encode(rng.random((200, 300)) < 0.5) for _ in range(12)]
    masks[7] = Mask(200, 301, masks[7].counts)
    masks.insert(3, Mask(2, 2, b""))
    assert np.flatnonzero(broken(masks)).tolist() == [3, 8]
