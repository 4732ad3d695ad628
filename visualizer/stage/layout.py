"""Where the square dance frame lies in a window of any shape."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.dancer.pack import FIGURE

SLIT = 20  # frames that lie above or beside one another in a window, at most


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


def layout(size: tuple[int, int], span: float = FIGURE) -> Layout:
    """The frame is as high as the window, so head, raised hands and feet are always seen.

    Where `span` frame widths would not fit into the window then, the frame is so small that they do. One dancer
    needs less than a frame's width, so that in a tall window he is not small.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ValueError(f"a window must have pixels, not {width}x{height}")
    # A window that is a slit shows a piece of the dancer rather than hundreds of empty frames beside one another.
    side = max(1, min(height, round(width / span)), height // SLIT, width // SLIT)
    return Layout(width, height, side, round((height - side) * 0.6))
