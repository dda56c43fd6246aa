"""Tensors out of files that others wrote, without ever running what such a file says.

PyTorch's files are pickles, and a pickle is a program. Only `torch.load(weights_only=True)` reads them, with a short
list of further types that checkpoints of the field carry beside their weights (`HARMLESS`). What is not a weights file
is told apart by its first bytes, so that a web page saved under the name of a checkpoint is called that.
"""

from __future__ import annotations

import argparse
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.serialization import safe_globals

from tracker import checkpoint
from tracker.api import TrackerError

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts keep the weights, beside the epoch, the optimizer and so on."""
_DEPTH = 4
_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_AGAIN = "Download or copy it again."
_scalar: Any = np.float64(0).__reduce__()[0]
_reconstruct: Any = np.empty(0).__reduce__()[0]

HARMLESS: list[Any] = [
    # numpy moved these from numpy.core to numpy._core; a file names the place of its time
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((_reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("bool", "int32", "int64", "float32", "float64")),
    argparse.Namespace,
]
"""Beside PyTorch's own list: scalars and arrays of numpy (best scores) and a parsed command line. None runs code."""


class Found(NamedTuple):
    """``tensors`` by the names that the file uses; ``metadata`` of a safetensors file, else empty."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read(path: Path) -> Found:
    """The weights in a file of PyTorch (zip, or as before 1.6) or safetensors.

    Raises `TrackerError` naming the file and the remedy when it is anything else, is damaged, or would run code.
    """
    try:
        if path.is_dir():
            raise TrackerError(f"{path} is a folder. Name the file of weights in it.")
        if not path.is_file():
            raise TrackerError(f"{path} is not there. Check the name.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
        if not head:
            raise TrackerError(f"{path} is empty. {_AGAIN}")
        if head.startswith(b"PK"):
            _check_zip(path, size)
            return Found(_state(_unpickle(path), path), {})
        if head.startswith(_LEGACY_MAGIC):
            return Found(_state(_unpickle(path), path), {})
        if _is_safetensors(head):
            tensors = checkpoint.tensors(path)  # first: its parser of the header is the sterner one
            return Found(_state(tensors, path), checkpoint.metadata(path))
    except OSError as error:
        raise TrackerError(f"{path} cannot be read: {error}") from error
    raise TrackerError(f"{path} {_what_else(head)}")


def _is_safetensors(head: bytes) -> bool:
    """A length, then JSON. Text could look so too, but its first letters are a length beyond reason."""
    return head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < 2**40


def _what_else(head: bytes) -> str:
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            return f"is a {name} archive. Unpack it and name the file of weights in it."
    if head[257:262] == b"ustar":
        return (
            "is a tar archive. Unpack it and name the file of weights in it; if PyTorch itself wrote it (before 2017), "
            "load and save it with a newer one."
        )
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file itself. Run git lfs pull."
    if head.startswith(b"\x80"):
        return (
            "is a Python pickle that PyTorch did not write; reading it could run code. Load it in the program that "
            "wrote it and save its state_dict with torch.save."
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is a web page, not weights: the download led to a page that asks something. Open the link in a browser."
    try:
        head[: head.rfind(b" ") + 1 or None].decode("utf-8")
        if b"\0" not in head:
            return f"is text, not weights. {_AGAIN}"
    except UnicodeDecodeError:
        pass
    return "is neither a file of PyTorch nor safetensors. Give the weights as .pth, .pt, .model or .safetensors."


def _check_zip(path: Path, size: int) -> None:
    """Refuse damaged archives and those that would unpack to more than they are. PyTorch stores without packing."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(entry.flag_bits & 1 for entry in entries):
                raise TrackerError(f"{path} is an encrypted archive. Unpack it and name the file of weights in it.")
            declared = sum(entry.file_size for entry in entries)
            if declared > size or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise TrackerError(
                    f"{path} is a packed archive ({declared / 1e6:.0f} MB in {size / 1e6:.0f} MB), which PyTorch never "
                    "writes. Unpack it and name the file of weights in it."
                )
            inside = {entry.filename.rpartition("/")[2] for entry in entries}
            if "constants.pkl" in inside:
                raise TrackerError(f"{path} is a TorchScript program. Save the state_dict of the model instead.")
            if "data.pkl" not in inside:
                raise TrackerError(f"{path} is an archive without weights. Unpack it and name the file in it.")
            if broken := archive.testzip():
                raise TrackerError(f"{path} is damaged: {broken} fails its checksum. {_AGAIN}")
    except (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error, ValueError) as error:
        raise TrackerError(f"{path} is cut short or damaged ({error}). {_AGAIN}") from error


def _unpickle(path: Path) -> Any:
    try:
        with safe_globals(HARMLESS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats; the user cannot do anything about them
            return torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except UnpicklingError as error:
        if named := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise TrackerError(
                f"{path} wants to run code ({named[1]}) and was not loaded. Get a file that holds a plain state_dict, "
                "or save one in the program that wrote this."
            ) from error
        raise TrackerError(f"{path} is damaged or no plain state_dict; nothing of it was loaded. {_AGAIN}") from error
    except Exception as error:  # torch.load meets hostile bytes here: any kind of error can come out of them
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrackerError(f"{path} is cut short or damaged ({words}). {_AGAIN}") from error


def _state(found: Any, path: Path) -> dict[str, Tensor]:
    """The named tensors in what a file holds, wrappers opened. Raises `TrackerError` when there are none."""
    for _ in range(_DEPTH):
        inner = (found.get(key) for key in WRAPPERS) if isinstance(found, Mapping) else ()
        found = next((value for value in inner if isinstance(value, Mapping)), found)
    tensors = {
        name: value.detach()
        for name, value in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not tensors:
        kind = type(found).__name__
        keys = ", ".join(map(str, list(found)[:5])) if isinstance(found, Mapping) else ""
        raise TrackerError(
            f"{path} holds no named tensors (a {kind}{f' with {keys}' if keys else ''}). Give the file that holds the "
            "state_dict of the network."
        )
    for name, tensor in tensors.items():
        ordinary = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_nested
        if not ordinary or tensor.is_quantized or tensor.is_complex():
            raise TrackerError(f"{path}: {name} is not an ordinary tensor. Save the network as plain float32.")
    return tensors
