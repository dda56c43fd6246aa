"""Training by a recipe of the papers: SGD, epochs, frozen and thawed backbones, the losses of `paper_losses`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker.config import NetConfig
from tracker.data.crops import CropSet
from tracker.data.drawing import Drawing, Drawn, Share, finish
from tracker.data.rendering import resample
from tracker.inference import keypart
from tracker.models.build import build
from tracker.models.network import Kernels, Response
from tracker.training import paper_losses
from tracker.training.labels import Labeller, Labels, mask_targets
from tracker.training.method import Run
from tracker.training.pictures import contact_sheet
from tracker.training.recipes import Recipe
from tracker.training.starting import backbone_from, start_from

TRAINED_STRENGTH = 1.0
"""Lambda of the key part's weights while they are trained; untrained half of it (reference D.2, point 9)."""


class Published:
    """A recipe's `Method` on one device. ``run`` may differ from the recipe in length, batch and precision.

    The recipe's epochs are stretched over ``run.steps``. ``net_config``: another network than the recipe's, such as a
    smaller one. Raises `TrackerError` when weights to start from do not fit, and when a refinement has none.
    """

    def __init__(
        self,
        recipe: Recipe,
        sources: Sequence[tuple[CropSet, Share]],
        run: Run,
        device: str,
        *,
        backbone: Path | None = None,
        start: Path | None = None,
        net_config: NetConfig | None = None,
    ) -> None:
        torch.manual_seed(run.seed)
        self.recipe, self.sources, self.run = recipe, list(sources), run
        self.device = torch.device(device)
        self.weights = recipe.weights
        self.net_config = net_config or recipe.net
        self.net: Any = build(self.net_config, attentive=recipe.attentive)
        if backbone is not None:
            backbone_from(self.net.backbone, backbone)
        if start is not None:
            start_from(self.net, start)
        elif recipe.refine:
            raise ValueError("the refinement is trained on a base: give its weights with --start")
        self.net.to(self.device, memory_format=torch.channels_last)
        side, grid = recipe.trained_at or (self.net_config.search, self.net_config.grid)
        self.geometry = dataclasses.replace(self.net_config, search=side, grid=grid)
        self.labeller = Labeller(self.geometry, recipe.rules, self.device)
        per_epoch = max(1, run.steps * run.batch // recipe.schedule.epochs)
        self.drawing = Drawing(
            min(recipe.pairs, per_epoch),
            run.seed,
            recipe.negatives,
            recipe.grey,
            recipe.exemplar_view,
            recipe.search_view,
            self.net_config.exemplar,
            side,
        )

    def epoch(self, step: int) -> int:
        return min(step * self.recipe.schedule.epochs // self.run.steps, self.recipe.schedule.epochs - 1)

    def optimiser(self) -> torch.optim.Optimizer:
        """Heads at the schedule's rate, thawing parts at a tenth; what stays frozen is left out.

        The papers' code makes a new optimiser when it thaws, which forgets the heads' momentum; this one is kept.
        """
        recipe = self.recipe
        if recipe.refine:
            groups = [{"params": list(self.net.refine_head.parameters()), "base": 1.0}]
        else:
            trunk = {id(p) for p in self.net.backbone.parameters()}
            heads = [p for p in self.net.parameters() if id(p) not in trunk and id(p) not in self._unused()]
            groups = [{"params": heads, "base": 1.0}]
            if recipe.thaw:
                parts = [p for part in self._thawing() for p in part.parameters()]
                groups.append({"params": parts, "base": recipe.backbone_rate})
        return torch.optim.SGD(groups, lr=1.0, momentum=recipe.momentum, weight_decay=recipe.weight_decay)

    def _unused(self) -> set[int]:
        """The refinement has its own stage."""
        refine = getattr(self.net, "refine_head", None)
        return set() if refine is None else {id(p) for p in refine.parameters()}

    def _thawing(self) -> list[nn.Module]:
        return [self.net.backbone.get_submodule(name) for name in self.recipe.thaw]

    def rate(self, step: int) -> float:
        return self.recipe.schedule.rate(self.epoch(step))

    def prepare(self, step: int) -> None:
        """Frozen parts keep their batch norms' statistics as well (reference E.5)."""
        self.net.train()
        if self.recipe.refine:
            self.net.requires_grad_(False)
            self.net.eval()
            self.net.refine_head.requires_grad_(True).train()
            return
        self.net.backbone.requires_grad_(False).eval()
        if self.epoch(step) >= self.recipe.thaw_epoch:
            for part in self._thawing():
                part.requires_grad_(True).train()
        if hasattr(self.net, "refine_head"):
            self.net.refine_head.requires_grad_(False)

    def samples(self) -> Drawn:
        rendered = self.device.type == "cpu"
        return Drawn(self.sources, self.drawing, self.run.steps * self.run.batch, rendered=rendered)

    def finish(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return finish(batch, self.drawing)

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """``cls`` and ``loc``, ``att`` and ``off`` of networks with attention, ``mask`` of those with masks."""
        labels = self.labeller(batch["box"], batch["positive"], batch["seed"])
        if self.recipe.refine:
            return {"mask": self._refined(batch, labels)}
        net = self.net
        kernels = net.embed(self._input(batch["exemplar"]), *self._part_weights(batch))
        response: Response = net.match(kernels, self._input(batch["search"]))
        out = {
            "cls": paper_losses.classification(response.cls, labels.cls),
            "loc": paper_losses.regression(response.loc, labels.loc, labels.weight),
        }
        if response.att.shape[1]:
            out["att"] = paper_losses.attention(response.att, labels.heat)
            out["off"] = paper_losses.offset(response.off, labels.off, labels.cell, labels.seen)
        if "mask" in self.weights:
            picks, cells = self._mask_cells(batch, labels)
            logits = net.masks(kernels, response)[picks, :, cells[:, 0], cells[:, 1]]
            side = round(logits.shape[1] ** 0.5)
            target = mask_targets(batch["mask"], picks, cells, self.geometry)
            out["mask"] = paper_losses.mask(logits.view(-1, side, side), target)
        return out

    def _input(self, pixels: Tensor) -> Tensor:
        return self.net.preprocess(pixels.clone())  # which may work in place on what is float already

    @staticmethod
    def _mask_cells(batch: dict[str, Tensor], labels: Labels) -> tuple[Tensor, Tensor]:
        """Rows of the batch and cells (row, column) with a positive anchor, of the samples that have a mask."""
        positive = (labels.cls == 1).any(1) & (batch["has_mask"] > 0)[:, None, None]
        found = positive.nonzero()
        return found[:, 0], found[:, 1:]

    def _refined(self, batch: dict[str, Tensor], labels: Labels) -> Tensor:
        """Loss of the refined masks (SiamMask's second stage, reference E.4).

        The network's own map of a 143 px region has a margin of cells whose windows reach outside, which are not used.
        """
        with torch.no_grad():
            kernels: Kernels = self.net.embed(self._input(batch["exemplar"]))
            features = self.net.features(self._input(batch["search"]))
        picks, cells = self._mask_cells(batch, labels)
        target = mask_targets(batch["mask"], picks, cells, self.geometry)
        if not len(picks):  # nothing to learn from, for which there must be a gradient all the same
            nothing = torch.stack([p.sum() for p in self.net.refine_head.parameters()]).sum() * 0
            return paper_losses.mask(features[0].new_zeros(target.shape), target) + nothing
        whole = (self.net_config.grid_for(self.geometry.search) - self.geometry.grid) // 2
        at = cells + whole
        memory = tuple(kernel[picks] for kernel in kernels)
        logits = self.net.segment(memory, tuple(part[picks] for part in features), at[:, 0], at[:, 1])
        return paper_losses.mask(logits, target)

    @torch.no_grad()
    def _part_weights(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Att-SiamMask's weights of the template's cells (equations 6 and 7; reference D.2), else nothing.

        Part and region are enlarged from the exemplar itself: the crop it was cut from is no finer. The gradient runs
        through the weighted template, not through the weights, whose network is the same.
        """
        if not self.recipe.attentive:
            return ()
        pictures = batch["exemplar"].permute(0, 3, 1, 2).float()
        side = self.net_config.exemplar
        middle, size = _centre_and_size(batch["exemplar_box"])
        seen = resample(pictures, torch.cat([middle - size / 2, size / keypart.SIDE], 1), keypart.SIDE)
        grey = (seen * seen.new_tensor([0.114, 0.587, 0.299]).view(1, 3, 1, 1)).sum(1).cpu().numpy()
        offsets = np.array([keypart.select(picture).offset for picture in grey], np.float32)
        top, left = torch.from_numpy(offsets).to(self.device).unbind(1)
        part = middle - size / 2 + (torch.stack([left, top], 1) + 0.25) * size
        half = torch.full_like(middle, 0.5)
        parts = resample(pictures, torch.cat([part - side / 4, half], 1), side)
        search = self.net_config.search
        regions = resample(pictures, torch.cat([middle - search / 4, half], 1), search)
        modes = [(module, module.training) for module in self.net.modules()]
        self.net.eval()  # norms shall not count pictures of another scale
        weights = self.net.part_attention(parts, regions, strength=TRAINED_STRENGTH)
        for module, training in modes:
            module.training = training
        return (weights,)

    def picture(self, batch: dict[str, Tensor]) -> np.ndarray:
        return contact_sheet(self.net, batch)

    def about(self) -> dict[str, Any]:
        run = dataclasses.asdict(self.run)
        return {
            "preprocess": "BGR, 0 to 255",
            "trained_on": sorted({source.name for source, _ in self.sources}),
            "training": dataclasses.asdict(self.recipe) | run,
        }


def _centre_and_size(corners: Tensor) -> tuple[Tensor, Tensor]:
    return (corners[:, :2] + corners[:, 2:]) / 2, (corners[:, 2:] - corners[:, :2]).clamp(min=1)
