"""What is shown, and how large."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, is_open
from app.session import Session
from app.settings import MASK_STYLES


def _toggle(name: str) -> Callable[[Session, Ui], None]:
    """Switch one of the settings on or off."""
    return lambda session, ui: session.change_settings(**{name: not getattr(session.settings, name)})


def _mask_style(session: Session, ui: Ui) -> None:
    at = MASK_STYLES.index(session.settings.mask_style)
    session.change_settings(mask_style=MASK_STYLES[(at + 1) % len(MASK_STYLES)])


COMMANDS: tuple[Command, ...] = (
    Command("view.heat", "Next heat map", ("A",), "View", lambda s, ui: s.cycle_heat(),
            hint="Off, fused, classification, attention, mask"),
    Command("view.masks", "Masks", ("Ctrl+M",), "View", _toggle("show_masks"), hint="Show or hide all masks"),
    Command("view.mask_style", "Masks as contour or fill", (), "View", _mask_style,
            hint="Both, fill alone, contour alone"),
    Command("view.ghost", "Neighbouring boxes", ("G",), "View", _toggle("show_ghost"),
            hint="Where the selected object is on the frames before and after"),
    Command("view.labels", "Labels", ("Ctrl+H",), "View", _toggle("show_labels"), hint="Names and scores at the boxes"),
    Command("view.lock_camera", "Keep the object in the middle", ("Ctrl+L",), "View", _toggle("lock_camera"),
            hint="The picture moves with the selected object, so that its changes are seen"),
    Command("view.magnifier", "Magnifier", ("Z",), "View", _toggle("magnifier"),
            hint="A lens at the cursor that shows the pixels"),
    Command("view.search", "Search region", (), "View", _toggle("show_search"), hint="Where the tracker looks"),
    Command("view.fit", "Fit the picture", ("Ctrl+0",), "View", lambda s, ui: ui.fit(), is_open),
    Command("view.actual_size", "Actual size", ("Ctrl+1",), "View", lambda s, ui: ui.actual_size(), is_open,
            hint="One pixel of the picture on one of the screen"),
    Command("view.zoom_in", "Zoom in", ("Ctrl+=", "Ctrl++"), "View", lambda s, ui: ui.zoom(1.25), is_open),
    Command("view.zoom_out", "Zoom out", ("Ctrl+-",), "View", lambda s, ui: ui.zoom(0.8), is_open),
)  # fmt: skip
