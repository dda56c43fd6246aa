"""Masks: the tools and what can be done with a mask as a whole."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, has_box, selected
from app.session import Session
from app.work.painting import MaskTool

SCOPE = "mask"


def _masking(session: Session) -> bool:
    return session.mask_tool is not None


def _has_mask(session: Session) -> bool:
    return session.here is not None and session.here.mask is not None


def _take(tool: MaskTool) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.begin_masking(tool)


def _toggle(session: Session, ui: Ui) -> None:
    if session.mask_tool is None:
        session.begin_masking()
    else:
        session.end_masking()


COMMANDS: tuple[Command, ...] = (
    Command("mask.edit", "Edit the mask", ("M",), "Mask", _toggle, selected, hint="Again: back to boxes"),
    Command("mask.brush", "Brush", ("B",), "Mask", _take(MaskTool.BRUSH), _masking, scope=SCOPE,
            hint="Drag paints, with Shift it erases"),
    Command("mask.eraser", "Eraser", ("E",), "Mask", _take(MaskTool.ERASER), _masking, scope=SCOPE,
            hint="Drag erases, with Shift it paints"),
    Command("mask.polygon", "Polygon", ("P",), "Mask", _take(MaskTool.POLYGON), _masking, scope=SCOPE,
            hint="Click the corners; a double click or Enter closes it, with Shift it is cut out"),
    Command("mask.close", "Close the polygon", ("Return",), "Mask", lambda s, ui: ui.finish_shape(), _masking,
            scope=SCOPE),
    Command("mask.fill", "Fill", ("F",), "Mask", _take(MaskTool.FILL), _masking, scope=SCOPE,
            hint="Click a hole to fill it, with Shift a part to remove it"),
    Command("mask.larger", "Larger brush", ("]",), "Mask", lambda s, ui: s.size_brush(1), _masking, scope=SCOPE),
    Command("mask.smaller", "Smaller brush", ("[",), "Mask", lambda s, ui: s.size_brush(-1), _masking, scope=SCOPE),
    Command("mask.refine", "Draw the mask in the box", ("Shift+M",), "Mask", lambda s, ui: s.refine_mask(), has_box,
            hint="The tracker draws it anew, such as after the box was corrected"),
    Command("mask.to_box", "Fit the box to the mask", ("Ctrl+Shift+B",), "Mask", lambda s, ui: s.box_from_mask(),
            _has_mask),
    Command("mask.from_box", "Mask from the box", (), "Mask", lambda s, ui: s.mask_from_box(), has_box,
            hint="All of the box, as a beginning for square things"),
    Command("mask.remove", "Delete this frame's mask", (), "Mask", lambda s, ui: s.remove_mask(), _has_mask,
            hint="The box stays"),
)  # fmt: skip
