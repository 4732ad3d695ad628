"""Whether a GPU still draws.

OpenGL does not say when its context is lost, by a driver that restarts, a card that is pulled or a laptop that has
slept: calls do nothing, and the picture stays what it was. So it is asked now and then to draw a number and tell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl

EVERY = 0.4  # seconds; a lost GPU is noticed within a second


class GpuProbe:
    """One pixel that is drawn and read again."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._pixel = gl.framebuffer([gl.texture((1, 1), 4)])
        self._count = 0
        self._due = -1.0

    def alive(self, now: float) -> bool:
        """False if the GPU does not do what it is told; it is asked every EVERY seconds. Leaves no target bound."""
        if now < self._due:
            return True
        self._due = now + EVERY
        # Another number each time: what was read last may still lie in memory that is not written to now.
        self._count = self._count % 255 + 1
        told = bytes((self._count, 255 - self._count, self._count ^ 0x5A, 255))
        red, green, blue, alpha = (value / 255 for value in told)
        self._pixel.clear(red, green, blue, alpha)
        return self._pixel.read(components=4, alignment=1) == told

    def release(self) -> None:
        """Give the GPU its memory back."""
        self._pixel.color_attachments[0].release()
        self._pixel.release()
