"""The main job without a window: open, draw, track, save, export, preview; the session does it all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app import diagnostics
from app.cli.preview import write_preview
from app.formats import base as formats
from app.model.geometry import iou
from app.session import RunStatus, Session, SessionError
from app.settings import Settings
from app.work.choice import TrackerChoice
from app.work.jobs import Job
from tracker import registry
from tracker.api import Box

INTERRUPTED = 130
PREVIEW_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
DEFAULT = TrackerChoice("default")
FOREVER = 7 * 24 * 3600.0  # seconds; a run takes as long as it takes


@dataclass(frozen=True)
class Task:
    """What ``track`` was asked for. ``box`` in pixels of frame ``frame``; ``step`` is +1 or -1."""

    media: Path
    box: Box
    out: Path
    frame: int = 0
    until: int | None = None
    step: int = 1
    tracker: TrackerChoice = DEFAULT
    device: str = "auto"
    formats: tuple[str, ...] = ("coco",)
    preview: Path | None = None
    masks: bool = True
    keep_going: bool = False
    label: str = "object"


@dataclass(frozen=True)
class Result:
    """What came of it: the exit status, and the box per frame that was tracked (None where it was lost)."""

    status: int
    boxes: dict[int, Box | None]


def parse_box(text: str) -> Box:
    """``"X,Y,W,H"`` as a box. Raises `SessionError` for anything else and for a box without an area."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise SessionError(f"“{text}” is not a box; give --box X,Y,W,H in pixels, for example 120,80,64,48") from None
    if not (np.isfinite([x, y, w, h]).all() and w > 0 and h > 0):
        raise SessionError(f"The box {text} has no area; width and height must be above zero")
    return Box(x, y, w, h)


def chosen(
    name: str, untrained: bool = False, weights: Path | None = None, profile: str | None = None
) -> TrackerChoice:
    """The tracker that the options name. Raises `TrackerError` or `SessionError` when it cannot be had like that."""
    registry.resolve(name)
    choice = TrackerChoice(name, untrained, weights, profile)
    if untrained and weights is not None:
        raise SessionError("--untrained means random weights and --weights a file of them; give one of the two")
    if wrong := sorted(choice.options.keys() - registry.accepts(name)):
        raise SessionError(f"{name} has no network of ours, so it does not take --{', --'.join(wrong)}; leave that out")
    if weights is not None and not weights.is_file():
        raise SessionError(f"There is no file {weights}; give --weights a .safetensors file")
    return choice


def track_and_export(task: Task, console: Console) -> Result:
    """Do the whole task and say what was done. Raises the exceptions of the rooms it goes through."""
    for name in task.formats:
        formats.get(name)
    if task.preview is not None and task.preview.suffix.lower() not in PREVIEW_SUFFIXES:
        raise SessionError(f"The preview {task.preview} cannot be written; give it the ending .mp4")
    try:
        task.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SessionError(f"The folder {task.out} cannot be made ({error.strerror}); choose another --out") from error
    settings = Settings(tracker=task.tracker.name, device=task.device, masks=task.masks)
    session = Session(settings, project_settings=False)  # what was asked for holds
    if task.tracker.untrained:
        console.print(f"{task.tracker.title}: random weights, the results mean nothing", highlight=False)
    try:
        session.use_tracker(task.tracker)
        session.wait(session.open(task.media, fresh=True), FOREVER)
        _check_frames(task, session.frame_count)
        session.seek(task.frame)
        session.add_object(task.box, task.label)
        interrupted = not _track(session, task, console)
        _write(session, task, console)
        frames = session.document.tracks[1].frames
        boxes = {frame: seen.box for frame, seen in sorted(frames.items())}
    finally:
        session.close(discard=True)
    return Result(INTERRUPTED if interrupted else 0, boxes)


def run_demo(out: Path, tracker: TrackerChoice, device: str, console: Console) -> int:
    """The sample clip's target from its first frame to its last, with exports, a preview and the score."""
    sample = diagnostics.resource("sample")
    truth = np.loadtxt(sample / "groundtruth.txt", delimiter=",", ndmin=2)
    clip = sample / "video.mp4"
    console.print(f"Tracking the target of the sample clip, {clip}")
    task = Task(
        clip, Box(*truth[0].tolist()), out, tracker=tracker, device=device, formats=("coco", "vot"),
        preview=out / "preview.mp4", keep_going=True, label="boat",
    )  # fmt: skip
    result = track_and_export(task, console)
    seen = {frame: Box(*row.tolist()) for frame, row in enumerate(truth) if frame and np.isfinite(row).all()}
    scores = [iou(box, theirs) if (box := result.boxes.get(frame)) else 0.0 for frame, theirs in seen.items()]
    console.print(f"Mean IoU with the sample's ground truth: {np.mean(scores):.3f} over {len(scores)} frames")
    console.print(f"The results lie in {out}")
    return result.status


def _check_frames(task: Task, count: int) -> None:
    for name, frame in (("--frame", task.frame), ("--until", task.until)):
        if frame is not None and not 0 <= frame < count:
            raise SessionError(f"{name} {frame} is outside the clip, which has frames 0 to {count - 1}")


def _track(session: Session, task: Task, console: Console) -> bool:
    """Run to the end with a progress bar; False when the user interrupted (what was computed stays)."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        last = task.until if task.until is not None else (session.frame_count - 1 if task.step > 0 else 0)
        bar = progress.add_task("Tracking", total=abs(last - task.frame), speed="")
        session.events.message.connect(lambda text: progress.console.print(text, highlight=False, soft_wrap=True))
        session.events.run.connect(lambda status: _show(progress, bar, task, status))
        run: Job[Any] | None = None
        try:
            while run is None or (task.keep_going and _may_go_on(session, run, last)):
                run = session.track(task.step, until=task.until)
                session.wait(run, FOREVER)
        except KeyboardInterrupt:
            session.stop()
            session.wait(lambda: session.run is None)
            return False
    return True


def _may_go_on(session: Session, run: Job[Any], last: int) -> bool:
    """Whether the object was lost with frames left; the session is then told to go on from the last frame it saw."""
    resume = run.value.resume if run.value else None
    if resume is None or resume.frame == last:
        return False
    session.seek(resume.frame)
    return True


def _show(progress: Progress, bar: TaskID, task: Task, status: RunStatus | None) -> None:
    if status is not None and status.score is not None:
        done = abs(status.frame - task.frame)
        progress.update(bar, completed=done, speed=f"{status.fps:.0f} fps, score {status.score:.2f}")


def _write(session: Session, task: Task, console: Console) -> None:
    stem = task.media.name if task.media.is_dir() else task.media.stem
    session.wait(session.save(task.out / stem))
    for name in task.formats:
        chosen = formats.get(name)
        job = session.export(name, task.out / (f"{stem}-{name}" if chosen.folder else f"{stem}.{name}{chosen.suffix}"))
        session.wait(job, FOREVER)
        assert job.value is not None
        counts = ", ".join(f"{count} {what}" for what, count in job.value.preflight.counts.items())
        console.print(f"  {chosen.title}: {counts}; read back and compared", highlight=False, soft_wrap=True)
        for loss in job.value.preflight.losses:
            console.print(f"  {chosen.title} cannot hold: {loss}", highlight=False, soft_wrap=True)
    if task.preview is not None:
        assert session.media is not None
        work = write_preview(session.document.copy(), session.media, task.preview, session.settings)
        with Progress(console=console) as progress:
            bar = progress.add_task("Preview", total=1.0)
            job = session.jobs.run(
                "export", work, lambda done: progress.update(bar, completed=done), lambda error, cancelled: None
            )
            session.wait(job, FOREVER)  # raises the job's error
        console.print(f"Preview written to {task.preview}", highlight=False, soft_wrap=True)
