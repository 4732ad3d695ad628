"""Where the square dance frame lies in a window of any shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """All in pixels of the window; y grows downwards."""

    width: int
    height: int
    side: int  # side of the square frame
    top: int  # y of the frame's upper edge; negative: cut off

    def left(self, place: float) -> float:
        """x of the left edge of the frame of a dancer who stands `place` frame widths right of the middle."""
        return (self.width - self.side) / 2 + place * self.side


def layout(size: tuple[int, int]) -> Layout:
    """The frame is as high as the window, so head, raised hands and feet are always seen.

    In a tall window it is a third wider than the window instead: a dancer seldom spreads over more than two
    thirds of the frame, and would be small otherwise.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ValueError(f"a window must have pixels, not {width}x{height}")
    side = min(height, round(width * 4 / 3))
    return Layout(width, height, side, round((height - side) * 0.6))
