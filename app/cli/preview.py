"""A video of the result: each frame with the scene's primitives painted in by OpenCV."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
from av.error import FFmpegError

from app import diagnostics
from app.formats import atomic
from app.media import MediaInfo, open_media
from app.model.document import Document
from app.scene import Dash, Label, MaskFill, Missing, Primitive, Rect, scene
from app.session import SessionError
from app.settings import Settings
from tracker.api import Box

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DASH = {Dash.SOLID: (1, 0), Dash.DASHED: (10, 6), Dash.DOTTED: (3, 5)}  # pixels drawn, pixels left out


def write_preview(doc: Document, media: MediaInfo, out: Path, options: Settings) -> Generator[float, None, Path]:
    """Write the labelled part of the video to ``out`` (its suffix names the container; H.264). Yields 0 to 1.

    Reads the video itself, in the thread that walks the generator. Raises `SessionError` when it cannot be written.
    """
    labelled = [frame for track in doc.tracks.values() for frame in track.frames]
    first, last = (min(labelled), max(labelled)) if labelled else (0, 0)
    options = msgspec.structs.replace(options, show_ghost=False, show_labels=True)
    try:
        with atomic.staging(out) as part:
            named = part.with_suffix(out.suffix)  # the container follows from the suffix
            try:
                with open_media(media.path, diagnostics.paths().cache) as reader, av.open(str(named), "w") as container:
                    stream = container.add_stream("libx264", rate=Fraction(media.fps).limit_denominator(1001))
                    stream.width, stream.height = media.width + media.width % 2, media.height + media.height % 2
                    stream.pix_fmt = "yuv420p"
                    stream.options = {"crf": "20", "preset": "veryfast"}
                    for frame in reader.iter(first, last + 1):
                        image = paint(frame.image, scene(doc, frame.index, (), None, options))
                        image = cv2.copyMakeBorder(image, 0, media.height % 2, 0, media.width % 2, cv2.BORDER_REPLICATE)
                        picture = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="bgr24")
                        container.mux(stream.encode(picture))
                        yield (frame.index - first + 1) / (last - first + 1)
                    container.mux(stream.encode(None))
                atomic.put_in_place(named, out)
            finally:
                named.unlink(missing_ok=True)
    except (FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SessionError(
            f"The preview {out} cannot be written ({why}); give a name that ends in .mp4, in a folder with room"
        ) from error
    return out


def paint(image: np.ndarray, primitives: tuple[Primitive, ...]) -> np.ndarray:
    """A copy of ``image`` ((h, w, 3) uint8 BGR) with boxes, mask tints and captions; the rest is for the window."""
    canvas = image.copy()
    thick = max(1, round(min(image.shape[:2]) / 360))
    for shape in primitives:
        match shape:
            case MaskFill():
                _tint(canvas, shape)
            case Rect():
                _outline(canvas, shape.box, bgr(shape.colour), shape.dash, thick)
            case Label():
                _write(canvas, shape.text, (shape.box.x, shape.box.y), bgr(shape.colour), thick)
            case Missing() if shape.box is not None:
                _outline(canvas, shape.box, bgr(shape.colour), Dash.DOTTED, thick)
                _write(canvas, shape.text, (shape.box.x, shape.box.y), bgr(shape.colour), thick)
            case Missing():
                _write(canvas, shape.text, (0, 0), bgr(shape.colour), thick)
            case _:
                pass
    return canvas


def bgr(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as OpenCV takes it."""
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def _tint(canvas: np.ndarray, shape: MaskFill) -> None:
    bits = shape.patch.bits
    part = canvas[shape.patch.y : shape.patch.y + bits.shape[0], shape.patch.x : shape.patch.x + bits.shape[1]]
    mixed = (1 - shape.opacity) * part[bits] + shape.opacity * np.array(bgr(shape.colour))
    part[bits] = mixed.astype(np.uint8)


def _outline(canvas: np.ndarray, box: Box, colour: tuple[int, int, int], dash: Dash, thick: int) -> None:
    corners = [(box.x, box.y), (box.x2, box.y), (box.x2, box.y2), (box.x, box.y2)]
    on, off = _DASH[dash]
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        start, stop = np.array(a), np.array(b)
        length = float(np.abs(stop - start).sum())
        marks = [0.0] if not off else np.arange(0.0, max(length, 1.0), (on + off) * thick).tolist()
        for mark in marks:
            end = length if not off else min(mark + on * thick, length)
            p, q = (start + (stop - start) * (at / max(length, 1e-6)) for at in (mark, end))
            cv2.line(canvas, _pixel(p), _pixel(q), colour, thick, cv2.LINE_AA)


def _write(canvas: np.ndarray, text: str, at: tuple[float, float], colour: tuple[int, int, int], thick: int) -> None:
    """Above the point where there is room, else below; on a dark plate, so that it reads on any picture."""
    text = text.encode("ascii", "replace").decode().replace(" ? ", " - ")  # OpenCV's font knows no more
    scale = 0.45 * thick
    (width, height), base = cv2.getTextSize(text, _FONT, scale, thick)
    x = int(min(max(at[0], 0), max(canvas.shape[1] - width, 0)))
    y = int(at[1]) - base - 2 if at[1] - height - base - 2 > 0 else int(max(at[1], 0)) + height + 4
    cv2.rectangle(canvas, (x, y - height - 2), (x + width, y + base), (24, 24, 24), cv2.FILLED)
    cv2.putText(canvas, text, (x, y), _FONT, scale, colour, thick, cv2.LINE_AA)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
