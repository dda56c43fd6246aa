"""Every kind of file that is no published checkpoint: one clear error with file and remedy, and no code is run."""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tracker.api import TrackerError
from tracker.importing import files

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.num_batches_tracked": torch.tensor(3)}
MAGIC = 0x1950A86A20F9469CFC6C


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == STATE.keys() and all(torch.equal(found[name], tensor) for name, tensor in STATE.items())


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ["model.pth", "model", "checkpoint.pth.tar", "ünïcode name.model"])
def test_both_formats_of_pytorch_are_read(new: bool, name: str, tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / name, _use_new_zipfile_serialization=new)
    assert same(files.read(tmp_path / name).tensors)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_what_training_scripts_keep_beside_the_weights_is_harmless(new: bool, tmp_path: Path) -> None:
    kept = {
        "epoch": 20,
        "arch": "Custom",
        "best_acc": np.float64(0.5),
        "losses": np.arange(3.0, dtype=np.float32),
        "lr": np.float32(0.1),
        "count": np.int64(3),
        "good": np.bool_(True),
        "anchor_cfg": {"stride": 8, "ratios": [0.33, 0.5]},
        "args": argparse.Namespace(lr=0.1, gpus=[0, 1]),
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99)}]},
        "state_dict": OrderedDict(
            (name, nn.Parameter(t, requires_grad=t.is_floating_point())) for name, t in STATE.items()
        ),
    }
    torch.save(kept, tmp_path / "checkpoint.pth", _use_new_zipfile_serialization=new)
    assert same(files.read(tmp_path / "checkpoint.pth").tensors)


def test_numpys_old_place_is_known(tmp_path: Path) -> None:
    """Files of before numpy 2 name numpy.core.multiarray."""
    buffer = io.BytesIO()
    torch.save({"best": np.float64(0.5), "state_dict": STATE}, buffer, _use_new_zipfile_serialization=False)
    (tmp_path / "old.pth").write_bytes(buffer.getvalue().replace(b"numpy._core.multi", b"numpy.core.multi"))
    assert same(files.read(tmp_path / "old.pth").tensors)


class Bomb:
    """Makes a file when unpickled."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


class Network(nn.Module):
    """A model saved whole: its class would have to be imported."""


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("call", [os.system, eval, exec, os.mkdir, pickle.loads, np.load, torch.load, nn.Module])
def test_no_code_of_a_pickle_runs(call: Callable[..., Any], new: bool, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = tmp_path / "hostile.pth"
    victim = tmp_path / "made"
    argument = (
        str(victim) if call is os.mkdir else f"touch {victim}" if call is os.system else f"open({str(victim)!r}, 'w')"
    )
    torch.save({"state_dict": {**STATE, "b": Bomb(call, argument)}}, hostile, _use_new_zipfile_serialization=new)
    with pytest.raises(TrackerError, match=r"hostile\.pth wants to run code \(\S+\) and was not loaded\. Get a file"):
        files.read(hostile)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.pth"]


def test_a_whole_model_is_refused_with_its_class(tmp_path: Path) -> None:
    torch.save(Network(), tmp_path / "model.pth")
    with pytest.raises(TrackerError, match=r"run code \(test_import_weights_files\.Network\)"):
        files.read(tmp_path / "model.pth")


def legacy(*parts: Any) -> bytes:
    head = (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
    return b"".join(pickle.dumps(part, 2) for part in (*head, *parts))


def zipped(path: Path, *, pack: int = zipfile.ZIP_STORED, **entries: bytes) -> None:
    with zipfile.ZipFile(path, "w", pack) as archive:
        for name, content in entries.items():
            archive.writestr(f"archive/{name.replace('_pkl', '.pkl')}", content)


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "storages")


def torch_bytes(**options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.rand(64, 64)}}, buffer, **options)
    return buffer.getvalue()


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


ZIP = torch_bytes()
LEGACY = torch_bytes(_use_new_zipfile_serialization=False)
BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: None, r"is not there\. Check the name"),
    "folder": (lambda path: path.mkdir(), r"is a folder\. Name the file"),
    "empty": (lambda path: path.touch(), r"is empty\. Download"),
    "truncated zip": (lambda path: path.write_bytes(ZIP[: len(ZIP) // 2]), r"is cut short or damaged .*\. Download"),
    "zip without its end": (lambda path: path.write_bytes(ZIP[:-1]), r"is cut short or damaged"),
    "head of a zip": (lambda path: path.write_bytes(ZIP[:40]), r"is cut short or damaged"),
    "damaged zip": (lambda path: path.write_bytes(flipped(ZIP, len(ZIP) // 2)), r"fails its checksum\. Download"),
    "truncated legacy": (
        lambda path: path.write_bytes(LEGACY[: len(LEGACY) // 2]),
        r"is cut short or damaged .*\. Download",
    ),
    "head of a legacy": (lambda path: path.write_bytes(LEGACY[:40]), r"is cut short or damaged"),
    "damaged legacy": (lambda path: path.write_bytes(flipped(LEGACY, 170)), r"is (cut short or )?damaged"),
    "other pickle": (lambda path: path.write_bytes(pickle.dumps(STATE.keys().__len__())), r"is a Python pickle"),
    "hostile pickle": (lambda path: path.write_bytes(pickle.dumps(Bomb(os.system, "true"))), r"is a Python pickle"),
    "deep pickle": (
        lambda path: path.write_bytes(legacy() + b"\x80\x02" + b"(" * 100_000 + b"]" * 100_000 + b"."),
        r"is cut short or damaged|is damaged",
    ),
    "unknown opcode": (
        lambda path: path.write_bytes(legacy() + b"\x80\x02\xff."),
        r"is damaged or no plain state_dict",
    ),
    "text": (lambda path: path.write_text("epoch 3: loss 0.4\n" * 100), r"is text, not weights\. Download"),
    "json": (lambda path: path.write_text(json.dumps({"error": "quota"})), r"is text, not weights"),
    "web page": (
        lambda path: path.write_text("\n<!DOCTYPE html><html>Quota exceeded</html>"),
        r"is a web page.*browser",
    ),
    "lfs pointer": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), r"git lfs pull"),
    "gzip": (lambda path: path.write_bytes(b"\x1f\x8b\x08" + bytes(100)), r"is a gzip archive\. Unpack"),
    "tar": (tar, r"is a tar archive\. Unpack"),
    "noise": (lambda path: path.write_bytes(bytes(range(256)) * 8), r"is neither a file of PyTorch nor safetensors"),
    "other zip": (lambda path: zipped(path, readme=b"hello"), r"is an archive without weights\. Unpack"),
    "script": (
        lambda path: zipped(path, data_pkl=b".", constants_pkl=b"."),
        r"is a TorchScript program\. Save the state",
    ),
    "zip bomb": (
        lambda path: zipped(path, pack=zipfile.ZIP_DEFLATED, data_pkl=bytes(50_000_000)),
        r"is a packed archive \(50 MB in 0 MB\).*Unpack",
    ),
    "no tensors": (
        lambda path: torch.save({"epoch": 3, "best": 0.5}, path),
        r"no named tensors \(a dict with epoch, best\)",
    ),
    "one tensor": (lambda path: torch.save(torch.rand(3), path), r"no named tensors \(a Tensor\)"),
    "list": (lambda path: torch.save([torch.rand(3)], path), r"no named tensors \(a list\)"),
    "sparse": (lambda path: torch.save({"a": torch.eye(3).to_sparse()}, path), r"a is not an ordinary tensor"),
    "complex": (lambda path: torch.save({"a": torch.zeros(3, dtype=torch.complex64)}, path), r"a is not an ordinary"),
    "meta": (lambda path: torch.save({"a": torch.zeros(3, device="meta")}, path), r"a is not an ordinary tensor"),
    "long header": (
        lambda path: path.write_bytes(struct.pack("<Q", 2**39) + b"{" + bytes(64)),
        r"cannot read the weights .*header too large.*Restore",
    ),
    "longest header": (
        lambda path: path.write_bytes(struct.pack("<Q", 2**62) + b"{" + bytes(64)),
        r"is neither a file",
    ),
    "header cut short": (
        lambda path: path.write_bytes(struct.pack("<Q", 500) + b'{"a": {'),
        r"cannot read the weights .*Restore",
    ),
    "header without data": (
        lambda path: path.write_bytes(header({"a": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}})),
        r"cannot read the weights .*Restore",
    ),
    "shape beyond data": (
        lambda path: path.write_bytes(
            header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}}) + bytes(4)
        ),
        r"cannot read the weights .*Restore",
    ),
}


def header(tensors: dict[str, Any]) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_told_by_its_name_and_with_a_remedy(kind: str, tmp_path: Path) -> None:
    make, words = BAD[kind]
    path = tmp_path / "weights.pth"
    make(path)
    with pytest.raises(TrackerError, match=words) as caught:
        files.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_storage_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    """The shape would otherwise reach into the memory behind it."""
    with zipfile.ZipFile(io.BytesIO(ZIP)) as archive, zipfile.ZipFile(tmp_path / "short.pth", "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            out.writestr(name, content[:16] if name.endswith("data/0") else content)
    with pytest.raises(TrackerError, match=r"cut short or damaged"):
        files.read(tmp_path / "short.pth")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TrackerError, match="is not there"):
        files.read(tmp_path / "pipe")


def test_wrappers_that_hold_themselves_end(tmp_path: Path) -> None:
    loop: dict[str, Any] = {"epoch": 1}
    loop["state_dict"] = loop
    torch.save(loop, tmp_path / "loop.pth")
    with pytest.raises(TrackerError, match="no named tensors"):
        files.read(tmp_path / "loop.pth")
