"""Raw results on disk taken up for a report: which trackers and protocols are there, of which clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker import registry
from tracker.api import TrackerError
from tracker.data.readers import discover
from tracker.data.sequences import Sequence
from tracker.data.stretches import named
from tracker.evaluation import raw
from tracker.evaluation.compare import Comparison, Contender, Done, stored, summary
from tracker.evaluation.profiles import OTB, Profile
from tracker.evaluation.protocols import BASELINE, MULTISTART, MultiStart, OnePass, Protocol, Supervised

FILES = ("weights", "nanotrack_dir")
"""Options that are files or folders."""


@dataclass(frozen=True)
class Results:
    """The results of one tracker. ``label``: what the report calls it."""

    label: str
    store: raw.RawStore

    def contender(self) -> Contender:
        """The same tracker, to be made again. Raises `TrackerError` when it is not known here or not the same."""
        made, origin = self.store.identity(), self.store.origin()
        options = {**made.get("set", {}), **origin.options}
        options |= {key: Path(options[key]) for key in FILES if key in options}
        always = made.get("masks") == "always"
        again = Contender(made["tracker"], str(made.get("device", "auto")), tuple(options.items()), always)
        if again.identity() != made:
            raise TrackerError(f"{self.label}: its weights are not those any more that made the results.")
        return again

    def about(self) -> str:
        """Device, settings and weights in words."""
        made = self.store.identity()
        return describe(made)


@dataclass(frozen=True)
class Study:
    """What a report shows of one protocol. ``contenders``: by label, those that can be run again; ``about``: words."""

    protocol: Protocol
    comparison: Comparison
    sequences: dict[str, Sequence]
    contenders: dict[str, Contender]
    about: dict[str, str]


def describe(identity: dict[str, Any]) -> str:
    """What made results, in words: device, engine and settings that were changed, and the weights' hashes."""
    words = [f"device {identity.get('device', 'auto')}"]
    words += [f"engine {identity['engine']}"] if "engine" in identity else []
    words += [f"{key} = {value:g}" for key, value in identity.get("set", {}).items()]
    words += ["masks on every clip"] if identity.get("masks") == "always" else []
    words += [f"{name} ({digest[:12]})" for name, digest in identity.get("weights", {}).items()]
    return ", ".join(filter(None, words))


def find(places: Iterable[Path]) -> list[Results]:
    """The trackers in folders of raw results (``--raw`` of evaluate), or in folders of single trackers.

    Trackers of one name are told apart by their folders. Raises `TrackerError` for a folder without results.
    """
    folders: list[Path] = []
    for place in places:
        if not place.is_dir():
            raise TrackerError(f"{place} is not a folder of raw results; make one with evaluate --raw.")
        inside = [place] if (place / raw.MANIFEST).is_file() else []
        inside = inside or sorted(path for path in place.iterdir() if (path / raw.MANIFEST).is_file())
        if not inside:
            raise TrackerError(f"{place} holds no raw results (no {raw.MANIFEST}); make them with evaluate --raw.")
        folders += [path.resolve() for path in inside]
    stores = [raw.RawStore(folder) for folder in dict.fromkeys(folders)]
    names = [store.identity()["tracker"] for store in stores]
    often = Counter(names)
    labels = [
        name if often[name] == 1 else f"{name} ({store.folder.parent.name})"
        for name, store in zip(names, stores, strict=True)
    ]
    often = Counter(labels)
    return [
        Results(label if often[label] == 1 else f"{label} {number}", store)
        for number, (label, store) in enumerate(zip(labels, stores, strict=True), start=1)
    ]


def clips_of(results: list[Results], given: Path | None) -> tuple[list[Path], list[Sequence]]:
    """The folders of clips that the results are of, as noted with them or as ``given``, and the clips in them.

    Raises `TrackerError` when nobody knows, or a folder is not there any more.
    """
    noted = dict.fromkeys(path for one in results for path in one.store.origin().clips)
    roots = [given] if given is not None else list(noted)
    if not roots:
        raise TrackerError("These results do not say where their clips lie: say it with --clips.")
    missing = next((root for root in roots if not root.is_dir()), None)
    if missing is not None and given is None:
        raise TrackerError(f"{missing}, where the clips lay, is not there any more: say where they lie with --clips.")
    found: dict[str, Sequence] = {}
    for root in roots:
        for sequence in discover(root):
            found.setdefault(sequence.name, sequence)
    parts = dict.fromkeys(name for one in results for name in one.store.clips())
    return roots, [*found.values(), *named(parts, found.values())]


def studies(results: list[Results], sequences: list[Sequence], profile: Profile = OTB) -> list[Study]:
    """One for each protocol of which there are results; raises `TrackerError` when there are none of these clips.

    A clip counts where every tracker that has results of the protocol has it.
    """
    out = []
    for protocol in (OnePass(profile), Supervised(), MultiStart()):
        taken = [(one, _taken(protocol, one, sequences)) for one in results]
        taken = [(one, done) for one, done in taken if done]
        if not taken:
            continue
        every = dict.fromkeys(clip for _, done in taken for clip in done)
        known = [sequence for sequence in sequences if sequence.name in every]
        done = [
            own.get(sequence.name, Done(one.label, sequence.name, problem=f"there is no result of {one.label}"))
            for one, own in taken
            for sequence in known
        ]
        comparison = summary([one.label for one, _ in taken], known, done)
        scored = {name for clips in comparison.scores.values() for name in clips}
        if not scored:
            continue
        out.append(
            Study(
                protocol,
                comparison,
                {sequence.name: sequence for sequence in known if sequence.name in scored},
                {one.label: made for one, _ in taken if (made := _contender(one)) is not None},
                {one.label: one.about() for one, _ in taken},
            )
        )
    if not out:
        raise TrackerError("These results are not of these clips, or are damaged: evaluate again with --raw.")
    return out


def _taken(protocol: Protocol, one: Results, sequences: list[Sequence]) -> dict[str, Done]:
    done = {}
    for sequence in sequences:
        if isinstance(protocol, Supervised):
            count = len([*(one.store.folder / BASELINE / sequence.name).glob("*_time.value")])
            protocol = Supervised(max(count, 1))
        elif isinstance(protocol, MultiStart) and not (one.store.folder / MULTISTART / sequence.name).is_dir():
            continue
        if (found := stored(protocol, one.label, sequence, one.store)) is not None:
            done[sequence.name] = found
    return done


def _contender(one: Results) -> Contender | None:
    try:
        found = one.contender()
        registry.resolve(found.label)
    except (TrackerError, OSError):
        return None
    return found
