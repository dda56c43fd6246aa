"""The still layers of the sample clip's harbour: ground and water bed, the bridge, and everything tall.

Layers cover the world at `LAND_SCALE` pixels per unit. Colours are RGB floats in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from sample_paint import Sheet, lay, noise, ramp, rgb, shade, soften, step, tiled
from sample_scene import BRIDGE_HALF, BRIDGE_TILT, BRIDGE_X, WORLD_HEIGHT, WORLD_WIDTH, Affine, smooth

LAND_SCALE = 1.25
LAND_LEFT = -120.0  # world x of the layers' left edge
ISLAND = (1668.0, 610.0)
QUAY = 398.0


@dataclass
class Land:
    """`ground` (h, w, 4): colour and how strongly water plays on it; `bridge`, `tall` (h, w, 4): premultiplied;
    `bridge_shadow` (h, w): 0..1."""

    ground: np.ndarray
    bridge: np.ndarray
    tall: np.ndarray
    bridge_shadow: np.ndarray


def grid() -> tuple[np.ndarray, np.ndarray]:
    """World x and y of every layer pixel, float32."""
    w, h = int(WORLD_WIDTH * LAND_SCALE), int(WORLD_HEIGHT * LAND_SCALE)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32) + 0.5, np.arange(h, dtype=np.float32) + 0.5)
    return x / LAND_SCALE + LAND_LEFT, y / LAND_SCALE


def at(x: float, y: float, angle: float = 0.0, size: float = 1.0) -> Affine:
    """Local units of a still thing to layer pixels."""
    c, s = np.cos(angle) * size * LAND_SCALE, np.sin(angle) * size * LAND_SCALE
    return np.array([[c, -s, (x - LAND_LEFT) * LAND_SCALE], [s, c, y * LAND_SCALE]])


def mix(base: np.ndarray, colour: np.ndarray, share: np.ndarray) -> None:
    """Blends `colour` into the colours of `base` by `share`, in place."""
    base[..., :3] += share[..., None] * (np.asarray(colour, np.float32) - base[..., :3])


def beach_line(x: np.ndarray) -> np.ndarray:
    """World y where the water meets the sand in the south."""
    return 925 + 26 * np.sin(x / 173 + 0.4) + 13 * np.sin(x / 67) + 40 * np.exp(-(((x - 1170) / 130) ** 2))


def paint_ground(rng: np.random.Generator) -> np.ndarray:
    """Water bed, beach, grass, quay, promenade, pier and island: (h, w, 4)."""
    x, y = grid()
    h, w = x.shape
    fine, broad, lumps = (tiled(noise(rng, 1024, n, 5), h, w) for n in (48, 5, 14))
    grain = tiled(rng.random((512, 512), dtype=np.float32), h, w)
    radius = np.hypot(x - ISLAND[0], y - ISLAND[1])
    bearing = np.arctan2(y - ISLAND[1], x - ISLAND[0])
    coast = 104 + 9 * np.sin(3 * bearing + 1) + 6 * np.sin(5 * bearing)
    inland = np.maximum(y - beach_line(x) + 10 * (lumps - 0.5), coast - radius + 8 * (lumps - 0.5))  # > 0 on sand

    depth = np.clip(-inland + 14 * (broad - 0.5), 0, 400) * step(y - QUAY, -60, 150)
    depth = np.minimum(depth, 0.9 * (y - QUAY) + 70)
    bed = ramp(
        depth + 26 * (broad - 0.5) + 5 * (fine - 0.5),
        [(0, "#d9e2b4"), (12, "#a6dcc0"), (40, "#5cc2b8"), (95, "#2fa0ab"), (180, "#1f7f98"), (300, "#1a6a88")],
    )
    ground = np.dstack([bed, 0.30 + 0.70 * np.exp(-depth / 90)]).astype(np.float32)
    weed = step(lumps * 0.6 + fine * 0.4, 0.60, 0.74) * step(depth, 30, 70) * (1 - step(depth, 120, 200))
    mix(ground, rgb("#1c7f86"), 0.40 * weed)

    wet = step(inland, -1.5, 1.0)
    sand = ramp(inland + 8 * (fine - 0.5), [(0, "#b99a68"), (10, "#d8bc85"), (22, "#efdcae"), (60, "#f3e3bb")])
    sand *= (0.955 + 0.06 * grain + 0.07 * (fine - 0.5))[..., None]
    mix(ground, sand, wet)
    ground[..., 3] *= 1 - step(inland, -2, 1)
    foam = np.exp(-(((inland + 3.0 + 5 * (lumps - 0.5)) / 2.6) ** 2)) * step(fine, 0.25, 0.6)
    mix(ground, rgb("#fbfdf8"), 0.80 * foam)

    lawn_edge = inland - np.where(radius < 200, 34, 62) + 16 * (lumps - 0.5) + 5 * (fine - 0.5)
    lawn = ramp(0.55 * lumps + 0.45 * broad, [(0, "#6c9a4c"), (0.5, "#88b25c"), (1, "#a9c873")])
    lawn *= (0.88 + 0.14 * fine + 0.09 * grain)[..., None]
    mix(ground, lawn, step(lawn_edge, -2, 3))
    _promenade(ground, x, y, fine, grain, lawn, rng)
    return ground


def _promenade(
    ground: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    fine: np.ndarray,
    grain: np.ndarray,
    lawn: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """The stone quay in the north: wall, coping, setts, a flower bed and a lawn."""
    d = QUAY - y  # > 0 on land
    mix(ground, lawn, step(d, 70, 72))
    bed = np.exp(-(((d - 78) / 5.5) ** 2))
    dots = ramp(
        tiled(noise(rng, 1024, 170, 2), *x.shape),
        [(0.2, "#3f7a33"), (0.45, "#4f8a3a"), (0.6, "#e0527a"), (0.75, "#f7c33d"), (0.9, "#fdf3f0")],
    )
    mix(ground, dots, np.clip(1.6 * bed, 0, 1) * (d > 70))
    row = np.floor(d / 6)
    fx, fy = (x / 9 + 0.5 * (row % 2)) % 1, (d / 6) % 1
    tone = 0.5 + 0.5 * np.sin(12.9 * np.floor(x / 9 + 0.5 * (row % 2)) + 78.2 * row)
    gap = (np.minimum(fx, 1 - fx) * 9 < 0.55) | (np.minimum(fy, 1 - fy) * 6 < 0.55)
    setts = ramp(tone, [(0, "#c9b69c"), (1, "#d8c8b0")]) * (0.93 + 0.08 * grain + 0.1 * (fine - 0.5))[..., None]
    setts[gap] *= 0.87
    mix(ground, setts, (step(d, 0, 1) * (1 - step(d, 70, 71))).astype(np.float32))
    coping = ramp(0.5 + 0.5 * np.sin(7.7 * np.floor(x / 34)), [(0, "#e2d7c2"), (1, "#eee5d4")])
    coping *= (0.95 + 0.06 * grain)[..., None] * np.where((x % 34) < 1.1, 0.75, 1)[..., None]
    mix(ground, coping, ((d > -1) & (d < 13)).astype(np.float32))
    wall = ramp(-d, [(0, "#6f6557"), (9, "#55574f"), (16, "#3c5f60")])
    mix(ground, wall, ((d <= -1) & (d > -13)).astype(np.float32) * 0.9)
    mix(ground, rgb("#0d3d4f"), 0.45 * np.exp(-np.clip(-d - 12, 0, None) / 16) * (d <= -12))
    ground[..., 3] *= d < -12


def paint_bridge(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The bridge (premultiplied) and the shadow that it throws on the water."""
    x, y = grid()
    h, w = x.shape
    fine = tiled(noise(rng, 1024, 64, 4), h, w)
    broad = tiled(noise(rng, 1024, 9, 3), h, w)
    across = (x - BRIDGE_X - BRIDGE_TILT * y) / np.hypot(1, BRIDGE_TILT)
    along = (y + BRIDGE_TILT * (x - BRIDGE_X)) / np.hypot(1, BRIDGE_TILT)
    a = np.abs(across)
    edge = BRIDGE_HALF - a
    colour = ramp(broad + 0.25 * fine, [(0, "#6b6d72"), (1.2, "#83858a")]) * (0.92 + 0.12 * fine)[..., None]
    dash = (a < 1.5) & ((along % 44) < 24)
    colour[dash] = rgb("#efe6cd")
    colour[(a > 46) & (a < 48)] = rgb("#d9d3c4")
    path = (a > 50) & (a <= 72)
    slab = ramp(
        0.5 + 0.5 * np.sin(9.1 * np.floor(along / 15) + 3.3 * np.floor(a / 11)), [(0, "#cbbb9f"), (1, "#dccfb6")]
    )
    slab *= (0.94 + 0.08 * fine)[..., None] * np.where((along % 15 < 0.9) | (np.abs(a - 61) < 0.5), 0.82, 1)[..., None]
    colour[path] = slab[path]
    colour[(a > 48) & (a <= 50)] = rgb("#a79c8b")
    wall = a > 72
    stone = ramp(0.5 + 0.5 * np.sin(5.3 * np.floor(along / 22)), [(0, "#e6d8bd"), (1, "#f2e8d3")])
    stone *= np.where(along % 22 < 1.0, 0.80, 1)[..., None] * (0.95 + 0.07 * fine)[..., None]
    colour[wall] = stone[wall]
    inner = np.exp(-np.clip(across + 72, 0, None) / 7) * (across > -72)  # the parapet's own shadow
    colour *= (1 - 0.45 * inner)[..., None]
    colour[(across > 78.2)] *= 0.78
    alpha = np.clip(edge * LAND_SCALE + 0.5, 0, 1)
    layer = np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
    lamp = Sheet(9, 9)
    lamp.fill(lamp.disc(0, 0, 5.0), rgb("#2d3b3f"))
    lamp.fill(lamp.disc(0, 0, 3.6), rgb("#fff3c4"))
    lamp.round_off(lamp.disc(0, 0, 5.0), 4, 0.4)
    sprite = lamp.sprite()
    for k in range(12):
        for side in (-1, 1):
            ly = 60 + 112 * k
            lx = BRIDGE_X + BRIDGE_TILT * ly + side * 66
            shade(layer, soften(sprite, 1.0), at(lx + 5, ly + 6), 0.45)
            lay(layer, sprite, at(lx, ly))
    shadow = step(across - 10, -BRIDGE_HALF - 5, -BRIDGE_HALF + 5) * (
        1 - step(across - 30, BRIDGE_HALF - 9, BRIDGE_HALF + 9)
    )
    shadow *= step(y, QUAY + 2, QUAY + 14) * (1 - step(y - beach_line(x), 10, 60))
    return layer, shadow.astype(np.float32)


def tree(seed: int, tones: tuple[str, str, str], radius: float = 30) -> np.ndarray:
    """A round tree from above: clumps of leaves, lit from the upper left."""
    s = Sheet(radius + 6, radius + 6, seed)
    leaves = []
    for _ in range(330):
        r, phi = radius * np.sqrt(s.rng.random()) * 0.93, s.rng.uniform(0, 2 * np.pi)
        r *= 0.90 + 0.10 * np.sin(5 * phi + seed)
        height = np.sqrt(max(0.0, 1 - (r / radius) ** 2))
        leaves.append((height + s.rng.normal(0, 0.13), r * np.cos(phi), r * np.sin(phi)))
    for height, x, y in sorted(leaves):
        lit = 0.42 * height - 0.36 * (x + y) / radius / 1.4 + 0.22 + s.rng.normal(0, 0.07)
        colour = ramp(np.array(lit, np.float32), [(0.0, tones[0]), (0.45, tones[1]), (0.95, tones[2])])
        size = s.rng.uniform(2.6, 4.6) * (radius / 30) ** 0.5
        middle = (int((x + s.half[0]) * s.k), int((y + s.half[1]) * s.k))
        dark = tuple(float(v) * 0.80 for v in colour)
        cv2.circle(s.image, (middle[0] + 5, middle[1] + 6), int(size * s.k), (*dark, 1.0), -1)
        cv2.circle(s.image, middle, int(size * s.k), (*(float(v) for v in colour), 1.0), -1)
    return s.sprite()


def house(seed: int, tones: tuple[str, str], w: float, h: float) -> np.ndarray:
    """A hipped tile roof from above with chimney and skylight."""
    s = Sheet(w / 2 + 4, h / 2 + 4, seed)
    roof = s.box(0, 0, w, h, 1)
    left, top = s.x + w / 2, s.y + h / 2
    sides = np.stack([top, h - top, 0.9 * left, 0.9 * (w - left)])
    face = sides.argmin(0)
    rise = sides.min(0)
    light = np.array([1.06, 0.74, 0.98, 0.82], np.float32)[face]
    run = np.where(face < 2, s.x, s.y)
    tiles = 0.90 + 0.10 * (np.abs((rise / 3.2) % 1 - 0.5) < 0.36)
    tiles = tiles * (0.95 + 0.05 * np.sin(run * 2 * np.pi / 2.4))
    speckle = cv2.resize(s.rng.random((int(h / 3), int(w / 3)), dtype=np.float32), roof.shape[::-1])
    tone = ramp(0.35 * speckle + 0.4 * rise / rise.max(), [(0, tones[0]), (0.75, tones[1])])
    s.fill(roof, tone * (light * tiles)[..., None])
    ordered = np.sort(sides, 0)
    s.shade(((ordered[1] - ordered[0]) < 1.1).astype(np.float32) * (rise > 1), 1.18)
    chimney = s.box(0.24 * w, -0.14 * h, 8, 8, 0.5)
    s.drop(chimney, 5, 5, 0.8, 0.5)
    s.fill(chimney, rgb("#b98a6a"))
    s.fill(s.box(0.24 * w, -0.14 * h, 4.4, 4.4, 0.4), rgb("#3a2b24"))
    window = s.box(-0.2 * w, -0.24 * h, 12, 8, 0.5)
    s.fill(window, rgb("#f4efe4"))
    s.fill(s.box(-0.2 * w, -0.24 * h, 9.6, 5.6, 0.3), ramp(s.x + s.y, [(-50, "#8fc3dc"), (20, "#4d86a8")]))
    return s.sprite()


def umbrella(colour: str) -> np.ndarray:
    """A striped beach umbrella."""
    s = Sheet(17, 17)
    top = s.disc(0, 0, 14.5)
    stripes = (np.sin(6 * np.arctan2(s.y, s.x)) > 0)[..., None]
    s.fill(top, np.where(stripes, rgb(colour), rgb("#fffaf0")))
    s.round_off(top, 14, 0.55)
    s.fill(s.disc(0, 0, 1.2), rgb("#fdf8ea"))
    return s.sprite()


def rowboat(colour: str, sail: bool = False) -> np.ndarray:
    """A small moored boat: open with benches, or a yacht with a deck and a boom."""
    s = Sheet(34, 15)
    hull = smooth(
        [(-29, 0), (-28, 7), (-10, 10), (10, 8.6), (24, 3.4), (31, 0), (24, -3.4), (10, -8.6), (-10, -10), (-28, -7)]
    )
    body, inner = s.area(hull), s.area(hull * (0.89, 0.76))
    s.fill(body, rgb(colour))
    planks = (0.88 + 0.12 * (np.abs((s.y / 2.2) % 1 - 0.5) > 0.1))[..., None]
    s.fill(inner, rgb("#f3ede0" if sail else "#9a6f42") * planks)
    s.round_off(body, 3, 0.5)
    if sail:
        s.fill(s.box(2, 0, 20, 8.4, 3), rgb("#fffdf8"))
        s.fill(s.box(3, 0, 12, 5.2, 2), rgb("#37627c"))
        boom = s.box(-8, 0.6, 32, 2.6, 1.2)
        s.drop(boom, 2, 2, 0.8, 0.45)
        s.fill(boom, rgb("#c9d9e6"))
        s.fill(s.disc(8, 0.5, 1.6), rgb("#6b4b2a"))
    else:
        s.drop(np.clip(body - inner, 0, 1), 1.6, 1.6, 0.8, 0.45)
        for bx in (-17, -2, 13):
            s.fill(s.box(bx, 0, 3.4, 14.5, 0.5) * inner, rgb("#d1a468"))
    return s.sprite()


def lighthouse() -> np.ndarray:
    """A lighthouse from straight above: gallery, lantern, red and white rings."""
    s = Sheet(34, 34)
    for radius, colour in ((30, "#efe7d8"), (27, "#d8402f"), (22.5, "#fbf6ea"), (18, "#d8402f"), (13.6, "#fbf6ea")):
        ring = s.disc(0, 0, radius)
        s.drop(ring, 1.4, 1.4, 0.8, 0.25)
        s.fill(ring, rgb(colour))
    s.round_off(s.disc(0, 0, 30), 30, 0.35)
    s.fill(s.disc(0, 0, 9.4), rgb("#28333c"))
    s.fill(s.disc(0, 0, 7.4), rgb("#ffe08a"))
    s.round_off(s.disc(0, 0, 7.4), 7, 0.7)
    return s.sprite()


def pier() -> np.ndarray:
    """A wooden jetty, long side along x, with a head at the right end."""
    s = Sheet(132, 44, 3)
    shape = np.maximum(s.box(-6, 0, 240, 30, 1), s.box(110, 0, 34, 80, 1))
    board = np.floor(s.x / 5.2)
    tone = ramp(0.5 + 0.5 * np.sin(board * 17.3), [(0, "#a87b4c"), (1, "#c79a63")])
    grain = cv2.resize(s.rng.random((40, 500), dtype=np.float32), s.x.shape[::-1])
    s.fill(shape, tone * (0.9 + 0.14 * grain)[..., None] * np.where((s.x % 5.2) < 0.7, 0.62, 1)[..., None])
    for x in range(-110, 100, 42):
        for y in (-15, 15):
            s.fill(s.disc(x, y, 2.8), rgb("#5b4028"))
            s.fill(s.disc(x - 0.4, y - 0.4, 1.9), rgb("#8d6840"))
    return s.sprite()
