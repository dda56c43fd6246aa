"""The papers' samples: which are drawn, and that both renderers give the same pixels."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from tracker.data.crops import CropSet
from tracker.data.drawing import Drawing, Drawn, Share, find_sets, finish
from tracker.data.rendering import View, corners_in, draw, mask_one, render, render_masks, render_one

SIDE = 511


def smooth(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (32, 32, 3), np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def crops511(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual layout: a bare index of boxes in image pixels; ``film`` with two tracks, ``stills`` with masks."""
    root = tmp_path_factory.mktemp("crops511")
    film = {"a/clip": {"00": {f"{i:06d}": [10, 20, 50, 60] for i in range(12)}, "01": {"000003": [5, 5, 25, 45]}}}
    stills = {f"s{i}": {"00": {"000000": [0, 0, 30, 40]}} for i in range(3)}
    for name, videos in (("film", film), ("stills", stills)):
        for video, tracks in videos.items():
            folder = root / "crop511" / name / video
            folder.mkdir(parents=True)
            for track, frames in tracks.items():
                for frame in frames:
                    cv2.imwrite(str(folder / f"{frame}.{track}.x.jpg"), smooth(int(frame)))
                    if name == "stills":
                        mask = np.zeros((SIDE, SIDE), np.uint8)
                        mask[220:290, 230:280] = 255
                        cv2.imwrite(str(folder / f"{frame}.{track}.m.png"), mask)
        (root / f"{name}.json").write_text(json.dumps(videos))
    return root


def drawing(**changes: object) -> Drawing:
    values = {"pairs": 40, "seed": 3, "negatives": 0.3, "grey": 0.3, "exemplar": View(4, 0.05)}
    return Drawing(**(values | {"search": View(64, 0.18, 0.5)} | changes))  # type: ignore[arg-type]


def test_regions_stay_inside_the_crop_and_within_their_ranges() -> None:
    rng = np.random.default_rng(0)
    regions = np.array([draw(rng, View(64, 0.18), SIDE, 255, False)["region"] for _ in range(300)])
    corner, scale = regions[:, :2], regions[:, 2:]
    assert (corner >= 0).all()
    assert (corner + 255 * scale <= SIDE + 1e-3).all()
    assert 0.82 <= scale.min() < 0.84
    assert 1.16 < scale.max() <= 1.18
    middle = corner + 255 * scale / 2
    assert 60 < abs(middle - SIDE / 2).max() <= 64.01
    narrow = np.array([draw(rng, View(200, 0.18), 300, 255, False)["region"] for _ in range(50)])
    assert (narrow[:, :2] + 255 * narrow[:, 2:] <= 300 + 1e-3).all()


def test_boxes_follow_the_pixels() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[220:280, 200:300] = 1
    region = np.array([100.0, 90.0, 1.25, 0.8], np.float32)
    x, y, w, h = cv2.boundingRect(mask_one(mask, region, 255))
    assert corners_in((200, 220, 300, 280), region) == pytest.approx([x, y, x + w, y + h], abs=1)


@pytest.mark.parametrize("kind", ["plain", "grey", "wide blur", "narrow blur"])
def test_both_renderers_agree(kind: str) -> None:
    rng = np.random.default_rng(7)
    crops = np.stack([smooth(i) for i in range(4)])
    view = View(64, 0.18, 1.0 if "blur" in kind else 0.0, "narrow" if "narrow" in kind else "wide")
    drawn = [draw(rng, view, SIDE, 255, kind == "grey") for _ in crops]
    one = np.stack([render_one(crop, numbers, 255) for crop, numbers in zip(crops, drawn, strict=True)])
    batch = render(torch.from_numpy(crops), default_collate(drawn), 255).numpy()
    difference = np.abs(one - batch)
    # OpenCV places samples on 1/32 px and rounds weights; pixels are whole numbers before the colour is changed
    assert difference.max() <= 3
    assert difference.mean() < 0.25


def test_masks_agree_but_for_their_border() -> None:
    mask = np.zeros((2, SIDE, SIDE), np.uint8)
    mask[:, 200:290, 230:280] = 1
    regions = np.array([[128.3, 120.7, 1.1, 0.9], [100, 90, 1, 1]], np.float32)
    one = np.stack([mask_one(m, r, 255) for m, r in zip(mask, regions, strict=True)])
    batch = render_masks(torch.from_numpy(mask), torch.from_numpy(regions), 255).numpy()
    assert (one != batch).mean() < 2e-3
    assert batch[1].sum() == 90 * 50


def test_what_is_rendered_on_the_device_is_the_same_sample(crops511: Path) -> None:
    sources = find_sets([crops511], {}, only=False)
    rules = drawing()
    rendered = default_collate([Drawn(sources, rules, 40)[i] for i in range(8)])
    raw = Drawn(sources, rules, 40, rendered=False)
    batch = finish(default_collate([raw[i] for i in range(8)]), rules)
    assert finish(rendered, rules) is rendered
    assert set(batch) == set(rendered)
    for name in ("box", "exemplar_box", "positive", "has_mask", "seed"):
        assert torch.equal(batch[name], rendered[name])
    for name in ("exemplar", "search"):
        assert (batch[name] - rendered[name]).abs().mean() < 0.3
    assert (batch["mask"] != rendered["mask"]).float().mean() < 2e-3


def test_every_epoch_takes_the_videos_as_often_as_the_shares_say(crops511: Path) -> None:
    sources = [(CropSet(crops511, "film"), Share(6, 2)), (CropSet(crops511, "stills"), Share(None, 1))]
    pairs = Drawn(sources, drawing(pairs=27), 100)
    first, second = pairs._shuffled(0), pairs._shuffled(1)
    assert (np.bincount(first[:, 0]) == [18, 9]).all()
    assert all((np.bincount(first[first[:, 0] == 1][:, 1]) == 3).tolist() for _ in range(1))
    assert not np.array_equal(first, second)


def test_frames_of_a_positive_pair_are_within_reach(crops511: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = CropSet(crops511, "film")
    asked: list[int] = []
    pixels = film.pixels
    monkeypatch.setattr(film, "pixels", lambda item: (asked.append(int(item.stem.name[:6])), pixels(item))[1])
    pairs = Drawn([(film, Share(None, 2))], drawing(negatives=0.0), 40)
    for i in range(30):
        assert pairs[i]["positive"] == 1
    apart = [abs(a - b) for a, b in zip(asked[::2], asked[1::2], strict=True)]
    assert max(apart) == 2


def test_samples_survive_the_way_to_a_worker(crops511: Path) -> None:
    pairs = Drawn(find_sets([crops511], {}, only=False), drawing(), 40)
    twin = pickle.loads(pickle.dumps(pairs))
    for name, value in pairs[5].items():
        assert np.array_equal(value, twin[5][name]), name


def test_the_usual_layouts_are_found(crops511: Path, tmp_path: Path) -> None:
    film = CropSet(crops511, "film")
    assert (film.size, film.masks, len(film.videos), len(film.tracks)) == (511, False, 1, 2)
    stills = CropSet(crops511, "stills")
    assert stills.masks
    assert stills.mask(stills.tracks[0][0]) is not None
    vid = tmp_path / "vid"
    (vid / "crop511" / "v").mkdir(parents=True)
    cv2.imwrite(str(vid / "crop511" / "v" / "000007.00.x.jpg"), smooth(0))
    index = {"v": {"00": {"000007": [1, 2, 30, 40], "meta": 1}, "meta": {}}}
    (vid / "train.json").write_text(json.dumps(index))
    (found,) = find_sets([crops511, tmp_path], {"vid/train": Share(9, 5)}, only=True)
    assert found[1] == Share(9, 5)
    assert found[0].pixels(found[0].tracks[0][0]).shape == (511, 511, 3)
    names = [source.name for source, _ in find_sets([crops511, tmp_path], {"vid": Share(9, 100)}, only=False)]
    assert names == ["film", "stills", "vid/train"]
    assert find_sets([tmp_path], {"vid": Share(9, 100)}, only=False)[0][1] == Share(9, 100)
    with pytest.raises(ValueError, match=r"no gone\.json.*film, stills"):
        find_sets([crops511], {"gone": Share()}, only=True)
    with pytest.raises(ValueError, match="no crop set"):
        find_sets([tmp_path / "vid" / "crop511"], {}, only=False)
