"""SiamLabel's one entry: no arguments or a path open the window, everything else is the command line.

Only what the chosen command needs is imported, so that ``main.py --help`` answers at once.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts import App

# numpy's own products here are small: a second thread for them only waits, and by spinning slows the network's threads
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

USER_ERROR = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 2 after an error that the user can mend, told in one sentence."""
    multiprocessing.freeze_support()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if not arguments:
            return gui()
        cli = command_line()
        if arguments[0] not in cli and Path(arguments[0]).exists():
            arguments = ["gui", *arguments]
        return cli(arguments, result_action="return_int_as_exit_code_else_zero")
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `main.py trackers | head`: nobody reads on, also not what is left to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not is_for_people(error):
            raise
        logging.getLogger("siamlabel").info("ended by an error of the user's making", exc_info=error)
        print(f"siamlabel: {error}", file=sys.stderr)
        return USER_ERROR


def command_line() -> App:
    """The commands of the application and of the trackers, and ``gui``, as one cyclopts app."""
    from cyclopts import App

    from app import __version__
    from app.cli import app as commands
    from tracker.cli import app as trackers

    about = "Label video with trackers. Without a command, the window opens."
    cli = App(name="siamlabel", help=about, version=__version__)
    cli.command(gui)
    for app in (commands, trackers):
        for name in app:
            if not name.startswith("-"):
                cli.command(app[name], name=name)
    return cli


def gui(path: Path | None = None) -> int:
    """Open the window.

    Parameters
    ----------
    path
        Video file, folder of images, or project to open.
    """
    if not can_show_a_window():
        print(
            "siamlabel: there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set). "
            "Without one, use the commands: main.py demo, main.py track --help.",
            file=sys.stderr,
        )
        return USER_ERROR
    # Before Qt: after it, torch cannot load its libraries on Windows. And loading it during the first run would hold
    # the interpreter's lock for long enough to be felt in the window.
    import torch  # noqa: F401

    from app.gui.application import run

    return run(None if path is None else str(path))


def can_show_a_window() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def is_for_people(error: Exception) -> bool:
    """Whether the message alone says what is wrong: our own exceptions are written so, the system's name the file."""
    return type(error).__module__.partition(".")[0] in ("app", "tracker") or isinstance(error, OSError)


if __name__ == "__main__":
    sys.exit(main())
