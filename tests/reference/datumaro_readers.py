"""Datumaro, which CVAT reads and writes formats with, reads what SiamLabel writes: CVAT, COCO, YOLO, Pascal VOC.

Not part of the test run, because datumaro is heavy; it lives in an environment of its own:

    python -m venv /tmp/datumaro && /tmp/datumaro/bin/pip install datumaro==1.13.12
    PYTHONPATH=.:tests/unit python tests/reference/datumaro_readers.py /tmp/datumaro/bin/python

It prints a line for each format and ends with an error when datumaro finds something else than was meant.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from format_documents import small

from app.formats import get, run_export
from app.formats.coco import CocoParams
from app.formats.cvat import CvatParams
from app.formats.outline import filled, outline
from app.formats.voc import VocParams
from app.formats.yolo import YoloParams
from app.media import open_media
from app.model.document import Document
from app.model.tracks import State

READ = """
import json, logging, sys
logging.disable()
from datumaro import Dataset
from datumaro.components.annotation import AnnotationType as Kind
data = Dataset.import_from(sys.argv[2], sys.argv[1])
names = [label.name for label in data.categories()[Kind.label].items]
out = []
for item in data:
    for a in item.annotations:
        points = [float(v) for v in getattr(a, "points", [])]
        out.append({"item": item.id, "type": a.type.name, "label": names[a.label], "points": points,
                    "attributes": {k: v for k, v in a.attributes.items() if isinstance(v, (str, bool, int, float))}})
print(json.dumps(out))
"""


def read_by_datumaro(python: str, kind: str, path: Path) -> list[dict[str, Any]]:
    done = subprocess.run([python, "-c", READ, kind, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"datumaro refused {kind}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def frame_of(item: str) -> int:
    return int(item.rpartition("_")[2])


def document() -> Document:
    """`small`, bent into what all three formats hold."""
    doc = small()
    doc.tracks[3].attributes = {"brand": "x & y"}
    doc.tracks[3].frames[2] = (
        doc.tracks[3]
        .frames[2]
        .__class__(doc.tracks[3].frames[2].box, state=State.OCCLUDED, attributes={"pose": "<up>"})
    )
    return doc


def cvat(python: str, folder: Path, _: Path) -> int:
    """Every keyframe of every track: corners or outline, label, track, outside, occluded and attributes.

    Not ``masks=masks``: datumaro 1.13 reads ``<mask>`` of images alone and breaks off at one of a video.
    """
    doc = document()
    checked = 0
    for masks in ("none", "polygons"):
        params = CvatParams(keyframes="every_frame", masks=masks)
        out = folder / f"cvat_{masks}" / "annotations.xml"
        run_export(doc, None, "cvat", out, params)
        kept = get("cvat").keep(doc, params)
        found = read_by_datumaro(python, "cvat", out.parent)
        inside = {}
        for one in found:
            if not one["attributes"]["outside"]:
                inside[int(one["attributes"]["track_id"]), frame_of(one["item"])] = one
        meant = {(t.id, f): (t, obs) for t in kept.tracks.values() for f, obs in t.frames.items() if obs.present}
        assert inside.keys() == meant.keys(), (inside.keys(), meant.keys())
        for key, (track, obs) in meant.items():
            one, box = inside[key], obs.box
            assert box is not None
            ring = outline(obs.mask) if obs.mask is not None else None
            points = np.array(one["points"]).reshape(-1, 2)
            if ring is not None:
                assert one["type"] == "polygon", one
                assert np.allclose(points, ring), (points, ring)
            low, high = points.min(axis=0), points.max(axis=0)
            assert np.allclose([*low, *high], [box.x, box.y, box.x2, box.y2], atol=0.01), (one, box)
            assert one["label"] == track.label
            assert bool(one["attributes"]["occluded"]) == (obs.state is State.OCCLUDED)
            told = {name: one["attributes"][name] for name in ("brand", "pose") if name in one["attributes"]}
            assert told == {**track.attributes, **obs.attributes}, told
            checked += 1
        away = [one for one in found if one["attributes"]["outside"]]
        assert away, "no outside shape ends a track"
    return checked


def coco(python: str, folder: Path, _: Path) -> int:
    """Every mask as polygons, filled again; every box without one; label, track and occluded."""
    doc, root = document(), folder / "coco"
    (root / "annotations").mkdir(parents=True)
    (root / "images").mkdir()
    params = CocoParams(encoding="polygons")
    run_export(doc, None, "coco", folder / "coco.json", params)
    copy(folder / "coco.json", root / "annotations" / "instances_train.json")  # datumaro would read the report, too
    kept = get("coco").keep(doc, params)
    meant = {(t.id, f): (t, obs) for t in kept.tracks.values() for f, obs in t.frames.items() if obs.present}
    there: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for one in read_by_datumaro(python, "coco_instances", root):
        frame = int(one["item"].rpartition("/")[2])
        there.setdefault((int(one["attributes"]["track_id"]), frame), []).append(one)
    assert there.keys() == meant.keys(), (there.keys(), meant.keys())
    for key, (track, obs) in meant.items():
        found, box = there[key], obs.box
        assert box is not None
        boxes, rings = (
            [np.array(one["points"]).reshape(-1, 2) for one in found if one["type"] == kind]
            for kind in ("bbox", "polygon")
        )
        assert len(boxes) == 1, found
        assert np.allclose(boxes[0], [(box.x, box.y), (box.x2, box.y2)], atol=0.01), (found, box)
        assert (filled(rings, 10, 20) if rings else None) == obs.mask, (rings, obs.mask)
        for one in found:
            assert one["label"] == track.label
            assert one["attributes"]["occluded"] == (obs.state is State.OCCLUDED)
    return len(meant)


def yolo(python: str, folder: Path, pictures: Path) -> int:
    """Every row of every labelled frame: box and class."""
    doc, out = document(), folder / "yolo"
    params = YoloParams(with_frames=True)
    run_export(doc, pictures, "yolo", out, params, open_frames=open_media)
    kept = get("yolo").keep(doc, params)
    return compared(kept, read_by_datumaro(python, "yolo", out), tracks=False)


def voc(python: str, folder: Path, pictures: Path) -> int:
    """Every object of every labelled frame: box (which datumaro leaves counted from 1), class, track, occluded."""
    doc, out = document(), folder / "voc"
    params = VocParams(with_frames=True)
    run_export(doc, pictures, "voc", out, params, open_frames=open_media)
    kept = get("voc").keep(doc, params)
    found = read_by_datumaro(python, "voc_detection", out)
    for one in found:
        one["points"] = [one["points"][0] - 1, one["points"][1] - 1, *one["points"][2:]]
    return compared(kept, found, tracks=True)


def compared(kept: Document, found: list[dict[str, Any]], *, tracks: bool) -> int:
    meant = sorted(
        (f, t.label, *(round(v, 2) for v in (o.box.x, o.box.y, o.box.x2, o.box.y2)))
        for t in kept.tracks.values()
        for f, o in t.frames.items()
        if o.box is not None
    )
    boxes = [one for one in found if one["type"] == "bbox"]
    there = sorted((frame_of(one["item"]), one["label"], *(round(v, 2) for v in one["points"])) for one in boxes)
    assert len(meant) == len(there), (meant, there)
    for a, b in zip(meant, there, strict=True):
        assert a[:2] == b[:2], (a, b)
        assert np.allclose(a[2:], b[2:], atol=0.011), (a, b)
    if tracks:
        for one in boxes:
            track = kept.tracks[int(one["attributes"]["track_id"])]
            obs = track.frames[frame_of(one["item"])]
            assert track.label == one["label"]
            assert bool(one["attributes"]["occluded"]) == (obs.state is State.OCCLUDED)
    return len(there)


def main() -> None:
    python = sys.argv[1]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = folder / "clip"
        pictures.mkdir()
        for number in range(6):
            cv2.imwrite(str(pictures / f"f_{number:06d}.png"), np.full((10, 20, 3), 20 * number, np.uint8))
        for check in (cvat, coco, yolo, voc):
            print(f"{check.__name__}: datumaro agrees on {check(python, folder, pictures)} regions", flush=True)


if __name__ == "__main__":
    main()
