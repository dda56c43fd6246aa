"""The official GOT-10k toolkit reads what SiamLabel writes: GOT-10k, LaSOT, TrackingNet and UAV123.

Not part of the test run, because the toolkit is not maintained. By hand, in SiamLabel's environment:

    pip download got10k==0.1.3 --no-deps --no-binary :all: -d /tmp/got
    tar xzf /tmp/got/got10k-0.1.3.tar.gz -C /tmp/got
    pip install --target /tmp/got/six six
    PYTHONPATH=.:tests/unit:/tmp/got/six python tests/reference/got10k_toolkit.py /tmp/got/got10k-0.1.3/got10k

It prints a line for each set and ends with an error when the toolkit finds something else than was meant.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from format_documents import small

from app.formats import get, run_export
from app.formats.single import SingleParams
from app.media import open_media
from app.model.document import Document


def toolkit(package: Path, module: str, name: str) -> Any:
    """A class of the toolkit, without the imports of its packages (some are gone with NumPy 2)."""
    for where, path in (("got10k", package), ("got10k.datasets", package / "datasets")):
        empty = types.ModuleType(where)
        empty.__path__ = [str(path)]
        sys.modules[where] = empty
    return getattr(importlib.import_module(f"got10k.datasets.{module}"), name)


def exported(name: str, folder: Path, out: Path) -> tuple[Document, list[np.ndarray]]:
    """`small` written with pictures; what was kept, and its rows as the set numbers pixels."""
    pictures = folder / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        for number in range(6):
            cv2.imwrite(str(pictures / f"{number}.png"), np.full((10, 20, 3), 20 * number, np.uint8))
    params = SingleParams(with_frames=True)
    run_export(small(), pictures, name, out, params, open_frames=open_media)
    known: Any = get(name)
    kept = known.keep(small(), params)
    rows = []
    for track in kept.tracks.values():
        boxes = [track.frames[f].box if f in track.frames else None for f in range(6)]
        empty = (np.nan,) * 4 if name == "uav123" else (0, 0, 0, 0)
        shift = (known.origin, known.origin, 0, 0)
        rows.append(np.array([empty if box is None else np.add(box, shift) for box in boxes]))
    return kept, rows


def same(name: str, found: list[tuple[Any, ...]], rows: list[np.ndarray]) -> None:
    assert len(found) == len(rows)
    for (files, boxes, *_), meant in zip(found, rows, strict=True):
        assert len(files) == 6, files
        assert all(Path(file).is_file() for file in files)
        np.testing.assert_allclose(boxes, meant, atol=0.0006)
    print(f"{name}: {len(rows)} sequences read as they were meant")


def main(package: Path) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)

        _, rows = exported("got10k", folder, folder / "got" / "val")
        got = toolkit(package, "got10k", "GOT10k")(str(folder / "got"), "val", return_meta=True)
        same("GOT-10k", [got[index] for index in range(len(got))], rows)
        meta = got[0][2]
        assert meta["object_class"] == "car"
        assert meta["resolution"] == "(20, 10)"
        assert meta["absence"].tolist() == [0, 0, 0, 1, 1, 0]
        assert meta["cover"].tolist() == [8, 8, 4, 0, 0, 0]

        _, rows = exported("lasot", folder, folder / "lasot")
        kind = toolkit(package, "lasot", "LaSOT")
        lasot = kind.__new__(kind)  # its __init__ fails on any folder: _check_integrity takes one argument less
        lasot.seq_names = ["car-3", "person-7"]
        lasot.anno_files = [str(folder / "lasot" / n[: n.rfind("-")] / n / "groundtruth.txt") for n in lasot.seq_names]
        lasot.seq_dirs = [str(Path(file).parent / "img") for file in lasot.anno_files]
        lasot.return_meta = True
        same("LaSOT", [lasot[index] for index in range(2)], rows)
        assert lasot[0][2]["full_occlusion"].tolist() == [0, 0, 0, 1, 0, 0]
        assert lasot[0][2]["out_of_view"].tolist() == [0, 0, 0, 0, 1, 0]

        _, rows = exported("trackingnet", folder, folder / "net" / "TEST")
        kind = toolkit(package, "trackingnet", "TrackingNet")
        net = kind(str(folder / "net"), "test")
        assert net.seq_names == ["clip_one-3", "clip_one-7"]
        found = [(sorted((folder / "net" / "TEST" / "frames" / n).iterdir()), np.loadtxt(f, delimiter=","))
                 for n, f in zip(net.seq_names, net.anno_files, strict=True)]  # fmt: skip
        same("TrackingNet", found, rows)  # its own __getitem__ looks for pictures outside frames/

        _, rows = exported("uav123", folder, folder / "uav")
        kind = toolkit(package, "uav123", "UAV123")
        uav = kind.__new__(kind)
        uav.version, uav.seq_names = "UAV123", ["clip_one-3", "clip_one-7"]
        uav.seq_metas = {"UAV123": {name: {"start_frame": 1, "end_frame": 6} for name in uav.seq_names}}
        uav.anno_files = [str(folder / "uav" / "anno" / "UAV123" / f"{name}.txt") for name in uav.seq_names]
        uav.seq_dirs = [str(folder / "uav" / "data_seq" / "UAV123" / name) for name in uav.seq_names]
        same("UAV123", [uav[index] for index in range(2)], rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
