"""The tracker's door: plain data and two small protocols.

Importing this module costs nothing (numpy and dataclasses, no torch), so a tracker can live in a thread today and in
another process tomorrow.

Frames of reference:
- *image*: pixels of the displayed frame, 0-based, edges on pixel borders; a box is ``x, y, w, h``.
- *crop*: pixels of the square search region resampled to the network's input size.
- *grid*: cells of a response map; `HeatMap.rect` says which part of the image it covers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

Image = np.ndarray
"""(height, width, 3) uint8, BGR, C-contiguous; trackers read it and never write to it."""


class Box(NamedTuple):
    """Axis-aligned rectangle in image pixels: left, top, width, height; edges on pixel borders, no ``+1/-1``."""

    x: float
    y: float
    w: float
    h: float

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2

    @property
    def x2(self) -> float:
        return self.x + self.w

    @property
    def y2(self) -> float:
        return self.y + self.h

    @property
    def area(self) -> float:
        return self.w * self.h

    @classmethod
    def from_centre(cls, cx: float, cy: float, w: float, h: float) -> Box:
        return cls(cx - w / 2, cy - h / 2, w, h)

    @classmethod
    def from_corners(cls, x1: float, y1: float, x2: float, y2: float) -> Box:
        return cls(x1, y1, x2 - x1, y2 - y1)


@dataclass(frozen=True)
class Crop:
    """A square of the image resampled to ``size`` x ``size`` crop pixels; may reach outside the image."""

    rect: Box
    size: int

    @property
    def scale(self) -> float:
        """Crop pixels per image pixel."""
        return self.size / self.rect.w

    def to_crop(self, box: Box) -> Box:
        s = self.scale
        return Box((box.x - self.rect.x) * s, (box.y - self.rect.y) * s, box.w * s, box.h * s)

    def to_image(self, box: Box) -> Box:
        s = self.scale
        return Box(self.rect.x + box.x / s, self.rect.y + box.y / s, box.w / s, box.h / s)


@dataclass(frozen=True)
class HeatMap:
    """A response map laid over the image.

    ``values``: (rows, columns) float32 in [0, 1]; ``rect``: image rectangle covered by the cells' outer edges.
    """

    values: np.ndarray
    rect: Box


@dataclass(frozen=True)
class MaskPatch:
    """A binary mask as a patch of the image: ``bits`` (h, w) bool, its top-left pixel at integer (x, y).

    Always lies inside the image it was made for.
    """

    x: int
    y: int
    bits: np.ndarray

    def full(self, height: int, width: int) -> np.ndarray:
        """The mask on the whole image: (height, width) bool."""
        out = np.zeros((height, width), bool)
        out[self.y : self.y + self.bits.shape[0], self.x : self.x + self.bits.shape[1]] = self.bits
        return out


class Verdict(StrEnum):
    """What the tracker thinks of its own answer."""

    TRACKED = "tracked"
    UNCERTAIN = "uncertain"
    LOST = "lost"


class Peak(NamedTuple):
    """A maximum of the ranked response: where in the image (pixels), and how high compared with the best (1)."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Prediction:
    """The answer for one frame.

    ``box``: the state that the tracker goes on from. ``polygon``: (4, 2) float64 corners in image pixels of the rotated
    rectangle around the mask, from trackers that answer with one. ``score``: confidence in [0, 1]. ``heat``: maps by
    name (``classification``, ``attention``, ``fused``, ``mask``), empty for trackers that have none. ``peaks``: best
    and second-best maximum. ``crop``: the search region. ``search``: its pixels, (size, size, 3) uint8 BGR.
    ``signals``: named drift signals (floats). ``reason``: the verdict in words, empty when tracked.
    """

    box: Box
    score: float
    verdict: Verdict = Verdict.TRACKED
    mask: MaskPatch | None = None
    polygon: np.ndarray | None = None
    heat: Mapping[str, HeatMap] = field(default_factory=dict)
    peaks: tuple[Peak, ...] = ()
    crop: Crop | None = None
    search: np.ndarray | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


class Target(Protocol):
    """The memory of one object; cheap. Not thread-safe: one thread steps it."""

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        """Find the object in the next frame (in whichever direction of time the caller walks)."""
        ...


@runtime_checkable
class Teachable(Protocol):
    """A target that learns from corrections."""

    def correct(self, image: Image, box: Box) -> None:
        """Go on from a person's ``box`` in ``image``, remembering what was learnt before and learning from it."""
        ...


class Tracker(Protocol):
    """Weights on a device, shared by all targets."""

    name: str
    device: str

    def start(self, image: Image, box: Box) -> Target:
        """Begin to follow ``box`` of ``image``. Raises `TrackerError` when the box is empty or off the image."""
        ...

    def step(self, image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
        """One step of several of this tracker's targets on the same frame, in one batch where the tracker can."""
        ...


@runtime_checkable
class Segments(Protocol):
    """A tracker that draws the mask of what is in a box: no track, no history."""

    def segment(self, image: Image, box: Box) -> MaskPatch | None:
        """The mask of the object in ``box``, such as one that a person has just drawn or changed.

        None from trackers of this kind whose network has no masks. Raises `TrackerError` when the box is empty or off
        the image.
        """
        ...


@dataclass(frozen=True)
class Exemplar:
    """What a target was started from.

    ``pixels``: (127, 127, 3) uint8 BGR; ``crop``: where they lie in the first frame. ``part``: the key part, in pixels
    of that frame, and ``weights``: how much each cell of the template counts (1 on average; the map's values are scaled
    to their maximum), both from trackers that weigh their template (Att-SiamMask).
    """

    pixels: np.ndarray
    crop: Crop
    part: Box | None = None
    weights: HeatMap | None = None


@runtime_checkable
class HasExemplar(Protocol):
    """A target that can show what it was started from."""

    @property
    def exemplar(self) -> Exemplar: ...


class TrackerError(Exception):
    """A tracker cannot do what was asked; the message says why and what to do."""


class OutOfDeviceMemory(TrackerError):  # noqa: N818 - names a state of the device, as torch does
    """The accelerator's memory is full; the caller may start again on ``cpu``."""


@dataclass(frozen=True)
class TrackerInfo:
    """One line of ``main.py trackers``. ``ready``: its weights are here, or it needs none."""

    name: str
    title: str
    parameters: int | None
    weights: str
    licence: str
    masks: bool
    aliases: tuple[str, ...] = ()
    ready: bool = True
