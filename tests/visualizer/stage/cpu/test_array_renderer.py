"""Pictures without a window are those of the painter, with text, and behind the flash guard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.fakes import hearing, picture
from visualizer.moment import Moment, Text
from visualizer.stage.cpu.array_renderer import ArrayRenderer
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import find_look
from visualizer.stage.shots import pixels_of

SIZE = (160, 96)


def moment(time: float, look: str = "paper", text: Text | None = None) -> Moment:
    return Moment(picture(time * 2), find_look(look), hearing(time), time * 2, text or Text())


@pytest.mark.parametrize("look", ["paper", "neon", "confetti"])
def test_pictures_are_those_of_the_painter(look: str) -> None:
    renderer, painter = ArrayRenderer(SIZE), Painter(SIZE)
    assert not renderer.read().any()
    for k in range(5):
        renderer.draw(moment(k / 30, look))
        seen = renderer.read()
        assert seen.shape == (96, 160, 3)
        assert seen.dtype == np.uint8
        assert np.array_equal(seen[:, :, ::-1], pixels_of(painter.paint(moment(k / 30, look)))[:, :, :3])
    renderer.release()
    painter.release()


def test_text_is_laid_over_and_leaves_nothing() -> None:
    renderer, bare = ArrayRenderer(SIZE), ArrayRenderer(SIZE)
    for text, same in ((Text(), True), (Text(toasts=("hello",)), False), (Text(recording=True), False), (Text(), True)):
        renderer.draw(moment(0.0, text=text))
        bare.draw(moment(0.0))
        assert np.array_equal(renderer.read(), bare.read()) == same


def test_what_was_read_is_a_copy() -> None:
    renderer = ArrayRenderer(SIZE)
    renderer.draw(moment(0.0))
    first = renderer.read()
    kept = first.copy()
    renderer.draw(moment(1.0))
    assert np.array_equal(first, kept)
    first[:] = 0
    assert renderer.read().any()


def test_another_size() -> None:
    renderer = ArrayRenderer(SIZE)
    renderer.draw(moment(0.0))
    renderer.resize((64, 64))
    renderer.draw(moment(0.1))
    assert renderer.read().shape == (64, 64, 3)
    assert renderer.read().max() > 200


def test_it_does_not_flash() -> None:
    """Black and white by turns at 15 flashes a second, which is held back."""
    renderer = ArrayRenderer(SIZE)
    levels = []
    for k in range(60):
        renderer.draw(replace(moment(k / 30), text=Text(black=float(k % 2))))
        levels.append(float(renderer.read().mean()))
    swings = np.abs(np.diff(levels)) > 25
    assert levels[0] > 150
    assert max(swings[k : k + 30].sum() // 2 for k in range(30)) <= 3  # a flash is there and back
