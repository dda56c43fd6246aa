"""Names and texts on their way into files and out of them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

from app.model.document import VideoRef

_ANY_CLIP = {"img", "img1", "imgs", "images", "color", "frames"}
"""What data sets call the folder of the pictures in each clip's own folder."""


_LABEL_STUDIO = re.compile(r"^[0-9a-f]{8}-(?=.)")
_ROBOFLOW = re.compile(r"_(jpe?g|png|bmp|webp|tiff?)\.rf\.\w+$", re.IGNORECASE)


def plain(text: str) -> str:
    """One line of text that every format can hold: no control characters, lone surrogates or outer spaces."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text.encode("utf-8", "replace").decode()).strip()


def short(text: str, most: int = 500) -> str:
    """``text`` without its middle when it is longer than ``most`` characters: an error may quote what is in a file."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-most // 3 :]}"


def file_name(text: str, otherwise: str = "video") -> str:
    """A name made from ``text``, safe as a file name on every system; ``otherwise`` when nothing of it is left."""
    name = re.sub(r"[^\w.-]+", "_", plain(text)).strip("._-")[:80].rstrip("._-")
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, re.IGNORECASE)
    return f"{otherwise}_{name}" if reserved else name or otherwise


def stem(video: VideoRef) -> str:
    """A name made from the video's, safe as a file name on every system.

    A folder of images that is called as in every data set (``img``, ``color``) gives the name of the folder around it.
    """
    parts = [part for part in re.split(r"[\\/]", video.path) if part]
    name = parts[-1] if parts else ""
    if name.lower() in _ANY_CLIP and len(parts) > 1:
        name = parts[-2]
    return file_name(name.rsplit(".", 1)[0] if "." in name[1:] else name)


def first_stem(name: str) -> str:
    """The name of a picture without its ending, as it was before Label Studio or Roboflow added digits of their own."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return _LABEL_STUDIO.sub("", _ROBOFLOW.sub("", stem))


def colour_or(text: str, otherwise: str) -> str:
    """``text`` if it is ``#rrggbb``, else ``otherwise``."""
    return text if re.fullmatch(r"#[0-9a-fA-F]{6}", text) else otherwise


def leads_away(name: str) -> bool:
    """Whether a file name found in a file is absolute, climbs out of its folder, or is none at all, on any system."""
    for kind in (PurePosixPath, PureWindowsPath):
        pure = kind(name)
        if pure.drive or pure.root or ".." in pure.parts:
            return True
        if any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in pure.parts):
            return True
    return "\0" in name
