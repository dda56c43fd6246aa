"""Stretches of clips as clips of their own: a tracker started at several places tells more than one pass does.

What happens after a chance loss weighs heavily in one pass, so that small changes of a tracker move it by more than
they are worth. Starts a quarter of the clip apart, each followed for a while, take much of that chance out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from tracker.data.sequences import Sequence

SHORTEST = 10
"""Frames of the shortest stretch worth a start."""
_NAME = re.compile(r"(.+)@(\d+)-(\d+)")


def stretch(sequence: Sequence, begin: int, end: int) -> Sequence:
    """Frames ``begin`` to ``end`` (the latter excluded) of a clip, named ``clip@begin-end``."""

    def cut(rows: np.ndarray | None) -> np.ndarray | None:
        return None if rows is None else rows[begin:end]

    return replace(
        sequence,
        name=f"{sequence.name}@{begin}-{end}",
        truth=sequence.truth[begin:end],
        pictures=sequence.pictures[begin:end],
        regions=sequence.regions[begin:end],
        absent=cut(sequence.absent),
        cover=cut(sequence.cover),
        frame_attributes={name: rows[begin:end] for name, rows in sequence.frame_attributes.items()},
        anchors=cut(sequence.anchors),
        begin=sequence.begin + begin,
    )


def stretches(sequence: Sequence, starts: int, longest: int | None = None) -> list[Sequence]:
    """The clip from each of ``starts`` places on, equally far apart, for at most ``longest`` frames after the first.

    A stretch begins where the target is next in sight; one of less than `SHORTEST` frames is left out, unless it is the
    first. A clip without a box is handed back as it is.
    """
    total, shown = len(sequence.truth), np.flatnonzero(sequence.present)
    if not len(shown):
        return [sequence]
    places = (shown[shown >= total * number // starts] for number in range(1, starts))
    begins = {int(shown[0]), *(int(place[0]) for place in places if len(place) and total - place[0] >= SHORTEST)}
    reach = total if longest is None else longest + 1
    return [stretch(sequence, begin, min(total, begin + reach)) for begin in sorted(begins)]


def named(names: Iterable[str], sequences: Iterable[Sequence]) -> list[Sequence]:
    """The stretches of ``sequences`` that `stretch` gave these names; other names are passed over."""
    known, found = {sequence.name: sequence for sequence in sequences}, []
    for name in names:
        match = _NAME.fullmatch(name)
        whole = known.get(match[1]) if match else None
        if match and whole is not None and int(match[2]) < int(match[3]) <= len(whole.truth):
            found.append(stretch(whole, int(match[2]), int(match[3])))
    return found
