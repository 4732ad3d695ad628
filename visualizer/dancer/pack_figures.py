"""The figures of a pack: who can dance, as `pack.json` tells of them.

A pack with figures has a fifth network, `figures.onnx`, which draws them; `decoder.onnx` draws the flat silhouette, as
in every pack. What the networks for the dance do is not changed by figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.moment import PARTS

HANDS = 4  # numbers: left fist, left point, right fist, right point
MOST_FIGURES = 64
LONGEST = {"name": 40, "title": 60}  # characters
TALLEST = 3.0  # metres
WIDEST = 0.5  # frame widths: no figure reaches farther beyond its joints
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class PackFigure:
    """Somebody who dances. `height` metres; `colours` (P, 3) of each part; `margin`: frame widths that the figure may
    reach beyond the joints of the skeleton, to either side, above, and below (less than 0: it stays within). `flat`:
    the silhouette, which the pack's decoder draws too."""

    name: str
    title: str
    height: float
    colours: NDArray[np.uint8]
    margin: tuple[float, float, float]
    flat: bool = False


@dataclass(frozen=True)
class PackFigures:
    """All figures of a pack, in the order of the network's weights, and the mean `hands` (K, 4) of each letter."""

    people: tuple[PackFigure, ...]
    hands: NDArray[np.float32]

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(person.name for person in self.people)


def has_figures(info: dict[str, Any]) -> bool:
    """Whether `pack.json` speaks of figures."""
    return "figures" in info


def read_figures(info: dict[str, Any]) -> PackFigures:
    """Check "figures", "parts" and "hands" of a `pack.json`. ValueError with what is wrong."""
    if info["format"] < 3:
        raise ValueError("figures need bodies in space, which format 3 has")
    if info.get("parts") != list(PARTS):
        raise ValueError(f"parts must be {', '.join(PARTS)}")
    listed = info["figures"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_FIGURES:
        raise ValueError(f"figures must be a list of 1 to {MOST_FIGURES}")
    people = tuple(_read_person(value) for value in listed)
    if len({person.name.casefold() for person in people}) != len(people):
        raise ValueError("figures must have distinct names")
    try:
        hands = np.asarray(info.get("hands"), dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        hands = np.zeros(0, np.float32)
    if hands.shape != (info["letters"], HANDS) or not ((hands >= 0) & (hands <= 1)).all():
        raise ValueError(f"hands must be {info['letters']} times {HANDS} numbers from 0 to 1")
    return PackFigures(people, hands)


def _read_person(value: Any) -> PackFigure:
    if not isinstance(value, dict):
        raise ValueError("a figure must have a name, title, height, colours and margin")
    for key, longest in LONGEST.items():
        text = value.get(key)
        if not isinstance(text, str) or not 0 < len(text) <= longest or not text.isprintable():
            raise ValueError(f"a figure's {key} must be a short line of text")
    height, margin, flat = value.get("height"), value.get("margin"), value.get("flat", False)
    if not isinstance(height, int | float) or isinstance(height, bool) or not 0 < height <= TALLEST:
        raise ValueError(f"a figure's height must be a number of metres up to {TALLEST:g}")
    if (
        not isinstance(margin, list)
        or len(margin) != 3
        or not all(type(n) in (int, float) and -WIDEST <= n <= WIDEST for n in margin)
    ):
        raise ValueError("a figure's margin must be three numbers of frame widths")
    if type(flat) is not bool:
        raise ValueError("a figure's flat must be true or false")
    colours = value.get("colours")
    if not isinstance(colours, dict) or set(colours) != set(PARTS):
        raise ValueError(f"a figure's colours must be those of {', '.join(PARTS)}")
    if not all(isinstance(c, str) and _COLOUR.fullmatch(c) for c in colours.values()):
        raise ValueError("a figure's colours must be like #ff8800")
    table = np.array([list(bytes.fromhex(colours[part][1:])) for part in PARTS], np.uint8)
    return PackFigure(value["name"], value["title"], float(height), table, tuple(map(float, margin)), flat)  # type: ignore[arg-type]
