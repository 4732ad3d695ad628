"""The stage on a GPU: the same ramps, the same haze, worked out for every pixel of the screen.

Each draw runs a few small passes on coarse canvases (the outline, its narrow and its wide blur, the trails, which
feed back into themselves by ping-pong) and one pass over the screen that samples the field bicubically and looks
the colours up. Sizes and strengths are those of haze.py, so a look is the same picture with and without a GPU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import moderngl
import numpy as np
import pygame

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.haze import LINE, MIRROR, POOL, ROWS, SHORE, TICKS_PER_BEAT
from visualizer.stage.layout import Layout, layout
from visualizer.stage.looks import BAND, LEVELS, SURE, Look, lights
from visualizer.stage.mood import Mood

if TYPE_CHECKING:
    from visualizer.dancer.dancer import Picture
    from visualizer.music.clock import Hearing

MOST = 16  # dancers on the stage at once
CANVAS_ROWS = 2 * ROWS  # the GPU has time for a finer canvas than haze.py; spreads are in frame widths, not cells

VERTEX = """
#version 330
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }
"""

# Shared by all passes. `stage` is in frame widths: x from the middle, y down from the frame's upper edge.
COMMON = f"""
#version 330
#define FLOOR {FLOOR}
#define BAND {BAND}
const int SIZE = {FRAME_SIZE};
uniform sampler2DArray field;
uniform int dancers;
uniform float places[{MOST}];
uniform vec2 extent;     // of the window, frame widths
uniform float top;       // of the window, frame widths below the frame's upper edge

vec4 weights(float t) {{  // cubic convolution, a = -1/2 (Keys, 1981)
    float t2 = t * t, t3 = t2 * t;
    vec2 rising = vec2(-1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2);
    return vec4(-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, rising);
}}
float one_distance(int k, vec2 stage) {{
    vec2 uv = vec2(stage.x - places[k] + 0.5, stage.y);
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
    for (int k = 0; k < dancers; k++) nearest = min(nearest, one_distance(k, stage));
    return nearest;
}}
"""

OUTLINE = f"""
uniform vec2 cells;
uniform float line;      // frame widths; not much less than a cell, or it would fall between two
out float light;
void main() {{
    vec2 stage = (gl_FragCoord.xy / cells - vec2(0.5, 0.0)) * extent + vec2(0.0, top);
    float rest = exp(-pow({SURE} / line, 2.0));
    light = 0.0;
    for (int k = 0; k < dancers; k++) {{
        float d = one_distance(k, stage) / line;
        light += max(exp(-d * d) - rest, 0.0) / (1.0 - rest);
    }}
}}
"""

BLUR = """
#version 330
uniform sampler2D source;
uniform ivec2 along;
uniform float spread;    // cells
out float light;
void main() {
    ivec2 here = ivec2(gl_FragCoord.xy), end = textureSize(source, 0) - 1;
    int reach = int(ceil(3.0 * spread));
    light = 0.0;
    for (int k = -reach; k <= reach; k++) {
        ivec2 cell = here + k * along;
        if (cell == clamp(cell, ivec2(0), end))
            light += exp(-0.5 * float(k * k) / (spread * spread)) * texelFetch(source, cell, 0).r;
    }
    light /= spread * 2.5066283;
}
"""

TRAIL = """
#version 330
uniform sampler2D before, fresh;
uniform vec2 about;      // 0..1
uniform float zoom, fade;
out float light;
void main() {
    vec2 uv = gl_FragCoord.xy / vec2(textureSize(before, 0));
    light = max(texture(before, about + (uv - about) / zoom).r * fade, texture(fresh, uv).r);
}
"""

PICTURE = f"""
uniform vec2 size;       // pixels
uniform sampler2D figure_ramp, haze_ramp, wide, trails;
uniform float reach, glow, trail, pool, beat;
uniform bool hazy;
out vec4 pixel;

vec4 figure_colour(float d) {{
    float level = clamp((reach - d) / (2.0 * reach), 0.0, 1.0) * {LEVELS - 1}.0;
    return texture(figure_ramp, vec2((level + 0.5) / {LEVELS}.0, 0.5));
}}
float raw_haze(vec2 stage) {{
    vec2 uv = (stage - vec2(0.0, top)) / extent + vec2(0.5, 0.0);
    float haze = glow * 2.2 * texture(wide, uv).r + trail * texture(trails, uv).r;
    for (int k = 0; k < dancers; k++) {{
        vec2 off = (stage - vec2(places[k], FLOOR)) / vec2({POOL[0]}, {POOL[1]});
        haze += pool * exp(-dot(off, off));
    }}
    return haze;
}}
float haze_at(vec2 stage) {{
    float haze = raw_haze(stage), depth = stage.y - FLOOR;
    float mirror = {MIRROR} * exp(-depth / 0.12) * min(depth / {SHORE}, 1.0);
    if (depth > 0.0) haze += mirror * raw_haze(vec2(stage.x, FLOOR - depth));
    return min(haze, 1.0);
}}
FINISH
void main() {{
    vec2 uv = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size;
    vec2 stage = (uv - vec2(0.5, 0.0)) * extent + vec2(0.0, top);
    float level = hazy ? haze_at(stage) * {LEVELS - 1}.0 : 0.0;
    vec3 behind = texture(haze_ramp, vec2((level + 0.5) / {LEVELS}.0, 0.5)).rgb;
    vec4 figure = figure_colour(figure_distance(stage));
    vec3 colour = finish(behind * (1.0 - figure.a) + figure.rgb, stage);
    // Noise of half a level hides the steps of dark gradients on an 8-bit screen.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    pixel = vec4(colour + (hazy ? noise / 255.0 : 0.0), 1.0);
}}
"""
NO_FINISH = "vec3 finish(vec3 colour, vec2 stage) { return colour; }"

OVERLAY = """
#version 330
uniform sampler2D writing;
uniform vec2 size;
out vec4 pixel;
void main() { pixel = texture(writing, vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size); }
"""


def light_across(line: float) -> float:
    """Light of an outline of spread `line`, summed across it: the integral of the profile in OUTLINE."""
    rest = math.exp(-((SURE / line) ** 2))
    return (line * math.sqrt(math.pi) * math.erf(SURE / line) - 2 * SURE * rest) / (1 - rest)


class Shader:
    """Paints pictures of one size into `target` (default: the window's framebuffer)."""

    def __init__(self, gl: moderngl.Context, size: tuple[int, int], target: moderngl.Framebuffer | None = None) -> None:
        self.gl, self.size = gl, size
        self.target = target or gl.screen
        self._look_from(layout(size))
        self.mood = Mood()
        self._programs: dict[str, tuple[moderngl.Program, moderngl.VertexArray]] = {}
        self._quad = gl.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())  # one triangle over all
        self._field: moderngl.TextureArray | None = None
        wide, high = (max(16, round(length * CANVAS_ROWS)) for length in self._extent)
        self._cells = wide, high
        self._canvases = {name: self._canvas() for name in ("outline", "half", "fresh", "wide", "trails", "next")}
        self._figure_ramp = gl.texture((LEVELS, 1), 4, dtype="f4")
        self._haze_ramp = gl.texture((LEVELS, 1), 3, dtype="f4")
        for ramp in (self._figure_ramp, self._haze_ramp):
            ramp.repeat_x = ramp.repeat_y = False
        self._writing: moderngl.Texture | None = None
        self._tick: int | None = None
        self._look: str | None = None

    def _look_from(self, place: Layout) -> None:
        """What is seen of the stage. The canvases keep their cells."""
        self.layout = place
        self._extent = (place.width / place.side, place.height / place.side)
        self._top = -place.top / place.side

    @property
    def _line(self) -> float:
        """Spread of the outline on the canvas, frame widths."""
        return max(LINE, self._extent[1] / self._cells[1])

    def _canvas(self) -> moderngl.Framebuffer:
        texture = self.gl.texture(self._cells, 1, dtype="f2")
        texture.repeat_x = texture.repeat_y = False
        canvas = self.gl.framebuffer([texture])
        canvas.clear()
        return canvas

    def _program(self, name: str, fragment: str) -> tuple[moderngl.Program, moderngl.VertexArray]:
        if name not in self._programs:
            program = self.gl.program(vertex_shader=VERTEX, fragment_shader=fragment)
            self._programs[name] = program, self.gl.simple_vertex_array(program, self._quad, "corner")
        return self._programs[name]

    def _pass(self, name: str, fragment: str, target: moderngl.Framebuffer, **uniforms: object) -> None:
        """Run one program over all of `target`; a texture among the uniforms is bound to a unit of its own."""
        program, triangle = self._program(name, fragment)
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
        triangle.render(moderngl.TRIANGLES)

    def draw(self, picture: Picture, look: Look, hearing: Hearing, musical_time: float) -> None:
        """Draw the picture into the target."""
        if look.name != self._look:  # start from an empty stage
            self._look, self._tick = look.name, None
            for name in ("trails", "next"):
                self._canvases[name].clear()
        self._look_from(layout(self.size, picture.span))
        self.mood.follow(hearing, musical_time)
        light = lights(look, self.mood, self.layout.side)
        self.gl.disable(moderngl.BLEND)
        self._figure_ramp.write(np.ascontiguousarray(light.figure).tobytes())
        self._haze_ramp.write(np.ascontiguousarray(light.haze).tobytes())
        scene = self._upload(picture)
        if look.haze is not None:
            self._draw_haze(scene, look, musical_time)
        self._pass(
            f"picture {look.name}",
            COMMON + PICTURE.replace("FINISH", look.glsl or NO_FINISH),
            self.target,
            **scene,
            size=self.size,
            figure_ramp=self._figure_ramp,
            haze_ramp=self._haze_ramp,
            wide=self._canvases["wide"].color_attachments[0],
            trails=self._canvases["trails"].color_attachments[0],
            reach=light.reach,
            glow=light.glow * light_across(LINE) / light_across(self._line),
            trail=light.trail,
            pool=light.floor,
            beat=musical_time % 64,
            hazy=look.haze is not None,
        )

    def _upload(self, picture: Picture) -> dict[str, object]:
        count = min(len(picture.place), MOST)
        field = self._field
        if field is None or field.layers != count:
            if field is not None:
                field.release()
            field = self._field = self.gl.texture_array((FRAME_SIZE, FRAME_SIZE, count), 1, dtype="f4")
            field.filter = moderngl.NEAREST, moderngl.NEAREST
        field.write(np.ascontiguousarray(picture.frames[:count, 0], np.float32).tobytes())
        places = [float(p) for p in picture.place[:count]] + [0.0] * (MOST - count)
        return {"field": field, "dancers": count, "places": places, "extent": self._extent, "top": self._top}

    def _draw_haze(self, scene: dict[str, object], look: Look, musical_time: float) -> None:
        assert look.haze is not None
        canvas = {name: buffer.color_attachments[0] for name, buffer in self._canvases.items()}
        self._pass("outline", COMMON + OUTLINE, self._canvases["outline"], **scene, cells=self._cells, line=self._line)
        for result, spread in (("fresh", 0.6 / ROWS), ("wide", look.haze.glow_width)):
            cells = max(spread * self._cells[1] / self._extent[1], 0.6 / ROWS * CANVAS_ROWS)
            self._pass("blur", BLUR, self._canvases["half"], source=canvas["outline"], along=(1, 0), spread=cells)
            self._pass("blur", BLUR, self._canvases[result], source=canvas["half"], along=(0, 1), spread=cells)
        tick = math.floor(musical_time * TICKS_PER_BEAT)
        ticks = 0 if self._tick is None else min(max(tick - self._tick, 0), TICKS_PER_BEAT)
        self._tick = tick
        for _ in range(ticks):
            self._pass(
                "trail",
                TRAIL,
                self._canvases["next"],
                before=self._canvases["trails"].color_attachments[0],
                fresh=canvas["fresh"],
                about=(0.5, (0.62 - self._top) / self._extent[1]),
                zoom=look.haze.trail_zoom ** (1 / TICKS_PER_BEAT),
                fade=0.5 ** (1 / TICKS_PER_BEAT / look.haze.trail_beats),
            )
            both = self._canvases
            both["trails"], both["next"] = both["next"], both["trails"]

    def write(self, writing: pygame.Surface, changed: bool) -> None:
        """Lay a surface with alpha, as large as the window, over the picture; it is sent anew only if `changed`."""
        texture = self._writing
        if texture is None or changed:
            if texture is None:
                texture = self._writing = self.gl.texture(self.size, 4)
            texture.write(pygame.image.tobytes(writing, "RGBA"))
        self.gl.enable(moderngl.BLEND)
        self.gl.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._pass("overlay", OVERLAY, self.target, writing=texture, size=self.size)
        self.gl.disable(moderngl.BLEND)

    def read(self) -> pygame.Surface:
        """What was drawn, as a surface."""
        raw = self.target.read(viewport=(0, 0, *self.size), components=3)
        return pygame.transform.flip(pygame.image.frombytes(raw, self.size, "RGB"), False, True)

    def release(self) -> None:
        """Give the GPU its memory back."""
        for canvas in self._canvases.values():
            canvas.color_attachments[0].release()
            canvas.release()
        for program, triangle in self._programs.values():
            triangle.release()
            program.release()
        for thing in (self._field, self._figure_ramp, self._haze_ramp, self._writing, self._quad):
            if thing is not None:
                thing.release()
