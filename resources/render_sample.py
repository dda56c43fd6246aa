"""Renders the sample clip: `python resources/render_sample.py --out DIR`.

Writes `video.mp4`, `groundtruth.txt` (the tugboat), `groundtruth_2.txt`, `groundtruth_3.txt` and `masks.json`.
The pictures are the project's own; nothing is read from anywhere. Same seed, same clip (the encoder aside).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import sample_scene as scene
from pycocotools import mask as coco
from sample_harbour import Land, build
from sample_land import LAND_LEFT, LAND_SCALE
from sample_paint import boat, car, gull, lay, noise, over, pixels, shade, soften, step

SEED = 2026
SUBFRAMES = 2
COARSE = 2  # soft things are painted at half size and enlarged
SHRINK = np.array([[1 / COARSE, 0, 0], [0, 1 / COARSE, 0]])
SUN_X, SUN_Y = 0.66, 0.75  # shadows fall this far per unit of height


class Studio:
    """Everything that is painted once, and `picture(frame)`."""

    def __init__(self, seed: int = SEED) -> None:
        rng = np.random.default_rng(seed)
        self.land: Land = build(rng)
        self.boats = [boat(scene.hull(), twin=False), boat(scene.hull(), twin=True)]
        self.boat_shadow = soften(self.boats[0], 2.2)
        self.cars = [car("#e8b23a", "#f0c458"), car("#3f86b5", "#5aa0cc"), car("#f1efe8", "#fffefa")]
        self.ripples = [noise(rng, 512, 11, 3), noise(rng, 512, 13, 3)]
        self.swell = noise(rng, 512, 6, 3)
        bumps = noise(rng, 512, 22, 3)
        slope = np.roll(bumps, (3, 2), (0, 1)) - np.roll(bumps, (-3, -2), (0, 1))
        self.waves = np.clip(0.5 + 1.6 * slope, 0, 1)
        self.clouds = noise(rng, 512, 3, 3)
        self.foam = noise(rng, 512, 40, 3)
        x, y = np.meshgrid(np.linspace(-1, 1, scene.WIDTH), np.linspace(-1, 1, scene.HEIGHT))
        self.vignette = (1 - 0.13 * np.clip(0.75 * x * x + 0.65 * y * y - 0.25, 0, 1) ** 1.2).astype(np.float32)
        self.seed = seed

    def picture(self, frame: int, subframes: int = SUBFRAMES) -> np.ndarray:
        """(HEIGHT, WIDTH, 3) uint8 RGB: the mean over the open shutter, graded, with sensor noise."""
        spread = (np.arange(subframes) + 0.5) / subframes - 0.5
        bird = gull(scene.gull_shape(frame / scene.FPS))
        moments = [self.moment((frame + scene.SHUTTER * s) / scene.FPS, bird) for s in spread]
        mean = np.sum(moments, axis=0, dtype=np.float32) / subframes
        mean = mean * self.vignette[..., None]
        luma = mean @ np.array([0.3, 0.59, 0.11], np.float32)
        mean = luma[..., None] + 1.04 * (mean - luma[..., None])
        mean = np.clip(mean, 0, 1)
        mean = mean + 0.10 * (mean * mean * (3 - 2 * mean) - mean)
        mean = mean * np.array([1.015, 1.0, 0.975], np.float32)
        rng = np.random.default_rng([self.seed, frame])
        mean = mean + 0.006 * rng.standard_normal((*mean.shape[:2], 1), dtype=np.float32)
        return np.clip(mean * 255 + 0.5, 0, 255).astype(np.uint8)

    def moment(self, t: float, bird: np.ndarray) -> np.ndarray:
        """(HEIGHT, WIDTH, 3) float32: the scene at one instant, with the sprite `bird`."""
        view = scene.camera(t)
        ground = self._still(self.land.ground, view)
        image, water = np.ascontiguousarray(ground[..., :3]), ground[..., 3]
        self._play_of_water(image, water, view, t)
        self._wakes(image, water, view, t)
        for sprite, place in ((self.boats[1], scene.twin_frame), (self.boats[0], scene.boat_frame)):
            where = scene.chain(view, place(t))
            shade(image, self.boat_shadow, _shift(where, view, 9), 0.50)
            lay(image, sprite, where)
        dark = self._still(self.land.bridge_shadow, view)
        image *= 1 - dark[..., None] * np.array([0.56, 0.50, 0.42], np.float32)
        deck = scene.camera(t, scene.BRIDGE_RISE)
        over(image, self._still(self.land.bridge, deck))
        for sprite, lane, start, speed in ((self.cars[0], 26, 130, 62), (self.cars[1], -26, 1120, -54),
                                           (self.cars[2], 26, -330, 66)):  # fmt: skip
            along = start + speed * t
            angle = np.arctan2(1, scene.BRIDGE_TILT) + (np.pi if speed < 0 else 0)
            centre = (scene.BRIDGE_X + scene.BRIDGE_TILT * along - lane, along)
            where = scene.chain(deck, np.array([[np.cos(angle), -np.sin(angle), centre[0]],
                                                [np.sin(angle), np.cos(angle), centre[1]]]))  # fmt: skip
            shade(image, soften(sprite, 1.2), _shift(where, deck, 5), 0.42)
            lay(image, sprite, where)
        over(image, self._still(self.land.tall, scene.camera(t, scene.TALL_RISE)))
        flight = scene.gull_frame(t)
        shade(image, soften(bird, 2.4), _shift(scene.chain(view, flight), view, 95), 0.26)
        lay(image, bird, scene.chain(scene.camera(t, scene.GULL_RISE), flight))
        cloud = self._tile(self.clouds, scene.chain(SHRINK, view), 3.4, (26, 9), t, COARSE)
        image *= _enlarge(1.03 - 0.20 * np.clip(1.7 * cloud - 0.75, 0, 1))[..., None]
        return image

    def _still(self, layer: np.ndarray, view: np.ndarray) -> np.ndarray:
        matrix = scene.chain(view, np.array([[1 / LAND_SCALE, 0, LAND_LEFT], [0, 1 / LAND_SCALE, 0]]))
        return cv2.warpAffine(layer, pixels(matrix), (scene.WIDTH, scene.HEIGHT), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)  # fmt: skip

    def _tile(
        self, tile: np.ndarray, view: np.ndarray, size: float, drift: tuple[float, float], t: float, coarse: int = 1
    ) -> np.ndarray:
        """`tile` repeated over the world, `size` units per pixel, drifting by units per second; picture / `coarse`."""
        matrix = scene.chain(view, np.array([[size, 0, drift[0] * t], [0, size, drift[1] * t]]))
        back = cv2.invertAffineTransform(pixels(matrix))
        return cv2.warpAffine(tile, back, (scene.WIDTH // coarse, scene.HEIGHT // coarse), borderMode=cv2.BORDER_WRAP,
                              flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip

    def _play_of_water(self, image: np.ndarray, water: np.ndarray, view: np.ndarray, t: float) -> None:
        """Caustics on the shallows, a slow swell, small waves and glints."""
        half = scene.chain(SHRINK, view)
        a = self._tile(self.ripples[0], half, 0.72, (9, 5), t, COARSE)
        b = self._tile(self.ripples[1], half, 0.80, (-7, 6), t, COARSE)
        web = _enlarge(np.exp(-((a - b) ** 2) / 0.012))
        swell = _enlarge(self._tile(self.swell, half, 1.1, (14, 8), t, COARSE) - 0.5)
        waves = self._tile(self.waves, view, 0.42, (12, 8), t) - 0.5
        ridge = self._tile(self.ripples[0], half, 0.30, (-16, 22), t, COARSE)
        ridge *= self._tile(self.ripples[1], half, 0.34, (19, 15), t, COARSE)
        glint = _enlarge(step(ridge, 0.66, 0.92))
        wet = np.minimum(water / 0.3, 1)
        shallow = np.maximum(water - 0.30, 0) / 0.7
        image *= (1 + wet * (0.13 * swell + 0.16 * waves))[..., None]
        image += (web * (0.15 * shallow + 0.03 * wet))[..., None] * np.array([0.9, 1.0, 0.92], np.float32)
        image += (0.30 * wet * glint)[..., None]

    def _wakes(self, image: np.ndarray, water: np.ndarray, view: np.ndarray, t: float) -> None:
        """Foam behind the boats: two arms and a churned middle each, older foam wider and fainter."""
        half = scene.chain(SHRINK, view)
        zoom = float(np.sqrt(np.linalg.det(half[:, :2])))
        ages = np.linspace(0, 2.6, 40)
        arms, churn = (np.zeros((scene.HEIGHT // COARSE, scene.WIDTH // COARSE), np.uint8) for _ in range(2))
        for place in (scene.twin_frame, scene.boat_frame):
            frames = [scene.chain(half, place(t - age)) for age in ages]
            for side in (-1, 0, 1):
                starts = [(34 - 60 * min(1.0, 4 * age) if side else -46, side * (13 + 17 * age)) for age in ages]
                points = [scene.apply(f, np.array([p]))[0] for f, p in zip(frames, starts, strict=True)]
                for i in range(len(points) - 1, 0, -1):
                    fade = (1 - ages[i] / ages[-1]) ** 1.5
                    a, b = (tuple(int(v) for v in np.round(points[j] * 16 - 8)) for j in (i - 1, i))
                    width = max(1, round(zoom * (3 + 5 * ages[i] if side else 15 + 11 * ages[i])))
                    cv2.line(arms if side else churn, a, b, (int(255 * fade),), width, cv2.LINE_AA, 4)
        speck = self._tile(self.foam, view, 0.5, (0, 0), t)
        soft = _enlarge(cv2.GaussianBlur(arms, (0, 0), 2.0 * zoom).astype(np.float32) / 255)
        stirred = _enlarge(cv2.GaussianBlur(churn, (0, 0), 3.5 * zoom).astype(np.float32) / 255)
        foam = 0.85 * soft * (0.35 + 0.65 * speck) + 0.80 * stirred * np.clip(1.9 * speck - 0.45 + 0.5 * stirred, 0, 1)
        foam = np.clip(foam, 0, 0.9) * np.minimum(water / 0.3, 1)
        image += foam[..., None] * (np.array([0.96, 0.99, 0.98], np.float32) - image)


def _enlarge(small: np.ndarray) -> np.ndarray:
    """A map at 1 / COARSE brought to the size of the picture."""
    return cv2.resize(small, (scene.WIDTH, scene.HEIGHT), interpolation=cv2.INTER_LINEAR)


def _shift(where: np.ndarray, view: np.ndarray, height: float) -> np.ndarray:
    """`where` (local to image) moved to where the shadow of something `height` units up falls."""
    out = where.copy()
    out[:, 2] += view[:, :2] @ (SUN_X * height, SUN_Y * height)
    return out


def write_truth(out: Path) -> None:
    """Writes the boxes (`x,y,w,h`, `nan` when nothing can be seen) and the masks of every object into `out`."""
    objects = []
    for number, thing in enumerate(scene.THINGS, 1):
        truths = [thing.truth(f) for f in range(scene.FRAMES)]
        name = "groundtruth.txt" if number == 1 else f"groundtruth_{number}.txt"
        rows = [",".join("nan" if t.box is None else f"{v:.2f}" for v in (t.box or (0,) * 4)) for t in truths]
        (out / name).write_text("\n".join(rows) + "\n", encoding="ascii")
        masks = [None if t.mask is None else encode_mask(t.mask) for t in truths]
        objects.append({"id": number, "name": thing.name, "label": thing.label, "groundtruth": name,
                        "visible": [round(t.visible, 3) for t in truths], "masks": masks})  # fmt: skip
    head = {"video": "video.mp4", "width": scene.WIDTH, "height": scene.HEIGHT, "fps": scene.FPS,
            "frames": scene.FRAMES}  # fmt: skip
    (out / "masks.json").write_text(json.dumps({**head, "objects": objects}, separators=(",", ":")), encoding="ascii")


def encode_mask(mask: np.ndarray) -> dict[str, object]:
    """COCO compressed RLE of an (h, w) bool mask, JSON-ready."""
    rle = coco.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(v) for v in rle["size"]], "counts": cast(bytes, rle["counts"]).decode("ascii")}


def write_video(path: Path, pictures: Iterator[np.ndarray], crf: int) -> None:
    """Encodes RGB `pictures` as H.264 in mp4, playable while it loads."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=scene.FPS)
        stream.width, stream.height, stream.pix_fmt = scene.WIDTH, scene.HEIGHT, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "slow", "g": "50", "bf": "3", "profile": "high"}
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", src_colorspace="ITU709", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the sample clip and its ground truth.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--crf", type=int, default=27, help="H.264 quality, lower is better and larger")
    parser.add_argument("--truth-only", action="store_true", help="boxes and masks, no video")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    write_truth(args.out)
    if args.truth_only:
        return
    studio = Studio(args.seed)

    def pictures() -> Iterator[np.ndarray]:
        for frame in range(scene.FRAMES):
            yield studio.picture(frame)
            print(f"\rframe {frame + 1} of {scene.FRAMES}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)

    write_video(args.out / "video.mp4", pictures(), args.crf)


if __name__ == "__main__":
    main()
