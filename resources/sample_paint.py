"""Paint for the sample clip: textures, sprites and the still layers of the harbour, all procedural and seeded.

Colours are RGB floats in 0..1; layers and sprites are (h, w, 4) float32 with premultiplied alpha. Everything soft is
made from a hard shape drawn large and reduced, so edges are anti-aliased.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from sample_scene import Affine, Polygon, smooth

SPRITE_SCALE = 2.0  # pixels of a finished sprite per local unit
FINE = 4  # sprites are painted this much larger, if not told otherwise
LIGHT = np.array([-0.55, -0.62, 0.56])  # towards the sun: upper left of the world


def rgb(code: str) -> np.ndarray:
    """`#rrggbb` as (3,) float32."""
    return np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)], np.float32)


def noise(rng: np.random.Generator, size: int, cells: int, octaves: int = 4, decay: float = 0.5) -> np.ndarray:
    """(size, size) float32 in 0..1: tileable value noise; `cells` is the number of bumps across at the first octave."""
    total = np.zeros((size, size), np.float32)
    weight = 1.0
    for _ in range(octaves):
        n = min(cells, size)
        coarse = np.pad(rng.random((n, n), dtype=np.float32), 2, mode="wrap")
        step = size / n
        grid = (np.arange(size, dtype=np.float32) + 0.5) / step + 1.5
        x, y = np.meshgrid(grid, grid)
        total += weight * cv2.remap(coarse, x, y, cv2.INTER_CUBIC)
        cells, weight = cells * 2, weight * decay
    low, high = np.percentile(total, (0.5, 99.5))
    return np.clip((total - low) / (high - low), 0, 1).astype(np.float32)


def tiled(tile: np.ndarray, height: int, width: int) -> np.ndarray:
    """`tile` repeated over (height, width)."""
    rows, cols = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    return np.tile(tile, (rows, cols))[:height, :width]


def ramp(value: np.ndarray, stops: Sequence[tuple[float, str]]) -> np.ndarray:
    """Colour of each `value`, linear between `stops` (value, colour): (..., 3) float32."""
    at = [s for s, _ in stops]
    colours = np.array([rgb(c) for _, c in stops])
    return np.stack([np.interp(value, at, colours[:, k]) for k in range(3)], -1).astype(np.float32)


def step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    u = np.clip((value - low) / (high - low), 0, 1)
    return u * u * (3 - 2 * u)


def over(base: np.ndarray, top: np.ndarray) -> None:
    """Lays premultiplied `top` (h, w, 4) on `base` (h, w, 3 or 4), in place."""
    base *= 1 - top[..., 3:]
    base += top[..., : base.shape[-1]]


def pixels(matrix: Affine) -> Affine:
    """The same map for OpenCV, whose integer coordinates are pixel middles, not pixel borders."""
    out = matrix.copy()
    out[:, 2] += 0.5 * matrix[:, :2].sum(1) - 0.5
    return out


class Sheet:
    """A drawing of local units around the origin, `half` units each way, painted large; `sprite()` reduces it."""

    def __init__(self, half_x: float, half_y: float, seed: int = 0, fine: int = FINE) -> None:
        self.fine, self.k = fine, SPRITE_SCALE * fine
        self.half = np.array([half_x, half_y])
        w, h = (int(2 * v * self.k) for v in self.half)
        self.image = np.zeros((h, w, 4), np.float32)
        self.rng = np.random.default_rng(seed)
        self.x, self.y = np.meshgrid(
            (np.arange(w, dtype=np.float32) + 0.5) / self.k - half_x,
            (np.arange(h, dtype=np.float32) + 0.5) / self.k - half_y,
        )

    def area(self, polygon: Polygon) -> np.ndarray:
        """(h, w) float32 0/1: inside `polygon` (local units)."""
        canvas = np.zeros(self.image.shape[:2], np.uint8)
        corners = np.round(((polygon + self.half) * self.k - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [corners[:, None]], (1,), shift=4)
        return canvas.astype(np.float32)

    def disc(self, x: float, y: float, radius: float, hole: float = 0.0) -> np.ndarray:
        d = np.hypot(self.x - x, self.y - y)
        return ((d <= radius) & (d >= hole)).astype(np.float32)

    def box(self, x: float, y: float, w: float, h: float, corner: float = 1.5) -> np.ndarray:
        """A rounded rectangle around (x, y), `w` along and `h` across."""
        dx, dy = np.abs(self.x - x) - w / 2 + corner, np.abs(self.y - y) - h / 2 + corner
        return (np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) <= corner).astype(np.float32)

    def fill(self, shape: np.ndarray, colour: np.ndarray, alpha: float = 1.0) -> None:
        """Paints `shape` (0..1) with a colour (3,) or a picture (h, w, 3)."""
        cover = (shape * alpha)[..., None].astype(np.float32)
        self.image *= 1 - cover
        self.image[..., :3] += cover * colour
        self.image[..., 3:] += cover

    def shade(self, shape: np.ndarray, amount: np.ndarray | float) -> None:
        """Multiplies what is painted inside `shape` by `amount`."""
        self.image[..., :3] *= (1 + shape * (np.asarray(amount, np.float32) - 1))[..., None]

    def drop(self, shape: np.ndarray, dx: float, dy: float, blur: float, dark: float) -> None:
        """The shadow that `shape` throws on what is painted already."""
        move = np.array([[1, 0, dx * self.k], [0, 1, dy * self.k]], np.float32)
        soft = cv2.warpAffine(shape, move, shape.shape[::-1])
        soft = cv2.GaussianBlur(soft, (0, 0), blur * self.k)
        self.shade(soft, 1 - dark)

    def round_off(self, shape: np.ndarray, width: float, strength: float) -> None:
        """Lights the edges of `shape` as if it curved down over `width` units."""
        depth = cv2.distanceTransform(shape.astype(np.uint8), cv2.DIST_L2, 5) / (width * self.k)
        height = np.sqrt(np.clip(1 - (1 - np.clip(depth, 0, 1)) ** 2, 0, 1)).astype(np.float32)
        height = cv2.GaussianBlur(height, (0, 0), 0.08 * width * self.k) * width * self.k
        gx, gy = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
        lit = (-gx * LIGHT[0] - gy * LIGHT[1] + LIGHT[2]) / np.sqrt(gx**2 + gy**2 + 1)
        self.shade(shape, np.clip(1 + strength * (lit - LIGHT[2]), 0.25, 1.8))

    def sprite(self) -> np.ndarray:
        """The finished premultiplied sprite, `SPRITE_SCALE` pixels per unit, middle at its middle."""
        h, w = self.image.shape[:2]
        small = cv2.resize(self.image, (w // self.fine, h // self.fine), interpolation=cv2.INTER_AREA)
        small[..., 3] = np.clip(small[..., 3], 0, 1)
        return np.clip(small, 0, small[..., 3:])


def lay(base: np.ndarray, sprite: np.ndarray, matrix: Affine, scale: float = SPRITE_SCALE, gain: float = 1.0) -> None:
    """Lays `sprite` on `base` (3 or 4 channels), its local units mapped by `matrix` to pixels of `base`.

    Only the part of `base` that the sprite can touch is worked on. `gain` scales the sprite's alpha.
    """
    part = _warp(base.shape, sprite, matrix, scale)
    if part is not None:
        rows, cols, warped = part
        over(base[rows, cols], warped * gain)


def shade(base: np.ndarray, sprite: np.ndarray, matrix: Affine, dark: float, scale: float = SPRITE_SCALE) -> None:
    """Darkens the colours of `base` by `dark` under the alpha of `sprite`; least in blue, as the sky fills shadows."""
    part = _warp(base.shape, sprite[..., 3], matrix, scale)
    if part is not None:
        rows, cols, alpha = part
        base[rows, cols, :3] *= 1 - alpha[..., None] * np.array([dark * 1.06, dark, dark * 0.82], np.float32)


def _warp(shape: tuple[int, ...], image: np.ndarray, matrix: Affine, scale: float):
    h, w = image.shape[:2]
    turn = matrix[:, :2] / scale
    full = np.column_stack([turn, matrix[:, 2] - turn @ (w / 2, h / 2)])
    ends = np.array([(0, 0), (w, 0), (0, h), (w, h)]) @ full[:, :2].T + full[:, 2]
    x0, y0 = np.clip(np.floor(ends.min(0)).astype(int), 0, (shape[1], shape[0]))
    x1, y1 = np.clip(np.ceil(ends.max(0)).astype(int), 0, (shape[1], shape[0]))
    if x1 <= x0 or y1 <= y0:
        return None
    full[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    reduce = np.sqrt(abs(np.linalg.det(turn)))
    if reduce < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), 0.32 / reduce)
    warped = cv2.warpAffine(image, pixels(full), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return slice(y0, y1), slice(x0, x1), warped


def soften(sprite: np.ndarray, blur: float) -> np.ndarray:
    """`sprite` blurred by `blur` units, with room around it: for shadows."""
    room = int(np.ceil(3 * blur * SPRITE_SCALE))
    wide = cv2.copyMakeBorder(sprite, room, room, room, room, cv2.BORDER_CONSTANT)
    return cv2.GaussianBlur(wide, (0, 0), blur * SPRITE_SCALE)


def boat(hull: Polygon, twin: bool) -> np.ndarray:
    """The tugboat (or its twin, the look-alike) from above, bow to the right."""
    s = Sheet(56, 25, seed=7 + twin)
    body = s.area(hull)
    rim, deck = rgb("#d8432b") if not twin else rgb("#c9452f"), s.area(hull * (0.915, 0.80))
    s.fill(body, rim)
    s.fill(s.area(hull * (0.955, 0.90)), rgb("#f6efe0"))
    s.fill(s.area(hull * (0.935, 0.855)), rgb("#5d2a1e"))
    planks = 0.86 + 0.14 * (np.abs((s.y / 2.6) % 1 - 0.5) > 0.09)
    tile = cv2.resize(noise(s.rng, 256, 8), s.x.shape[::-1])
    grain = cv2.resize(s.rng.random((s.x.shape[0] // 4, 12)).astype(np.float32), s.x.shape[::-1])
    wood = rgb("#c99a5f") * (planks * (0.84 + 0.2 * tile + 0.12 * grain))[..., None]
    s.fill(deck, wood)
    s.round_off(body, 3.0, 0.55)
    rail = np.clip(body - deck, 0, 1)
    s.drop(rail, 1.6, 1.6, 0.8, 0.35)
    for x in (-40, -27, -13, 1, 15, 28):  # tyres along the sides
        for side in (-1, 1):
            y = side * float(np.interp(x, [-44, -24, 2, 24, 33], [15.2, 18.6, 19.0, 16.8, 13.6]))
            s.fill(s.disc(x, y, 2.7), rgb("#23262b"))
            s.fill(s.disc(x, y, 1.2), rgb("#5a5f66"))
    # foredeck: hatch, winch, rope
    for shape, colour in (
        (s.box(34, 0, 9, 10), "#8a5a33"),
        (s.box(34, 0, 6.4, 7.4), "#a87442"),
    ):
        s.drop(shape, 0.8, 0.8, 0.5, 0.3)
        s.fill(shape, rgb(colour))
    s.fill(s.disc(43.4, 0, 2.3), rgb("#3b4450"))
    s.fill(s.disc(43.0, -0.4, 1.1), rgb("#aab4bd"))
    for r in (4.6, 3.1, 1.6):
        s.fill(s.disc(-42, 5.5, r, r - 0.8), rgb("#efe0b8"))
    crate = s.box(-41, -6.5, 8, 8, 0.6)
    s.drop(crate, 1.4, 1.4, 0.7, 0.45)
    s.fill(crate, rgb("#2f8f6b") if not twin else rgb("#7a6a4f"))
    s.fill(s.box(-41, -6.5, 8, 1.1, 0.3), rgb("#1f6a4e") if not twin else rgb("#5b4e39"))
    # deck house
    house = s.box(1, 0, 43, 22, 3.5)
    s.drop(house, 2.6, 2.6, 1.4, 0.5)
    s.fill(house, rgb("#f7f1e3") if not twin else rgb("#dfe8ea"))
    s.fill(s.box(1, 0, 39, 18, 2.6), rgb("#fffaf0") if not twin else rgb("#eef4f5"))
    s.round_off(house, 2.2, 0.5)
    glass = s.area(smooth([(19, -9.5), (23.6, -7.6), (25, 0), (23.6, 7.6), (19, 9.5), (20.2, 0)], 6))
    s.fill(glass, ramp(s.y, [(-9, "#9ad7ea"), (0, "#2b6f95"), (9, "#16405e")]))
    if twin:
        s.fill(s.box(1, 0, 34, 3.6, 0.8), rgb("#2a7f86"))
        s.fill(s.box(9, 0, 3.6, 17, 0.8), rgb("#2a7f86"))
    else:
        for y in (-6.2, 6.2):
            s.fill(s.box(-1, y, 34, 2.6, 0.6), rgb("#1f5fa8"))
        ring = s.disc(10, 0, 4.8, 2.5)
        s.drop(ring, 0.7, 0.7, 0.5, 0.4)
        quarter = (np.cos(4 * np.arctan2(s.y, s.x - 10)) > 0).astype(np.float32)
        s.fill(ring, np.where(quarter[..., None] > 0, rgb("#f26a21"), rgb("#fffdf6")))
    # funnel
    funnel = s.disc(-12, 0, 6.6)
    s.drop(funnel, 4.2, 4.2, 1.6, 0.5)
    s.fill(funnel, rgb("#f6bd2c") if not twin else rgb("#e8e3d6"))
    s.round_off(funnel, 5.0, 0.6)
    s.fill(s.disc(-12, 0, 4.6), rgb("#20242b"))
    s.fill(s.disc(-12, 0, 3.3), rgb("#454b55"))
    s.fill(s.disc(-12.6, -0.7, 2.4), rgb("#14161a"))
    mast = s.box(-27, 0, 13, 1.1, 0.5)
    s.drop(mast, 2.4, 2.4, 0.7, 0.45)
    s.fill(mast, rgb("#fbf6ea"))
    s.image[..., :3] *= body[..., None]
    s.image[..., 3] = body
    return s.sprite()


def gull(shape: dict[str, Polygon]) -> np.ndarray:
    """The gull for one phase of its wings (`sample_scene.gull_shape`), head to the right."""
    s = Sheet(28, 50, fine=2)  # painted anew for every picture
    for side in ("left", "right"):
        wing = s.area(shape[side])
        out = np.clip(np.abs(s.y) / 46, 0, 1)
        tone = ramp(out, [(0, "#f4f4f1"), (0.2, "#cfd4d8"), (0.7, "#aeb6bd"), (0.80, "#3a3f46"), (1, "#1d2025")])
        s.fill(wing, tone)
        back = np.clip((6 - s.x) / 12, 0, 1)
        s.shade(wing, 1.04 - 0.10 * back)
        s.round_off(wing, 3.2, 0.5)
    body = s.area(shape["body"])
    s.drop(body, 1.2, 1.2, 1.0, 0.25)
    s.fill(body, ramp(s.x, [(-20, "#f7f7f4"), (19.4, "#fffefb"), (20, "#f2a73b"), (24, "#e58e1f")]))
    s.round_off(body, 5.0, 0.5)
    for side in (-1, 1):
        s.fill(s.disc(16.4, side * 1.9, 0.7), rgb("#22262b"))
    return s.sprite()


def car(colour: str, roof: str) -> np.ndarray:
    """A toy car from above, front to the right; decoration of the bridge."""
    s = Sheet(19, 11)
    body = s.box(0, 0, 32, 15, 5)
    s.fill(body, rgb(colour))
    s.round_off(body, 3.5, 0.7)
    s.fill(s.box(-1, 0, 18, 12.4, 3), rgb("#22384a"))
    s.fill(s.box(-2, 0, 11, 12.0, 2.2), rgb(roof))
    for side in (-1, 1):
        s.fill(s.disc(14.2, side * 4.6, 1.5), rgb("#fff6cf"))
    return s.sprite()
