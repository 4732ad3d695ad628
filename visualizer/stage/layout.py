"""Where the square dance frame lies in a window of any shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from visualizer.dancer.formation import FARTHER, above
from visualizer.dancer.pack import FLOOR
from visualizer.moment import FIGURE

if TYPE_CHECKING:
    from visualizer.moment import Bodies


@dataclass(frozen=True)
class Spot:
    """Where the frame of one dancer lies on the stage, frame widths of the front row.

    x from the middle, y down from the upper edge of a frame in front.
    """

    place: float
    scale: float = 1.0
    lift: float = 0.0  # of its floor line

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.place - 0.5 * self.scale

    @property
    def top(self) -> float:
        """Its upper edge."""
        return FLOOR * (1 - self.scale) - self.lift


VIEWER = 3.2  # frame widths from the viewer to who stands in a row: 8 m
EYES = 0.5  # frame widths that the viewer's eyes are above the floor


def find_spots(picture: Bodies) -> list[Spot]:
    """The spot of each dancer of a picture."""
    if picture.depth is None:
        spots = [Spot(float(place)) for place in picture.place]
    else:
        spots = [
            Spot(float(place), FARTHER ** float(depth), picture.rise * float(depth))
            for place, depth in zip(picture.place, picture.depth, strict=True)
        ]
    if picture.near is None:
        return spots
    return [_come_near(spot, float(near)) for spot, near in zip(spots, picture.near, strict=True)]


def _come_near(spot: Spot, near: float) -> Spot:
    """Who is `near` frame widths nearer is larger, and the feet are farther below the eyes (central projection)."""
    larger = VIEWER / (VIEWER - near)
    return Spot(spot.place, spot.scale * larger, spot.lift - EYES * spot.scale * (larger - 1))


def find_drawing_order(picture: Bodies) -> list[int]:
    """The numbers of the dancers, the farthest first; of one row as they are."""
    count, depth, near = len(picture.place), picture.depth, picture.near
    if depth is None:
        return list(range(count)) if near is None else sorted(range(count), key=lambda k: float(near[k]))
    if near is None:
        return sorted(range(count), key=lambda k: -float(depth[k]))
    return sorted(range(count), key=lambda k: (-round(float(depth[k]), 3), float(near[k])))


PHASES = 8  # sideways places within a pixel that a dancer can stand at; fewer would be seen as jumps
SLIT = 20  # frames that lie above or beside one another in a window, at most


@dataclass(frozen=True)
class Layout:
    """All in pixels of the window; y grows downwards."""

    width: int
    height: int
    side: int  # side of the square frame
    top: int  # y of the frame's upper edge; negative: cut off
    lift: float = 0.0  # frame widths that the floor line of the last row is higher

    def left(self, place: float) -> float:
        """x of the left edge of the frame of a dancer who stands `place` frame widths right of the middle."""
        return (self.width - self.side) / 2 + place * self.side

    def box(self, spot: Spot) -> tuple[int, float, int]:
        """Side, left edge and upper edge of one dancer's frame, as it is drawn."""
        if spot.scale == 1 and not spot.lift:
            return self.side, self.left(spot.place), self.top
        side = max(1, round(self.side * spot.scale))
        floor = self.top + (FLOOR - spot.lift) * self.side
        return side, (self.width - side) / 2 + spot.place * self.side, round(floor - FLOOR * side)


def find_pixel(left: float) -> tuple[int, int]:
    """The pixel that a frame whose left edge is there begins with, and how many PHASES farther right it begins."""
    return divmod(round(left * PHASES), PHASES)


def find_layout(size: tuple[int, int], span: float = FIGURE, rise: float = 0.0, deep: float = 0.0) -> Layout:
    """The frame is as high as the window, so head, raised hands and feet are always seen.

    Where `span` frame widths would not fit into the window then, the frame is so small that they do. One dancer
    needs less than a frame's width, so that in a tall window they are not small. Rows, `deep` of them behind the first
    and each `rise` frame widths higher, want room above.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ValueError(f"a window must have pixels, not {width}x{height}")
    more = above(rise, deep)
    # A window that is a slit shows a piece of the dancer rather than hundreds of empty frames beside one another.
    side = max(1, min(int(height / (1 + more)), round(width / span)), height // SLIT, width // SLIT)
    return Layout(width, height, side, round((height - side - more * side) * 0.6 + more * side), rise * deep)
