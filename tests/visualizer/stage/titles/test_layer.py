"""Titles in pictures: kept while they stand, gone without a ghost, the same by painter and shader."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import moderngl
import numpy as np
import pygame
import pytest

from tests.support.fakes import hearing, picture
from visualizer.moment import Moment, Titles
from visualizer.stage.colours import luminance
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.gpu.shader import Shader
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.looks import TitleLook, find_look, shipped_looks
from visualizer.stage.shots import pixels_of
from visualizer.stage.titles.layer import TitleLayer

SIZE = (320, 180)
TITLE = Titles("Happy\nbirthday", small="21:30")


def moment(look: str = "flat", beat: float = 0.0, titles: Titles = TITLE) -> Moment:
    return Moment(picture(beat), find_look(look), hearing(), beat, titles=titles)


def pixels(surface: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2).copy()


def test_a_title_is_made_once_while_it_stands() -> None:
    layer, look = TitleLayer(SIZE), find_look("flat")
    first = layer.find(TITLE, look)
    assert layer.find(replace(TITLE, cover=0.5), look) is first
    assert layer.version == 1
    assert layer.find(replace(TITLE, text="another"), look) is not first
    assert layer.version == 2


def test_live_the_old_title_is_seen_until_the_new_one_is_made() -> None:
    class Pool:
        def __init__(self) -> None:
            self.asked: list[tuple[Future[object], tuple[object, ...]]] = []

        def submit(self, make, *args) -> Future[object]:
            self.asked.append((Future(), (make, *args)))
            return self.asked[-1][0]

        def work(self) -> None:
            future, (make, *args) = self.asked[-1]
            future.set_result(make(*args))  # type: ignore[operator]

        def shutdown(self, **_: object) -> None: ...

    layer, pool, look = TitleLayer(SIZE), Pool(), find_look("flat")
    layer._pool = pool  # type: ignore[assignment]
    assert layer.find(TITLE, look) == []
    assert layer.find(TITLE, look) == []
    assert len(pool.asked) == 1
    pool.work()
    old = layer.find(TITLE, look)
    assert old
    other = replace(TITLE, text="another")
    assert layer.find(other, look) is old
    pool.asked[-1][0].set_exception(pygame.error("no memory"))
    assert layer.find(other, look) == []  # said in the log, and the dance goes on
    layer.release()


@pytest.mark.parametrize("look", ["paper", "chalk", "neon", "confetti"])
def test_a_title_leaves_no_ghost(look: str) -> None:
    old, fresh = Painter(SIZE), Painter(SIZE)
    quiet = hearing(level=0.05)
    for beat in np.arange(0, 3, 0.25):
        titles = TITLE if beat < 2 else Titles()
        old.paint(replace(moment(look, beat, titles), hearing=quiet))
        fresh.paint(replace(moment(look, beat, Titles()), hearing=quiet))
    assert np.array_equal(pixels(old.surface), pixels(fresh.surface))


@pytest.mark.parametrize("detail", [0, 1, 2])
def test_what_a_painter_changed_holds_its_title(detail: int) -> None:
    painter = Painter(SIZE)
    painter.detail = detail
    before = pixels(painter.paint(moment(titles=Titles())))
    after = pixels(painter.paint(moment()))
    changed = np.argwhere((before != after).any(axis=2))
    assert len(changed)
    box = painter.dirty
    assert box.collidepoint(*changed.min(axis=0)[::-1].tolist())
    assert box.collidepoint(*changed.max(axis=0)[::-1].tolist())


def test_a_dancer_on_nothing_has_a_title_too() -> None:
    painter = Painter(SIZE)
    alpha = painter.paint_alpha(moment())[..., 3]
    bare = Painter(SIZE).paint_alpha(moment(titles=Titles()))[..., 3]
    assert alpha[:, : SIZE[0] // 4].max() > 200
    assert bare[:, : SIZE[0] // 4].max() == 0


def test_half_a_fade_is_half_a_title() -> None:
    none, half, whole = (
        pixels(Painter(SIZE).paint(moment("paper", 0.0, replace(TITLE, cover=cover)))).astype(int)
        for cover in (0.0, 0.5, 1.0)
    )
    assert np.abs((none + whole) / 2 - half).max() <= 3
    assert np.abs(none - whole).max() > 200


@pytest.mark.parametrize("look", [each.name for each in shipped_looks()])
def test_letters_stand_out_from_what_is_behind_them(look: str) -> None:
    """As WCAG asks of large letters: 3 to 1, here between a tenth of the pixels of the title and what was there."""
    size = (640, 360)
    titles = Titles("Happy birthday")
    bare, seen = (pixels(Painter(size).paint(moment(look, 0.0, t))) for t in (Titles(), titles))
    box = bare.astype(int) != seen
    there = box.any(axis=2)
    light = [luminance(each[there] / 255) + 0.05 for each in (bare, seen)]
    ratio = np.maximum(light[0], light[1]) / np.minimum(light[0], light[1])
    inner = [luminance(seen[there] / 255) + 0.05]
    spread = np.percentile(inner[0], 97) / np.percentile(inner[0], 3)  # letters against their own edge
    assert max(np.percentile(ratio, 90), spread) >= 3


def test_a_title_that_flashes_is_held_back() -> None:
    guarded, painter = GuardedFrames(SIZE), Painter(SIZE)
    large = Titles("MMMMMM\nMMMMMM\nMMMMMM", counter="88888")
    style = replace(
        find_look("paper"), titles=TitleLook(place="bottom", size=0.3, plate=np.array([[0.0, 0, 0, 0, 1, 1]]))
    )
    for k in range(40):
        titles = replace(large, cover=float(k % 2))
        now = Moment(picture(0.0), style, hearing(), 0.0, titles=titles)
        guarded.show(pixels_of(painter.paint(now)).copy(), k / 30)
    assert guarded.guard.held


@pytest.mark.parametrize("look", ["flat", "neon"])
def test_painter_and_shader_show_the_same_title(gl: moderngl.Context, look: str) -> None:
    shader = Shader(gl, SIZE, gl.simple_framebuffer(SIZE))
    for cover in (1.0, 0.4):
        shader.draw(moment(look, 0.0, replace(TITLE, cover=cover)))
        painted = pixels(Painter(SIZE).paint(moment(look, 0.0, replace(TITLE, cover=cover)))).astype(int)
        apart = np.abs(pixels(shader.read()).astype(int) - painted)[:, : SIZE[0] // 3]
        assert apart.mean() < 1.5
        assert np.percentile(apart, 99) < 12
    shader.release()
