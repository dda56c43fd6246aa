"""Raw results on disk as text, so that a long evaluation can be resumed and other tools can read it.

``<root>/<tracker>/<clip>.txt`` holds one ``x,y,w,h`` per frame (the layout of OTB and GOT-10k results, 0-based);
``<clip>.frames.csv`` beside it the confidence, verdict, seconds and mask figures of each frame; ``tracker.json`` says
which tracker, device and weights made them: results of another one are not taken up again but replaced.
``origin.json`` says where the clips lay and which options the tracker was made with, for reports made later.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracker import registry
from tracker.api import TrackerError
from tracker.data.sequences import SequenceError, read_boxes
from tracker.evaluation.one_pass import ClipRun

COLUMNS = ("score", "verdict", "seconds", "mask_j", "mask_f")
MANIFEST, ORIGIN = "tracker.json", "origin.json"


def identity(name: str, device: str, **options: Any) -> dict[str, Any]:
    """What decides a tracker's raw results: its own name, device, hyper-parameters and the SHA-256 of its weights, and
    the engine where one was asked for.
    """
    files = registry.weight_files(name, **options)
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}
    set_to = {key: value for key, value in options.items() if isinstance(value, float)}
    chosen = {"engine": engine} if (engine := options.get("engine", "auto")) != "auto" else {}
    return {"tracker": registry.resolve(name), "device": device, "set": set_to, "weights": hashes, **chosen}


@dataclass(frozen=True)
class Origin:
    """``clips``: folders that the clips were read from; ``options``: those that the tracker was made with."""

    clips: tuple[Path, ...]
    options: dict[str, Any]


class RawStore:
    """The raw results in ``folder``, of one tracker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def claim(cls, root: Path, identity: dict[str, Any]) -> RawStore:
        """A place to write to. ``identity``: see `identity`; results stored under another one are dropped."""
        store = cls(root / identity["tracker"])
        manifest = store.folder / MANIFEST
        if manifest.is_file() and _json(manifest) != identity:
            shutil.rmtree(store.folder)
        store.folder.mkdir(parents=True, exist_ok=True)
        write_lines(manifest, [json.dumps(identity, indent=1)])
        return store

    def note_origin(self, clips: Path, options: Mapping[str, Any]) -> None:
        """Remember where the clips lay, and how the tracker was made."""
        known = self.origin().clips
        places = [str(path) for path in dict.fromkeys((*known, clips.resolve()))]
        kept = {key: str(value.resolve()) if isinstance(value, Path) else value for key, value in options.items()}
        told = {"clips": places, "options": {key: value for key, value in kept.items() if value is not None}}
        write_lines(self.folder / ORIGIN, [json.dumps(told, indent=1)])

    def origin(self) -> Origin:
        """What `note_origin` remembered; empty when nothing legible is there."""
        path = self.folder / ORIGIN
        try:
            told = _json(path) if path.is_file() else {}
            return Origin(tuple(Path(place) for place in told.get("clips", [])), dict(told.get("options", {})))
        except (AttributeError, TypeError, ValueError):
            return Origin((), {})

    def identity(self) -> dict[str, Any]:
        """What `claim` was given. Raises `TrackerError` naming the file when it cannot be read."""
        path = self.folder / MANIFEST
        found = _json(path) if path.is_file() else None
        if not isinstance(found, dict) or not isinstance(found.get("tracker"), str):
            raise TrackerError(f"{path} does not say which tracker made these results; evaluate again with --raw.")
        return found

    def clips(self) -> list[str]:
        """Names of the clips of which there are boxes, in order."""
        files = sorted(self.folder.rglob("*.frames.csv"))
        return [file.relative_to(self.folder).as_posix().removesuffix(".frames.csv") for file in files]

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
    except (ValueError, OSError):
        return None


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(path)
