from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from app.model.masks import Mask

RESOURCES = Path(__file__).parents[2] / "resources"
SAMPLE = RESOURCES / "sample"
FRAMES, WIDTH, HEIGHT = 250, 1280, 720
FILES = ("groundtruth.txt", "groundtruth_2.txt", "groundtruth_3.txt")


def boxes(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",")


def decode(rle: dict[str, Any] | None) -> np.ndarray:
    if rle is None:
        return np.zeros((HEIGHT, WIDTH), bool)
    return Mask(*rle["size"], rle["counts"].encode()).decode()


def module(name: str) -> ModuleType:
    """A module of the renderer, which is a folder of scripts, not a package."""
    sys.path.insert(0, str(RESOURCES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(RESOURCES))


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return json.loads((SAMPLE / "masks.json").read_text(encoding="ascii"))


@pytest.fixture(scope="module")
def pictures() -> dict[int, np.ndarray]:
    """Every tenth frame of the shipped video as RGB, and how many there are under -1."""
    kept: dict[int, np.ndarray] = {}
    with av.open(str(SAMPLE / "video.mp4")) as container:
        count = 0
        for frame in container.decode(video=0):
            if count % 10 == 0:
                kept[count] = frame.to_ndarray(format="rgb24").astype(np.float32)
            count += 1
        kept[-1] = np.array(count)
    return kept


def test_the_renderer_still_gives_the_shipped_truth(tmp_path: Path, shipped: dict[str, Any]) -> None:
    module("render_sample").write_truth(tmp_path)
    for name in FILES:
        np.testing.assert_allclose(boxes(tmp_path / name), boxes(SAMPLE / name), atol=0.05)
    fresh = json.loads((tmp_path / "masks.json").read_text(encoding="ascii"))
    assert {k: v for k, v in fresh.items() if k != "objects"} == {k: v for k, v in shipped.items() if k != "objects"}
    for mine, theirs in zip(fresh["objects"], shipped["objects"], strict=True):
        for a, b in zip(mine["masks"][::5], theirs["masks"][::5], strict=True):
            union = (decode(a) | decode(b)).sum()
            assert union == 0 or (decode(a) & decode(b)).sum() / union > 0.98


def test_boxes_masks_and_visibility_agree(shipped: dict[str, Any]) -> None:
    for thing in shipped["objects"]:
        rows = boxes(SAMPLE / thing["groundtruth"])
        assert rows.shape == (FRAMES, 4)
        assert len(thing["masks"]) == len(thing["visible"]) == FRAMES
        for row, rle, visible in zip(rows, thing["masks"], thing["visible"], strict=True):
            absent = bool(np.isnan(row).all())
            assert absent == (rle is None) == (visible == 0)
            if absent or rle is None:
                continue
            assert rle["size"] == [HEIGHT, WIDTH]
            inside = Mask(*rle["size"], rle["counts"].encode()).box
            assert inside is not None
            x, y, w, h = inside
            assert np.all(row[:2] >= 0)
            assert np.all(row[:2] + row[2:] <= (WIDTH, HEIGHT))
            slack = 1.2 if visible > 0.5 else 4.0  # the box counts slivers that cover no half pixel
            np.testing.assert_allclose([x, y, x + w, y + h], [*row[:2], *(row[:2] + row[2:])], atol=slack)


def test_no_object_lies_on_another(shipped: dict[str, Any]) -> None:
    for frame in range(0, FRAMES, 2):
        total = sum(decode(thing["masks"][frame]).astype(np.uint8) for thing in shipped["objects"])
        assert np.max(total) <= 1


def test_it_tells_the_stories_that_trackers_find_hard() -> None:
    tug, twin, gull = (~np.isnan(boxes(SAMPLE / name)[:, 0]) for name in FILES)
    gone = np.flatnonzero(~tug)
    assert 10 <= len(gone) <= 16, "under the bridge for about half a second"
    assert np.all(np.diff(gone) == 1)
    away = np.flatnonzero(~gull)
    assert len(away) > 25
    assert np.all(np.diff(away) == 1)
    assert gull[0]
    assert gull[-1], "the gull leaves the view and comes back"
    one, two = boxes(SAMPLE / FILES[0]), boxes(SAMPLE / FILES[1])
    both = tug & twin
    apart = (one[:, :2] + one[:, 2:] / 2) - (two[:, :2] + two[:, 2:] / 2)
    assert np.hypot(*apart[both].T).min() < 140, "the look-alike comes near"
    size = np.sqrt(one[:, 2] * one[:, 3])
    assert np.nanmax(size[-40:]) > 1.3 * size[0], "the scale changes"


def test_the_video_is_whole(pictures: dict[int, np.ndarray]) -> None:
    assert int(pictures[-1]) == FRAMES
    with av.open(str(SAMPLE / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, 25)
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert not container.streams.audio


@pytest.mark.parametrize("number", [0, 1])
def test_the_video_shows_the_boats_where_the_truth_says(
    number: int, pictures: dict[int, np.ndarray], shipped: dict[str, Any]
) -> None:
    """Boats are warm, water is cold: the mask must catch the warm pixels, and a shifted one must catch fewer."""
    thing = shipped["objects"][number]
    seen = [f for f in pictures if f >= 0 and thing["visible"][f] > 0.9]
    assert len(seen) >= 15
    for f in seen:
        warm = pictures[f][..., 0] - pictures[f][..., 2]
        mask = decode(thing["masks"][f])
        assert warm[mask].mean() > 20
        best = warm[mask].mean()
        for dy, dx in ((0, 6), (0, -6), (6, 0), (-6, 0)):
            assert warm[np.roll(mask, (dy, dx), (0, 1))].mean() < best


def test_nothing_warm_shows_while_the_target_is_hidden(pictures: dict[int, np.ndarray]) -> None:
    scene = module("sample_scene")
    hidden = [f for f in pictures if f >= 0 and scene.THINGS[0].truth(f).visible == 0]
    assert hidden
    for f in hidden:
        place = scene.rasterise(scene.THINGS[0].outline(f / scene.FPS))
        colour = pictures[f][place].mean(0)
        assert colour.max() - colour.min() < 30, "grey road, no boat"


def test_sprites_are_premultiplied_and_fill_their_outline() -> None:
    paint, scene = module("sample_paint"), module("sample_scene")
    hull = scene.hull()
    sprite = paint.boat(hull, twin=False)
    assert sprite[..., :3].min() >= 0
    assert np.all(sprite[..., :3] <= sprite[..., 3:] + 1e-6)
    x, y = hull.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert sprite[..., 3].sum() / paint.SPRITE_SCALE**2 == pytest.approx(area, rel=0.02)


def test_noise_tiles_without_a_seam() -> None:
    tile = module("sample_paint").noise(np.random.default_rng(1), 128, 6)
    inside = np.abs(np.diff(tile, axis=1)).max()
    assert np.abs(tile[:, 0] - tile[:, -1]).max() <= 1.5 * inside
    assert 0 <= tile.min() < tile.max() <= 1


def test_the_sample_stays_small() -> None:
    total = sum(p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file())
    assert total <= 3_000_000
