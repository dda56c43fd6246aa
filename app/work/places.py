"""Places in a clip as people write them: a frame number, a step, a time."""

from __future__ import annotations

import re

import numpy as np

from app.words import tr
from app.work.errors import SessionError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)(s?)")


def frame_at(text: str, here: int, times: np.ndarray) -> int:
    """The frame that ``text`` names: ``120``, ``+10`` and ``-10`` from ``here``, ``1:02.5`` or ``62.5s`` as a time.

    ``times``: (n,) seconds of each frame, ascending; a time gives the frame on show then. The answer is held inside the
    clip. Raises `SessionError` for anything else.
    """
    written = text.strip().replace(",", ".")
    last = len(times) - 1
    if re.fullmatch(r"[+-]\d{1,9}", written):
        return min(max(here + int(written), 0), last)
    if re.fullmatch(r"\d{1,9}", written):
        return min(int(written), last)
    found = _TIME.fullmatch(written)
    if found and (":" in written or found[4]):
        seconds = int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + float(found[3])
        return min(max(int(np.searchsorted(times, seconds + 1e-6, side="right")) - 1, 0), last)
    raise SessionError(
        tr("'{text}' is no place in the clip; write a frame (120), a step (+10) or a time (1:02.5)").format(text=text)
    )
