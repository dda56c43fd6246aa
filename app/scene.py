"""What to draw and what to say: pure functions of the document, the frame, the selection and the newest answer.

Primitives are in image pixels and know no screen; how thick a line is and how a text is kept off small targets is the
canvas's business. They come in painting order, the first at the bottom.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import numpy as np

from app.model.document import Document
from app.model.geometry import HANDLES, Handle
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track
from app.session import LiveItem, Mode, Status
from app.settings import Settings
from app.words import tr
from app.work.wording import state_words
from tracker.api import Box, MaskPatch, Prediction, Verdict
from tracker.config import TrackConfig


class Dash(StrEnum):
    """Where a box comes from, as a line style."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


DASHES = {
    Source.MANUAL: Dash.SOLID,
    Source.TRACKER: Dash.DASHED,
    Source.INTERPOLATED: Dash.DOTTED,
    Source.IMPORTED: Dash.DOTTED,
}


@dataclass(frozen=True)
class Heat:
    """A response map over ``rect``: ``values`` (rows, columns) float in [0, 1], ``opacity`` in [0, 1]."""

    values: np.ndarray = field(compare=False)
    rect: Box
    kind: str
    opacity: float


@dataclass(frozen=True)
class MaskFill:
    """A mask as a patch of the image, tinted. ``outline``: emphasise its border (the selected track)."""

    patch: MaskPatch = field(compare=False)
    colour: str
    opacity: float
    track: int
    outline: bool = False
    fill: bool = True
    stamp: int = 0
    """Tells one patch from another, where the patches themselves are too large to compare."""


@dataclass(frozen=True)
class SearchRegion:
    """The square that the tracker looks at; may reach outside the image."""

    box: Box
    colour: str


@dataclass(frozen=True)
class Ghost:
    """The box of the frame before (or ``after``), for orientation."""

    box: Box
    colour: str
    track: int
    after: bool = False


@dataclass(frozen=True)
class Rect:
    """A track's box. ``occluded``: to be drawn fainter."""

    box: Box
    colour: str
    dash: Dash
    track: int
    selected: bool = False
    occluded: bool = False
    live: bool = False


@dataclass(frozen=True)
class Missing:
    """The track is known not to be seen here: ``text`` says how; ``box`` is where it was last (None: nowhere near)."""

    box: Box | None
    text: str
    colour: str
    track: int
    selected: bool = False


@dataclass(frozen=True)
class Label:
    """Text for a box, at its top left corner unless that hides the target."""

    text: str
    box: Box
    colour: str
    track: int
    selected: bool = False


@dataclass(frozen=True)
class Grip:
    """A handle of the selected box at the image point (x, y)."""

    handle: Handle
    x: float
    y: float
    track: int


@dataclass(frozen=True)
class Rotated:
    """The rotated rectangle that the tracker answers with: its corners (x, y) in order."""

    corners: tuple[tuple[float, float], ...]
    colour: str
    track: int


@dataclass(frozen=True)
class LookAlike:
    """Where something scores nearly as high as the target (x, y); ``height``: compared with the target's 1."""

    x: float
    y: float
    height: float


Primitive = Heat | MaskFill | SearchRegion | Ghost | Rotated | Rect | Missing | Label | LookAlike | Grip

REMEMBERED = 30
"""Frames to look back for the last box of a lost track."""
LOOK_ALIKE = TrackConfig.runner_up
"""Second peaks higher than this make an answer uncertain."""


def scene(
    doc: Document,
    frame: int,
    selected: Collection[int],
    live: LiveItem | None,
    options: Settings,
    others: Collection[LiveItem] = (),
    *,
    handles: bool = True,
) -> tuple[Primitive, ...]:
    """The primitives of ``frame``, bottom to top: heat, search region, masks, boxes, labels, handles, look-alike.

    ``live`` is the prediction to show on this frame (`Session.live_here`), with all its maps; ``others`` are those of
    the objects that are followed beside it. Such of another frame are ignored. While they run ahead of the document,
    their boxes and masks stand for their tracks. ``handles``: whether the selected box can be taken by the mouse.
    """
    if live is not None and live.frame != frame:
        live = None
    ahead = {item.track: item for item in others if item.frame == frame and item.image is not None}
    if live is not None and live.image is not None:
        ahead[live.track] = live
    below: list[Primitive] = []
    masks: list[Primitive] = []
    boxes: list[Primitive] = []
    above: list[Primitive] = []
    if live is not None:
        below += _live_ground(live, doc.tracks.get(live.track), options)
    for track in sorted(doc.tracks.values(), key=lambda t: (t.id in selected, t.id)):
        if not track.visible:
            continue
        chosen = track.id in selected
        here = track.at(frame)
        item = ahead.get(track.id)
        if item is not None:
            here = _as_observation(item)
        if options.show_ghost and chosen:
            boxes += _ghost(track, frame)
        if here is None:
            continue
        if here.box is None or not here.present:
            boxes.append(Missing(_last_box(track, frame), _words(here), track.colour, track.id, chosen))
            continue
        is_live = item is not None
        masks += _mask(track, here, item, chosen, options)
        occluded = here.state is State.OCCLUDED
        if live is not None and live.track == track.id:
            boxes += _rotated(live.prediction, track)
        boxes.append(Rect(here.box, track.colour, DASHES[here.source], track.id, chosen, occluded, is_live))
        if options.show_labels:
            above.append(Label(_caption(track, here), here.box, track.colour, track.id, chosen))
        if handles and chosen and len(selected) == 1 and not is_live:
            above += grips(here.box, track.id)
    if live is not None:
        above += look_alike(live.prediction)
    return (*below, *masks, *boxes, *above)


def grips(box: Box, track: int) -> tuple[Grip, ...]:
    """The eight handles of a box, clockwise from the top left corner."""
    points = {"n": (box.cx, box.y), "e": (box.x2, box.cy), "s": (box.cx, box.y2), "w": (box.x, box.cy)}
    points |= {"nw": (box.x, box.y), "ne": (box.x2, box.y), "se": (box.x2, box.y2), "sw": (box.x, box.y2)}
    return tuple(Grip(handle, *points[handle], track) for handle in HANDLES)


def look_alike(said: Prediction) -> list[LookAlike]:
    """The second peak, where it is what makes the answer uncertain; empty otherwise."""
    if said.verdict is not Verdict.UNCERTAIN or len(said.peaks) < 2 or said.peaks[1].height <= LOOK_ALIKE:
        return []
    return [LookAlike(*said.peaks[1])]


def _rotated(said: Prediction, track: Track) -> list[Rotated]:
    if said.polygon is None:
        return []
    return [Rotated(tuple((float(x), float(y)) for x, y in said.polygon), track.colour, track.id)]


def mode_line(status: Status) -> str:
    """What the status line says: the mode, and the way out of it or on from it."""
    match status.mode:
        case Mode.EMPTY:
            return tr("Nothing is open · Ctrl+O opens a video, a folder of images or a project")
        case Mode.OPENING:
            return status.opening
        case Mode.DRAWING if status.redraw and status.pause is not None:
            return tr(
                "Drag a new box for {waiting}, or step back to where it went wrong · Enter goes on without"
            ).format(waiting=status.waiting)
        case Mode.DRAWING if status.redraw:
            return tr("Drawing: drag a new box for {selected} · Esc cancels").format(selected=status.selected)
        case Mode.DRAWING:
            return tr("Drawing: drag a box around the new object · Esc cancels")
        case Mode.TRACKING:
            return _run_line(status)
        case Mode.MASKING:
            return tr("Mask of {selected}: B brush · E eraser · P polygon · F fill · [ ] size · Esc ends").format(
                selected=status.selected
            )
        case Mode.PLAYING:
            return tr("Playing · Space or Esc pauses")
        case Mode.PAUSED if status.pause is not None:
            return tr("{waiting} is waiting for an answer · Enter goes on, Esc leaves it").format(
                waiting=status.waiting
            )
    return _background(status) + _idle_line(status)


def _idle_line(status: Status) -> str:
    if status.several:
        return tr("{several} objects · T tracks them together · Ctrl+click takes one in or out · Esc lets go").format(
            several=status.several
        )
    if status.selected is None:
        return tr("N draws a new object · click a box to select it · F1 lists the keys")
    if status.has_box:
        return tr("{selected} · T tracks forward, Shift+T backward · drag the box to correct it · Esc lets go").format(
            selected=status.selected
        )
    return tr("{selected} has no box here · Shift+N draws one · T goes on from its last box · Esc lets go").format(
        selected=status.selected
    )


def pace(fps: float) -> str:
    """Frames per second for people; slow trackers with a decimal."""
    return (tr("{fps:.0f} fps") if fps >= 10 else tr("{fps:.1f} fps")).format(fps=fps)


def _run_line(status: Status) -> str:
    run = status.run
    if run is None or run.phase == "loading":
        return tr("Tracking: loading the tracker… · Esc stops")
    if run.phase == "stopping":
        return tr("Tracking: stopping after this frame")
    if run.gap:
        way = tr("Tracking the gap {start}-{stop} from both sides").format(start=run.start, stop=run.stop)
    elif len(run.tracks) > 1:
        said = tr("Tracking {count} objects forward") if run.step > 0 else tr("Tracking {count} objects backward")
        way = said.format(count=len(run.objects) or len(run.tracks))
    else:
        way = tr("Tracking forward") if run.step > 0 else tr("Tracking backward")
    if run.untrained:  # before the figures, which mean nothing then
        way = tr("{way} with {tracker}").format(way=way, tracker=run.tracker)
    if run.score is None:
        return tr("{way}: frame {frame}, {pace} · Esc stops").format(way=way, frame=run.frame, pace=pace(run.fps))
    return tr("{way}: frame {frame}, {pace}, score {score:.2f} · Esc stops").format(
        way=way, frame=run.frame, pace=pace(run.fps), score=run.score
    )


def _background(status: Status) -> str:
    """What goes on beside the work, in front of what can be done."""
    run = status.run
    if run is None:
        return ""
    if not run.total:
        return tr("Tracking beside the correction again") + " · "
    share = 100 * min(run.done, run.total) // run.total
    return tr("Tracking beside the correction again: {share} %").format(share=share) + " · "


def _live_ground(live: LiveItem, track: Track | None, options: Settings) -> list[Primitive]:
    found: list[Primitive] = []
    heat = live.prediction.heat.get(options.heat_kind)
    if heat is not None:
        found.append(Heat(heat.values, heat.rect, options.heat_kind, options.heat_opacity))
    if options.show_search and live.prediction.crop is not None:
        found.append(SearchRegion(live.prediction.crop.rect, track.colour if track else "#ffffff"))
    return found


def _as_observation(live: LiveItem) -> Observation:
    """The newest answer before its chunk has reached the document; its mask stays a patch."""
    answer = live.prediction
    if answer.verdict == "lost":
        return Observation(source=Source.TRACKER, state=State.LOST, score=answer.score)
    return Observation(box=answer.box, source=Source.TRACKER, score=answer.score)


def _mask(track: Track, here: Observation, live: LiveItem | None, chosen: bool, options: Settings) -> list[Primitive]:
    if not options.show_masks or options.mask_opacity <= 0:
        return []
    if live is not None:
        patch = live.prediction.mask
    else:
        patch = None if here.mask is None else patch_of(here.mask)
    if patch is None:
        return []
    outline = options.mask_style == "contour" or (chosen and options.mask_style == "both")
    fill = options.mask_style != "contour"
    return [MaskFill(patch, track.colour, options.mask_opacity, track.id, outline, fill, id(patch))]


@lru_cache(maxsize=256)
def patch_of(mask: Mask) -> MaskPatch | None:
    """The smallest patch that holds the mask; None when it is empty."""
    return mask.patch()


def _ghost(track: Track, frame: int) -> list[Primitive]:
    """Where the object is on the frames before and after."""
    near = ((track.at(frame + away), away > 0) for away in (-1, 1))
    return [Ghost(o.box, track.colour, track.id, after) for o, after in near if o and o.present and o.box]


def _last_box(track: Track, frame: int) -> Box | None:
    for earlier in range(frame - 1, max(-1, frame - 1 - REMEMBERED), -1):
        seen = track.at(earlier)
        if seen is not None and seen.present:
            return seen.box
    return None


def _words(here: Observation) -> str:
    words = state_words(here.state)
    return tr("{state} (score {score:.2f})").format(state=words, score=here.score) if here.score is not None else words


def _caption(track: Track, here: Observation) -> str:
    text = f"{track.label} {track.id}"
    if here.source is Source.TRACKER and here.score is not None:
        text += f" · {here.score:.2f}"
    return f"{text} · {state_words(State.OCCLUDED)}" if here.state is State.OCCLUDED else text
