"""The proof of an export: what was read back against what was meant."""

from __future__ import annotations

from app.formats.base import ROUNDING
from app.formats.rle import same_mask
from app.model.document import Document
from app.model.geometry import Box
from app.model.tracks import Observation
from app.words import tr

_FIELDS = ("state", "source", "verified", "keyframe", "score", "signals", "cover", "attributes")


def differences(meant: Document, found: Document, rounding: float = ROUNDING) -> list[str]:
    """A sentence for each difference; empty when masks are identical, boxes within ``rounding`` px and all else equal.

    A track's visibility and lock in the window, the video's path and its fingerprint are not compared.
    """
    out: list[str] = []
    a, b = meant.video, found.video
    if a is not None and (b is None or (a.frames, a.width, a.height) != (b.frames, b.width, b.height)):
        out.append(tr("the video's length or size differs"))
    if meant.labels != found.labels:
        out.append(tr("the list of labels differs"))
    if meant.comments != found.comments:
        out.append(tr("the comments differ"))
    out += [tr("track {key} is missing").format(key=key) for key in sorted(meant.tracks.keys() - found.tracks.keys())]
    out += [
        tr("track {key} was never meant").format(key=key) for key in sorted(found.tracks.keys() - meant.tracks.keys())
    ]
    for key in sorted(meant.tracks.keys() & found.tracks.keys()):
        one, other = meant.tracks[key], found.tracks[key]
        if (one.label, one.colour) != (other.label, other.colour):
            out.append(tr("track {key} has another label or colour").format(key=key))
        if (one.attributes, one.ignored) != (other.attributes, other.ignored):
            out.append(tr("track {key} has other attributes, or is no longer an ignored region").format(key=key))
        for frame in sorted(one.frames.keys() | other.frames.keys()):
            what = _difference(one.frames.get(frame), other.frames.get(frame), rounding)
            if what:
                out.append(tr("track {key}, frame {frame}: {what}").format(key=key, frame=frame, what=what))
    return out


def same_box(a: Box | None, b: Box | None, rounding: float = ROUNDING) -> bool:
    """Whether each of x, y, w and h agrees within ``rounding`` px (and what floats of that size can tell apart)."""
    if a is None or b is None:
        return a is b
    return all(abs(p - q) <= rounding + 1e-12 * abs(p) + 1e-9 for p, q in zip(a, b, strict=True))


def _difference(meant: Observation | None, found: Observation | None, rounding: float) -> str:
    if meant is None or found is None:
        return "" if meant is found else tr("missing") if found is None else tr("never meant")
    if not same_box(meant.box, found.box, rounding):
        return tr("box {box} became {box2}").format(box=meant.box, box2=found.box)
    if not same_mask(meant.mask, found.mask):
        return tr("the mask differs")
    changed = [name for name in _FIELDS if getattr(meant, name) != getattr(found, name)]
    return tr("{fields} differ").format(fields=", ".join(changed)) if changed else ""
