"""What every pass on a GPU is made of: one triangle over all of its target, and what came of it, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame

if TYPE_CHECKING:
    import moderngl

VERTEX = """
#version 330
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }
"""


def fullscreen_triangle(gl: moderngl.Context) -> moderngl.Buffer:
    """The corners of a triangle that covers all of a target."""
    return gl.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())


def read(target: moderngl.Framebuffer, size: tuple[int, int]) -> pygame.Surface:
    """What was drawn, as a surface."""
    raw = target.read(viewport=(0, 0, *size), components=3, alignment=1)
    return pygame.transform.flip(pygame.image.frombytes(raw, size, "RGB"), False, True)
