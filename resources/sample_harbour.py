"""The harbour of the sample clip put together: where each still thing stands."""

from __future__ import annotations

import numpy as np
from sample_land import (
    ISLAND,
    Land,
    at,
    house,
    lighthouse,
    paint_bridge,
    paint_ground,
    pier,
    rowboat,
    tree,
    umbrella,
)
from sample_paint import Sheet, lay, rgb, shade, soften
from sample_scene import BRIDGE_HALF, BRIDGE_TILT, BRIDGE_X

GREENS = (("#244f2a", "#4c8a3a", "#a9cf5e"), ("#1f4a33", "#3f8050", "#93c77a"), ("#39561f", "#6f9a33", "#cfdc6b"))
BLOSSOM = ("#8c3f5c", "#e08aa5", "#ffe3e8")
AUTUMN = ("#7a3a16", "#d2792a", "#f8cf62")


def build(rng: np.random.Generator) -> Land:
    """Paints all still layers."""
    ground = paint_ground(rng)
    bridge, bridge_shadow = paint_bridge(rng)
    land = Land(ground, bridge, np.zeros_like(ground), bridge_shadow)
    _afloat(land)
    _houses(land)
    _beach(land, rng)
    _trees(land, rng)
    return land


def stand(land: Land, sprite: np.ndarray, x: float, y: float, height: float, angle: float = 0.0, size: float = 1.0,
          tall: bool = True) -> None:  # fmt: skip
    """Puts a thing of `height` units at (x, y): its shadow on the ground, itself on the tall layer or the ground."""
    shadow = soften(sprite, 1.0 + 0.05 * height)
    steps = max(1, round(height / 5))
    for k in range(steps):  # one soft sweep from foot to top; the product of all steps is the full shadow
        reach = height * (k + 1) / steps
        shade(land.ground, shadow, at(x + 0.66 * reach, y + 0.75 * reach, angle, size), 1 - 0.52 ** (1.4 / steps))
    where = at(x, y, angle, size)
    if tall:
        lay(land.tall, sprite, where)
        return
    dry = np.zeros_like(sprite)
    dry[..., 3] = sprite[..., 3]
    lay(land.ground[..., 3:], dry, where)  # no play of water on what stands or floats
    lay(land.ground[..., :3], sprite, where)


def _afloat(land: Land) -> None:
    """The jetty, moored boats, buoys and the feet of the bridge."""
    for y in (520.0, 806.0):
        s = Sheet(112, 26)
        foot = s.box(0, 0, 2 * BRIDGE_HALF + 50, 42, 21)
        s.fill(foot, rgb("#cdbb9c"))
        s.round_off(foot, 9, 0.6)
        x = BRIDGE_X + BRIDGE_TILT * y
        stand(land, s.sprite(), x, y, 10, tall=False)
    jetty = pier()
    stand(land, jetty, 512, 912, 9, angle=-np.pi / 2 + 0.05, tall=False)
    for colour, sail, x, y, angle in (
        ("#2f6fa3", False, 476, 880, -1.45), ("#d9573a", False, 552, 905, -1.62), ("#f3ead7", True, 560, 800, 0.1),
        ("#fbfaf5", True, 300, 446, -1.45), ("#24475f", True, 640, 440, -1.62), ("#e9b44c", False, 700, 434, -1.5),
        ("#fbfaf5", True, 900, 444, -1.55), ("#8c2f39", True, 960, 446, -1.6), ("#3c8d6e", False, 1330, 430, -0.05),
        ("#fbfaf5", True, 1566, 450, -1.5), ("#2f6fa3", True, 1760, 446, -1.6), ("#d9573a", False, 1590, 726, 0.5),
    ):  # fmt: skip
        stand(land, rowboat(colour, sail), x, y, 7 if sail else 4, angle, 1.0 if sail else 0.85, tall=False)
    buoy = Sheet(10, 10)
    buoy.fill(buoy.disc(0, 0, 7), rgb("#e2452f"))
    buoy.fill(buoy.disc(0, 0, 4.4), rgb("#fdf6e6"))
    buoy.fill(buoy.disc(0, 0, 2.2), rgb("#e2452f"))
    buoy.round_off(buoy.disc(0, 0, 7), 6, 0.6)
    for x, y in ((420, 800), (820, 560), (940, 790), (1300, 770), (1480, 700), (1540, 500)):
        stand(land, buoy.sprite(), x, y, 6, tall=False)


def _houses(land: Land) -> None:
    red, slate, ochre = ("#a8432b", "#d97a4e"), ("#4d5f6f", "#8296a5"), ("#b0702f", "#dda659")
    for seed, (tones, x, y, w, h, angle) in enumerate(
        (
            (red, 90, 268, 128, 84, 0.03), (ochre, 262, 262, 104, 80, -0.04), (red, 452, 258, 150, 88, 0.02),
            (slate, 668, 266, 112, 82, -0.03), (red, 842, 262, 126, 84, 0.04), (ochre, 1010, 256, 108, 76, 0.0),
            (red, 1398, 262, 140, 84, -0.03), (slate, 1588, 266, 116, 84, 0.03), (red, 1772, 262, 128, 80, 0.0),
            (ochre, 1960, 262, 132, 84, 0.02),
            (slate, 300, 1150, 120, 86, 0.3), (red, 860, 1140, 120, 84, -0.2), (red, 1560, 1160, 130, 84, 0.2),
        )
    ):  # fmt: skip
        stand(land, house(seed, tones, w, h), x, y, 34, angle)
    stand(land, lighthouse(), ISLAND[0] + 4, ISLAND[1] - 6, 62)


def _beach(land: Land, rng: np.random.Generator) -> None:
    """Towels and umbrellas."""
    colours = ("#e4503a", "#2f86b8", "#f0b429", "#3a9d78", "#d8527d")
    for k, x in enumerate((80, 168, 262, 352, 634, 716, 800, 880, 962, 1420, 1500, 1590, 1670, 1760, 1850)):
        y = 925 + 26 * np.sin(x / 173 + 0.4) + 13 * np.sin(x / 67) + 38 + 12 * rng.random()
        s = Sheet(14, 8)
        towel = s.box(0, 0, 24, 11, 1)
        s.fill(towel, rgb(colours[(k + 2) % 5]))
        s.shade(((s.x % 6) < 2).astype(np.float32) * towel, 1.35)
        stand(land, s.sprite(), x + 20, y + 8, 1, rng.uniform(-0.6, 0.6), tall=False)
        stand(land, umbrella(colours[k % 5]), x, y, 17, rng.uniform(0, 1))


def _trees(land: Land, rng: np.random.Generator) -> None:
    """Along the promenade, on the island and in the park in the south; kept off the bridge."""
    kinds = [tree(11 + k, tones) for k, tones in enumerate((*GREENS, GREENS[0], BLOSSOM, AUTUMN))]
    spots = [(x + rng.uniform(-8, 8), 306 + rng.uniform(-14, 8), 0.62 + 0.2 * rng.random())
             for x in (8, 172, 348, 566, 584, 752, 934, 1092, 1288, 1310, 1490, 1676, 1862, 2060)]  # fmt: skip
    spots += [(x + rng.uniform(-30, 30), 1040 + rng.uniform(-16, 50), 0.8 + 0.5 * rng.random())
              for x in range(20, 2280, 74)]  # fmt: skip
    spots += [(x + rng.uniform(-30, 30), 1140 + rng.uniform(-20, 60), 0.8 + 0.5 * rng.random())
              for x in range(40, 2280, 90)]  # fmt: skip
    spots += [(x + rng.uniform(-30, 30), 190 + rng.uniform(-60, 20), 0.8 + 0.4 * rng.random())
              for x in range(20, 2280, 64)]  # fmt: skip
    island = [(-40, 30), (-48, -8), (44, 34), (10, 52), (40, -40)]
    spots += [(ISLAND[0] + x, ISLAND[1] + y, 0.5 + 0.2 * rng.random()) for x, y in island]
    for x, y, size in spots:
        if abs(x - BRIDGE_X - BRIDGE_TILT * y) < BRIDGE_HALF + 46:
            continue
        kind = kinds[int(rng.choice(6, p=(0.26, 0.22, 0.2, 0.14, 0.1, 0.08)))]
        stand(land, kind, x, y, 24 * size, rng.uniform(-0.3, 0.3), size)
