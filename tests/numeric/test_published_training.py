"""The papers' recipes train: toy networks through the one loop, alone and on two processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_training as toy

from tracker import checkpoint
from tracker.api import TrackerError
from tracker.models.build import build
from tracker.training.labels import Rules
from tracker.training.loop import LARGEST, Trainer
from tracker.training.method import Run
from tracker.training.recipes import RECIPES
from tracker.training.starting import backbone_from, start_from

RUN = Run(4, 2, 5, 10.0, save_every=2, workers=0)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.write_crops(tmp_path_factory.mktemp("toy"))


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    with toy.small_networks():
        yield


@pytest.fixture(scope="module")
def mask_base(crops: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of an untrained SiamMask, what its refinement starts from."""
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    with toy.small_networks():
        made = toy.method("siammask-r50", crops, RUN)
    checkpoint.save(made.net, path, made.net_config, {}, half=False)
    return path


@pytest.mark.parametrize(
    ("preset", "terms"),
    [
        ("siamrpnpp-r50", {"cls", "loc"}),
        ("siammask-r50", {"cls", "loc", "mask"}),
        ("siamatt-r50", {"cls", "loc", "att", "off"}),
        ("attsiammask-r50", {"cls", "loc", "mask"}),
    ],
)
def test_every_recipe_steps_saves_and_loads(preset: str, terms: set[str], crops: Path, tmp_path: Path) -> None:
    method = toy.method(preset, crops, replace(RUN, steps=2), negatives=0.0)
    before = {name: value.clone() for name, value in method.net.state_dict().items()}
    trainer = Trainer(method, tmp_path)
    rows = list(trainer.run())
    assert [row["step"] for row in rows] == [1, 2]
    assert terms <= rows[-1].keys()
    assert rows[-1]["total"] == pytest.approx(sum(method.weights[name] * rows[-1][name] for name in terms), rel=1e-4)
    assert rows[0]["rate"] == pytest.approx(RECIPES[preset].schedule.rate(0))
    assert rows[0]["skipped"] == 0
    changed = {name for name, value in method.net.state_dict().items() if not torch.equal(value, before[name])}
    for part in ("rpn_head", "neck", *(("mask_head",) if "mask" in terms else ())):
        assert any(name.startswith(part) for name in changed), part
    assert not any(name.startswith("refine_head") for name in changed)
    meta = checkpoint.metadata(tmp_path / "weights.safetensors")
    config = checkpoint.config_of(meta, tmp_path)
    assert config == method.net_config
    checkpoint.load(build(config, attentive=method.recipe.attentive), tmp_path / "weights.safetensors")
    assert json.loads(meta["trained_on"]) == ["film", "stills"]
    sheet = trainer.picture()
    assert sheet is not None
    assert sheet.shape == (2 * 255, (4 if "att" in terms else 3) * 255, 3)


def test_the_backbone_is_frozen_until_it_thaws(crops: Path, tmp_path: Path) -> None:
    """Of twenty epochs in four steps, steps 0 and 1 are frozen, and layers that never thaw stay as they came."""
    method = toy.method("siamrpnpp-r50", crops, RUN, thaw=("layer3",))
    trainer = Trainer(method, tmp_path)
    trunk = method.net.backbone

    def state() -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in trunk.state_dict().items()}

    first = state()
    run = trainer.run()
    next(run)
    assert all(torch.equal(a, b) for a, b in zip(first.values(), state().values(), strict=True))
    assert not trunk.training
    next(run)
    assert trunk.layer3.training is False
    next(run)
    assert trunk.layer3.training
    later = state()
    changed = {name.split(".")[0] for name in first if not torch.equal(first[name], later[name])}
    assert changed == {"layer3"}
    heads, thawed = trainer.optimiser.param_groups
    assert thawed["lr"] == pytest.approx(0.1 * heads["lr"])
    assert heads["lr"] == pytest.approx(RECIPES["siamrpnpp-r50"].schedule.rate(10))
    run.close()


def test_siamatt_never_thaws(crops: Path) -> None:
    method = toy.method("siamatt-r50", crops, RUN)
    method.prepare(3)
    assert not any(p.requires_grad for p in method.net.backbone.parameters())
    trained = {id(p) for group in method.optimiser().param_groups for p in group["params"]}
    assert not trained & {id(p) for p in method.net.backbone.parameters()}


def test_the_key_part_weighs_the_template_and_leaves_the_norms_alone(crops: Path) -> None:
    method = toy.method("attsiammask-r50", crops, RUN)
    method.prepare(0)
    batch = torch.utils.data.default_collate([method.samples()[i] for i in range(2)])
    counted = {name: value.clone() for name, value in method.net.named_buffers()}
    modes = [module.training for module in method.net.modules()]
    (weights,) = method._part_weights(batch)
    assert weights.shape == (2, 7, 7)
    assert weights.mean((1, 2)).tolist() == pytest.approx([1, 1], abs=1e-4)
    assert float(weights.std()) > 0
    assert all(torch.equal(value, counted[name]) for name, value in method.net.named_buffers())
    assert [module.training for module in method.net.modules()] == modes
    assert toy.method("siammask-r50", crops, RUN)._part_weights(batch) == ()


def test_the_refinement_learns_alone(crops: Path, mask_base: Path, tmp_path: Path) -> None:
    method = toy.method("siammask-r50-refine", crops, replace(RUN, steps=2), start=mask_base)
    before = {name: value.clone() for name, value in method.net.state_dict().items()}
    rows = list(Trainer(method, tmp_path).run())
    assert set(rows[0]) == {"step", "total", "mask", "seconds", "rate", "skipped"}
    assert rows[0]["mask"] > 0
    changed = {
        name.split(".")[0] for name, value in method.net.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"refine_head"}
    with pytest.raises(ValueError, match="--start"):
        toy.method("siammask-r50-refine", crops, RUN)


def test_a_batch_without_masks_is_no_error(crops: Path, mask_base: Path) -> None:
    method = toy.method("siammask-r50-refine", crops, RUN, start=mask_base)
    method.prepare(0)
    batch = torch.utils.data.default_collate([method.samples()[i] for i in range(2)])
    batch["has_mask"].zero_()
    loss = method.losses(batch)["mask"]
    loss.backward()
    assert float(loss.detach()) == 0


def test_one_batch_can_be_learnt_by_heart(crops: Path) -> None:
    method = toy.method("siamatt-r50", crops, RUN, negatives=0.0, rules=Rules())
    batch = torch.utils.data.default_collate([method.samples()[i] for i in range(2)])
    optimiser = torch.optim.Adam(method.net.parameters(), 5e-3)
    losses: list[dict[str, float]] = []
    for _ in range(12):
        method.prepare(0)
        terms = method.losses(batch)
        losses.append({name: float(value.detach()) for name, value in terms.items()})
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    for name in ("cls", "loc", "att"):
        assert losses[-1][name] < 0.8 * losses[0][name], name


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_an_interrupted_run_ends_where_an_unbroken_one_does(precision: str, crops: Path, tmp_path: Path) -> None:
    run = replace(RUN, precision=precision, steps=3, save_every=1)
    whole = Trainer(toy.method("siamrpnpp-r50", crops, run), tmp_path / "whole")
    rows = list(whole.run())
    broken = Trainer(toy.method("siamrpnpp-r50", crops, run), tmp_path / "broken").run()
    next(broken)
    broken.close()
    resumed = Trainer(toy.method("siamrpnpp-r50", crops, run), tmp_path / "broken")
    assert resumed.step == 1
    assert [row["total"] for row in resumed.run()] == [row["total"] for row in rows[1:]]
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    with pytest.raises(ValueError, match="another run"):
        Trainer(toy.method("siamatt-r50", crops, run), tmp_path / "broken")


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), LARGEST * 2])
def test_a_broken_batch_changes_no_weight(broken: float, crops: Path, tmp_path: Path) -> None:
    method = toy.method("siamrpnpp-r50", crops, replace(RUN, steps=1))
    trainer = Trainer(method, tmp_path)
    losses = method.losses
    method.losses = lambda batch: {name: value * 0 + broken for name, value in losses(batch).items()}  # type: ignore[method-assign]
    trainer._module = type(trainer._module)(method)
    before = [p.detach().clone() for p in method.net.parameters()]
    (row,) = trainer.run()
    assert row["skipped"] == 1
    assert all(torch.equal(a, b) for a, b in zip(before, method.net.parameters(), strict=True))


def test_weights_to_start_from(crops: Path, mask_base: Path, tmp_path: Path) -> None:
    base = toy.method("siamrpnpp-r50", crops, RUN)
    path = tmp_path / "rpn.safetensors"
    checkpoint.save(base.net, path, base.net_config, {}, half=False)
    att = toy.method("siamatt-r50", crops, replace(RUN, seed=9))
    missing = start_from(att.net, path)
    assert {name.split(".")[0] for name in missing} == {"att_mods_head", "off_mods_head"}
    assert torch.equal(
        att.net.neck.state_dict()["downsample2.downsample.0.weight"],
        base.net.neck.state_dict()["downsample2.downsample.0.weight"],
    )
    with pytest.raises(TrackerError, match="another network"):
        start_from(base.net, mask_base)
    other = toy.method("siamrpnpp-r50", crops, replace(RUN, seed=9))
    backbone_from(other.net.backbone, path)
    assert torch.equal(other.net.backbone.conv1.weight, base.net.backbone.conv1.weight)
    with pytest.raises(TrackerError, match=r"layer4.*missing"):
        backbone_from(other.net.backbone, mask_base)


def _on_two_processes(crops: Path, start: Path, out: Path) -> list[dict[str, dict[str, Any]]]:
    """What `toy_training` tells on either of two processes, started as torchrun starts them."""
    out.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = Path(__file__).resolve().parents[2]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    shared = os.environ | shared | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(Path(toy.__file__)), str(crops), str(start), str(out)]
    running = [
        subprocess.Popen(
            command, env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    return [json.loads((out / f"rank{rank}.json").read_text()) for rank in range(2)]


def test_two_processes_train_as_one(crops: Path, mask_base: Path, tmp_path: Path) -> None:
    """Where no batch norm sees the batch, two halves give what the whole gives, and the weights end alike.

    Elsewhere norms see half a batch, as in the papers' training; gradients are shared all the same, through thawing.
    """
    first, second = _on_two_processes(crops, mask_base, tmp_path / "two")
    assert first["siammask-r50-refine"] == second["siammask-r50-refine"]
    alone = Trainer(toy.method("siammask-r50-refine", crops, toy.PARALLEL, start=mask_base), tmp_path / "one")
    losses = [row["total"] for row in alone.run()]
    told = first["siammask-r50-refine"]
    assert [row["total"] for row in told["rows"]] == pytest.approx(losses, rel=1e-4)
    assert told["digest"] == pytest.approx(toy.digest(alone.net), rel=1e-6)
    assert (tmp_path / "two" / "siammask-r50-refine" / "weights.safetensors").is_file()
    assert first["siamrpnpp-r50"]["rows"] == second["siamrpnpp-r50"]["rows"]
    assert len(first["siamrpnpp-r50"]["rows"]) == 2


def test_a_batch_that_cannot_be_divided_is_refused(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.training.parallel.size", lambda: 3)
    with pytest.raises(ValueError, match="3 processes"):
        Trainer(toy.method("siamrpnpp-r50", crops, RUN), tmp_path)
