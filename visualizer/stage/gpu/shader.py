"""The stage on a GPU: the same tables of colours, looked up for every pixel of the screen.

The effects are worked out by effects.py and the backdrop by backdrop.py, so a look is the same picture with and without
a GPU. What is left for the card is what it is good at: one pass that makes field and effects large by cubic kernels and
looks three tables up, one for the confetti, and what a look's own GLSL adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import moderngl
import numpy as np
import pygame

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.backdrop import BackdropCache
from visualizer.stage.effects import ROWS, EffectsCanvas
from visualizer.stage.gpu.fullscreen_triangle import VERTEX, fullscreen_triangle, read
from visualizer.stage.gpu.glsl import INSIDES, MOST, NO_FINISH, OUTLINES, OVERLAY, PICTURE, PIECE, PIECE_COLOUR
from visualizer.stage.gpu.inside_textures import InsideTextures
from visualizer.stage.grain import make_grain
from visualizer.stage.lamps import find_lamp
from visualizer.stage.layout import Layout, find_drawing_order, find_layout, find_pixel, find_spots
from visualizer.stage.looks import ColorTables, Look, make_color_tables
from visualizer.stage.mood import Mood
from visualizer.stage.sprites import Sprites
from visualizer.stage.titles.layer import TitleLayer

if TYPE_CHECKING:
    from visualizer.moment import Bodies, Moment

MOST_ROWS = 1600  # of a backdrop's map or a grain: beyond, one number serves several pixels of the screen


class Shader:
    """Paints pictures of one size into `target` (default: the window's framebuffer)."""

    def __init__(
        self,
        gl: moderngl.Context,
        size: tuple[int, int],
        target: moderngl.Framebuffer | None = None,
        patient: bool = True,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`patient`: wait for a large backdrop, so that a dance always gives the same pictures; not live. `notify` is
        told of GLSL that does not compile.
        """
        self.gl, self.size = gl, size
        self.target = target or gl.screen
        self.mood = Mood()
        self.sprites = Sprites()
        self.canvas = EffectsCanvas(find_layout(size))
        self._coarse = -(-min(size) // MOST_ROWS)  # pixels, each way, that share a number of the backdrop
        self._backdrop = BackdropCache(patient, self._coarse)
        self._notify = notify
        self._look_from(find_layout(size))
        self._programs: dict[str, tuple[moderngl.Program, moderngl.VertexArray]] = {}
        self._good: dict[str, str] = {}  # the last GLSL of each look that compiled
        self._bad: set[str] = set()
        self._quad = fullscreen_triangle(gl)
        self._textures: dict[str, moderngl.Texture | moderngl.TextureArray] = {}
        self._insides = InsideTextures(gl)
        self._pieces: moderngl.Buffer | None = None
        self._titles = TitleLayer(size, patient)
        self._look: Look | None = None

    def _look_from(self, place: Layout) -> None:
        """What is seen of the stage. The effects's canvas keeps its cells."""
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
        """A texture of rows of numbers or colours, float32 or uint8, made again only if its size is another."""
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

    def follow(self, moment: Moment) -> ColorTables:
        """Go on to this moment without drawing it: what lingers of it is seen in the next picture."""
        bodies, look, musical_time = moment.bodies, moment.look, moment.musical_time
        if look is not self._look:  # start from an empty stage
            self._look = look
            self.sprites = Sprites()
            self.canvas = EffectsCanvas(find_layout(self.size), ROWS if look.effects is None else look.effects.rows)
            self._look_from(self.layout)
            if old := self._textures.pop("grain", None):
                old.release()
        place = find_layout(self.size, bodies.span, bodies.rise, bodies.deep)
        if place != self.layout:
            self._look_from(place)
        self.mood.follow(moment.hearing, musical_time)
        tables = make_color_tables(look, self.mood, self.layout.side)
        if look.effects is not None:
            self.canvas.update(bodies, look.effects, tables, musical_time)
        if look.confetti is not None:
            self.sprites.throw(bodies, look.confetti, self.mood, musical_time)
        return tables

    def draw(self, moment: Moment) -> None:
        """Draw the picture, without its text, into the target."""
        look = moment.look
        tables = self.follow(moment)
        self._fit_map(look)
        if "grain" not in self._textures:
            step = self._coarse
            small = self.size[0] // step, self.size[1] // step
            none = np.zeros((1, 1), np.float32)  # a sampler that reads nothing must have a texture of its kind too
            rough = make_grain(look.figure, small, self.layout.side // step) if look.figure.grain else none
            self._texture("grain", rough)
        self.gl.disable(moderngl.BLEND)
        name, glsl = self._finish(look)
        inside = look.wants_inside and moment.bodies.insides is not None
        self._pass(
            f"{name} {inside}",
            make_picture(glsl, inside),
            self.target,
            **self._upload(moment.bodies),
            **(self._upload_insides(moment.bodies, look) if inside else {}),
            extent=self._extent,
            top=self._top,
            size=self.size,
            figure_ramp=self._texture("figure", tables.figure[None], linear=True),
            effects_ramp=self._texture("ramp", tables.effects[None], linear=True),
            palette=self._texture("palette", tables.palette[None]),
            effects=self._texture("effects", self.canvas.values),
            map=self._textures["map"],
            grain=self._textures["grain"],
            reach=tables.reach,
            rough=look.figure.grain,
            beat=moment.musical_time % 64,
            has_effects=look.effects is not None,
        )
        if look.confetti is not None:
            self._draw_sprites(look, moment.musical_time)
        if moment.titles:
            sheet, changed = self._titles.make_sheet(moment.titles, look)
            self._lay("titles", sheet, changed, moment.titles.cover)

    def _fit_map(self, look: Look) -> None:
        """Bring the backdrop's map up to date."""
        if made := self._backdrop.update(look.backdrop, self.layout):
            self._texture("map", made[1])

    def _finish(self, look: Look) -> tuple[str, str]:
        """Name and GLSL of what the look's picture is made by: the last that compiled, so a slip ends no show."""
        if look.glsl is None:
            return "picture", NO_FINISH
        name = f"picture {look.name} {look.glsl}"
        glsl = f"#line 1\n{look.glsl}\n"
        if f"{name} False" not in self._programs and name not in self._bad:
            try:
                self._program(f"{name} False", make_picture(glsl, False))
                self._good[look.name] = look.glsl
            except moderngl.Error as error:
                self._bad.add(name)
                self._notify(f"{look.name}.glsl{_where(str(error))}")
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
        order, where, stage = find_drawing_order(picture)[:count], find_spots(picture), self.layout
        field.write(np.ascontiguousarray(picture.frames[order, 0], np.float32).tobytes())
        places = [(0.0, 0.0, 1.0)] * MOST
        for k, who in enumerate(order):
            side, left, top = stage.box(where[who])
            places[k] = (left - stage.width / 2) / stage.side, (top - stage.top) / stage.side, side / stage.side
        rows = picture.depth is not None and bool(np.ptp(picture.depth))
        return {"field": field, "dancers": count, "places": places, "rows": rows}

    def _upload_insides(self, bodies: Bodies, look: Look) -> dict[str, object]:
        order, where, stage = find_drawing_order(bodies)[:MOST], find_spots(bodies), self.layout
        corners = [(0, 0)] * MOST
        for k, who in enumerate(order):
            _, left, top = stage.box(where[who])
            corners[k] = find_pixel(left)[0], top
        lamps = [tuple(find_lamp(look, who)) for who in order]
        lamps += [(0.0, 0.0, 0.0)] * (MOST - len(lamps))
        return {"corners": corners, "lamps": lamps, **self._insides.upload(bodies, order, look, self.mood, stage.side)}

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
        """Lay a surface with alpha, as large as the window, over the picture; it is sent again only if `changed`."""
        self._lay("writing", writing, changed, 1.0)

    def _lay(self, name: str, writing: pygame.Surface, changed: bool, cover: float) -> None:
        texture = self._textures.get(name)
        if texture is None or changed:
            if texture is None:
                texture = self._textures[name] = self.gl.texture(self.size, 4)
            texture.write(pygame.image.tobytes(writing, "RGBA"))
        self.gl.enable(moderngl.BLEND)
        self.gl.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._pass("overlay", OVERLAY, self.target, writing=texture, size=self.size, cover=cover)
        self.gl.disable(moderngl.BLEND)

    def read(self) -> pygame.Surface:
        """What was drawn, as a surface."""
        return read(self.target, self.size)

    def release(self) -> None:
        """Give the GPU its memory back."""
        self._backdrop.close()
        self._titles.release()
        self._insides.release()
        for program, triangle in self._programs.values():
            if triangle is not None:
                triangle.release()
            program.release()
        for thing in (*self._textures.values(), self._pieces, self._quad):
            if thing is not None:
                thing.release()


def make_picture(finish: str, inside: bool) -> str:
    """The program of a picture, with a look's own GLSL; `inside`: of dancers with what is inside of them."""
    return PICTURE.replace("INSIDE", INSIDES if inside else OUTLINES).replace("FINISH", finish)


def _where(said: str) -> str:
    """Line and error out of a driver's words, which differ: 0:12(5): error: …, 0(12) : error …, ERROR: 0:12: …"""
    for line in said.splitlines():
        if found := re.search(r"\b\d+[:(](\d+)\)?(?:\(\d+\))?\s*:\s*(.*)", line):
            return f", line {found[1]}: {found[2]}"
    return f": {' '.join(said.split())}"
