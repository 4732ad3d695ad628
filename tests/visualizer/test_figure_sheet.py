"""The sheet of figures: one picture for each, with its name, and one clear line where it cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygame
import pytest

from tests.support.made_insides import dressed
from visualizer import figure_sheet
from visualizer.errors import UserError
from visualizer.figure_sheet import CAPTION, CELL, draw_figures
from visualizer.moment import Bodies


class Dancers:
    """Two figures, drawn from nothing."""

    figures = ("ada", "bo")
    wants_inside = False
    view = 1.0

    def __init__(self, pack: Any, seed: int) -> None:
        self.worn: list[str] = []

    def step_to(self, beat: float) -> None:
        self.beat = beat

    def set_figures(self, names: tuple[str, ...]) -> None:
        self.worn += names

    def picture(self, beat: float) -> Bodies:
        assert self.wants_inside
        return dressed(beat, (0.3,))


def test_each_figure_has_a_picture_and_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(figure_sheet, "Dancer", Dancers)
    draw_figures(None, {"ada": "Ada in a dress"}, tmp_path / "sheet.png")  # type: ignore[arg-type]
    sheet = pygame.image.load(tmp_path / "sheet.png")
    assert sheet.get_size() == (2 * CELL[0], CELL[1] + CAPTION)
    pixels = pygame.surfarray.array3d(sheet)
    for left in (0, CELL[0]):
        body = pixels[left + CELL[0] // 2 - 20 : left + CELL[0] // 2 + 20, 150:300]
        assert body.std() > 20  # who stands in the middle, wherever the dance has gone
        assert pixels[left : left + CELL[0], CELL[1] :].min() < 100  # a name
    with pytest.raises(UserError, match="cannot be written"):
        draw_figures(None, {}, tmp_path / "no" / "sheet.png")  # type: ignore[arg-type]
