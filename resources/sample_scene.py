"""Where everything is in the sample clip, and the ground truth that follows from it.

A little harbour seen from above. Nothing here paints: cameras, paths and outlines are closed formulas of the time, so
the ground truth is exact and takes a second, without rendering a picture.

Frames of reference:
- *world*: units of the harbour, x to the right, y down; one unit is about one pixel at zoom 1.
- *local*: units of one object, origin at its middle, x forward.
- *image*: pixels of the clip, 0-based, edges on pixel borders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

WIDTH, HEIGHT, FPS, FRAMES = 1280, 720, 25, 250
WORLD_WIDTH, WORLD_HEIGHT = 2280, 1300
SHUTTER = 0.5  # share of the frame time that the shutter is open
MIN_PIXELS = 16  # an object with fewer visible pixels counts as absent

BRIDGE_X, BRIDGE_TILT, BRIDGE_HALF = 1160.0, 0.07, 80.0  # x on the line y = 0, dx/dy, half width across
BRIDGE_RISE, TALL_RISE, GULL_RISE = 0.05, 0.035, 0.16  # higher things look larger and shift against the ground

Affine = np.ndarray
"""(2, 3) float64, maps column points of one frame of reference to another."""
Polygon = np.ndarray
"""(N, 2) float64, closed implicitly."""


class Path:
    """A smooth curve through keys `(seconds, x, y)`: cubic Hermite with central-difference tangents."""

    def __init__(self, keys: Sequence[tuple[float, float, float]]) -> None:
        table = np.asarray(keys, dtype=np.float64)
        self._t, self._p = table[:, 0], table[:, 1:]
        self._m = np.gradient(self._p, self._t, axis=0)

    def at(self, t: float) -> np.ndarray:
        """The point at `t` seconds; beyond the ends it goes straight on."""
        if t <= self._t[0]:
            return self._p[0] + self._m[0] * (t - self._t[0])
        if t >= self._t[-1]:
            return self._p[-1] + self._m[-1] * (t - self._t[-1])
        i = int(np.searchsorted(self._t, t, side="right")) - 1
        h = self._t[i + 1] - self._t[i]
        u = (t - self._t[i]) / h
        return (
            (1 + 2 * u) * (1 - u) ** 2 * self._p[i]
            + u * (1 - u) ** 2 * h * self._m[i]
            + u * u * (3 - 2 * u) * self._p[i + 1]
            + u * u * (u - 1) * h * self._m[i + 1]
        )

    def heading(self, t: float) -> float:
        """Radians, clockwise on the screen, of the direction of travel."""
        dx, dy = self.at(t + 0.12) - self.at(t - 0.12)
        return float(np.arctan2(dy, dx))


BOAT_PATH = Path(
    [
        (0.0, 372, 716), (1.2, 500, 672), (2.4, 640, 640), (3.6, 780, 650), (4.8, 915, 692), (6.0, 1046, 700),
        (7.0, 1150, 684), (8.0, 1270, 636), (9.0, 1370, 562), (10.0, 1440, 472),
    ]
)  # fmt: skip
TWIN_PATH = Path(
    [
        (0.0, 232, 486), (1.0, 352, 510), (2.0, 472, 546), (3.0, 596, 592), (4.0, 706, 662), (5.0, 772, 740),
        (6.0, 820, 808), (7.0, 874, 848), (8.0, 930, 862), (10.0, 1030, 868),
    ]
)  # fmt: skip
GULL_PATH = Path(
    [
        (0.0, 980, 500), (1.0, 900, 430), (2.0, 770, 424), (2.8, 630, 462), (3.6, 450, 478), (4.4, 250, 470),
        (5.2, 200, 370), (6.0, 420, 330), (6.8, 720, 400), (7.6, 960, 480), (8.4, 1140, 470), (9.2, 1270, 520),
        (10.0, 1360, 640),
    ]
)  # fmt: skip
CAMERA_PATH = Path(
    [(0.0, 640, 650), (2.0, 720, 655), (4.0, 850, 662), (6.0, 1035, 668), (8.0, 1215, 640), (10.0, 1350, 560)]
)
ZOOM_PATH = Path([(0.0, 0.94, 0), (3.0, 1.0, 0), (6.0, 1.02, 0), (8.0, 1.14, 0), (10.0, 1.34, 0)])


def camera(t: float, rise: float = 0.0) -> Affine:
    """World to image at `t` seconds, for things `rise` above the water: a slow pan and zoom in an unsteady hand."""
    shake = np.array(
        [
            3.2 * np.sin(2 * np.pi * 0.53 * t) + 1.7 * np.sin(2 * np.pi * 1.31 * t + 1) + 0.7 * np.sin(19 * t),
            2.6 * np.sin(2 * np.pi * 0.47 * t + 2) + 1.5 * np.sin(2 * np.pi * 1.57 * t) + 0.6 * np.sin(23 * t + 1),
        ]
    )
    angle = 0.012 * np.sin(2 * np.pi * 0.21 * t) + 0.003 * np.sin(2 * np.pi * 1.1 * t)
    zoom = ZOOM_PATH.at(t)[0] * (1 + rise)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([WIDTH / 2, HEIGHT / 2]) + shake - turn @ CAMERA_PATH.at(t)
    return np.column_stack([turn, shift])


def place(path: Path, t: float, roll: float = 0.0) -> Affine:
    """Local to world for an object that follows `path`; `roll` radians of lazy yaw on the waves."""
    angle = path.heading(t) + roll * np.sin(2.4 * t)
    c, s = np.cos(angle), np.sin(angle)
    return np.column_stack([[c, s], [-s, c], path.at(t)])


def chain(outer: Affine, inner: Affine) -> Affine:
    """The map that applies `inner`, then `outer`."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def apply(matrix: Affine, points: Polygon) -> Polygon:
    """`points` (N, 2) mapped by `matrix`."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def smooth(points: Sequence[tuple[float, float]], steps: int = 10) -> Polygon:
    """A closed Catmull-Rom curve through `points`, `steps` vertices per point."""
    p = np.asarray(points, dtype=np.float64)
    a, b, c, d = (np.roll(p, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    u = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
    return curve.reshape(-1, 2)


def mirror(half: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A half outline (from stern to bow, y >= 0, ends on the axis) completed to the closed one."""
    return [*half, *((x, -y) for x, y in reversed(half[1:-1]))]


@cache
def hull() -> Polygon:
    """The outline of the tugboat and of its twin, local units (104 x 42)."""
    return smooth(
        mirror([(-51, 0), (-50, 10), (-44, 17), (-24, 20.5), (2, 21), (24, 18.5), (40, 11.5), (49, 4.5), (52, 0)])
    )


def gull_shape(t: float) -> dict[str, Polygon]:
    """The gull's parts in local units at `t` seconds: it glides and now and then beats its wings."""
    beat = max(0.0, np.sin(2 * np.pi * 0.42 * t + 0.4)) ** 2 * np.sin(2 * np.pi * 3.1 * t)
    span = 46 * (1 - 0.26 * abs(beat))
    sweep = -5 - 9 * beat
    body = smooth(mirror([(-20, 0), (-18, 4.2), (-6, 6.4), (6, 6.2), (13, 4), (17, 3.2), (20.5, 1.8), (23.5, 0)]))
    half = np.array(
        [
            (11, 3), (15, 0.32 * span), (12, 0.55 * span), (3 + sweep, 0.84 * span), (-7 + 1.5 * sweep, span),
            (-5 + 0.6 * sweep, 0.72 * span), (-2, 0.45 * span), (-7, 3),
        ]
    )  # fmt: skip
    wing = smooth([(float(x), float(y)) for x, y in half], 6)
    return {"left": wing * (1, -1), "right": wing, "body": body}


def gull_outline(t: float) -> list[Polygon]:
    return list(gull_shape(t).values())


def bridge_edges() -> tuple[np.ndarray, np.ndarray, float]:
    """A point on the middle line of the bridge, the unit normal across it, and half its width, in world units."""
    normal = np.array([1.0, -BRIDGE_TILT]) / np.hypot(1, BRIDGE_TILT)
    return np.array([BRIDGE_X, 0.0]), normal, BRIDGE_HALF


def clip(polygon: Polygon, point: np.ndarray, normal: np.ndarray) -> Polygon:
    """The part of `polygon` on the side of the line through `point` to which `normal` points (may be empty)."""
    if len(polygon) == 0:
        return polygon
    side = (polygon - point) @ normal
    if side.min() >= 0:
        return polygon
    if side.max() < 0:
        return polygon[:0]
    out: list[np.ndarray] = []
    for i in range(len(polygon)):
        a, b, da, db = polygon[i - 1], polygon[i], side[i - 1], side[i]
        if (da < 0) != (db < 0):
            out.append(a + (b - a) * (da / (da - db)))
        if db >= 0:
            out.append(b)
    return np.array(out).reshape(-1, 2)


def in_view(polygon: Polygon) -> Polygon:
    """`polygon` in image pixels cut to the picture."""
    for point, normal in (((0, 0), (1, 0)), ((0, 0), (0, 1)), ((WIDTH, HEIGHT), (-1, 0)), ((WIDTH, HEIGHT), (0, -1))):
        polygon = clip(polygon, np.array(point, float), np.array(normal, float))
    return polygon


def beside_bridge(polygon: Polygon, t: float) -> list[Polygon]:
    """The parts of a polygon on the water, in image pixels, that the bridge does not cover at `t`."""
    centre, normal, half = bridge_edges()
    view = camera(t, BRIDGE_RISE)
    turn = view[:, :2] / np.sqrt(np.linalg.det(view[:, :2]))
    parts = []
    for sign in (-1.0, 1.0):
        edge = apply(view, (centre + sign * half * normal)[None])[0]
        parts.append(clip(polygon, edge, sign * (turn @ normal)))
    return parts


def rasterise(polygons: Sequence[Polygon], fine: int = 8) -> np.ndarray:
    """(HEIGHT, WIDTH) bool: the pixels of which the union of `polygons` covers at least half."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    shown = [p for p in polygons if len(p) >= 3]
    if not shown:
        return mask
    corners = np.concatenate(shown)
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, (WIDTH, HEIGHT))
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), 0, (WIDTH, HEIGHT))
    if x1 <= x0 or y1 <= y0:
        return mask
    canvas = np.zeros(((y1 - y0) * fine, (x1 - x0) * fine), np.uint8)
    for polygon in shown:
        corner = np.round((polygon - (x0, y0)) * fine * 16 - 8).astype(np.int32)
        cv2.fillPoly(canvas, [corner[:, None]], (fine * fine,), shift=4)
    covered = cv2.resize(canvas, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_AREA)  # mean: fine samples hit
    mask[y0:y1, x0:x1] = covered >= fine * fine // 2
    return mask


@dataclass(frozen=True)
class Truth:
    """One object in one frame: the tight `box` (x, y, w, h) of what can be seen, its mask, and the visible share."""

    box: tuple[float, float, float, float] | None
    mask: np.ndarray | None
    visible: float


@dataclass(frozen=True)
class Thing:
    """One object of the ground truth; `outline(t)` are its polygons in image pixels, before anything hides it."""

    name: str
    label: str
    outline: Callable[[float], list[Polygon]]
    under_bridge: bool

    def truth(self, frame: int) -> Truth:
        """What can be seen of it in `frame` (0-based), at the middle of the exposure."""
        t = frame / FPS
        whole = self.outline(t)
        shown = [part for p in whole for part in (beside_bridge(p, t) if self.under_bridge else [p])]
        shown = [p for p in (in_view(p) for p in shown) if len(p) >= 3]
        mask = rasterise(shown)
        pixels = int(mask.sum())
        if pixels < MIN_PIXELS:
            return Truth(None, None, 0.0)
        corners = np.concatenate(shown)
        (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
        return Truth((x0, y0, x1 - x0, y1 - y0), mask, min(1.0, pixels / _area(whole)))


def _area(polygons: Sequence[Polygon]) -> float:
    """Pixels that the union of `polygons` covers, wherever it lies."""
    corners = np.concatenate(polygons)
    middle = np.floor(corners.mean(0)) - (WIDTH // 2, HEIGHT // 2)
    return float(rasterise([p - middle for p in polygons]).sum())


def boat_frame(t: float) -> Affine:
    """Tugboat's local units to world."""
    return place(BOAT_PATH, t, 0.03)


def twin_frame(t: float) -> Affine:
    """The twin's local units to world."""
    return place(TWIN_PATH, t, -0.03)


def gull_frame(t: float) -> Affine:
    """The gull's local units to world."""
    return place(GULL_PATH, t)


THINGS = (
    Thing("tugboat", "boat", lambda t: [apply(chain(camera(t), boat_frame(t)), hull())], True),
    Thing("twin", "boat", lambda t: [apply(chain(camera(t), twin_frame(t)), hull())], True),
    Thing("gull", "bird", lambda t: [apply(chain(camera(t, GULL_RISE), gull_frame(t)), p) for p in gull_outline(t)],
          False),
)  # fmt: skip
