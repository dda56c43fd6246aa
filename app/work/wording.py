"""What a run has to say at its end, in words."""

from __future__ import annotations

from collections.abc import Mapping

from app.model.tracks import State
from app.words import mark, tr
from app.work.requests import DISAGREES, PAUSES, Ending, Meeting, Outcome, Reason


def outcome_words(outcome: Outcome, names: Mapping[int, str]) -> str:
    """How a run ended; ``names``: what the objects are called, needed when there are several."""
    parts = [meeting_words(meeting) for meeting in outcome.meetings]
    endings = tuple(e for e in outcome.endings if e.reason is not Reason.RELEASED)
    if len(endings) == 1:
        parts.append(ending_words(endings[0]))
    elif endings:
        parts.append(_together(endings, names))
    return "; ".join(parts)


def ending_words(ending: Ending) -> str:
    """How it ended for one object."""
    beyond = ending.aim.stop
    match ending.reason:
        case Reason.LOST:
            return tr("Lost at frame {frame}: {why}").format(frame=ending.frame, why=ending.why)
        case Reason.UNCERTAIN:
            return tr("Uncertain since frame {frame}: {why}").format(frame=ending.frame, why=ending.why)
        case Reason.KEYFRAME:
            return tr("Tracked up to the keyframe at {beyond}").format(beyond=beyond)
        case Reason.FILLED:
            return tr("Filled up to frame {frame}; what lies beyond has boxes").format(frame=ending.frame)
        case Reason.SETTLED:
            return tr("Tracked again to frame {frame}, what lies beyond stays").format(frame=ending.frame)
        case Reason.UNTIL:
            return tr("Tracked to frame {frame}").format(frame=ending.frame)
        case Reason.END if beyond < 0:
            return tr("Tracked to the start of the clip (frame {frame})").format(frame=ending.frame)
        case _:
            return tr("Tracked to the end of the clip (frame {frame})").format(frame=ending.frame)


def meeting_words(meeting: Meeting) -> str:
    """How both passes over a gap agreed."""
    if meeting.one_sided:
        said = tr("Gap {left}-{right} tracked from one side, the other keyframe has no box")
    elif meeting.agreement is None or meeting.worst is None:
        said = tr("Gap {left}-{right} tracked from both sides, which never saw the object together")
    elif meeting.worst >= DISAGREES:
        said = tr("Gap {left}-{right} tracked from both sides, they agree (IoU {iou})")
    else:
        said = tr("Gap {left}-{right} tracked from both sides, they disagree most at frame {worst_at} (IoU {iou})")
    overlap = meeting.agreement if meeting.worst is None or meeting.worst >= DISAGREES else meeting.worst
    return said.format(
        left=meeting.left,
        right=meeting.right,
        worst_at=meeting.worst_at,
        iou="" if overlap is None else iou(overlap),
    )


STATES = {
    State.VISIBLE: mark("visible"),
    State.OCCLUDED: mark("occluded"),
    State.OUT_OF_VIEW: mark("out of view"),
    State.LOST: mark("lost"),
}


def state_words(state: State) -> str:
    """How an object is to be seen, in a word or two."""
    return tr(STATES[state])


def iou(value: float) -> str:
    """An overlap without its leading zero, as people write it: .93."""
    said = f"{value:.2f}"
    return said[1:] if "0.00" < said < "1" else said[0]


def _together(endings: tuple[Ending, ...], names: Mapping[int, str]) -> str:
    waiting = [e for e in endings if e.reason in PAUSES]
    if waiting:
        who = ", ".join(names.get(e.aim.track, tr("an object")) for e in waiting[:3]) + (
            "…" if len(waiting) > 3 else ""
        )
        return tr("{count} of {count2} objects wait for an answer: {who}").format(
            count=len(waiting), count2=len(endings), who=who
        )
    return tr("{count} objects tracked to where they had to go").format(count=len(endings))
