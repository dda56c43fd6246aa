"""The evaluation kits of COCO-VID, YouTube-VIS, TAO and BURST read what SiamLabel writes, and give it full marks.

Not part of the test run, because the kits are heavy. TrackEval lives in an environment of its own; of mmtrack and mmdet
only four files are used, which need no installation (`ytvis.py` and `ytviseval.py` are the youtubevos cocoapi):

    python -m venv /tmp/te && /tmp/te/bin/pip install trackeval==1.3.0
    pip download mmtrack==0.14.0 mmdet==3.3.0 --no-deps -d /tmp/mm
    for wheel in /tmp/mm/*.whl; do unzip -qo $wheel -d /tmp/mm; done
    PYTHONPATH=.:tests/unit python tests/reference/video_readers.py --trackeval /tmp/te/bin/python --mm /tmp/mm

Random documents, and those in FILEs of any format or in projects, are exported and evaluated against themselves, with
every object of every frame as a result: AP and HOTA must be 1 in each class. Boxes without a mask get one, as there is
no mark for them otherwise. Leave an option out to leave its reader out. Prints a line for each reader; the exit status
is 0 when all hold.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Marks = dict[str, list[float]]
"""By reader and mark, one for each document and class."""

KINDS = ("coco_vid", "youtube_vis", "tao", "burst")
TRACKEVAL = "--inside-trackeval"


def main() -> int:
    if sys.argv[1:2] == [TRACKEVAL]:
        print(json.dumps(by_trackeval(Path(sys.argv[2]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="labels to judge beside the random ones")
    parser.add_argument("--count", type=int, default=40, help="random documents")
    parser.add_argument("--trackeval", metavar="PYTHON", help="interpreter that has trackeval")
    parser.add_argument("--mm", type=Path, metavar="FOLDER", help="where mmtrack and mmdet lie unpacked")
    given = parser.parse_args()
    marks: Marks = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, given.count, given.files)
        for folder in sorted(root.iterdir()):
            add(marks, by_coco(folder, given.mm))
            if given.mm:
                add(marks, by_youtube_vos(folder, given.mm))
        if given.trackeval:
            command = [given.trackeval, __file__, TRACKEVAL, str(root)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            add(marks, json.loads(answer.splitlines()[-1]))
    good = True
    for what, found in sorted(marks.items()):
        bad = [mark for mark in found if abs(mark - 1) > 1e-9]
        good &= not bad and len(found) > 0
        print(f"{'ok  ' if not bad else 'FAIL'} {what}: {len(found)} times" + (f", not 1: {bad[:5]}" if bad else ", 1"))
    return 0 if good else 1


def add(marks: Marks, more: Marks) -> None:
    for what, found in more.items():
        marks.setdefault(what, []).extend(found)


# What we write


def write(root: Path, count: int, files: list[str]) -> None:
    """A folder for each document that holds objects, with a file of each kind."""
    from app.formats import run_export
    from app.formats.detect import read

    for number, doc in enumerate([*map(read, files), *(random_documents(count) if count else ())]):
        whole = judged(doc)
        if any(not track.ignored for track in whole.tracks.values()):
            folder = root / f"{number:04d}"
            folder.mkdir()
            for kind in KINDS:
                run_export(whole, None, kind, folder / f"{kind}.json")


def random_documents(count: int) -> list[Any]:
    from format_documents import documents
    from hypothesis import HealthCheck, Phase, given, seed, settings

    out: list[Any] = []

    @seed(7)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(documents())
    def collect(doc: Any) -> None:
        out.append(doc)

    collect()
    return out


def judged(doc: Any) -> Any:
    """``doc`` with a mask wherever there is a box, in quarters of pixels, and without tracks that are never to be seen.

    TrackEval breaks off when a box and its equal overlap by more than their area, by rounding; quarters do not round.
    """
    import msgspec

    from app.formats.selection import Choice, Extra, select
    from app.model.geometry import Box
    from app.model.masks import Mask

    kept = select(doc, Choice(), tuple(Extra)).document
    assert kept.video is not None
    for key, track in list(kept.tracks.items()):
        for frame, obs in track.frames.items():
            if obs.box is None:
                continue
            mask = obs.mask
            if mask is None:
                bits = np.zeros((kept.video.height, kept.video.width), bool)
                x, y, x2, y2 = (int(v) for v in (obs.box.x, obs.box.y, obs.box.x2, obs.box.y2))
                bits[max(y, 0) : max(y2, y + 1, 1), max(x, 0) : max(x2, x + 1, 1)] = True
                mask = Mask.encode(bits)
            x, y, w, h = (round(4 * v) / 4 for v in obs.box)
            track.frames[frame] = msgspec.structs.replace(obs, mask=mask, box=Box(x, y, max(w, 0.25), max(h, 0.25)))
        if not any(obs.present for obs in track.frames.values()):
            del kept.tracks[key]
    kept.comments.clear()
    return kept


# What they find


def by_coco(folder: Path, mm: Path | None) -> Marks:
    """pycocotools, frame by frame; with mmtrack's CocoVID, whose videos, frames and objects must be ours."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from app.formats import get

    out: Marks = {}
    with quiet():
        truth = (COCO if mm is None else mm_class(mm, "CocoVID"))(str(folder / "coco_vid.json"))
        objects = [note for note in truth.dataset["annotations"] if not note["iscrowd"]]
        for kind, key in (("bbox", "bbox"), ("segm", "segmentation")):
            results = [{name: note[name] for name in ("image_id", "category_id", key)} for note in objects]
            judge = COCOeval(truth, truth.loadRes([one | {"score": 0.9} for one in results]), kind)
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
            out[f"COCO-VID by pycocotools, {kind} AP"] = [float(judge.stats[0])]
    if mm is not None:
        doc = get("coco_vid").read(folder / "coco_vid.json")
        assert doc.video is not None
        assert truth.get_vid_ids() == [1]
        assert [truth.imgs[at]["frame_id"] for at in truth.get_img_ids_from_vid(1)] == list(range(doc.video.frames))
        assert set(truth.get_ins_ids_from_vid(1)) == doc.tracks.keys()
        for key, track in doc.tracks.items():
            frames = [truth.imgs[at]["frame_id"] for at in truth.get_img_ids_from_ins_id(key)]
            assert frames == [frame for frame, obs in track.frames.items() if obs.present]
        out["COCO-VID by mmtrack, same frames and objects"] = [1.0]
    return out


def by_youtube_vos(folder: Path, mm: Path) -> Marks:
    """The youtubevos cocoapi."""
    from pycocotools import mask as coco_mask

    vars(np).setdefault("float", float)  # its numpy still called it so
    with quiet():
        truth = mm_class(mm, "YTVIS")(str(folder / "youtube_vis.json"))
        results = [
            {"video_id": note["video_id"], "category_id": note["category_id"], "score": 0.9,
             "segmentations": [coco_mask.frPyObjects(one, *one["size"]) if one else None
                               for one in note["segmentations"]]}
            for note in truth.dataset["annotations"]
            if not note["iscrowd"]
        ]  # fmt: skip
        judge = mm_class(mm, "YTVISeval")(truth, truth.loadRes(results), "segm")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return {"YouTube-VIS by the youtubevos cocoapi, segm AP": [float(judge.stats[0])]}


def mm_class(mm: Path, name: str) -> Any:
    """A class from one of the files of mmtrack, which are loaded without the packages around them."""
    where = {
        "CocoVID": "mmtrack/datasets/parsers/coco_video_parser.py",
        "YTVIS": "mmtrack/core/evaluation/ytvis.py",
        "YTVISeval": "mmtrack/core/evaluation/ytviseval.py",
    }
    for parent in ("mmdet", "mmdet.datasets"):
        sys.modules.setdefault(parent, types.ModuleType(parent))
    if "mmdet.datasets.api_wrappers" not in sys.modules:
        load("mmdet.datasets.api_wrappers", mm / "mmdet/datasets/api_wrappers/coco_api.py")
    module = sys.modules.get(f"mm_{name}") or load(f"mm_{name}", mm / where[name])
    return getattr(module, name)


def load(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def by_trackeval(root: Path) -> Marks:
    """TrackEval's own readers of the three, in its interpreter: this runs without SiamLabel."""
    import trackeval
    from pycocotools import mask as coco_mask
    from trackeval import datasets, metrics

    hush = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "TIME_PROGRESS": False, "PLOT_CURVES": False,
            "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False, "LOG_ON_ERROR": None}  # fmt: skip
    out: Marks = {}
    for folder in sorted(root.iterdir()):
        for kind, title, asked in (
            ("youtube_vis", "YouTube-VIS", {}),
            ("tao", "TAO", {}),
            ("burst", "BURST", {}),
            ("burst", "BURST, exemplar-guided,", {"EXEMPLAR_GUIDED": True}),
        ):
            truth = json.loads((folder / f"{kind}.json").read_text())
            crowd = kind == "youtube_vis" and any(note["iscrowd"] for note in truth["annotations"])
            if kind == "burst":
                results = truth
            elif kind == "tao":
                results = [
                    {name: note[name] for name in ("image_id", "category_id", "track_id", "bbox")} | {"score": 0.9}
                    for note in truth["annotations"]
                ]
            else:
                results = [
                    {"video_id": 1, "category_id": note["category_id"], "score": 0.9,
                     "segmentations": [encoded(coco_mask, one) for one in note["segmentations"]]}
                    for note in truth["annotations"]
                    if not note["iscrowd"]
                ]  # fmt: skip
            there = folder / kind
            put(there / "truth" / "youtube_vis_val" / "x.json", truth)
            put(there / "truth" / "x.json", truth)
            put(there / "results" / "youtube_vis_val" / "self" / "data" / "x.json", results)
            put(there / "results" / "self" / "data" / "x.json", results)
            config = {"GT_FOLDER": f"{there}/truth/", "TRACKERS_FOLDER": f"{there}/results/", "SPLIT_TO_EVAL": "val",
                      "TRACKERS_TO_EVAL": ["self"], "PRINT_CONFIG": False, **asked}  # fmt: skip
            reader = {"youtube_vis": datasets.YouTubeVIS, "tao": datasets.TAO, "burst": datasets.BURST}[kind]
            plain = {"PRINT_CONFIG": False}
            judges = [metrics.TrackMAP({**plain, "USE_TIME_RANGES": False}), metrics.HOTA(plain)]
            with quiet():
                found = trackeval.Evaluator(hush).evaluate([reader(config)], judges)[0]
            scores = next(iter(found.values()))["self"]["COMBINED_SEQ"]
            classes = {note["category_id"] for note in truth.get("annotations", ()) if not note["iscrowd"]}
            names = {one["name"] for one in truth["categories"] if one["id"] in classes}
            if kind == "burst":  # it calls them what LVIS calls their numbers
                names = {name for name in scores if not name.startswith("cls_comb")}
                classes = {*truth["sequences"][0]["track_category_ids"].values()}
            assert len(names) == len(classes), (folder, kind, names, classes)
            for name in names:
                out.setdefault(f"{title} by TrackEval, AP", []).append(
                    float(np.mean(scores[name]["TrackMAP"]["AP_all"]))
                )
                if not crowd:  # YouTubeVIS' HOTA knows no crowds
                    hota = float(np.mean(scores[name]["HOTA"]["HOTA"]))
                    out.setdefault(f"{title} by TrackEval, HOTA", []).append(hota)
    return out


def put(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def encoded(coco_mask: Any, one: Any) -> Any:
    """Compressed run lengths, as the kits want results."""
    if not one:
        return None
    rle = coco_mask.frPyObjects(one, *one["size"])
    return {"size": rle["size"], "counts": rle["counts"].decode()}


if __name__ == "__main__":
    sys.exit(main())
