"""Who goes first on the processor: the window's thread, before all that works for it."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

WORK = 10
"""How far lanes stand back: tracking and exporting take what is left."""
FRAMES = 5
"""How far the thread stands back that decodes for display: before the work, after the window."""


def stand_back(by: int) -> None:
    """Let others go before the calling thread, and before the threads that it will start, when cores are scarce.

    ``by``: steps of niceness, 0 to 19. On Linux only; elsewhere threads of one process have no priorities that the
    threads of libraries would take over.
    """
    if sys.platform == "linux":
        me = threading.get_native_id()
        with suppress(OSError):  # some sandboxes refuse; the work is done all the same
            os.setpriority(os.PRIO_PROCESS, me, min(19, os.getpriority(os.PRIO_PROCESS, me) + by))
