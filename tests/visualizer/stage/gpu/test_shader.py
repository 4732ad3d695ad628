"""The shader stage on whatever OpenGL there is, compared with the painter, picture by picture."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import moderngl
import numpy as np
import pygame
import pytest

from tests.support.fakes import hearing, picture
from tests.support.made_insides import dressed
from visualizer.dancer.formation import SPACING, span_of, stand
from visualizer.dancer.pack import FLOOR
from visualizer.moment import FIGURE, Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.gpu.shader import Shader
from visualizer.stage.looks import Look, find_look, shipped_looks

SIZE = (480, 270)
TALL = 270, 480


def pixels(surface: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2).astype(float)


def assert_alike(painter: Painter, surface: pygame.Surface, shader: Shader, each: Look) -> None:
    """What the painter has painted and the shader has drawn, which is released."""
    painted, shaded = pixels(surface), pixels(shader.read())
    shader.release()
    # Below the floor line a look's own GLSL may add to it.
    above = slice(0, painter.layout.top + round(FLOOR * painter.layout.side) if each.glsl else painter.size[1])
    apart = np.abs(painted[above] - shaded[above])
    assert painted.std() > 10
    assert apart.mean() < 1.3
    assert np.percentile(apart, 99) < 12
    assert np.corrcoef(painted[above].ravel(), shaded[above].ravel())[0, 1] > 0.995


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("places", "span"),
    [
        pytest.param((0.0,), FIGURE, id="one"),
        pytest.param((-0.4, 0.35), FIGURE, id="two"),
        pytest.param(tuple(k * SPACING for k in range(-4, 5)), span_of(9), id="nine"),
    ],
)
def test_shader_and_painter_show_the_same_picture(
    gl: moderngl.Context, each, places: tuple[float, ...], span: float
) -> None:
    painter, shader = Painter(SIZE), Shader(gl, SIZE, gl.simple_framebuffer(SIZE))
    surface, beat = painter.surface, 0.0
    for step in range(25):
        beat = step / 8
        surface = painter.paint(Moment(picture(beat, places, span), each, hearing(beat / 2), beat))
        shader.follow(Moment(picture(beat, places, span), each, hearing(beat / 2), beat))
    shader.draw(Moment(picture(beat, places, span), each, hearing(beat / 2), beat))
    assert_alike(painter, surface, shader, each)


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_shader_and_painter_show_the_same_rows(gl: moderngl.Context, each: Look) -> None:
    painter, shader = Painter(TALL), Shader(gl, TALL, gl.simple_framebuffer(TALL))
    stood, surface, beat = stand(9, TALL[0] / TALL[1]), painter.surface, 0.0
    now = picture(beat)
    for step in range(9):
        beat = step / 8
        now = replace(
            picture(beat, tuple(map(float, stood.home)), stood.span),
            depth=stood.depth,
            rise=stood.rise,
            deep=stood.deep,
        )
        surface = painter.paint(Moment(now, each, hearing(beat / 2), beat))
        shader.follow(Moment(now, each, hearing(beat / 2), beat))
    shader.draw(Moment(now, each, hearing(beat / 2), beat))
    assert_alike(painter, surface, shader, each)


@pytest.mark.parametrize("each", [each for each in shipped_looks() if each.inside], ids=lambda each: each.name)
def test_shader_and_painter_show_the_same_inside(gl: moderngl.Context, each: Look) -> None:
    size = (640, 360)
    painter, shader = Painter(size), Shader(gl, size, gl.simple_framebuffer(size))
    surface, beat, now = painter.surface, 0.0, dressed(0.0, (-0.4, 0.35))
    for step in range(9):
        beat = step / 8
        now = dressed(beat, (-0.4, 0.35))
        surface = painter.paint(Moment(now, each, hearing(beat / 2), beat))
        shader.follow(Moment(now, each, hearing(beat / 2), beat))
    shader.draw(Moment(now, each, hearing(beat / 2), beat))
    painted, shaded = pixels(surface), pixels(shader.read())
    shader.release()
    above = slice(0, painter.layout.top + round(FLOOR * painter.layout.side) if each.glsl else size[1])
    apart = np.abs(painted[above] - shaded[above])
    assert apart.mean() < 1.5
    assert np.corrcoef(painted[above].ravel(), shaded[above].ravel())[0, 1] > 0.97


def broken(glsl: str) -> Look:
    return dataclasses.replace(find_look("neon"), glsl=glsl)


def test_glsl_with_a_slip_is_named_with_its_line_and_the_last_good_one_stays(gl: moderngl.Context) -> None:
    said: list[str] = []
    shader = Shader(gl, SIZE, gl.simple_framebuffer(SIZE), notify=said.append)
    good = broken("// fine\nvec3 finish(vec3 colour, vec2 stage) { return vec3(1.0, 0.0, 0.0); }")
    shader.draw(Moment(picture(0.0), good, hearing(), 0.0))
    assert (pixels(shader.read()) == (255, 0, 0)).all()
    assert not said
    bad = broken("vec3 finish(vec3 colour, vec2 stage) {\n    return colur;\n}")
    for step in range(3):
        shader.draw(Moment(picture(0.0), bad, hearing(), step / 8))
    (text,) = said  # once, not at every picture
    assert text.startswith("neon.glsl, line 2: ")
    assert "colur" in text
    assert np.abs(pixels(shader.read()) - (255, 0, 0)).max() <= 1
    shader.release()


def test_glsl_that_never_compiled_is_left_out(gl: moderngl.Context) -> None:
    said: list[str] = []
    shader, plain = (Shader(gl, SIZE, gl.simple_framebuffer(SIZE), notify=said.append) for _ in range(2))
    shader.draw(Moment(picture(0.0), broken("nonsense"), hearing(), 0.0))
    plain.draw(Moment(picture(0.0), dataclasses.replace(find_look("neon"), glsl=None), hearing(), 0.0))
    assert len(said) == 1
    assert (pixels(shader.read()) == pixels(plain.read())).all()
    shader.release()
    plain.release()


def test_trails_are_left_and_forgotten_with_the_look(gl: moderngl.Context) -> None:
    shader = Shader(gl, SIZE, gl.simple_framebuffer(SIZE))
    for step in range(64):
        shader.follow(Moment(picture(0.0, (0.01 * step - 0.5,)), find_look("neon"), hearing(), step / 16))
    shader.draw(Moment(picture(0.0, (0.13,)), find_look("neon"), hearing(), 4.0))
    trail = pixels(shader.read())[112, 105:150].mean()  # where the dancer has been
    still = Shader(gl, SIZE, gl.simple_framebuffer(SIZE))
    still.draw(Moment(picture(0.0, (0.13,)), find_look("neon"), hearing(), 4.0))
    assert trail > pixels(still.read())[112, 105:150].mean() + 3
    shader.draw(Moment(picture(0.0, (0.13,)), find_look("paper"), hearing(), 4.0))
    shader.draw(Moment(picture(0.0, (0.13,)), find_look("neon"), hearing(), 4.0))
    assert np.abs(pixels(shader.read()) - pixels(still.read())).mean() < 1.5
    shader.release()
    still.release()


def test_writing_lies_over_the_picture(gl: moderngl.Context) -> None:
    shader = Shader(gl, SIZE, gl.simple_framebuffer(SIZE))
    shader.draw(Moment(picture(0.0), find_look("paper"), hearing(), 0.0))
    before = pixels(shader.read())
    writing = pygame.Surface(SIZE, pygame.SRCALPHA, 32)
    writing.fill((255, 0, 0, 255), (0, 0, 50, 20))  # top left
    shader.write(writing, True)
    after = pixels(shader.read())
    assert (after[:20, :50] == (255, 0, 0)).all()
    assert (after[20:] == before[20:]).all()
    assert (after[:, 50:] == before[:, 50:]).all()
    shader.release()
