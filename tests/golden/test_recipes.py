"""The papers' recipes against figures that were published or worked out by hand (reference sections E, C.2 and I)."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch

from tracker.models.build import build
from tracker.training import paper_losses
from tracker.training.labels import Labeller, Rules, mask_targets, noise, point, some
from tracker.training.recipes import PRESETS, RECIPES
from tracker.training.schedules import Schedule
from tracker.zoo import ZOO

CPU = torch.device("cpu")
NET = ZOO["siamrpnpp-r50"].net
ONE = torch.ones(1)
SEED = torch.tensor([5])


def centred(cx: float, cy: float, w: float, h: float) -> torch.Tensor:
    return torch.tensor([[cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]])


def test_the_published_learning_rates() -> None:
    rates = [RECIPES["siamrpnpp-r50"].schedule.rate(epoch) for epoch in range(20)]
    assert rates[:5] == pytest.approx([0.001, 0.00138, 0.00190, 0.00263, 0.00362], abs=6e-6)
    assert rates[5] == pytest.approx(0.005)
    assert rates[19] == pytest.approx(0.0005)
    ratios = {round(b / a, 9) for a, b in pairwise(rates[5:])}
    assert len(ratios) == 1, "the decay is geometric"
    assert RECIPES["siammask-r50"].schedule.rate(19) == pytest.approx(0.0025)
    refine = RECIPES["siammask-r50-refine"].schedule
    assert (refine.rate(0), refine.rate(19)) == pytest.approx((0.01, 0.0025))
    alex = RECIPES["siamrpnpp-alex"].schedule
    assert (alex.rate(0), alex.rate(5), alex.rate(49)) == pytest.approx((0.005, 0.01, 0.0005))
    assert RECIPES["attsiammask-r50"].schedule.rate(19) == pytest.approx(0.0005)
    assert Schedule(1, 1, 1, warmup=0, epochs=1).rate(0) == 1


def test_every_preset_is_a_tracker_of_the_zoo_and_trains_as_published() -> None:
    assert set(ZOO) - {"siamrpnpp-r50-lt"} <= {RECIPES[name].tracker if name in RECIPES else name for name in PRESETS}
    for name, recipe in RECIPES.items():
        assert (recipe.momentum, recipe.weight_decay, recipe.clip) == (0.9, 1e-4, 10.0), name
    assert RECIPES["siamatt-r50"].thaw == ()
    assert RECIPES["siamatt-r50"].steps == 20 * 600_000 // 48
    assert RECIPES["siammask-r50"].weights == {"cls": 1.0, "loc": 1.2, "mask": 36.0}
    assert RECIPES["siammask-r50-refine"].weights == {"mask": 36.0}
    assert RECIPES["siammask-r50-refine"].negatives == 0


@pytest.mark.parametrize(
    ("pixel", "aligned", "paper"), [(63, 4, 6), (96, 8, 9), (127, 12, 12), (159, 16, 15), (191, 20, 18)]
)
def test_attention_cells_of_both_grids(pixel: float, aligned: int, paper: int) -> None:
    middle = torch.tensor([[pixel + 0.5, pixel + 0.5]])  # the reference names pixels, we name edges
    assert point(middle, NET)[0].tolist() == [[aligned, aligned]]
    cell, off = point(middle, replace(NET, label_grid="paper"))
    assert cell.tolist() == [[paper, paper]]
    assert off[0].tolist() == pytest.approx([pixel / 10.2 % 1] * 2, abs=1e-4)


def test_rows_come_before_columns_and_offsets_are_x_then_y() -> None:
    cell, off = point(torch.tensor([[127.5 + 16 + 2, 127.5 - 24]]), NET)
    assert cell.tolist() == [[9, 14]]
    assert off[0].tolist() == pytest.approx([0.75, 0.5])


def test_anchors_are_labelled_by_overlap_and_counted() -> None:
    labels = Labeller(NET, Rules(), CPU)(centred(127.5, 127.5, 64, 64), ONE, SEED)
    assert labels.cls[0, 2, 12, 12] == 1
    positives = int((labels.cls == 1).sum())
    # shifted by 8 px along one axis or both the square anchors overlap by more than .6, by 16 px by just .6
    assert {tuple(c) for c in (labels.cls[0, 2] == 1).nonzero().tolist()} == {
        (12 + r, 12 + c) for r in range(-2, 3) for c in range(-2, 3) if (8 - abs(r)) * (8 - abs(c)) > 48
    }
    assert positives <= 16
    assert int((labels.cls == 0).sum()) == 48
    assert float(labels.weight.sum()) == pytest.approx(1, abs=1e-5)
    assert labels.weight[labels.cls == 1].tolist() == pytest.approx([1 / (positives + 1e-6)] * positives)
    assert labels.loc[0, :, 2, 12, 12].abs().max() < 1e-6
    assert labels.loc[0, :, 2, 12, 10].tolist() == pytest.approx([0.25, 0, 0, 0])
    filled = Labeller(NET, Rules(fill=True), CPU)(centred(127.5, 127.5, 64, 64), ONE, SEED)
    assert int((filled.cls == 0).sum()) == 64 - positives


def test_a_large_object_has_sixteen_positives_at_most() -> None:
    labels = Labeller(NET, Rules(), CPU)(centred(127.5, 127.5, 56, 72), ONE, SEED)
    assert int((labels.cls == 1).sum()) == 16


@pytest.mark.parametrize(("about_middle", "row", "column"), [(False, 16, 6), (True, 12, 12)])
def test_a_negative_pair_teaches_sixteen_anchors_near_the_other_object(
    about_middle: bool, row: int, column: int
) -> None:
    corners = centred(127.5 - 48, 127.5 + 32, 60, 60)
    labels = Labeller(NET, Rules(about_middle=about_middle), CPU)(corners, torch.zeros(1), SEED)
    negatives = (labels.cls[0] == 0).nonzero()
    assert len(negatives) == 16
    assert int((labels.cls == 1).sum()) == 0
    assert ((negatives[:, 1] - row).abs() <= 3).all()
    assert ((negatives[:, 2] - column).abs() <= 3).all()
    assert labels.weight.sum() == 0
    assert labels.heat.sum() == 0, "no attention for another object"
    assert not labels.seen.any()


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    both = noise(torch.tensor([1, 2]), 3000)
    assert torch.equal(both[1:], noise(torch.tensor([2]), 3000))
    assert not torch.equal(both[0], both[1])
    assert int(both.min()) >= 0
    assert int(both.max()) < 2**32
    assert float(both.double().mean()) == pytest.approx(2**31, rel=0.02)
    candidates = torch.tensor([[True, False, True, True]])
    assert some(candidates, torch.tensor([2]), torch.tensor([[9, 1, 5, 7]])).tolist() == [[False, False, True, True]]
    assert some(candidates, torch.tensor([9]), torch.tensor([[9, 1, 5, 7]])).tolist() == candidates.tolist()


def test_mask_targets_are_unfolded_under_the_exemplar_windows() -> None:
    """Cell (12, 12) of a 255 px region is the middle window, 64 to 191; cell 0 starts 32 px outside."""
    masks = torch.zeros(2, 255, 255, dtype=torch.uint8)
    masks[1, 100:110, 120:126] = 1
    target = mask_targets(masks, torch.tensor([1, 1, 0]), torch.tensor([[12, 12], [0, 0], [12, 12]]), NET)
    assert target.shape == (3, 127, 127)
    inside = (target[0] == 1).nonzero()
    assert (inside.amin(0) + 64).tolist() == [100, 120]
    assert (inside.amax(0) + 64).tolist() == [109, 125]
    assert (target[0] == -1).sum() == 127 * 127 - 60
    assert (target[1, :32] == 0).all()
    assert (target[1, 32:, 32:] == -1).all()
    assert (target[2] == -1).all()
    unfolded = torch.nn.functional.unfold(masks[1:].float()[:, None] * 2 - 1, 127, padding=32, stride=8)
    assert torch.equal(unfolded.view(127, 127, 25, 25)[:, :, 12, 12], target[0])
    small = replace(NET, search=143, grid=3)
    corner = mask_targets(masks[:, :143, :143], torch.tensor([1]), torch.tensor([[2, 1]]), small)
    assert (corner[0] == 1).nonzero().amin(0).tolist() == [100 - 16, 120 - 8]


def test_classification_is_half_positives_half_negatives() -> None:
    labels = torch.full((1, 1, 2, 2), -1)
    labels[0, 0, 0, 0], labels[0, 0, 0, 1], labels[0, 0, 1, 0] = 1, 0, 0
    cls = torch.zeros(1, 2, 2, 2)
    cls[0, 1, 0, 0] = math.log(3)  # foreground three times as likely: -log(3/4)
    cls[0, 1, 0, 1] = math.log(4)  # -log(1/5)
    expected = 0.5 * math.log(4 / 3) + 0.5 * (math.log(5) + math.log(2)) / 2
    assert float(paper_losses.classification(cls, labels)) == pytest.approx(expected)


def test_regression_is_a_sum_over_coordinates_a_mean_over_positives() -> None:
    loc = torch.zeros(2, 4, 1, 2)
    loc[0, :, 0, 0] = torch.tensor([1.0, -2.0, 0.5, 0.5])
    loc[0, :, 0, 1] = 1.0
    weight = torch.zeros(2, 1, 1, 2)
    weight[0] = 0.5
    target = torch.zeros(2, 4, 1, 1, 2)
    # (4 + 4) / 2 positives, over a batch of two of which one has none
    assert float(paper_losses.regression(loc, target, weight)) == pytest.approx(2.0)


def test_attention_is_focal_and_averaged_over_levels() -> None:
    heat = torch.zeros(1, 1, 2)
    heat[0, 0, 0] = 1
    att = torch.zeros(1, 3, 1, 2)
    one = -(0.25 * math.log(0.5) + 0.25 * math.log(0.5))
    assert float(paper_losses.attention(att, heat)) == pytest.approx(one)
    att[0, 0] = torch.tensor([math.log(9), -math.log(9)])  # .9 and .1
    assert float(paper_losses.attention(att, heat)) == pytest.approx((2 * one - 0.02 * math.log(0.9)) / 3)
    empty = paper_losses.attention(torch.zeros(1, 3, 1, 2), torch.zeros(1, 1, 2))
    assert float(empty) == pytest.approx(-2 * 0.25 * math.log(0.5)), "without an object the divisor is one"


def test_offset_is_smooth_l1_at_the_cell_of_positive_pairs() -> None:
    off = torch.zeros(2, 6, 3, 3)
    off[0, :, 1, 2] = torch.tensor([0.5, 0.5, 2.5, 0.5, 0.5, 1.0])
    target = torch.full((2, 2), 0.5)
    cell = torch.tensor([[1, 2], [0, 0]])
    loss = paper_losses.offset(off, target, cell, torch.tensor([True, False]))
    assert float(loss) == pytest.approx((0 + 1.5 + 0.125) / 3)


def test_mask_loss_is_logistic_over_pixels_and_cells() -> None:
    target = torch.ones(2, 127, 127)
    target[1] = -1
    logits = torch.full((2, 63, 63), 2.0)
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2
    assert float(paper_losses.mask(logits, target)) == pytest.approx(expected, rel=1e-5)
    assert float(paper_losses.mask(torch.zeros(0, 63, 63), torch.zeros(0, 127, 127))) == 0


@pytest.mark.parametrize("preset", RECIPES)
def test_what_thaws_is_part_of_the_full_network(preset: str) -> None:
    recipe = RECIPES[preset]
    with torch.device("meta"):
        net: Any = build(recipe.net, attentive=recipe.attentive)
    parts = [net.backbone.get_submodule(name) for name in recipe.thaw]
    assert all(any(True for _ in part.parameters()) for part in parts)
    assert recipe.attentive == (preset == "attsiammask-r50")
    assert ("mask" in recipe.weights) == hasattr(net, "masks")
    assert ("att" in recipe.weights) == hasattr(net, "att_mods_head")
    if recipe.trained_at:
        # of the network's own map of that region, a margin of whole cells is left unlabelled, or none
        search, grid = recipe.trained_at
        margin = recipe.net.grid_for(search) - grid
        assert margin >= 0
        assert margin % 2 == 0
