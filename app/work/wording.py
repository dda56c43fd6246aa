"""What a run has to say at its end, in words."""

from __future__ import annotations

from collections.abc import Mapping

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
            return f"Lost at frame {ending.frame}: {ending.why}"
        case Reason.UNCERTAIN:
            return f"Uncertain since frame {ending.frame}: {ending.why}"
        case Reason.KEYFRAME:
            return f"Tracked up to the keyframe at {beyond}"
        case Reason.FILLED:
            return f"Filled up to frame {ending.frame}; what lies beyond has boxes"
        case Reason.SETTLED:
            return f"Tracked again to frame {ending.frame}, what lies beyond stays"
        case Reason.UNTIL:
            return f"Tracked to frame {ending.frame}"
        case Reason.END if beyond < 0:
            return f"Tracked to the start of the clip (frame {ending.frame})"
        case _:
            return f"Tracked to the end of the clip (frame {ending.frame})"


def meeting_words(meeting: Meeting) -> str:
    """How both passes over a gap agreed."""
    gap = f"Gap {meeting.left}-{meeting.right}"
    if meeting.one_sided:
        return f"{gap} tracked from one side, the other keyframe has no box"
    if meeting.agreement is None or meeting.worst is None:
        return f"{gap} tracked from both sides, which never saw the object together"
    if meeting.worst >= DISAGREES:
        return f"{gap} tracked from both sides, they agree (IoU {iou(meeting.agreement)})"
    return f"{gap} tracked from both sides, they disagree most at frame {meeting.worst_at} (IoU {iou(meeting.worst)})"


def iou(value: float) -> str:
    """An overlap without its leading zero, as people write it: .93."""
    said = f"{value:.2f}"
    return said[1:] if "0.00" < said < "1" else said[0]


def _together(endings: tuple[Ending, ...], names: Mapping[int, str]) -> str:
    waiting = [e for e in endings if e.reason in PAUSES]
    if waiting:
        who = ", ".join(names.get(e.aim.track, "an object") for e in waiting[:3]) + ("…" if len(waiting) > 3 else "")
        return f"{len(waiting)} of {len(endings)} objects wait for an answer: {who}"
    return f"{len(endings)} objects tracked to where they had to go"
