"""What the mask branch is trained on, and that training moves it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tracker import checkpoint
from tracker.config import NetConfig, TrainConfig
from tracker.data.crops import CropSet
from tracker.data.outlines import ROOM, Outlines, hollow_tracks, roomy, strung, worn
from tracker.inference.load import create
from tracker.models.outline import CELLS, HINTS, SIDE
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training.loop import Trainer
from tracker.training.outlining import Outlining, outline_losses

NET = NetConfig(channels=8)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outlines")
    rng = np.random.default_rng(0)
    videos = {}
    for v in range(3):
        folder = root / "crops" / "still" / f"v{v}"
        folder.mkdir(parents=True)
        picture = rng.integers(0, 60, (431, 431, 3), np.uint8)
        mask = np.zeros((431, 431), np.uint8)
        cv2.ellipse(mask, (215, 215), (32, 26), 0, 0, 360, 255, -1 if v else 8)
        picture[mask > 0] = rng.integers(90, 255, 3)
        cv2.imwrite(str(folder / "000000.00.x.png"), picture)
        cv2.imwrite(str(folder / "000000.00.m.png"), mask)
        videos[f"v{v}"] = {"00": {"000000": [183.0, 189.0, 248.0, 242.0]}}
    index = {"size": 431, "exemplar": 127, "masks": True, "videos": videos}
    (root / "still.json").write_text(json.dumps(index))
    return root


def config(crops: Path) -> TrainConfig:
    return TrainConfig(str(crops), {"still": 1.0}, batch=2, steps=2, warmup=1, save_every=1, bfloat16=False, workers=0)


def test_views_show_the_object_and_depend_on_seed_and_index_alone(crops: Path) -> None:
    one, two = Outlines(config(crops), SIDE, 100), Outlines(config(crops), SIDE, 100)
    for i in range(6):
        item = one[i]
        for key, value in two[i].items():
            assert np.array_equal(value, item[key]), key
        assert item["pixels"].shape == (2, SIDE, SIDE, 3)
        assert item["mask"].shape == (2, CELLS, CELLS)
        assert item["hints"].shape == (2, HINTS, CELLS, CELLS)
        assert 0 <= item["mask"].min() <= item["mask"].max() <= 1
        assert item["mask"].sum((1, 2)).min() > 5
        assert np.allclose(item["box"][:, :2], SIDE / 2)


def test_videos_held_out_are_no_videos_trained_on(crops: Path) -> None:
    trained = Outlines(config(crops), SIDE, 10, every=3).sets[0].tracks
    chosen = Outlines(config(crops), SIDE, 10, held_out=True, every=3).sets[0].tracks
    assert (len(trained), len(chosen)) == (2, 1)
    assert chosen[0][0].stem not in [track[0].stem for track in trained]


def test_a_worn_mask_is_still_a_mask() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (72, 72), 30, 1, -1)
    box = np.array([72.0, 72.0, 60.0, 60.0])
    different = 0
    for seed in range(30):
        out = worn(np.random.default_rng(seed), mask, box, 0.07)
        assert out.shape == mask.shape
        assert 0 <= out.min() <= out.max() <= 1 + 1e-6
        different += np.abs(out - mask).mean() > 0.02
    assert different > 10


def test_lines_are_drawn_in_picture_and_mask_alike() -> None:
    picture = np.full((200, 200, 3), 90, np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    cv2.circle(mask, (100, 100), 12, 1, -1)
    kept, changed = (picture.copy(), mask.copy()), 0
    for seed in range(30):
        seen, drawn = strung(np.random.default_rng(seed), picture, mask)
        assert np.array_equal(picture, kept[0]), "what is cached stays as it is"
        assert np.array_equal(mask, kept[1]), "what is cached stays as it is"
        assert drawn is not None
        assert (drawn[mask > 0] == 1).all()
        lines, different = drawn > mask, (seen != picture).any(2)
        changed += bool(lines.any())
        assert not different[cv2.dilate(drawn, np.ones((5, 5), np.uint8)) == 0].any()
        if lines.any():
            assert different[lines].mean() > 0.5
    assert changed > 15
    empty = np.zeros_like(mask)
    assert strung(np.random.default_rng(0), picture, empty)[1] is empty
    assert strung(np.random.default_rng(0), picture, None)[1] is None


@given(st.integers(0, 10**6))
def test_a_roomy_box_holds_its_object_and_at_most_so_much_more(seed: int) -> None:
    room = roomy(np.random.default_rng(seed))
    assert room.shape == (2, 2)
    assert room.min() >= 0
    assert (1 + room.sum(0)).max() <= ROOM + 1e-9


def test_boxes_with_room_are_told_with_the_mask_of_their_object(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def filled(item: dict[str, np.ndarray]) -> np.ndarray:
        """Share of each given box that its mask fills."""
        return item["mask"].sum((1, 2)) * 4 / item["box"][:, 2:].prod(1)

    monkeypatch.setattr("tracker.data.outlines.ROOMY", 0.0)
    tight = np.mean([filled(Outlines(config(crops), SIDE, 100)[i]) for i in range(20)])
    monkeypatch.setattr("tracker.data.outlines.ROOMY", 1.0)
    items = [Outlines(config(crops), SIDE, 100)[i] for i in range(20)]
    assert np.mean([filled(item) for item in items]) < 0.7 * tight
    assert min(item["mask"].sum((1, 2)).min() for item in items) > 5


def test_hollow_objects_are_those_with_an_empty_middle(tmp_path: Path) -> None:
    folder = tmp_path / "crops" / "s" / "v"
    folder.mkdir(parents=True)
    for track in range(2):
        mask = np.zeros((431, 431), np.uint8)
        cv2.ellipse(mask, (215, 215), (40, 40), 0, 0, 360, 255, -1 if track else 8)
        cv2.imwrite(str(folder / f"000000.{track:02d}.m.png"), mask)
        cv2.imwrite(str(folder / f"000000.{track:02d}.x.png"), np.zeros((431, 431, 3), np.uint8))
    frames = {f"{t:02d}": {"000000": [175.0, 175.0, 255.0, 255.0]} for t in range(2)}
    index = {"size": 431, "exemplar": 127, "masks": True, "videos": {"v": frames}}
    (tmp_path / "s.json").write_text(json.dumps(index))
    assert hollow_tracks(CropSet(tmp_path, "s")) == [0]


def test_training_moves_the_branch_alone_and_can_learn_a_batch_by_heart(crops: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = tmp_path / "start.safetensors"
    checkpoint.save(SiamAttMobile(NET), start, NET, {}, half=False)
    method = Outlining(config(crops), NET, "cpu", start=start)
    before = {name: value.clone() for name, value in method.net.state_dict().items()}
    batch = torch.utils.data.default_collate([method.samples()[i] for i in range(2)])
    optimiser, totals = method.optimiser(), []
    for _ in range(12):
        method.prepare(0)
        total = torch.stack(list(outline_losses(method.net, batch).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.8 * totals[0]
    changed = {
        name.split(".")[0] for name, value in method.net.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"outline"}
    trainer = Trainer(Outlining(config(crops), NET, "cpu", start=start), tmp_path / "run")
    rows = list(trainer.run())
    picture = trainer.picture()
    assert picture is not None
    assert picture.shape == (2 * SIDE, 4 * SIDE, 3)
    assert [row["step"] for row in rows] == [1, 2]
    assert set(rows[0]) >= {"edge", "overlap", "total"}
    assert create("cpu", name="siamatt-mobile", weights=tmp_path / "run" / "weights.safetensors", engine="torch")
