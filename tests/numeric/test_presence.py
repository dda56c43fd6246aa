"""What the verdict is read from: staged clips, the fit, its figures, and how it is kept with the weights."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_training

from tracker import checkpoint, registry
from tracker.api import TrackerError
from tracker.cli import app
from tracker.config import NetConfig, Presence
from tracker.data.crops import CropSet
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training import absence, staging
from tracker.training.absence import Seen, fit, measure, replay, tune

SIGNALS = {
    "probability": 0.9, "attention": 0.4, "second_peak": 0.2, "online": 0.5, "sharpness": 12.0, "likeness": 0.6,
    "resize": 0.1, "displacement": 0.1, "outside": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_training.write_crops(tmp_path_factory.mktemp("crops"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(2)
    path = tmp_path / "tiny.safetensors"
    checkpoint.save(SiamAttMobile(NetConfig(channels=8)), path, NetConfig(channels=8), {"about": "a test"})
    return path


@pytest.mark.parametrize("number", range(4))
def test_a_staged_target_is_there_or_absent_as_it_is_said(data: Path, number: int) -> None:
    """Every way of going away: frames and boxes are whole, the spells absent, and the same seed gives the same clip."""
    objects, scenes = CropSet(data, "stills"), CropSet(data, "film")
    frames = list(staging.stage(np.random.default_rng(7), objects, scenes, number))
    assert len(frames) == staging.LENGTH
    for start, end in staging.SPELLS:
        spell = frames[round(start * staging.LENGTH) : round(end * staging.LENGTH)]
        assert all(frame.absent for frame in spell)
    there = [frame for frame in frames if not math.isnan(frame.box.x)]
    assert len(there) > staging.LENGTH / 3
    for frame in frames:
        assert frame.image.shape == (staging.HEIGHT, staging.WIDTH, 3)
        assert not (frame.absent and math.isfinite(frame.box.x))
    for frame in there:
        assert 0 <= frame.box.x < frame.box.x2 <= staging.WIDTH
        assert 0 <= frame.box.y < frame.box.y2 <= staging.HEIGHT
    again = next(staging.stage(np.random.default_rng(7), objects, scenes, number))
    assert np.array_equal(again.image, frames[0].image)
    assert again.box == frames[0].box


def seen(*, held: bool = False, absent: bool = False, lost: bool = False, clip: int = 0, **signals: float) -> Seen:
    return Seen({**SIGNALS, **signals}, 0.8 if held else 0.0, not absent, absent, lost, clip)


def rows(clips: int = 3) -> list[Seen]:
    """Held, away, held: the sharpness tells, the likeness misleads, the rest is noise."""
    rng, out = np.random.default_rng(1), []
    for clip in range(clips):
        for frame in range(60):
            absent = 20 <= frame < 40
            sharpness = max(0.0, rng.normal(3, 1) if absent else rng.normal(14, 2))
            likeness = rng.normal(0.7 if absent else 0.4, 0.1)
            noise = float(rng.uniform(0.6, 0.95))
            given = {"sharpness": sharpness, "likeness": likeness, "probability": noise}
            out.append(seen(held=not absent, absent=absent, clip=clip, **given))
    return out


def test_the_fit_finds_what_tells_and_leaves_out_what_misleads() -> None:
    found = fit(rows(), ("sharpness", "likeness", "probability"))
    factors = dict(found.factors)
    assert factors["sharpness"] > 0.5
    assert "likeness" not in factors
    assert dict(found.usual)["sharpness"] == pytest.approx(math.sqrt(14), abs=0.2)
    judged = measure(replay(rows(), tune(rows(), found)))
    assert judged.recall > 0.8
    assert judged.kept > 0.9
    assert judged.pauses == 0


def test_the_figures_of_a_clip_counted_by_hand() -> None:
    frames = [seen(held=True)] * 4 + [seen(held=True, lost=True)] + [seen(absent=True)]
    frames += [seen(absent=True, lost=True)] * 3 + [seen(lost=True), seen(held=True)]
    found = measure(frames)
    assert found.recall == 3 / 4
    assert found.kept == 5 / 6
    assert found.pauses == 1000 / 7  # one begins on a held frame, of seven that show the target
    assert found.found == 1 / 2


def test_constants_travel_with_the_weights_and_nothing_else_changes(weights: Path, tmp_path: Path) -> None:
    wanted = replace(Presence(), factors=(("attention", 2.0),), usual=(("attention", 0.4),), offset=-0.7)
    out = tmp_path / "out.safetensors"
    checkpoint.annotate(weights, {"presence": json.dumps(asdict(wanted))}, out)
    meta = checkpoint.metadata(out)
    assert checkpoint.presence_of(meta, out) == wanted
    assert meta["about"] == "a test"
    before, after = checkpoint.tensors(weights), checkpoint.tensors(out)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert checkpoint.presence_of(checkpoint.metadata(weights), weights) == Presence()
    made = registry.create("default", "cpu", weights=out, engine="torch")
    assert made.config.presence == wanted  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"factors": [["smell", 1]], "usual": []}', '{"factors": [["online", "NaN"]], "usual": []}',
     '{"factors": [], "usual": [], "trust": "much"}', '{"factors": [], "usual": [], "colour": 1}'],
)  # fmt: skip
def test_damaged_constants_are_refused_in_words(text: str) -> None:
    with pytest.raises(TrackerError, match="calibrate"):
        checkpoint.presence_of({"presence": text}, Path("weights.safetensors"))


def test_the_command_follows_clips_and_writes_the_weights(
    data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed = []

    def watch(tracker: object, frames: object, clip: int) -> list[Seen]:
        followed.append(len(list(frames)))  # type: ignore[call-overload]
        return [replace(row, clip=clip) for row in rows(1)]

    monkeypatch.setattr(absence, "watch", watch)
    monkeypatch.setattr(absence, "SHORTEST", 3)
    monkeypatch.setattr(staging, "LENGTH", 12)
    out = tmp_path / "out.safetensors"
    words = ["calibrate", str(data), "--weights", str(weights), "--out", str(out), "--clips", "3"]
    words += ["--objects", "stills", "--scenes", "film", "--tracks", "film"]
    assert app(words, result_action="return_value") == 0
    assert followed == [12, 12, 12, 3, 3, 3, 3]
    assert dict(checkpoint.presence_of(checkpoint.metadata(out), out).factors)["sharpness"] > 0.5
    assert "7 clips, 420 frames" in capsys.readouterr().out
    with pytest.raises(TrackerError, match="masks"):
        app([*words, "--objects", "film"], result_action="return_value")
    monkeypatch.setattr(absence, "watch", lambda *_: [])
    with pytest.raises(TrackerError, match="--clips"):
        app(words, result_action="return_value")


def test_the_tracker_follows_a_staged_clip(data: Path, weights: Path) -> None:
    tracker = registry.create("default", "cpu", weights=weights, engine="torch")
    frames = list(staging.stage(np.random.default_rng(7), CropSet(data, "stills"), CropSet(data, "film"), 0))[:6]
    found = list(absence.watch(tracker, frames, 4))
    assert [row.clip for row in found] == [4] * 5
    assert all(set(SIGNALS) <= set(row.signals) for row in found)
    assert list(absence.watch(tracker, [frames[0]._replace(box=frames[0].box._replace(x=math.nan))], 0)) == []
