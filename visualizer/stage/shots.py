"""Pictures taken of the show as it is drawn: clean, without what is written over it, and without holding it up.

The painter's picture lies in memory and is copied. A GPU's is asked for with one picture and fetched with the next: to
wait for it would make each picture late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame
from numpy.typing import NDArray

if TYPE_CHECKING:
    import moderngl

Pixels = NDArray[np.uint8]


def _is_bgrx(surface: pygame.Surface) -> bool:
    return surface.get_bitsize() == 32 and surface.get_masks()[:3] == (0xFF0000, 0xFF00, 0xFF)


def pixels_of(surface: pygame.Surface) -> Pixels:
    """Copy (height, width, 4) of a 32-bit surface: blue, green, red, unused. ValueError for another kind of surface.

    The one copy on the way to a file: the painter uses its surface again, and may not while anyone looks at it.
    """
    if not _is_bgrx(surface):
        raise ValueError(f"the surface must be 32-bit BGRX, not {surface}")
    width, height = surface.get_size()
    buffer: Any = surface.get_buffer()
    rows = np.frombuffer(buffer, np.uint8).reshape(height, surface.get_pitch())
    return rows[:, : width * 4].reshape(height, width, 4).copy()


@dataclass(frozen=True)
class Shot:
    """One picture, which nothing else writes into."""

    time: float  # what it was asked for with
    pixels: Pixels  # (height, width, 4)
    gl: bool = False  # RGBA with the lowest row first; else BGRX with the highest

    def surface(self) -> pygame.Surface:
        """For saving; RGB."""
        height, width = self.pixels.shape[:2]
        pixels = self.pixels[::-1] if self.gl else self.pixels[:, :, [2, 1, 0, 3]]
        return pygame.image.frombuffer(np.ascontiguousarray(pixels[:, :, :3]).tobytes(), (width, height), "RGB")


class Camera:
    """Takes the picture that is being drawn if it was asked for."""

    def __init__(self) -> None:
        self.shots: list[Shot] = []  # ready
        self._asked: float | None = None
        self._under_way: tuple[float, tuple[int, int], moderngl.Buffer] | None = None

    def ask(self, time: float) -> None:
        """The next picture, please; `time` comes back with it."""
        self._asked = time

    def of_surface(self, surface: pygame.Surface) -> None:
        """A 32-bit picture is painted."""
        if self._asked is None:
            return
        pixels = pixels_of(surface if _is_bgrx(surface) else surface.convert(32, 0))
        pixels.flags.writeable = False  # a picture and a video may be made of the same shot
        self.shots.append(Shot(self._asked, pixels))
        self._asked = None

    def of_gl(self, target: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """A picture of that size is drawn into `target`, and nothing over it yet."""
        self.fetch()
        if self._asked is None:
            return
        buffer = target.ctx.buffer(reserve=size[0] * size[1] * 4)
        target.read_into(buffer, viewport=(0, 0, *size), components=4)
        self._under_way, self._asked = (self._asked, size, buffer), None

    def fetch(self) -> None:
        """Take in what is under way."""
        if self._under_way is None:
            return
        (time, (width, height), buffer), self._under_way = self._under_way, None
        pixels = np.frombuffer(buffer.read(), np.uint8).reshape(height, width, 4)
        buffer.release()
        self.shots.append(Shot(time, pixels, gl=True))

    def lose(self) -> None:
        """The GPU cannot be asked any more, not even to give a buffer back: what is under way is lost."""
        self._asked = self._under_way = None

    def forget(self) -> None:
        """The window goes, and its GPU's buffers with it."""
        if self._under_way is not None:
            self._under_way[2].release()
        self._under_way = None
