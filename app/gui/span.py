"""Which frames the timeline shows. No Qt."""

from __future__ import annotations


class Span:
    """The frames on show, [start, stop) in frames; shared by lanes and curve so that they stay in line."""

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, frames: int) -> None:
        self.open = frames > 0
        self.frames = max(1, frames)
        self.start, self.stop = 0.0, float(self.frames)

    def zoom_at(self, frame: float, factor: float) -> None:
        """Show fewer (factor > 1) or more frames; ``frame`` stays where it is."""
        length = min(float(self.frames), max(min(8.0, self.frames), (self.stop - self.start) / factor))
        share = (frame - self.start) / (self.stop - self.start)
        self._put(frame - share * length, length)

    def pan(self, frames: float) -> None:
        self._put(self.start + frames, self.stop - self.start)

    def reveal(self, frame: int) -> bool:
        """Bring a frame into sight; True when that moved the span."""
        if self.start <= frame and frame + 1 <= self.stop:
            return False
        length = self.stop - self.start
        self._put(frame - length * 0.1 if frame >= self.stop - 1 else frame - length * 0.9, length)
        return True

    def _put(self, start: float, length: float) -> None:
        self.start = min(max(0.0, start), self.frames - length)
        self.stop = self.start + length
