"""Sheets of figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.figures.figure import PARTS, load_people
from training.data.figures.sheet import VIEWS, View, describe, draw_sheet, find_figure, paint_view
from visualizer.errors import UserError


def test_somebody_is_painted_in_their_colours() -> None:
    figure = find_figure("tom")
    frame = paint_view(figure, View("two-step sway", 20), 128)
    assert frame.shape == (128, 128, 4)
    alpha = frame[..., 3]
    assert 0.05 < alpha.mean() < 0.4
    shown = frame[alpha > 0.99][:, :3]
    for part in ("top", "bottom"):
        colour = np.array([int(figure.colours[part][i : i + 2], 16) / 255 for i in (1, 3, 5)])
        assert (np.abs(shown - colour).max(axis=1) < 0.03).sum() > 40


def test_every_view_is_of_a_dance() -> None:
    figure = find_figure("silhouette")
    assert all(paint_view(figure, view, 32).any() for view in VIEWS)


def test_a_sheet_of_your_own_figure(tmp_path: Path) -> None:
    own = tmp_path / "me.toml"
    own.write_text("[colours]\n" + "".join(f'{part} = "#40a0f0"\n' for part in PARTS), encoding="utf-8")
    figures = draw_sheet([str(own)], tmp_path / "me.png", 32)
    assert [figure.name for figure in figures] == ["me"]
    assert describe(figures[0]).startswith("me: me, 1.7")
    with Image.open(tmp_path / "me.png") as image:
        assert image.width > image.height > 32


def test_without_a_figure_everybody_is_drawn(tmp_path: Path) -> None:
    assert draw_sheet([], tmp_path / "all.webp", 32) == list(load_people())


@pytest.mark.parametrize(
    ("names", "out", "said"),
    [
        (["nobody"], "x.png", "no figure 'nobody'"),
        (["nobody.toml"], "x.png", "cannot read"),
        (["tom"], "x.txt", "a sheet is a"),
        (["silhouette"], "missing/x.png", "cannot write"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, names: list[str], out: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        draw_sheet(names, tmp_path / out, 32)
    assert not list(tmp_path.iterdir())
