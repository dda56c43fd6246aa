"""Small videos of every awkward kind, made with PyAV, that carry their frame number in the picture.

A number is ten black or white blocks (two rows of the picture's six), followed by the same ten inverted, so that a
wrong, mixed or half-decoded picture reads as None rather than as some number. Below them noise moves about, so that
encoders have work to do and use their inter-frame tools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

BITS = 10
WIDTH, HEIGHT = 160, 96


def draw(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8 picture that says ``number`` (below 1024)."""
    image = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        x0, x1 = bit * width // BITS, (bit + 1) * width // BITS
        on = 235 if number >> bit & 1 else 20
        image[: height // 3, x0:x1] = on
        image[height // 3 : 2 * height // 3, x0:x1] = 255 - on
    below = image[2 * height // 3 :]
    noise = np.random.default_rng(7).integers(40, 200, below.shape[:2], np.uint8)
    below[:] = np.roll(noise, (number * 3) % width, axis=1)[..., None]
    return image


def read(image: np.ndarray) -> int | None:
    """The number in a picture; None when it is not one clean picture of `draw`."""
    height, width = image.shape[:2]
    number = 0
    for bit in range(BITS):
        x0, x1 = bit * width // BITS, (bit + 1) * width // BITS
        x = slice(x0 + (x1 - x0) // 4, x1 - (x1 - x0) // 4)
        top = image[height // 12 : height // 4, x].mean()
        low = image[5 * height // 12 : 7 * height // 12, x].mean()
        if abs(top - low) < 120:
            return None
        number |= int(top > low) << bit
    return number


@dataclass(frozen=True)
class Clip:
    """One file: the numbers its frames should show in order, and what the reader should say of it."""

    path: Path
    numbers: list[int]
    times: list[float] | None = None
    size: tuple[int, int] = (WIDTH, HEIGHT)
    counted: bool = False
    tail: bool = False  # cut short: `numbers` is what the whole file had


@dataclass(frozen=True)
class Recipe:
    name: str
    frames: int = 120
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (WIDTH, HEIGHT)
    rate: int = 25
    pts: Callable[[int], int] | None = None  # in 1/1000 s
    turn: int = 0  # degrees counter-clockwise that the player shall turn the stored picture
    aspect: Fraction | None = None
    container: dict[str, str] = field(default_factory=dict)
    hide: int = 0  # first frames hidden by an edit list
    counted: bool = False


def x264(gop: int, bframes: int = 0, more: str = "") -> dict[str, str]:
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:b-adapt=0:threads=1"
    return {"preset": "ultrafast", "crf": "23", "x264-params": params + (":" + more if more else "")}


def irregular(i: int) -> int:
    """Milliseconds of frame ``i``: steps of 7 to 96 ms, no two neighbours alike."""
    return sum(7 + (k * 37) % 90 for k in range(i))


RECIPES: tuple[Recipe, ...] = (
    Recipe("cfr.mp4", options=x264(12)),
    Recipe("bframes.mp4", options=x264(24, 3, "b-pyramid=normal:ref=3")),
    Recipe("bframes.mkv", options=x264(24, 3)),
    Recipe("bframes.ts", options=x264(24, 3)),
    Recipe("opengop.mp4", options=x264(20, 3, "open-gop=1:b-pyramid=normal:ref=3")),
    Recipe("opengop.ts", options=x264(20, 3, "open-gop=1")),
    Recipe("refresh.mkv", options=x264(15, 0, "intra-refresh=1")),
    Recipe("shortgop.mp4", frames=60, options=x264(3, 2)),
    Recipe("allkeys.mp4", frames=60, options=x264(1)),
    Recipe("vfr.mp4", options=x264(25, 2), pts=irregular),
    Recipe("vfr.mkv", options=x264(25, 2), pts=irregular),
    Recipe("gop250.mp4", frames=300, options=x264(250, 3)),
    Recipe("offset.mp4", options=x264(20, 2), pts=lambda i: 5000 + 40 * i),
    Recipe("offset.mkv", options=x264(20, 2), pts=lambda i: 61_234 + 40 * i),
    Recipe("editlist.mp4", frames=90, options=x264(30, 2), hide=25),
    Recipe("rotated90.mp4", frames=60, options=x264(20, 2), turn=90),
    Recipe("rotated180.mp4", frames=30, options=x264(20, 2), turn=180),
    Recipe("rotated270.mp4", frames=60, options=x264(20, 2), turn=-90),
    Recipe("odd.mp4", frames=60, options=x264(20, 2), pix_fmt="yuv444p", size=(161, 97)),
    Recipe("oddvp9.webm", frames=40, codec="libvpx-vp9", size=(161, 97),
           options={"cpu-used": "8", "deadline": "realtime", "g": "10"}),
    Recipe("hidden.webm", frames=60, codec="libvpx",
           options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "b": "400k", "g": "15"}),
    Recipe("stretched.mp4", frames=30, options=x264(15), aspect=Fraction(4, 3)),
    Recipe("tenbit.mp4", frames=60, codec="libx265", pix_fmt="yuv420p10le",
           options={"preset": "ultrafast", "x265-params": "keyint=20:bframes=3:log-level=none:pools=1"}),
    Recipe("mpeg4.mp4", frames=60, codec="mpeg4", options={"bf": "2", "g": "20"}),
    Recipe("mpeg4.avi", frames=60, codec="mpeg4", options={"bf": "2", "g": "20"}),
    Recipe("flip.gif", frames=40, codec="gif", pix_fmt="bgr8"),
    Recipe("motion.avi", frames=40, codec="mjpeg", pix_fmt="yuvj420p"),
    Recipe("raw.h264", frames=30, options=x264(12, 2), counted=True),
    Recipe("double.mkv", frames=30, options=x264(12), pts=lambda i: i // 2, counted=True),
    Recipe("one.mp4", frames=1, options=x264(30)),
)  # fmt: skip


def make(recipe: Recipe, folder: Path) -> Clip:
    """Encode one recipe into ``folder``."""
    path = folder / recipe.name
    stored = (recipe.size[1], recipe.size[0]) if recipe.turn % 180 else recipe.size
    tick = Fraction(1, 1000) if recipe.pts else Fraction(1, recipe.rate)
    pts = recipe.pts or (lambda i: i)
    stamps = [pts(i) for i in range(recipe.frames)]
    shift = stamps[recipe.hide] if recipe.hide else 0
    with av.open(str(path), "w", options=recipe.container) as out:
        stream = out.add_stream(recipe.codec, rate=recipe.rate, options=recipe.options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = stored
        stream.pix_fmt = recipe.pix_fmt
        stream.time_base = stream.codec_context.time_base = tick
        if recipe.turn:
            stream.set_display_rotation(recipe.turn)
        if recipe.aspect:
            stream.codec_context.sample_aspect_ratio = recipe.aspect
        for i, stamp in enumerate(stamps):
            upright = draw(i, *recipe.size)
            picture = VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(upright, -recipe.turn // 90)), "bgr24")
            picture.pts, picture.time_base = stamp - shift, tick
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    kept = stamps[recipe.hide :]
    return Clip(
        path=path,
        numbers=list(range(recipe.hide, recipe.frames)),
        times=None if recipe.counted else [float((s - kept[0]) * tick) for s in kept],
        size=recipe.size,
        counted=recipe.counted,
    )


def cut(clip: Clip, share: float) -> Clip:
    """A copy of the clip's file that ends after ``share`` of its bytes."""
    data = clip.path.read_bytes()
    path = clip.path.with_name("cut-" + clip.path.name)
    path.write_bytes(data[: int(len(data) * share)])
    return Clip(path, clip.numbers, clip.times, clip.size, clip.counted, tail=True)


def image_folder(folder: Path, numbers: Sequence[int], suffix: str = ".png") -> Path:
    """Images ``frame<n>``, without leading zeros, so that only natural order is right."""
    import cv2

    folder.mkdir()
    for n in numbers:
        assert cv2.imwrite(str(folder / f"frame{n}{suffix}"), draw(n))
    return folder
