"""The application's half of the command line: tracking, labels and frames in files, the demo, and what is here.

The commands drive the same `Session` as the window. Each returns its exit status; what a user can mend is raised as one
of our own exceptions, whose text main.py prints in one sentence. What is slow to import is imported by the command that
needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from app import diagnostics
from app.cli import exchange, frames

app = App(name="app", help="Label video without a window.")
app.command(exchange.convert)
app.command(exchange.formats)
app.command(frames.export_frames, name="export-frames")


@app.command
def track(
    media: Annotated[Path, Parameter(name="INPUT")],
    *,
    box: str,
    out: Path,
    frame: int = 0,
    until: int | None = None,
    backward: Annotated[bool, Parameter(negative=())] = False,
    tracker: str = "default",
    untrained: Annotated[bool, Parameter(negative=())] = False,
    weights: Path | None = None,
    profile: str | None = None,
    device: str = "auto",
    format_: Annotated[list[str] | None, Parameter(name=["--format", "-f"], negative=())] = None,
    preview: Path | None = None,
    masks: bool = True,
    keep_going: Annotated[bool, Parameter(negative=())] = False,
    label: str = "object",
) -> int:
    """Track one object through a video and export it.

    The run ends at the end of the clip, after --until, or when the object is lost, as in the window. Beside the exports
    a project is written that the window opens. Frames count from 0.

    Parameters
    ----------
    media
        A video file or a folder of images.
    box
        The object in the first frame of the run: X,Y,W,H in pixels, from the top left corner.
    out
        Folder for the results; it is made.
    frame
        The frame that the box belongs to.
    until
        The last frame to track.
    backward
        Track towards the start of the clip.
    tracker
        See `trackers`.
    untrained
        Use random weights, to look at the mechanics of a tracker whose weights are not here.
    weights
        A file of weights of your own (.safetensors).
    profile
        Which of the tracker's published hyper-parameters: siammask-r50 has vot, vot16, davis and plain.
    device
        auto, cpu, cuda or mps.
    format_
        Export format, see `formats`; may be given several times.
    preview
        Also write a video with the result drawn in.
    masks
        Track masks where the tracker can.
    keep_going
        Go on when the object is lost, and look for it until the end.
    label
        What the object is.
    """
    from app.cli.headless import Task, chosen, parse_box, track_and_export

    task = Task(
        media=media, box=parse_box(box), out=out, frame=frame, until=until, step=-1 if backward else 1,
        tracker=chosen(tracker, untrained, weights, profile), device=device,
        formats=tuple(dict.fromkeys(format_ or ["coco"])), preview=preview, masks=masks, keep_going=keep_going,
        label=label,
    )  # fmt: skip
    return track_and_export(task, Console()).status


@app.command
def demo(
    *,
    out: Path | None = None,
    tracker: str = "default",
    untrained: Annotated[bool, Parameter(negative=())] = False,
    weights: Path | None = None,
    profile: str | None = None,
    device: str = "auto",
) -> int:
    """Track the target of the sample clip and say where the results lie and how good they are.

    Parameters
    ----------
    out
        Folder for the results. The default is a folder among your documents.
    tracker
        See `trackers`.
    untrained
        Use random weights, to look at the mechanics of a tracker whose weights are not here.
    weights
        A file of weights of your own (.safetensors).
    profile
        Which of the tracker's published hyper-parameters.
    device
        auto, cpu, cuda or mps.
    """
    from app.cli.headless import chosen, run_demo

    choice = chosen(tracker, untrained, weights, profile)
    return run_demo(out or diagnostics.paths().documents / "demo", choice, device, Console())


@app.command
def keys(*, markdown: Annotated[bool, Parameter(negative=())] = False) -> int:
    """The keys of the window.

    Parameters
    ----------
    markdown
        As docs/keys.md has them.
    """
    from app.commands import COMMANDS
    from app.commands.sheet import markdown as sheet

    if markdown:
        print(sheet(), end="")
        return 0
    table = Table("command", "keys", "", box=None)
    for command in COMMANDS:
        if command.keys:
            table.add_row(command.title.removesuffix("…"), "  ".join(command.keys), command.hint)
    Console().print(table)
    return 0


@app.command
def info() -> int:
    """Versions, device, weights and folders of this installation."""
    from tracker import registry
    from tracker.api import TrackerError

    table = Table(show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    report = diagnostics.environment_report()
    report["Device"] = registry.auto_device()
    for line in registry.infos():
        try:
            files = registry.weight_files(line.name)
        except TrackerError as error:  # a plug-in's own code failed
            report[f"Tracker {line.name}"] = str(error)
            continue
        state = "" if all(file.is_file() for file in files) else " (missing)"
        report[f"Tracker {line.name}"] = ", ".join(str(file) for file in files) + state if files else line.weights
    for name, value in report.items():
        table.add_row(name, value)
    console = Console()
    if not console.is_terminal:
        console.width = 200  # columns; a file or a pipe has no edge to fit
    console.print(table)
    return 0
