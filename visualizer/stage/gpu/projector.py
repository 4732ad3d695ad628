"""The picture on one display, pulled to its corners, masked and dimmed, by a graphics card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.stage.gpu.fullscreen_triangle import VERTEX, fullscreen_triangle
from visualizer.stage.screens.homography import find_homography
from visualizer.stage.screens.plan import ScreenPlan

if TYPE_CHECKING:
    import moderngl

PROJECT = """
#version 330
uniform sampler2D picture;  // rows from below
uniform sampler2D mask;     // rows from above
uniform mat3 to_picture;    // pixels of the display, from above, to 0..1 of the part that is shown, from above
uniform vec4 part;          // left, top, width and height of that, shares of the picture
uniform vec2 size;          // of the display, pixels
uniform float brightness;
uniform float gamma;
out vec4 pixel;
void main() {
    vec2 place = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y);
    vec3 found = to_picture * vec3(place, 1.0);
    vec2 at = found.xy / found.z;
    vec2 soft = max(fwidth(at), vec2(1e-6));  // the edge is as wide as a pixel
    vec2 within = clamp(min(at, 1.0 - at) / soft + 0.5, 0.0, 1.0);
    vec2 seen = part.xy + clamp(at, 0.0, 1.0) * part.zw;
    vec3 light = texture(picture, vec2(seen.x, 1.0 - seen.y)).rgb;
    light = pow(light, vec3(gamma)) * brightness * texture(mask, place / size).r;
    pixel = vec4(found.z > 0.0 ? light * within.x * within.y : vec3(0.0), 1.0);
}
"""


class Projector:
    """Draws textures as a display is to show them."""

    def __init__(self, gl: moderngl.Context, plan: ScreenPlan, stage: tuple[int, int], mask: NDArray | None) -> None:
        """`stage`: size of the pictures; `mask` (height, width) 0..1."""
        levels = np.ones((1, 1)) if mask is None else mask
        data = np.ascontiguousarray(levels * 255 + 0.5, np.uint8)
        self._mask = gl.texture((data.shape[1], data.shape[0]), 1, data.tobytes(), alignment=1)
        self._mask.repeat_x = self._mask.repeat_y = False
        self._corners = fullscreen_triangle(gl)
        self._program = gl.program(vertex_shader=VERTEX, fragment_shader=PROJECT)
        self._triangle = gl.simple_vertex_array(self._program, self._corners, "corner")
        left, top, width, height = plan.part
        unit = find_homography(plan.corners, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
        values = {
            "picture": 0, "mask": 1, "to_picture": tuple(unit.T.ravel()), "size": plan.display.size,
            "part": (left / stage[0], top / stage[1], width / stage[0], height / stage[1]),
            "brightness": plan.setup.brightness, "gamma": plan.setup.gamma,
        }  # fmt: skip
        for name, value in values.items():
            self._program[name].value = value  # pyright: ignore[reportAttributeAccessIssue]

    def draw(self, picture: moderngl.Texture, target: moderngl.Framebuffer) -> None:
        """Fill `target`."""
        picture.filter = picture.ctx.LINEAR, picture.ctx.LINEAR
        picture.repeat_x = picture.repeat_y = False
        picture.use(0)
        self._mask.use(1)
        target.use()
        self._triangle.render()

    def release(self) -> None:
        """Give the GPU its memory back."""
        for thing in (self._mask, self._triangle, self._program, self._corners):
            thing.release()
