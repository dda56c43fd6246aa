"""Do the reference readers take what we write, and do we take what they write? Run by hand, they are heavy.

    python tests/perf/reference_readers.py --trackeval PYTHON --vot PYTHON

PYTHON is an interpreter with the reader installed (leave an option out to leave its reader out):

    python -m venv /tmp/te && /tmp/te/bin/pip install trackeval==1.3.0 scikit-image==0.26.0
    python -m venv /tmp/vot && /tmp/vot/bin/pip install vot-toolkit==0.7.4

- TrackEval reads our MOTChallenge, MOTS and DAVIS folders and evaluates each against itself: all scores must be 1.
- The VOT toolkit reads our VOT folders (rectangles, polygons, masks, the old layout): length, rate, objects, regions,
  tags and values must be ours, pixel by pixel. It writes the masks as results, in text and binary, which we read.
- COCO's own library reads our COCO file and evaluates it against itself.

The exit status is 0 when all hold. Prints a line for each.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT, FRAMES = 160, 120, 40
ANSWER = "answer.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trackeval", metavar="PYTHON", help="interpreter that has trackeval")
    parser.add_argument("--vot", metavar="PYTHON", help="interpreter that has vot-toolkit")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        kind, folder = given.inside
        answer = {"trackeval": by_trackeval, "vot": by_vot}[kind](Path(folder))
        Path(folder, ANSWER).write_text(json.dumps(answer))
        return 0
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    good = True
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root)
        good &= told("pycocotools: COCO against itself, AP", by_coco(root), 1.0)
        if given.trackeval:
            for what, score in ask(given.trackeval, "trackeval", root).items():
                good &= told(f"TrackEval: {what}", score, 1.0)
        if given.vot:
            answer = ask(given.vot, "vot", root)
            for what, found in answer.items():
                good &= told(f"VOT toolkit: {what}", found, expected_by_vot(root)[what])
            for what, found in results_of_vot(root).items():
                good &= told(f"results of the VOT toolkit: {what}", found, 0)
    return 0 if good else 1


def told(what: str, found: object, meant: object) -> bool:
    good = found == meant or (isinstance(found, float) and isinstance(meant, float) and abs(found - meant) < 1e-9)
    shown = found if len(str(found)) < 60 else f"{str(found)[:50]} ..."
    print(f"{'ok  ' if good else 'FAIL'} {what}: {shown}" + ("" if good else f", meant was {str(meant)[:200]}"))
    return good


def ask(python: str, kind: str, root: Path) -> dict[str, Any]:
    """What a reader in another interpreter finds."""
    subprocess.run([python, __file__, "--inside", kind, str(root)], check=True, stdout=subprocess.DEVNULL)
    return json.loads((root / ANSWER).read_text())


# What we write


def example() -> Any:
    """Three pedestrians that cross each other, one of them absent for a while, and an ignored region."""
    from app.model.document import Document, Label, VideoRef
    from app.model.masks import Mask
    from app.model.tracks import Observation, State, Track

    doc = Document(VideoRef("/videos/street.mp4", "", FRAMES, WIDTH, HEIGHT, 25.0), [Label("pedestrian", "#e69f00")])
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for key in range(1, 5):
        track = Track(key, "pedestrian", "#e69f00", ignored=key == 4)
        for frame in range(FRAMES):
            if key == 2 and 10 <= frame < 15:
                track.frames[frame] = Observation(state=State.OUT_OF_VIEW)
                continue
            x, y = 20 * key + (3 - key) * frame, 40 + 10 * key
            bits = ((columns - x) / (6 + key)) ** 2 + ((rows - y) / (14 + 2 * key)) ** 2 <= 1
            mask = Mask.encode(bits)
            state = State.OCCLUDED if key == 1 and frame > 30 else State.VISIBLE
            told: Any = {"turning": True, "speed": key + frame / 4} if frame % 3 == 0 else {}
            score = (frame + 1) / FRAMES
            track.frames[frame] = Observation(mask.box, mask, state=state, attributes=told, score=score)
        doc.tracks[key] = track
    doc.next_id = 5
    return doc


def write(root: Path) -> None:
    from app.formats import run_export
    from app.formats.coco import CocoParams
    from app.formats.vot import VotParams

    doc = example()
    for kind in ("mot", "mots", "davis"):
        run_export(doc, None, kind, root / kind)
    run_export(doc, None, "coco", root / "coco.json", CocoParams())
    people = VotParams(tracks=(1, 2, 3), with_frames=True)
    for region in ("rectangle", "polygon", "mask"):
        params = changed(people, region=region)
        run_export(doc, "street.mp4", "vot", root / f"vot-{region}", params, open_frames=opened)
    one = changed(people, tracks=(1,), layout="legacy", region="mask")
    run_export(doc, "street.mp4", "vot", root / "vot-legacy", one, open_frames=opened)


def changed(params: Any, **changes: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(params, **changes)


@dataclass(frozen=True)
class Frame:
    index: int
    image: np.ndarray


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    class Reader:
        def iter(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
            for index in range(start, stop, step):
                yield Frame(index, np.full((HEIGHT, WIDTH, 3), index, np.uint8))

    yield Reader()


# What they find


def by_coco(root: Path) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(root / "coco.json"))
        dets = [
            {name: one[name] for name in ("image_id", "category_id", "segmentation", "bbox")} | {"score": 0.9}
            for one in truth.dataset["annotations"]
            if not one["iscrowd"]
        ]
        evaluation = COCOeval(truth, truth.loadRes(dets), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def by_trackeval(root: Path) -> dict[str, float]:
    import trackeval
    from trackeval import datasets, metrics

    quiet = {"PRINT_RESULTS": False, "PRINT_ONLY_COMBINED": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False}
    evaluator = trackeval.Evaluator({**quiet, "PLOT_CURVES": False, "TIME_PROGRESS": False, "BREAK_ON_ERROR": True})
    out = {}
    for kind, dataset in (("mot", datasets.MotChallenge2DBox), ("mots", datasets.MOTSChallenge)):
        data = root / f"{kind}-results" / "self" / "data"
        data.mkdir(parents=True)
        rows = (root / kind / "street" / "gt" / "gt.txt").read_text().splitlines()
        kept = [",".join([*row.split(",")[:6], "1,-1,-1,-1"]) for row in rows if row.split(",")[6:7] == ["1"]]
        if kind == "mots":
            kept = [row for row in rows if row.split()[2] != "10"]
        (data / "street.txt").write_text("\n".join(kept) + "\n")
        config = {
            "GT_FOLDER": str(root / kind), "TRACKERS_FOLDER": str(root / f"{kind}-results"),
            "SKIP_SPLIT_FOL": True, "SEQ_INFO": {"street": FRAMES}, "TRACKERS_TO_EVAL": ["self"],
        }  # fmt: skip
        found = evaluator.evaluate([dataset(config)], [metrics.HOTA(), metrics.CLEAR(), metrics.Identity()])[0]
        scores = next(iter(found.values()))["self"]["COMBINED_SEQ"]["pedestrian"]
        out |= {
            f"{kind} HOTA": float(np.mean(scores["HOTA"]["HOTA"])),
            f"{kind} MOTA": float(scores["CLEAR"]["MOTA"]),
            f"{kind} IDF1": float(scores["Identity"]["IDF1"]),
        }
    data = root / "davis-results" / "self" / "data"
    shutil.copytree(root / "davis" / "Annotations" / "480p" / "street", data / "street")
    config = {
        "GT_FOLDER": str(root / "davis" / "Annotations" / "480p"), "TRACKERS_FOLDER": str(root / "davis-results"),
        "SEQ_INFO": {"street": FRAMES}, "TRACKERS_TO_EVAL": ["self"],
    }  # fmt: skip
    # No HOTA: TrackEval takes an object's empty mask on a frame of DAVIS for a miss, even of an empty mask.
    found = evaluator.evaluate([datasets.DAVIS(config)], [metrics.JAndF()])[0]
    scores = next(iter(found.values()))["self"]["COMBINED_SEQ"]["general"]
    return out | {"davis J&F": float(np.mean(scores["JAndF"]["J&F"]))}


def by_vot(root: Path) -> dict[str, Any]:
    """What the toolkit reads; it writes the masks of the first object as results, too."""
    from vot.dataset.common import list_sequences, read_sequence, read_sequence_legacy
    from vot.region import RegionType
    from vot.region.io import write_trajectory

    def pixels(region: Any) -> int:
        """A number that is another one for other pixels."""
        if region.type == RegionType.SPECIAL or region.is_empty():
            return 0
        mask = region.convert(RegionType.MASK)
        rows, columns = np.nonzero(mask.mask)
        return print_of(rows + mask.offset[1], columns + mask.offset[0])

    out: dict[str, Any] = {}
    for kind in ("rectangle", "polygon", "mask", "legacy"):
        folder = root / f"vot-{kind}"
        names = list_sequences(str(folder))
        sequence = (read_sequence_legacy if kind == "legacy" else read_sequence)(str(folder / names[0]))
        alone = kind == "legacy"
        objects = {"1": "object"} if alone else {key: key for key in ("1", "2", "3")}
        out[f"{kind} sequence"] = [names, len(sequence), list(sequence.size), sorted(sequence.objects())]
        for key, name in objects.items():
            regions = [sequence.frame(at).object(name) for at in range(len(sequence))]
            if kind == "rectangle":
                found: Any = [
                    None if one.type == RegionType.SPECIAL else [one.x, one.y, one.width, one.height] for one in regions
                ]
            else:
                found = [pixels(one) for one in regions]
            out[f"{kind} regions of {key}"] = found
            end = "" if alone else f"_{key}"
            tags = [sorted(sequence.tags(at)) for at in range(len(sequence))]
            out[f"{kind} tags of {key}"] = [[f"{one}{end}" in there for one in TAGS] for there in tags]
            speeds = [sequence.values(at).get(f"speed{end}") for at in range(len(sequence))]
            out[f"{kind} values of {key}"] = [None if np.isnan(one) else one for one in speeds]
            if kind == "mask" and key == "1":
                for end in ("txt", "bin"):
                    write_trajectory(str(root / f"street_001.{end}"), regions)
    return out


TAGS = ("occlusion", "absent", "turning")


def print_of(rows: np.ndarray, columns: np.ndarray) -> int:
    order = np.sort(rows.astype(np.int64) * 100_003 + columns)
    return int((order * np.arange(1, len(order) + 1) % 1_000_000_007).sum())


def expected_by_vot(root: Path) -> dict[str, Any]:
    """The same, by our own reading."""
    from app.formats import get
    from app.model.tracks import State

    def pixels(obs: Any) -> int:
        return print_of(*np.nonzero(obs.mask.decode())) if obs is not None and obs.mask is not None else 0

    out: dict[str, Any] = {}
    for kind in ("rectangle", "polygon", "mask", "legacy"):
        doc = get("vot").read(root / f"vot-{kind}")
        names = ["street"]
        objects = ["object"] if kind == "legacy" else ["1", "2", "3"]
        out[f"{kind} sequence"] = [names, FRAMES, [WIDTH, HEIGHT], objects]
        for key, track in doc.tracks.items():
            seen = [track.frames.get(at) for at in range(FRAMES)]
            boxes = [None if obs is None or obs.box is None else list(obs.box) for obs in seen]
            out[f"{kind} regions of {key}"] = boxes if kind == "rectangle" else [pixels(obs) for obs in seen]
            out[f"{kind} tags of {key}"] = [
                [obs.state is State.OCCLUDED, obs.state is State.OUT_OF_VIEW, "turning" in obs.attributes]
                if obs
                else [False] * 3
                for obs in seen
            ]
            out[f"{kind} values of {key}"] = [obs.attributes.get("speed") if obs else None for obs in seen]
    return out


def results_of_vot(root: Path) -> dict[str, int]:
    """How many of the masks that the toolkit wrote we read as something else."""
    from app.formats import get

    truth = get("vot").read(root / "vot-mask").tracks[1].frames
    out = {}
    for end in ("txt", "bin"):
        folder = root / f"results-{end}"
        note = folder / "siamlabel.json"
        folder.mkdir()
        shutil.copy(root / f"street_001.{end}", folder)
        note.write_text(
            json.dumps(
                {"video": "street", "frames": FRAMES, "width": WIDTH, "height": HEIGHT, "fps": 25.0, "objects": []}
            )
        )
        found = get("results").read(folder).tracks[1].frames
        out[end] = sum(found[at].mask != truth[at].mask for at in range(FRAMES))
    return out


if __name__ == "__main__":
    sys.exit(main())
