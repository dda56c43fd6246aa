"""Raw results on disk as text, so that a long evaluation can be resumed and other tools can read it.

``<root>/<tracker>/<clip>.txt`` holds one ``x,y,w,h`` per frame (the layout of OTB and GOT-10k results, 0-based);
``<clip>.frames.csv`` beside it the confidence, verdict, seconds and mask figures of each frame; ``tracker.json`` says
which tracker, device and weights made them: results of another one are not taken up again but replaced.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tracker import registry
from tracker.data.sequences import SequenceError, read_boxes
from tracker.evaluation.one_pass import ClipRun

COLUMNS = ("score", "verdict", "seconds", "mask_j", "mask_f")
MANIFEST = "tracker.json"


def identity(name: str, device: str, **options: Any) -> dict[str, Any]:
    """What decides a tracker's raw results: its own name, device, hyper-parameters and the SHA-256 of its weights."""
    files = registry.weight_files(name, **options)
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}
    set_to = {key: value for key, value in options.items() if isinstance(value, float)}
    return {"tracker": registry.resolve(name), "device": device, "set": set_to, "weights": hashes}


class RawStore:
    """The raw results of one tracker. ``identity``: see `identity`; results stored under another one are dropped."""

    def __init__(self, root: Path, identity: dict[str, Any]) -> None:
        self.folder = root / identity["tracker"]
        manifest = self.folder / MANIFEST
        if manifest.is_file() and _json(manifest) != identity:
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_lines(manifest, [json.dumps(identity, indent=1)])

    def load(self, clip: str, frames: int) -> ClipRun | None:
        """The stored run of a clip of ``frames`` frames; None when there is none, or none that fits."""
        boxes_file, frames_file = self._files(clip)
        if not (boxes_file.is_file() and frames_file.is_file()):
            return None
        try:
            boxes = read_boxes(boxes_file)
            with frames_file.open(encoding="utf-8", newline="") as file:
                header = file.readline()
                decoded, error = json.loads(header.removeprefix("#"))
                rows = list(csv.DictReader(file))
            if len(boxes) != frames or len(rows) != frames:
                return None
            numbers = {key: np.array([float(row[key]) for row in rows]) for key in COLUMNS if key != "verdict"}
        except (SequenceError, ValueError, KeyError, TypeError):
            return None
        verdicts = [row["verdict"] for row in rows]
        seconds, mask_j, mask_f = (numbers[key] for key in ("seconds", "mask_j", "mask_f"))
        return ClipRun(boxes, numbers["score"], verdicts, seconds, mask_j, mask_f, decoded, error)

    def save(self, clip: str, run: ClipRun) -> None:
        """Store a run; the boxes are written last, so a half-written run is never taken up."""
        boxes_file, frames_file = self._files(clip)
        boxes_file.parent.mkdir(parents=True, exist_ok=True)
        boxes_file.unlink(missing_ok=True)
        lines = [f"#{json.dumps([run.decoded, run.error])}", ",".join(COLUMNS)]
        figures = zip(*(column.tolist() for column in (run.seconds, run.mask_j, run.mask_f)), strict=True)
        columns = zip(run.scores.tolist(), run.verdicts, figures, strict=True)
        lines += [f"{score!r},{verdict},{','.join(map(repr, rest))}" for score, verdict, rest in columns]
        write_lines(frames_file, lines)
        write_lines(boxes_file, (",".join(map(repr, box)) for box in run.boxes.tolist()))

    def _files(self, clip: str) -> tuple[Path, Path]:
        path = self.folder / clip
        return path.with_name(f"{path.name}.txt"), path.with_name(f"{path.name}.frames.csv")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(path)
