"""The stage on a GPU: the same tables of colours, looked up for every pixel of the screen.

The haze is worked out by haze.py and the backdrop by backdrop.py, so a look is the same picture with and without a
GPU. What is left for the card is what it is good at: one pass that makes field and haze large by cubic kernels and
looks three tables up, one for the confetti, and what a look's own GLSL adds.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

import moderngl
import numpy as np
import pygame

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.backdrop import Scene
from visualizer.stage.haze import HazeCanvas
from visualizer.stage.layout import Layout, drawing_order, layout, spots
from visualizer.stage.looks import BAND, LEVELS, Lights, Look, lights
from visualizer.stage.mood import Mood
from visualizer.stage.painter import MOAT, STEEP, grain
from visualizer.stage.passes import VERTEX, read, whole
from visualizer.stage.sprites import Sprites

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.music.clock import Hearing

MOST = 16  # dancers on the stage at once
MOST_ROWS = 1600  # of a backdrop's map or a grain: beyond, one number serves several pixels of the screen

# `stage` is in frame widths: x from the middle, y down from the frame's upper edge.
PICTURE = f"""
#version 330
#define FLOOR {FLOOR}
#define BAND {BAND}
const int SIZE = {FRAME_SIZE};
uniform sampler2DArray field;
uniform int dancers;
uniform vec3 places[{MOST}];  // left and upper edge and side of each frame, the farthest first
uniform bool rows;
uniform vec2 extent;     // of the window, frame widths
uniform float top;       // of the window, frame widths below the frame's upper edge
uniform vec2 size;       // pixels
uniform sampler2D figure_ramp, haze_ramp, palette, haze, map, grain;
uniform float reach, beat, rough;
uniform bool hazy;
out vec4 pixel;

vec4 weights(float t) {{  // cubic convolution, a = -1/2 (Keys, 1981)
    float t2 = t * t, t3 = t2 * t;
    vec2 rising = vec2(-1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2);
    return vec4(-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, rising);
}}
vec4 smooth_weights(float t) {{  // the cubic B-spline
    float t2 = t * t, t3 = t2 * t, s = 1.0 - t;
    return vec4(s * s * s, 3.0 * t3 - 6.0 * t2 + 4.0, 3.0 * (t + t2 - t3) + 1.0, t3) / 6.0;
}}
float one_distance(int k, vec2 stage) {{
    vec2 uv = (stage - places[k].xy) / places[k].z;
    if (any(lessThan(uv, vec2(0.0))) || any(greaterThan(uv, vec2(1.0)))) return BAND;
    vec2 at = uv * float(SIZE) - 0.5, base = floor(at);
    vec4 across = weights(at.x - base.x), down = weights(at.y - base.y);
    float sum = 0.0;
    for (int j = 0; j < 4; j++) {{
        vec4 row;
        for (int i = 0; i < 4; i++) {{
            ivec2 cell = clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), ivec2(SIZE - 1));
            row[i] = texelFetch(field, ivec3(cell, k), 0).r;
        }}
        sum += down[j] * dot(row, across);
    }}
    return sum;
}}
float figure_distance(vec2 stage) {{
    float nearest = BAND;
    for (int k = 0; k < dancers; k++) {{
        float d = one_distance(k, stage);
        if (rows) nearest = max(nearest, ({MOAT} - d) * {STEEP});  // whoever is behind ends a little before
        nearest = min(nearest, d);
    }}
    return nearest;
}}
float haze_at(vec2 stage) {{
    ivec2 cells = textureSize(haze, 0);
    vec2 at = ((stage - vec2(0.0, top)) / extent + vec2(0.5, 0.0)) * vec2(cells) - 0.5, base = floor(at);
    vec4 across = smooth_weights(at.x - base.x), down = smooth_weights(at.y - base.y);
    float sum = 0.0;
    for (int j = 0; j < 4; j++) {{
        vec4 row;
        for (int i = 0; i < 4; i++) {{
            ivec2 cell = clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), cells - 1);
            row[i] = texelFetch(haze, cell, 0).r;
        }}
        sum += down[j] * dot(row, across);
    }}
    return sum;
}}
vec4 look_up(sampler2D ramp, float level) {{
    return texture(ramp, vec2((clamp(level, 0.0, 1.0) * {LEVELS - 1}.0 + 0.5) / {LEVELS}.0, 0.5));
}}
vec4 figure_colour(float d) {{
    return look_up(figure_ramp, (reach - d) / (2.0 * reach));
}}
FINISH
void main() {{
    vec2 uv = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size;
    vec2 stage = (uv - vec2(0.5, 0.0)) * extent + vec2(0.0, top);
    float d = figure_distance(stage);
    if (rough > 0.0) {{
        float shift = texelFetch(grain, ivec2(uv * vec2(textureSize(grain, 0))), 0).r;
        d = clamp(d, rough - reach, reach - rough) - rough * shift;
    }}
    vec4 figure = figure_colour(d);
    int number = int(texelFetch(map, ivec2(uv * vec2(textureSize(map, 0))), 0).r * 255.0 + 0.5);
    vec3 colour = texelFetch(palette, ivec2(number, 0), 0).rgb;
    if (hazy) {{
        vec4 light = look_up(haze_ramp, haze_at(stage));
        colour = min(colour * (1.0 - light.a) + light.rgb, 1.0);
    }}
    colour = finish(colour * (1.0 - figure.a) + figure.rgb, stage);
    // Noise of half a level hides the steps of dark gradients on an 8-bit screen.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    pixel = vec4(colour + (hazy ? noise / 255.0 : 0.0), 1.0);
}}
"""
NO_FINISH = "vec3 finish(vec3 colour, vec2 stage) { return colour; }"

PIECE = """
#version 330
in vec2 corner;
in vec3 colour;
out vec3 tone;
void main() { tone = colour; gl_Position = vec4(corner, 0.0, 1.0); }
"""
PIECE_COLOUR = """
#version 330
in vec3 tone;
out vec4 pixel;
void main() { pixel = vec4(tone, 1.0); }
"""

OVERLAY = """
#version 330
uniform sampler2D writing;
uniform vec2 size;
out vec4 pixel;
void main() { pixel = texture(writing, vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size); }
"""


class Shader:
    """Paints pictures of one size into `target` (default: the window's framebuffer)."""

    def __init__(
        self,
        gl: moderngl.Context,
        size: tuple[int, int],
        target: moderngl.Framebuffer | None = None,
        patient: bool = True,
    ) -> None:
        """`patient`: wait for a large backdrop, so that a dance always gives the same pictures; not live."""
        self.gl, self.size = gl, size
        self.target = target or gl.screen
        self.mood = Mood()
        self.sprites = Sprites()
        self.canvas = HazeCanvas(layout(size))
        self._coarse = -(-min(size) // MOST_ROWS)  # pixels, each way, that share a number of the backdrop
        self._scene = Scene(patient, self._coarse)
        self.complaints: deque[str] = deque()  # of GLSL that does not compile
        self._look_from(layout(size))
        self._programs: dict[str, tuple[moderngl.Program, moderngl.VertexArray]] = {}
        self._good: dict[str, str] = {}  # the last GLSL of each look that compiled
        self._bad: set[str] = set()
        self._quad = whole(gl)
        self._textures: dict[str, moderngl.Texture | moderngl.TextureArray] = {}
        self._pieces: moderngl.Buffer | None = None
        self._look: Look | None = None

    def _look_from(self, place: Layout) -> None:
        """What is seen of the stage. The haze's canvas keeps its cells."""
        self.layout = place
        self._extent = (place.width / place.side, place.height / place.side)
        self._top = -place.top / place.side
        self.canvas.look_from(place)

    def _program(self, name: str, fragment: str, vertex: str = VERTEX) -> moderngl.Program:
        """A program, compiled once. moderngl.Error if it is wrong."""
        if name not in self._programs:
            program = self.gl.program(vertex_shader=vertex, fragment_shader=fragment)
            triangle = self.gl.simple_vertex_array(program, self._quad, "corner") if vertex is VERTEX else None
            self._programs[name] = program, triangle  # type: ignore[assignment]
        return self._programs[name][0]

    def _pass(self, name: str, fragment: str, target: moderngl.Framebuffer, **uniforms: object) -> None:
        """Run one program over all of `target`; a texture among the uniforms is bound to a unit of its own."""
        program = self._program(name, fragment)
        unit = 0
        for key, value in uniforms.items():
            uniform = program.get(key, None)
            if not isinstance(uniform, moderngl.Uniform):
                continue  # the compiler drops what a program does not use
            if isinstance(value, moderngl.Texture | moderngl.TextureArray):
                value.use(unit)
                uniform.value = unit
                unit += 1
            else:
                uniform.value = value
        target.use()
        self._programs[name][1].render(moderngl.TRIANGLES)

    def _texture(self, name: str, pixels: np.ndarray, linear: bool = False) -> moderngl.Texture:
        """A texture of rows of numbers or colours, float32 or uint8, made anew only if its size is another."""
        high, wide = pixels.shape[:2]
        parts = pixels.shape[2] if pixels.ndim == 3 else 1
        texture = self._textures.get(name)
        if texture is None or texture.size != (wide, high):
            if texture is not None:
                texture.release()
            kind = "f1" if pixels.dtype == np.uint8 else "f4"
            texture = self.gl.texture((wide, high), parts, dtype=kind, alignment=1)
            texture.repeat_x = texture.repeat_y = False
            texture.filter = (moderngl.LINEAR, moderngl.LINEAR) if linear else (moderngl.NEAREST, moderngl.NEAREST)
            self._textures[name] = texture
        assert isinstance(texture, moderngl.Texture)
        texture.write(np.ascontiguousarray(pixels).tobytes())
        return texture

    def follow(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> Lights:
        """Go on to this moment without drawing it: what lingers of it is seen in the next picture."""
        if look is not self._look:  # start from an empty stage
            self._look = look
            self.sprites = Sprites()
            self.canvas = HazeCanvas(layout(self.size), 64 if look.haze is None else look.haze.rows)
            self._look_from(self.layout)
            if old := self._textures.pop("grain", None):
                old.release()
        place = layout(self.size, picture.span, picture.rise, picture.deep)
        if place != self.layout:
            self._look_from(place)
        self.mood.follow(hearing, musical_time)
        light = lights(look, self.mood, self.layout.side)
        if look.haze is not None:
            self.canvas.update(picture, look.haze, light, musical_time)
        if look.confetti is not None:
            self.sprites.throw(picture, look.confetti, self.mood, musical_time)
        return light

    def draw(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> None:
        """Draw the picture into the target."""
        light = self.follow(picture, look, hearing, musical_time)
        self._fit_map(look)
        if "grain" not in self._textures:
            step = self._coarse
            small = self.size[0] // step, self.size[1] // step
            none = np.zeros((1, 1), np.float32)  # a sampler that reads nothing must have a texture of its kind too
            self._texture("grain", grain(look, small, self.layout.side // step) if look.figure.grain else none)
        self.gl.disable(moderngl.BLEND)
        name, glsl = self._finish(look)
        self._pass(
            name,
            PICTURE.replace("FINISH", glsl),
            self.target,
            **self._upload(picture),
            extent=self._extent,
            top=self._top,
            size=self.size,
            figure_ramp=self._texture("figure", light.figure[None], linear=True),
            haze_ramp=self._texture("ramp", light.haze[None], linear=True),
            palette=self._texture("palette", light.palette[None]),
            haze=self._texture("haze", self.canvas.values),
            map=self._textures["map"],
            grain=self._textures["grain"],
            reach=light.reach,
            rough=look.figure.grain,
            beat=musical_time % 64,
            hazy=look.haze is not None,
        )
        if look.confetti is not None:
            self._draw_sprites(look, musical_time)

    def _fit_map(self, look: Look) -> None:
        """Bring the backdrop's map up to date."""
        if made := self._scene.fit(look.backdrop, self.layout):
            self._texture("map", made[1])

    def _finish(self, look: Look) -> tuple[str, str]:
        """Name and GLSL of what the look's picture is made by: the last that compiled, so a slip ends no show."""
        if look.glsl is None:
            return "picture", NO_FINISH
        name = f"picture {look.name} {look.glsl}"
        glsl = f"#line 1\n{look.glsl}\n"
        if name not in self._programs and name not in self._bad:
            try:
                self._program(name, PICTURE.replace("FINISH", glsl))
                self._good[look.name] = look.glsl
            except moderngl.Error as error:
                self._bad.add(name)
                self.complaints.append(f"{look.name}.glsl{_where(str(error))}")
        if name in self._bad:
            if look.name not in self._good:
                return "picture", NO_FINISH
            name = f"picture {look.name} {self._good[look.name]}"
            glsl = f"#line 1\n{self._good[look.name]}\n"
        return name, glsl

    def _upload(self, picture: Bodies) -> dict[str, object]:
        count = min(len(picture.place), MOST)
        field = self._textures.get("field")
        if not isinstance(field, moderngl.TextureArray) or field.layers != count:
            if field is not None:
                field.release()
            field = self.gl.texture_array((FRAME_SIZE, FRAME_SIZE, count), 1, dtype="f4")
            field.filter = moderngl.NEAREST, moderngl.NEAREST
            self._textures["field"] = field
        order, where, stage = drawing_order(picture)[:count], spots(picture), self.layout
        field.write(np.ascontiguousarray(picture.frames[order, 0], np.float32).tobytes())
        places = [(0.0, 0.0, 1.0)] * MOST
        for k, who in enumerate(order):
            side, left, top = stage.box(where[who])
            places[k] = (left - stage.width / 2) / stage.side, (top - stage.top) / stage.side, side / stage.side
        rows = picture.depth is not None and bool(np.ptp(picture.depth))
        return {"field": field, "dancers": count, "places": places, "rows": rows}

    def _draw_sprites(self, look: Look, musical_time: float) -> None:
        assert look.confetti is not None
        corners, numbers = self.sprites.draw(look.confetti, musical_time)
        if not len(corners):
            return
        wide, high = self._extent
        corners = np.stack([corners[..., 0] / wide * 2, 1 - (corners[..., 1] - self._top) / high * 2], axis=-1)
        colours = look.confetti.stops[numbers, 1:4]
        vertices = np.concatenate([corners, np.repeat(colours[:, None], 4, axis=1)], axis=2)[:, (0, 1, 2, 0, 2, 3)]
        raw = vertices.astype("f4").tobytes()
        program = self._program("piece", PIECE_COLOUR, PIECE)
        if self._pieces is None or self._pieces.size < len(raw):
            if self._pieces is not None:
                self._pieces.release()
            self._pieces = self.gl.buffer(reserve=2 * len(raw))
        self._pieces.write(raw)
        self.target.use()
        array = self.gl.vertex_array(program, [(self._pieces, "2f 3f", "corner", "colour")])
        array.render(moderngl.TRIANGLES, vertices=6 * len(corners))
        array.release()

    def write(self, writing: pygame.Surface, changed: bool) -> None:
        """Lay a surface with alpha, as large as the window, over the picture; it is sent anew only if `changed`."""
        texture = self._textures.get("writing")
        if texture is None or changed:
            if texture is None:
                texture = self._textures["writing"] = self.gl.texture(self.size, 4)
            texture.write(pygame.image.tobytes(writing, "RGBA"))
        self.gl.enable(moderngl.BLEND)
        self.gl.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._pass("overlay", OVERLAY, self.target, writing=texture, size=self.size)
        self.gl.disable(moderngl.BLEND)

    def read(self) -> pygame.Surface:
        """What was drawn, as a surface."""
        return read(self.target, self.size)

    def release(self) -> None:
        """Give the GPU its memory back."""
        self._scene.close()
        for program, triangle in self._programs.values():
            if triangle is not None:
                triangle.release()
            program.release()
        for thing in (*self._textures.values(), self._pieces, self._quad):
            if thing is not None:
                thing.release()


def _where(said: str) -> str:
    """Line and error out of a driver's words, which differ: 0:12(5): error: …, 0(12) : error …, ERROR: 0:12: …"""
    for line in said.splitlines():
        if found := re.search(r"\b\d+[:(](\d+)\)?(?:\(\d+\))?\s*:\s*(.*)", line):
            return f", line {found[1]}: {found[2]}"
    return f": {' '.join(said.split())}"
