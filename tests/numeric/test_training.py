"""Training: labels, losses, sampling and the loop, on a small set of crops made here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tracker import checkpoint
from tracker.api import TrackerError
from tracker.config import NetConfig, TrainConfig
from tracker.data.crops import CropSet
from tracker.data.pairs import Pairs
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training import losses
from tracker.training.embedded import Embedded, schedule, step_losses
from tracker.training.loop import Trainer
from tracker.training.targets import Assigner

NET = NetConfig(channels=8)


@pytest.fixture(scope="session")
def crop_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets in the layout of the field: ``still`` with masks, ``moving`` without."""
    root = tmp_path_factory.mktemp("train")
    rng = np.random.default_rng(0)
    for name, masks, frames in (("still", True, 1), ("moving", False, 3)):
        videos: dict[str, dict[str, dict[str, list[float]]]] = {}
        for v in range(4):
            folder = root / "crops" / name / f"v{v}"
            folder.mkdir(parents=True)
            colour = rng.integers(40, 255, 3).tolist()
            corners = {}
            for frame in range(frames):
                picture = rng.integers(0, 60, (431, 431, 3), np.uint8)
                mask = np.zeros((431, 431), np.uint8)
                cv2.ellipse(mask, (215, 215), (32, 26), 0, 0, 360, 255, -1)
                picture[mask > 0] = colour
                stem = folder / f"{frame:06d}.00"
                cv2.imwrite(f"{stem}.x.png", picture)
                if masks:
                    cv2.imwrite(f"{stem}.m.png", mask)
                corners[f"{frame:06d}"] = [183.0, 189.0, 248.0, 242.0]
            videos[f"v{v}"] = {"00": corners}
        data = {"size": 431, "exemplar": 127, "masks": masks, "videos": videos}
        (root / f"{name}.json").write_text(json.dumps(data))
    return root


@pytest.fixture
def config(crop_root: Path) -> TrainConfig:
    sets = {"still": 0.7, "moving": 0.3}
    return TrainConfig(str(crop_root), sets, batch=2, steps=3, warmup=2, save_every=1, bfloat16=False, workers=0)


def batch_of(config: TrainConfig, n: int = 4) -> dict[str, torch.Tensor]:
    return torch.utils.data.default_collate([Pairs(config, NET, 100)[i] for i in range(n)])


def test_samples_depend_on_seed_and_index_alone(config: TrainConfig) -> None:
    one, two = Pairs(config, NET, 100), Pairs(config, NET, 100)
    other = Pairs(replace(config, seed=8), NET, 100)
    for key, value in one[5].items():
        assert np.array_equal(value, two[5][key])
    assert not np.array_equal(one[5]["search"], other[5]["search"])


def test_boxes_follow_the_pixels_through_every_augmentation(config: TrainConfig) -> None:
    """Where a sample has a mask, its box is the mask's; distractors aside, which may cover some of it."""
    pairs, seen = Pairs(replace(config, distractors=0.0, negatives=0.0), NET, 100), 0
    for i in range(40):
        item = pairs[i]
        assert item["exemplar"].shape == (127, 127, 3)
        assert item["search"].shape == (255, 255, 3)
        x, y, w, h = cv2.boundingRect(item["mask"])
        if item["has_mask"] and x > 0 and y > 0 and x + w < 255 and y + h < 255:
            assert item["box"] == pytest.approx([x, y, x + w, y + h])
            seen += 1
    assert seen > 10


def test_negative_pairs_ask_for_nothing(config: TrainConfig) -> None:
    pairs = Pairs(replace(config, negatives=1.0), NET, 100)
    items = [pairs[i] for i in range(12)]
    assert any(item["positive"] == 0 for item in items)
    batch = torch.utils.data.default_collate(items)
    targets = Assigner(NET, torch.device("cpu"))(batch["box"], batch["positive"])
    absent = batch["positive"] == 0
    assert (targets.cls[absent] == 0).all()
    assert (targets.heat[absent] == 0).all()
    assert not targets.seen[absent].any()


def test_labels_of_a_centred_square() -> None:
    box = torch.tensor([[95.5, 95.5, 159.5, 159.5]])
    assigner = Assigner(NET, torch.device("cpu"))
    targets = assigner(box, torch.ones(1))
    assert targets.cls[0, 2, 12, 12] == 1
    assert targets.loc[0, :, 2, 12, 12].abs().max() < 1e-6
    assert targets.heat[0].nonzero().tolist() == [[12, 12]]
    assert targets.off[0].tolist() == pytest.approx([0.5, 0.5])
    assert targets.cls[0, 2, 0, 0] == 0
    decoded = losses.decode(targets.loc, assigner.anchors)
    assert torch.allclose(decoded[0, :, 3, 4, 20], torch.tensor([127.5, 127.5, 64.0, 64.0]), atol=1e-3)


@pytest.mark.parametrize(("pixel", "cell"), [(63, 4), (96, 8), (127, 12), (159, 16), (191, 20)])
def test_attention_cells_are_the_nearest_true_ones(pixel: float, cell: int) -> None:
    """Reference, section I: label cells of the aligned grid."""
    middle = pixel + 0.5  # the reference names pixels, we name edges
    box = torch.tensor([[middle - 20, middle - 20, middle + 20, middle + 20]])
    targets = Assigner(NET, torch.device("cpu"))(box, torch.ones(1))
    assert targets.cell[0].tolist() == [cell, cell]


def test_a_perfect_answer_costs_next_to_nothing() -> None:
    assigner = Assigner(NET, torch.device("cpu"))
    targets = assigner(torch.tensor([[80.0, 90.0, 150.0, 170.0]]), torch.ones(1))
    sure = torch.where(targets.cls == 1, 20.0, -20.0)
    cls = torch.cat([-sure, sure], 1)
    assert losses.classification(cls, targets.cls) < 1e-4
    l1, giou = losses.regression(targets.loc.reshape(1, 20, 25, 25), targets.loc, targets.cls, assigner.anchors)
    assert l1 < 1e-6
    assert giou < 1e-4
    heat = torch.where(targets.heat > 0, 20.0, -20.0)[:, None]
    assert losses.attention(heat, targets.heat) < 1e-4
    assert losses.classification(-cls, targets.cls) > 5
    assert losses.attention(-heat, targets.heat) > 5


def test_one_batch_can_be_learnt_by_heart(config: TrainConfig) -> None:
    torch.manual_seed(0)
    net, assigner = SiamAttMobile(NET), Assigner(NET, torch.device("cpu"))
    batch = batch_of(replace(config, negatives=0.0, distractors=0.0), 2)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    first: dict[str, float] = {}
    terms: dict[str, torch.Tensor] = {}
    for _ in range(16):
        terms = step_losses(net, assigner, batch)
        first = first or {name: float(value.detach()) for name, value in terms.items()}
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    for name in ("cls", "l1", "giou", "att"):
        assert float(terms[name].detach()) < 0.85 * first[name], name


def test_an_interrupted_run_ends_where_an_unbroken_one_does(config: TrainConfig, tmp_path: Path) -> None:
    whole = Trainer(Embedded(config, NET, "cpu"), tmp_path / "whole")
    rows = list(whole.run())
    assert [row["step"] for row in rows] == [1, 2, 3]
    broken = Trainer(Embedded(config, NET, "cpu"), tmp_path / "broken").run()
    next(broken)
    broken.close()
    resumed = Trainer(Embedded(config, NET, "cpu"), tmp_path / "broken")
    assert resumed.step == 1
    later = list(resumed.run())
    assert [row["total"] for row in later] == [row["total"] for row in rows[1:]]
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name


def test_the_learning_rate_warms_up_and_falls(config: TrainConfig) -> None:
    long = replace(config, steps=100, warmup=10)
    factors = [schedule(long, step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.03


def test_weights_carry_their_story_and_refuse_strangers(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    net = SiamAttMobile(NET)
    checkpoint.save(net, path, NET, {"licence": "Apache-2.0", "data": ["a", "b"]})
    meta = checkpoint.metadata(path)
    assert checkpoint.config_of(meta, path) == NET
    assert json.loads(meta["data"]) == ["a", "b"]
    twin = SiamAttMobile(NET)
    checkpoint.load(twin, path)
    for a, b in zip(net.state_dict().values(), twin.state_dict().values(), strict=True):
        assert torch.allclose(a.float(), b.float(), atol=1e-2)
    with pytest.raises(TrackerError, match="do not fit"):
        checkpoint.load(SiamAttMobile(NetConfig(channels=16)), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TrackerError, match=r"w\.safetensors"):
        checkpoint.load(twin, path)
    with pytest.raises(TrackerError, match="not weights of this"):
        checkpoint.config_of({"schema": "99"}, path)


def test_crop_sets_say_what_is_wrong_with_them(crop_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing\.json"):
        CropSet(crop_root, "nothing")
    (tmp_path / "gone.json").write_text(json.dumps({"v": {"00": {"000000": [10, 10, 40, 60]}}}))
    usual = CropSet(tmp_path, "gone")
    assert usual.size == 511
    (item,) = usual.tracks[0]
    x1, y1, x2, y2 = item.corners
    assert (x1 + x2, y1 + y2) == pytest.approx((511, 511))
    assert (x2 - x1) / (y2 - y1) == pytest.approx(30 / 50)
    with pytest.raises(ValueError, match="missing"):
        usual.pixels(item)
