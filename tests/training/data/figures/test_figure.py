"""Figures from TOML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.figures.figure import PARTS, load_people, read_figure
from training.figure_export import FigureContents, describe_figures
from visualizer.dancer.pack_figures import read_figures
from visualizer.errors import UserError

COLOURS = "[colours]\n" + "".join(f'{part} = "#102030"\n' for part in PARTS)


def write(folder: Path, text: str) -> Path:
    path = folder / "guest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_people_have_names_titles_and_colours() -> None:
    people = load_people()
    assert len({figure.name for figure in people}) == len({figure.title for figure in people}) == len(people)
    assert all(tuple(figure.colours) == PARTS for figure in people)
    assert "silhouette" in {figure.name for figure in people if figure.flat}


def test_what_is_not_said_is_as_usual(tmp_path: Path) -> None:
    figure = read_figure(write(tmp_path, COLOURS))
    assert (figure.name, figure.title) == ("guest", "guest")
    assert figure.body.legs == 1
    assert figure.colours["skin"] == "#102030"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "no TOML"),
        ("", "colours.skin is missing"),
        (COLOURS.replace("#102030", "blue", 1), "colours.skin must be like"),
        (COLOURS + "[body]\nlegs = 9", "body.legs must be from 0.5 to 1.3"),
        (COLOURS + "[body]\nlegs = true", "body.legs must be a number"),
        (COLOURS + "[body]\nlegs = nan", "body.legs must be a number"),
        (COLOURS + "[hair]\nstyle = 'mullet'", "hair.style must be one of"),
        (COLOURS + "[hair]\nstyle = ['bun']", "hair.style must be one of"),
        (COLOURS + "[wings]\n", "unknown 'wings'"),
        (COLOURS + "[body]\nwings = 2", "unknown 'wings' in [body]"),
        ("body = 3\n" + COLOURS, "body must be a table"),
        ("accessory = ['crown']\n" + COLOURS, "accessory may hold"),
        ("accessory = 'cap'\n" + COLOURS, "accessory must be a list"),
        ("flat = 1\n" + COLOURS, "flat must be"),
        ("title = 3\n" + COLOURS, "title must be"),
    ],
)
def test_mistakes_are_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        read_figure(write(tmp_path, text))
    assert said in str(refused.value)
    assert "guest.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        read_figure(tmp_path / "nobody.toml")


def test_all_who_ship_can_be_told_of_in_a_pack() -> None:
    people = load_people()
    hands, margins = np.zeros((3, 4), np.float32), np.full((len(people), 3), 0.05, np.float32)
    told = describe_figures(FigureContents(None, people, hands, margins))  # type: ignore[arg-type]
    read = read_figures({"format": 3, "letters": 3, **told})
    assert read.names == tuple(figure.name for figure in people)
