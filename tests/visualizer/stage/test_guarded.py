"""The guard before surfaces and textures: all of the picture where it may be, and the same shares on both."""

from __future__ import annotations

import moderngl
import numpy as np
import pygame

from bench.flash import LIMIT, measure
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.gpu.guarded_target import GuardedTarget
from visualizer.stage.guarded import GuardedSurface

SIZE = (160, 90)
COLOURS = [(255, 255, 255), (10, 20, 30)]


def pixels(surface: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2).copy()


def random_picture(seed: int) -> pygame.Surface:
    surface = pygame.Surface(SIZE, 0, 32)
    chance = np.random.default_rng(seed)
    pygame.surfarray.blit_array(surface, chance.integers(0, 256, (*SIZE, 3)))
    return surface


class OnSurface:
    """Pictures on a screen in memory."""

    def __init__(self) -> None:
        self.screen = pygame.Surface(SIZE, 0, 32)
        self.guarded = GuardedSurface(FlashGuard(), SIZE)

    def show(self, picture: pygame.Surface, now: float, writing: pygame.Surface | None = None) -> pygame.Rect:
        return self.guarded.show(picture, picture.get_rect(), writing, self.screen, now)


def test_a_picture_is_shown_whole_and_only_where_it_changed() -> None:
    stage = OnSurface()
    first, second = random_picture(1), random_picture(1)
    assert stage.show(first, 0.0) == first.get_rect()
    second.fill((9, 9, 9), (10, 10, 5, 5))
    box = pygame.Rect(10, 10, 5, 5)
    assert stage.guarded.show(second, box, None, stage.screen, 0.1) == box
    assert (pixels(stage.screen) == pixels(second)).all()


def test_writing_lies_over_the_picture_and_goes_again() -> None:
    stage = OnSurface()
    writing = pygame.Surface(SIZE, pygame.SRCALPHA, 32)
    writing.fill((255, 0, 0, 255), (0, 0, 20, 10))
    stage.show(random_picture(1), 0.0, writing)
    assert (pixels(stage.screen)[:10, :20] == (255, 0, 0)).all()
    empty = pygame.Rect(0, 0, 0, 0)
    stage.guarded.show(random_picture(1), empty, None, stage.screen, 0.1)
    assert (pixels(stage.screen) == pixels(random_picture(1))).all()


def strobe(k: int) -> pygame.Surface:
    surface = pygame.Surface(SIZE, 0, 32)
    surface.fill(COLOURS[k // 3 % 2])
    return surface


def test_after_pictures_that_were_held_back_the_next_is_shown_whole() -> None:
    stage, seen = OnSurface(), []
    for k in range(90):
        stage.show(strobe(k), k / 60)
        seen.append(pixels(stage.screen))
    assert stage.guarded.guard.held
    assert max(found.worst for found in measure(seen, 60, full=True)) <= LIMIT
    calm = random_picture(2)
    for k in range(90, 160):
        stage.guarded.show(calm, pygame.Rect(0, 0, 0, 0), None, stage.screen, k / 60)
    assert (pixels(stage.screen) == pixels(calm)).all()


def test_a_new_window_is_black_and_what_the_old_one_showed_still_counts() -> None:
    """To change windows all the time is no way around the guard."""
    guard = FlashGuard()
    for k in range(0, 60, 4):
        screen = pygame.Surface(SIZE, 0, 32)
        guarded = GuardedSurface(guard, SIZE)
        guarded.begin(screen, k / 60)
        for late in range(4):
            guarded.show(strobe(0), screen.get_rect(), None, screen, (k + late) / 60)
    assert guard.held


def drawn(target: GuardedTarget, picture: pygame.Surface) -> None:
    raw = pygame.image.tobytes(pygame.transform.flip(picture, False, True), "RGB")
    target.canvas.color_attachments[0].write(raw, alignment=1)  # pyright: ignore[reportAttributeAccessIssue]


def test_the_gpu_shows_what_the_surface_shows(gl: moderngl.Context) -> None:
    stage = OnSurface()
    stage.guarded.begin(stage.screen, 0.0)
    screen = gl.simple_framebuffer(SIZE, components=3)
    target = GuardedTarget(FlashGuard(), gl, SIZE, screen)
    apart, seen = [], []
    for k in range(90):
        picture = random_picture(5) if k > 80 else strobe(k)
        stage.show(picture, k / 60)
        drawn(target, picture)
        target.show(k / 60)
        shown = np.frombuffer(screen.read(components=3, alignment=1), np.uint8).reshape(SIZE[1], SIZE[0], 3)[::-1]
        assert (pixels(target.read()) == shown).all()
        apart.append(np.abs(shown.astype(int) - pixels(stage.screen)).max())
        seen.append(shown)
    assert target.guard.held
    assert max(found.worst for found in measure(seen, 60, full=True)) <= LIMIT
    assert apart[0] == 0
    assert max(apart[:15]) <= 3  # rounding
    target.release()


def test_the_gpu_shows_a_picture_whole(gl: moderngl.Context) -> None:
    screen = gl.simple_framebuffer(SIZE, components=3)
    target = GuardedTarget(FlashGuard(), gl, SIZE, screen)
    for k in range(3):
        drawn(target, random_picture(7))
        target.show(k / 10)
    assert not target.guard.held
    assert (pixels(target.read()) == pixels(random_picture(7))).all()
    target.release()
