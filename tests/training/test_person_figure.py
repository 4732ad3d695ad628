"""The figure of somebody in a video: what was seen is taken, what was not is guessed and said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.data.figures.figure import read_figure
from training.data.footage.clothes import Looks
from training.person_figure import DEFAULTS, make_person, write_toml

SEEN = {
    "skin": (200, 150, 120), "hair": (30, 20, 10), "top": (200, 30, 30), "bottom": (30, 30, 180),
    "shoes": (250, 250, 250), "forearm": (195, 150, 118), "upper_arm": (198, 32, 30), "shin": (32, 30, 178),
}  # fmt: skip
LOOKS = Looks(
    12, {name: np.array(colour, float) for name, colour in SEEN.items()},
    {"legs": 1.04, "arms": 0.98, "trunk": 0.98}, 1.2, False, True,
)  # fmt: skip


def test_what_was_seen_is_taken() -> None:
    person = make_person("anna", LOOKS)
    figure = person.figure
    assert figure.name == "anna"
    assert figure.colours["top"] == "#c81e1e"
    assert figure.colours["shoes"] == "#fafafa"
    assert (figure.bottom.style, figure.bottom.length) == ("trousers", 1.0)
    assert (figure.top.style, figure.top.sleeves) == ("shirt", 0.4)
    assert figure.body.girth == pytest.approx(1.1)
    assert figure.body.legs == pytest.approx(1.02)
    said = " ".join(person.said)
    assert "12 pictures" in said
    assert "guessed" not in said


@pytest.mark.parametrize(
    ("changed", "style", "length"),
    [
        ({"shin": (199, 150, 121)}, "trousers", 0.45),
        ({"skirt": True}, "skirt", 0.8),
        ({"skirt": True, "bottom": (195, 40, 35)}, "dress", 0.8),
    ],
)
def test_the_cut_of_clothes(changed: dict, style: str, length: float) -> None:
    colours = {**LOOKS.colours, **{k: np.array(v, float) for k, v in changed.items() if k != "skirt"}}
    figure = make_person("anna", replace(LOOKS, colours=colours, skirt=changed.get("skirt", False))).figure
    assert (figure.bottom.style, figure.bottom.length) == (style, length)


def test_what_was_not_seen_is_said() -> None:
    nothing = Looks(0, {}, None, None, None, False)
    person = make_person("bob", nothing)
    assert person.figure.colours["top"] == DEFAULTS["top"]
    assert person.figure.bottom.style == "trousers"
    said = " ".join(person.said)
    for word in ("no colours", "guessed", "skin", "girth", "sleeves", "trousers", "hair style"):
        assert word in said
    shadow = make_person("bob", replace(LOOKS, shadow=True))
    assert shadow.figure.colours == person.figure.colours
    assert "a shadow has none" in shadow.said[0]


def test_the_file_can_be_read_again(tmp_path: Path) -> None:
    person = make_person("anna", LOOKS)
    write_toml(tmp_path / "anna.toml", person)
    assert read_figure(tmp_path / "anna.toml") == person.figure
