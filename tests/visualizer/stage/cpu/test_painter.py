"""The painter against direct arithmetic: the same curve at any size, antialiased, and nothing left behind."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pygame
import pytest

from tests.support.fakes import BAND, SIZE, hearing, picture
from visualizer.dancer.formation import SPACING, span_of
from visualizer.moment import Bodies, Moment
from visualizer.stage.colours import luminance
from visualizer.stage.cpu.painter import DETAILS, Painter, find_details
from visualizer.stage.effects import EffectsCanvas
from visualizer.stage.layout import find_layout
from visualizer.stage.looks import find_look, make_color_tables, shipped_looks
from visualizer.stage.mood import Mood
from visualizer.stage.resample import gaussian, noise, upsampling


def pixels(surface: pygame.Surface) -> np.ndarray:
    """(height, width, 3) of a surface."""
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2)


def disc(radius: float = 0.3) -> Bodies:
    """A round dancer: its area and outline are known exactly."""
    centres = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    field = np.clip(np.hypot(*np.meshgrid(centres, centres)) - radius, -BAND, BAND)
    return Bodies(field.astype(np.float32)[None, None], None, np.zeros(1, np.float32))


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (1920, 1080), (600, 900)])
def test_a_disc_keeps_its_area_and_is_antialiased_at_any_size(size: tuple[int, int]) -> None:
    painter = Painter(size)
    seen = pixels(painter.paint(Moment(disc(), find_look("paper"), hearing(), 0.0)))
    assert seen.shape == (size[1], size[0], 3)
    grey = seen[:, :, 0].astype(float)
    ink, paper = grey.min(), grey.max()
    cover = (paper - grey) / (paper - ink)
    side = painter.layout.side
    assert cover.sum() == pytest.approx(np.pi * (0.3 * side) ** 2, rel=0.005)
    between = ((cover > 0.05) & (cover < 0.95)).sum() / (2 * np.pi * 0.3 * side)
    assert 0.5 < between < 2.5  # pixels of grey for each pixel of outline: an edge neither hard nor blurred


def test_upsampling_weights_sum_to_one_and_reproduce_a_line() -> None:
    weights = upsampling(720, 128, 720 / 128, 0.0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(720), abs=1e-5)
    ramp = weights @ np.arange(128, dtype=np.float32)
    expected = (np.arange(720) + 0.5) * 128 / 720 - 0.5
    assert ramp[20:-20] == pytest.approx(expected[20:-20], abs=1e-4)
    assert ((weights != 0).sum(axis=1) <= 4).all()


@pytest.mark.parametrize("middle", [-2.0, -0.9, 0.0, 0.7, 3.0])
def test_a_blur_is_made_where_it_reaches_and_leaves_out_nothing(middle: float) -> None:
    to, fro, spread = np.linspace(-1, 1, 90), middle + np.linspace(-0.2, 0.2, 30), 0.03
    there, weights = gaussian(to, fro, spread, fro[1] - fro[0])
    whole = np.zeros((90, 30))
    whole[there] = weights
    away = (to[:, None] - fro[None, :]) / spread
    expected = np.exp(-0.5 * away**2) * (fro[1] - fro[0]) / (spread * np.sqrt(2 * np.pi))
    assert whole == pytest.approx(expected, abs=1e-5)
    assert len(weights) <= 35  # a dancer's part of the canvas


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_what_was_drawn_before_leaves_no_ghost(each) -> None:
    """A dancer who moves on: the picture equals that of a fresh painter, as far as the look has no memory."""
    old, fresh = Painter((320, 180)), Painter((320, 180))
    steps = np.arange(0, 16, 1 / 4)
    quiet = hearing(level=0.05)  # for confetti, which lies for long
    for beat in steps:
        old.paint(Moment(picture(beat, (-0.5 if beat < 5 else 0.4,)), each, quiet, beat))
        if beat >= 5:
            fresh.paint(Moment(picture(beat, (0.4,)), each, quiet, beat))
    last = picture(16.0, (0.4,))
    seen = pixels(old.paint(Moment(last, each, quiet, 16.0))).astype(int)
    expected = pixels(fresh.paint(Moment(last, each, quiet, 16.0))).astype(int)
    assert np.abs(seen - expected).max() <= 3
    assert seen.std() > 5


NINE = tuple((k - 4) * SPACING for k in range(9))


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (600, 900)])
def test_nine_dancers_are_all_seen_whole_and_apart(size: tuple[int, int]) -> None:
    alike = Bodies(np.repeat(picture(0.0).frames, 9, axis=0), None, np.array(NINE, np.float32), span_of(9))
    seen = pixels(Painter(size).paint(Moment(alike, find_look("paper"), hearing(), 0.0)))
    dark = seen[:, :, 0] < 128
    edges = np.flatnonzero(np.diff(np.pad(dark.any(axis=0).astype(int), 1)))
    widths = edges[1::2] - edges[::2]
    assert len(widths) == 9
    assert np.ptp(widths) <= 1
    assert edges[0] > 0
    assert edges[-1] < size[0]
    rows = np.flatnonzero(dark.any(axis=1))
    assert np.ptp(rows) > 0.6 * size[0] / span_of(9)  # as large as nine can be


@pytest.mark.slow
@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_a_camera_that_moves_leaves_no_ghost_and_keeps_the_trails(each) -> None:
    old, fresh = Painter((320, 180)), Painter((320, 180))
    quiet = hearing(level=0.05)
    for k, beat in enumerate(np.arange(0, 16, 1 / 4)):
        span = span_of(9) - (span_of(9) - span_of(1)) * min(1.0, beat / 4)
        old.paint(Moment(picture(beat, NINE if beat < 4 else (0.0,), span), each, quiet, beat))
        if beat >= 4:
            fresh.paint(Moment(picture(beat), each, quiet, beat))
        if each.effects is not None and each.effects.trail and k > 4:
            assert old.effects.canvas.trails.max() > 0.1
            assert beat < 4 or old.effects.canvas.trails.shape == fresh.effects.canvas.trails.shape
    last = picture(16.0)
    seen = pixels(old.paint(Moment(last, each, quiet, 16.0))).astype(int)
    expected = pixels(fresh.paint(Moment(last, each, quiet, 16.0))).astype(int)
    assert np.abs(seen - expected).max() <= 3


def test_dirty_holds_every_pixel_that_changed() -> None:
    painter = Painter((640, 360))
    before = pixels(painter.paint(Moment(picture(0.0), find_look("paper"), hearing(), 0.0))).copy()
    for step in range(1, 20):
        after = pixels(
            painter.paint(Moment(picture(step / 4, (step / 50,)), find_look("paper"), hearing(), step / 4))
        ).copy()
        changed = (before != after).any(axis=2)
        box = painter.dirty
        changed[box.top : box.bottom, box.left : box.right] = False
        assert not changed.any()
        assert box.w < 640  # and not just everything
        before = after


def test_a_dancer_moves_by_less_than_a_pixel() -> None:
    painter = Painter((640, 360))
    centres = []
    for step in range(9):
        seen = pixels(painter.paint(Moment(disc(), find_look("paper"), hearing(), 0.0)))[:, :, 0].astype(float)
        dark = seen.max() - seen
        centres.append((dark.sum(axis=0) * np.arange(640)).sum() / dark.sum())
        moved = disc()
        painter = Painter((640, 360))
        moved.place[0] = (step + 1) / 8 / 360
        seen = pixels(painter.paint(Moment(moved, find_look("paper"), hearing(), 0.0)))[:, :, 0].astype(float)
        dark = seen.max() - seen
        shift = (dark.sum(axis=0) * np.arange(640)).sum() / dark.sum() - centres[0]
        assert shift == pytest.approx((step + 1) / 8, abs=0.03)


def test_two_dancers_half_out_of_the_window_are_both_drawn() -> None:
    seen = pixels(Painter((640, 360)).paint(Moment(picture(1.0, (-0.9, 0.0, 0.9)), find_look("paper"), hearing(), 1.0)))
    dark = seen[:, :, 0] < 128
    assert dark[:, :100].any()
    assert dark[:, 270:370].any()
    assert dark[:, 540:].any()


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_a_dancer_far_off_the_stage_is_no_error(each) -> None:
    painter = Painter((320, 240))
    off = pixels(painter.paint(Moment(picture(0.0, (5.0,)), each, hearing(), 0.0))).copy()
    on = pixels(painter.paint(Moment(picture(0.0), each, hearing(), 0.0)))
    assert np.abs(on.astype(int) - off)[:, 130:190].max() > 40
    if not (each.effects and each.effects.rings):
        assert np.abs(on.astype(int) - off)[:20, :20].max() < 12


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_the_same_pictures_are_painted_the_same(each) -> None:
    first, second = Painter((320, 180)), Painter((320, 180))
    for step in range(24):
        beat = step / 4
        a = pixels(first.paint(Moment(picture(beat), each, hearing(step / 32), beat))).copy()
        b = pixels(second.paint(Moment(picture(beat), each, hearing(step / 32), beat)))
        assert (a == b).all()


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_detail_leaves_out_effects_but_never_the_dancer(each) -> None:
    painter, full = Painter((320, 180)), Painter((320, 180))
    seen = expected = np.zeros(0, int)
    for detail in (0, 1, 2, 0):
        painter.detail = detail
        for step in range(5):
            beat = 4 * detail + step / 4
            seen = pixels(painter.paint(Moment(picture(2.0), each, hearing(), beat))).astype(int)
        body = seen[60:100, 155:165].mean()  # the chest
        assert painter.dirty == (0, 0, 320, 180) or detail != 2
        assert abs(body - seen[20:40, 20:60].mean()) > 6  # it stands out
    for step in range(5):
        expected = pixels(full.paint(Moment(picture(2.0), each, hearing(), step / 4))).astype(int)
    if each.confetti is None and not (each.effects and each.effects.echo):
        assert np.abs(seen - expected).mean() < 4  # and all is there again


@pytest.mark.parametrize("detail", DETAILS)
def test_a_backdrop_is_never_a_flat_wall(detail: int) -> None:
    painter, limelight = Painter((640, 360)), find_look("limelight")
    painter.detail = detail
    far = picture(0.0, (5.0,))  # the stage alone
    seen = pixels(painter.paint(Moment(far, limelight, hearing(), 0.0))).astype(int)[:, :, 0]
    beam, curtain = seen[150:200, 300:340], seen[60:260, 20:120]
    assert beam.mean() > 2 * curtain.mean()
    assert curtain.mean(axis=0).std() > 3  # its folds


def test_only_details_that_leave_something_out_are_offered() -> None:
    offered = {look.name: find_details(look) for look in shipped_looks()}
    assert offered["paper"] == (0,)
    assert offered["echo"] == (0, 1)
    assert all(set(each) <= set(DETAILS) and each[0] == 0 for each in offered.values())


def test_pictures_are_the_same_whatever_was_painted_before() -> None:
    """From a look with one colour behind to one with a backdrop, and back, the tables and planes are the same ones."""
    old = Painter((320, 180))
    for name in ("neon", "limelight", "heat", "paper", "limelight", "paper", "heat"):
        fresh = Painter((320, 180))
        moment = Moment(picture(1.0), find_look(name), hearing(), 1.0)
        fresh.mood = Mood()
        fresh.mood.follow(moment.hearing, 1.0)
        expected = pixels(fresh.paint(moment))
        assert (pixels(old.paint(moment)) == expected).all()


def test_an_unknown_detail_is_an_error() -> None:
    painter = Painter((64, 64))
    painter.detail = 3
    with pytest.raises(ValueError, match="detail is 0 to 2, not 3"):
        painter.paint(Moment(picture(0.0), find_look("paper"), hearing(), 0.0))


def flashes(light: np.ndarray) -> np.ndarray:
    """(H, W) most flashes within a second of (T, H, W) relative luminance, 30 a second, after WCAG 2.3.1.

    A flash is a pair of opposing changes of at least a tenth, the darker below 0.8; each change counts half.
    """
    extreme, rising = light[0].copy(), np.zeros(light[0].shape, int)
    changes = np.zeros(light.shape, bool)
    for t, now in enumerate(light[1:], start=1):
        up = (now - extreme >= 0.1) & (extreme < 0.8)
        down = (extreme - now >= 0.1) & (now < 0.8)
        changes[t] = (up & (rising <= 0)) | (down & (rising >= 0))
        turned = np.where(up, 1, np.where(down, -1, rising))
        further = ((rising > 0) & (now > extreme)) | ((rising < 0) & (now < extreme))
        extreme = np.where(changes[t] | further, now, extreme)
        rising = turned
    total = np.cumsum(np.concatenate([np.zeros((1, *light[0].shape), int), changes]), axis=0)
    return (total[30:] - total[:-30]).max(axis=0) / 2


def test_flashes_are_counted() -> None:
    t = np.arange(90)
    strobe = np.where(t // 3 % 2, 0.9, 0.1)[:, None, None]  # five a second
    slow = 0.5 + 0.4 * np.sin(2 * np.pi * t / 30)[:, None, None]  # one a second
    assert flashes(strobe)[0, 0] >= 4.5
    assert flashes(slow)[0, 0] <= 1.5
    assert flashes(0.5 + 0.04 * (strobe - 0.5))[0, 0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_no_look_flashes_to_the_worst_music(each) -> None:
    """160 beats a minute, all loudness or none, four times a second: three flashes over a quarter are the limit."""
    painter, seen = Painter((160, 90)), []
    for frame in range(100):
        beat = frame / 30 * 160 / 60
        loud = hearing(frame / 30, bpm=160.0, level=float(frame % 8 < 4))
        now = pixels(painter.paint(Moment(picture(round(beat * 4) / 4), each, loud, beat)))
        seen.append(luminance(now / 255))
    assert (flashes(np.array(seen)) > 3).mean() < 0.1


def test_what_a_look_needed_is_let_go_with_it() -> None:
    """At once, not when the collector comes by: in a long show that is seldom, and looks change all night."""
    painter = Painter((320, 180))
    painter.paint(Moment(disc(), find_look("neon"), hearing(), 0.0))
    canvas = weakref.ref(painter.effects.canvas)
    gc.disable()
    try:
        painter.paint(Moment(disc(), find_look("paper"), hearing(), 0.1))
        assert painter.effects.canvas is not canvas()
        assert canvas() is None
    finally:
        gc.enable()


def test_trails_hardly_depend_on_the_frame_rate() -> None:
    def after_four_beats(steps: int) -> np.ndarray:
        canvas, mood, each = EffectsCanvas(find_layout((640, 360))), Mood(), find_look("neon")
        assert each.effects is not None
        for step in range(4 * steps + 1):
            mood.follow(hearing(), step / steps)
            now = picture(step / steps)
            canvas.update(now, each.effects, make_color_tables(each, mood, 360), step / steps)
        return canvas.trails

    slow, fast = after_four_beats(16), after_four_beats(64)
    assert slow.max() > 0.3
    assert np.abs(slow - fast).mean() < 0.1 * slow.mean()


def test_neon_leaves_trails_that_fade() -> None:
    painter = Painter((640, 360))
    for beat in np.arange(0, 4, 1 / 16):
        painter.paint(Moment(picture(beat, (0.2 * np.sin(3 * beat),)), find_look("neon"), hearing(), beat))
    moving = painter.effects.canvas.trails.sum()
    still = picture(4.0)
    for beat in np.arange(4, 14, 1 / 16):
        painter.paint(Moment(still, find_look("neon"), hearing(), beat))
    assert 0 < painter.effects.canvas.trails.sum() < moving


def test_noise_has_the_grain_that_was_asked_for() -> None:
    fine, coarse = noise((120, 160), (1, 1), 3), noise((120, 160), (12, 12), 3)
    assert fine.shape == coarse.shape == (120, 160)
    for each in (fine, coarse):
        assert each.mean() == pytest.approx(0, abs=1e-3)
        assert each.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(fine, axis=1)).mean() > 0.9
    assert np.abs(np.diff(coarse, axis=1)).mean() < 0.15
    long = noise((120, 160), (2, 30), 3)
    assert np.abs(np.diff(long, axis=0)).mean() > 4 * np.abs(np.diff(long, axis=1)).mean()


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (2560, 1080), (720, 1280), (64, 64)])
def test_as_much_of_the_stage_is_seen_as_there_are_dancers(size: tuple[int, int]) -> None:
    sides = [find_layout(size, span_of(n)).side for n in range(1, 10)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == find_layout(size).side
    for n, side in enumerate(sides, start=1):
        assert side <= size[1]
        assert side * span_of(n) <= size[0] + 5
        assert side == size[1] or side * span_of(n) >= size[0] - 5  # and no smaller than need be


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (2560, 1080), (720, 1280)])
def test_the_whole_frame_height_is_seen_in_every_shape(size: tuple[int, int]) -> None:
    place = find_layout(size)
    assert place.top >= 0
    assert place.top + place.side <= size[1]
    assert place.left(0.0) + place.side / 2 == size[0] / 2
    assert place.side * 0.75 <= size[0] + 1  # a figure is at most about two thirds of the frame wide
