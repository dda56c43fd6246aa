"""Where the picture lies on the widget: plain arithmetic, no painting.

Frames of reference: *image* pixels (edges on pixel borders) and *widget* logical pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.model.geometry import Box

MIN_SCALE, MAX_SCALE = 0.02, 64.0
KEEP = 48
"""Logical pixels of the picture that stay on the widget however far one pans."""


@dataclass
class Viewport:
    """Scale (logical pixels per image pixel) and the widget position of the image's top left corner."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    fitted: bool = True
    """True until the user zooms or pans; a fitted picture follows the widget's size."""

    def fit(self, image: tuple[int, int], widget: tuple[int, int], margin: int = 16) -> None:
        """Show the whole ``(width, height)`` image in the middle of the widget."""
        width, height = image
        room_w, room_h = max(1, widget[0] - 2 * margin), max(1, widget[1] - 2 * margin)
        self.scale = min(MAX_SCALE, max(MIN_SCALE, min(room_w / max(1, width), room_h / max(1, height))))
        self.x = (widget[0] - width * self.scale) / 2
        self.y = (widget[1] - height * self.scale) / 2
        self.fitted = True

    def zoom_at(self, px: float, py: float, factor: float) -> None:
        """Scale by ``factor``; the image point under widget point (px, py) stays there."""
        scale = min(MAX_SCALE, max(MIN_SCALE, self.scale * factor))
        ratio = scale / self.scale
        self.x = px - (px - self.x) * ratio
        self.y = py - (py - self.y) * ratio
        self.scale = scale
        self.fitted = False

    def centre_on(self, x: float, y: float, widget: tuple[int, int]) -> None:
        """Bring an image point to the middle of the widget, at the scale that is."""
        self.x = widget[0] / 2 - x * self.scale
        self.y = widget[1] / 2 - y * self.scale
        self.fitted = False

    def pan(self, dx: float, dy: float, image: tuple[int, int], widget: tuple[int, int]) -> None:
        """Move by logical pixels; a strip of `KEEP` pixels of the picture never leaves the widget."""
        width, height = image[0] * self.scale, image[1] * self.scale
        self.x = min(widget[0] - KEEP, max(KEEP - width, self.x + dx))
        self.y = min(widget[1] - KEEP, max(KEEP - height, self.y + dy))
        self.fitted = False

    def to_widget(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.scale, self.y + y * self.scale

    def to_image(self, px: float, py: float) -> tuple[float, float]:
        return (px - self.x) / self.scale, (py - self.y) / self.scale

    def box(self, box: Box) -> tuple[float, float, float, float]:
        """A box of the image as left, top, width, height on the widget."""
        left, top = self.to_widget(box.x, box.y)
        return left, top, box.w * self.scale, box.h * self.scale
