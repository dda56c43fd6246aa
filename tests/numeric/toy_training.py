"""The papers' networks at toy size on toy crops, for tests; run as a program, one process of a parallel training."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch

from tracker.data.drawing import find_sets
from tracker.models.resnet import ResNet50
from tracker.training import parallel
from tracker.training.loop import Trainer
from tracker.training.method import Run
from tracker.training.published import Published
from tracker.training.recipes import RECIPES

WIDTH, NECK = 4, 8
PARALLEL = Run(2, 4, 5, 10.0, save_every=2, workers=0)
"""Of two steps, the second after the backbone thawed."""


def write_crops(root: Path) -> Path:
    """One set with masks and one without, in the usual layout."""
    rng = np.random.default_rng(0)
    for name, masks in (("stills", True), ("film", False)):
        videos = {}
        for v in range(4):
            folder = root / "crop511" / name / f"v{v}"
            folder.mkdir(parents=True)
            frames = {}
            for frame in range(1 if masks else 3):
                picture = rng.integers(0, 90, (511, 511, 3), np.uint8)
                picture[223:287, 228:282] = rng.integers(90, 255, 3)
                cv2.imwrite(str(folder / f"{frame:06d}.00.x.jpg"), picture)
                if masks:
                    mask = np.zeros((511, 511), np.uint8)
                    mask[223:287, 228:282] = 255
                    cv2.imwrite(str(folder / f"{frame:06d}.00.m.png"), mask)
                frames[f"{frame:06d}"] = [10, 10, 64, 74]
            videos[f"v{v}"] = {"00": frames}
        (root / f"{name}.json").write_text(json.dumps(videos))
    return root


@contextmanager
def small_networks() -> Iterator[None]:
    """ResNet-50 a sixteenth as wide."""
    narrow = partial(ResNet50, width=WIDTH)
    with (
        patch.dict("tracker.models.siamrpn.BACKBONES", {"resnet50": narrow}),
        patch("tracker.models.siammask.ResNet50", narrow),
    ):
        yield


def method(preset: str, crops: Path, run: Run, *, start: Path | None = None, **changes: Any) -> Published:
    """A toy of ``preset``; call within `small_networks`."""
    recipe = replace(RECIPES[preset], **changes)
    net = replace(recipe.net, neck=(NECK,) * len(recipe.net.neck))
    return Published(recipe, find_sets([crops], {}, only=False), run, "cpu", start=start, net_config=net)


def digest(net: torch.nn.Module) -> float:
    return sum(float(value.double().abs().sum()) for value in net.state_dict().values())


def main() -> None:
    """``toy_training.py CROPS START OUT``: a refinement and a base of few steps each, told in one file a process."""
    torch.set_num_threads(1)
    crops, start, out = (Path(argument) for argument in sys.argv[1:])
    told = {}
    with parallel.joined("cpu"), small_networks():
        for preset, begin in (("siammask-r50-refine", start), ("siamrpnpp-r50", None)):
            trainer = Trainer(method(preset, crops, PARALLEL, start=begin), out / preset)
            rows = [{key: row[key] for key in row if key != "seconds"} for row in trainer.run()]
            told[preset] = {"rows": rows, "digest": digest(trainer.net)}
        (out / f"rank{parallel.rank()}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
