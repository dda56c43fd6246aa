"""Tiny clips with ground truth: a textured object gliding over a smooth background."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

HEIGHT, WIDTH = 96, 128
OBJECT_W, OBJECT_H = 24, 20


def picture(left: int, top: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    image[:, :, 0] += np.linspace(0, 60, WIDTH, dtype=np.uint8)
    texture = rng.integers(0, 255, (5, 6, 3), dtype=np.uint8)
    image[top : top + OBJECT_H, left : left + OBJECT_W] = cv2.resize(
        texture, (OBJECT_W, OBJECT_H), interpolation=cv2.INTER_NEAREST
    )
    return image


def box_at(frame: int) -> tuple[int, int, int, int]:
    return 20 + 2 * frame, 40 - frame, OBJECT_W, OBJECT_H


def make_clip(folder: Path, frames: int = 10, absent: tuple[int, ...] = (), masks: bool = False) -> Path:
    """Write a clip folder of ``frames`` frames; ground truth is nan in the ``absent`` ones. Returns the folder."""
    folder.mkdir(parents=True)
    lines = []
    with av.open(str(folder / "video.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(frames):
            left, top, w, h = box_at(frame)
            picture_ = av.VideoFrame.from_ndarray(picture(left, top), format="bgr24")
            container.mux(stream.encode(picture_))
            lines.append("nan,nan,nan,nan" if frame in absent else f"{left},{top},{w},{h}")
        container.mux(stream.encode())
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    if masks:
        (folder / "masks").mkdir()
        for frame in range(frames):
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            if frame not in absent:
                left, top, w, h = box_at(frame)
                mask[top : top + h, left : left + w] = 255
            cv2.imwrite(str(folder / "masks" / f"{frame:05d}.png"), mask, [cv2.IMWRITE_PNG_BILEVEL, 1])
    return folder
