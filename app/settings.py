"""The settings: declared once, with range and words; the file holds only what the user changed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

log = logging.getLogger(__name__)

HEAT_KINDS = ("off", "fused", "classification", "attention", "mask")
"""In the order in which the H key walks through them."""

CommitMode = Literal["fill", "replace", "range"]
"""Which frames a run may write, of those that nobody vouches for: such without a box; all up to the next keyframe; all
of its range, past keyframes, which correct it."""


MASK_STYLES = ("both", "fill", "contour")


def _meta(title: str, group: str, *, ge: float | None = None, le: float | None = None, project: bool = False) -> Meta:
    """``project``: a project may have its own."""
    return Meta(title=title, ge=ge, le=le, extra={"group": group, "project": project})


class Settings(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What the user may set. Each field carries its title and group, from which a dialog can be made."""

    theme: Annotated[Literal["system", "light", "dark"], _meta("Colour theme", "Appearance")] = "system"
    language: Annotated[Literal["system", "en", "es"], _meta("Language, from the next start", "Appearance")] = "system"
    heat_kind: Annotated[
        Literal["off", "fused", "classification", "attention", "mask"], _meta("Heat map", "Canvas", project=True)
    ] = "fused"
    heat_opacity: Annotated[float, _meta("Heat-map opacity", "Canvas", ge=0, le=1, project=True)] = 0.5
    mask_opacity: Annotated[float, _meta("Mask opacity", "Canvas", ge=0, le=1, project=True)] = 0.35
    show_masks: Annotated[bool, _meta("Show masks", "Canvas", project=True)] = True
    mask_style: Annotated[Literal["both", "fill", "contour"], _meta("Masks as", "Canvas", project=True)] = "both"
    brush: Annotated[float, _meta("Mask brush (px)", "Canvas", ge=0.5, le=500, project=True)] = 8.0
    show_labels: Annotated[bool, _meta("Show labels", "Canvas", project=True)] = True
    show_ghost: Annotated[bool, _meta("Show neighbouring boxes", "Canvas", project=True)] = False
    lock_camera: Annotated[bool, _meta("Keep the object in the middle", "Canvas", project=True)] = False
    magnifier: Annotated[bool, _meta("Magnifier at the cursor", "Canvas")] = False
    show_search: Annotated[bool, _meta("Show the search region", "Canvas", project=True)] = True
    tracker: Annotated[str, _meta("Tracker", "Tracking", project=True)] = "default"
    device: Annotated[str, _meta("Device", "Tracking")] = "auto"
    masks: Annotated[bool, _meta("Track masks", "Tracking", project=True)] = True
    commit_mode: Annotated[CommitMode, _meta("A run writes", "Tracking", project=True)] = "fill"
    pause_on: Annotated[Literal["lost", "uncertain", "never"], _meta("Pause a run when", "Tracking", project=True)] = (
        "lost"
    )
    lost_after: Annotated[int, _meta("Pause after lost frames", "Tracking", ge=1, le=100, project=True)] = 4
    uncertain_after: Annotated[int, _meta("Pause after uncertain frames", "Tracking", ge=1, le=1000, project=True)] = 8
    retrack_on_correction: Annotated[bool, _meta("A correction tracks its gaps again", "Tracking", project=True)] = True
    follow: Annotated[bool, _meta("Follow the run on the picture", "Tracking")] = True
    cache_mb: Annotated[int, _meta("Frame cache (MB)", "Video", ge=64)] = 512
    store_mb: Annotated[int, _meta("Frames kept on disk for quick jumps (MB)", "Video", ge=0)] = 4096
    jump: Annotated[int, _meta("Frames per long step", "Video", ge=2, le=1000, project=True)] = 10
    playback_rate: Annotated[float, _meta("Playback rate", "Video", ge=0.05, le=16, project=True)] = 1.0
    keys: Annotated[dict[str, tuple[str, ...]], _meta("Keys", "Keys")] = {}
    """Keys by command where they differ from the table's; see `app.commands.keymap`."""


OF_PROJECTS = frozenset(
    field.name
    for field in msgspec.structs.fields(Settings)
    if any(isinstance(one, Meta) and (one.extra or {}).get("project") for one in get_args(field.type))
)
"""The settings that a project or a collection may have in place of the user's."""


def resolved(mine: Settings, *overrides: Mapping[str, object]) -> Settings:
    """The settings that hold: ``mine`` but where ``overrides`` say otherwise, the last of them above all.

    What is no setting of projects, or does not fit the schema, is passed over: it may come from another version.
    """
    values: dict[str, object] = {}
    for own in overrides:
        for name in OF_PROJECTS & own.keys():
            try:
                values[name] = getattr(msgspec.convert({name: own[name]}, Settings), name)
            except msgspec.ValidationError:
                log.info("The project's own setting %s=%r is passed over: it does not fit", name, own[name])
    return msgspec.structs.replace(mine, **values)


def load_settings(path: Path) -> Settings:
    """Read the settings; a missing file gives the defaults.

    A file that cannot be understood never stops the start: it is set aside as ``*.broken`` and the defaults are used.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, msgspec.DecodeError) as error:
        aside = path.with_suffix(".broken")
        log.warning("%s cannot be read (%s); it is kept as %s and the defaults are used", path, error, aside.name)
        with contextlib.suppress(OSError):
            path.replace(aside)
        return Settings()


def save_settings(settings: Settings, path: Path) -> None:
    """Write what differs from the defaults, atomically. Raises OSError when the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
    part.replace(path)
