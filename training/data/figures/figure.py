"""Reads figures: one TOML each says how somebody is built and what they wear.

Every number has a default, so a file need only say what is special about its figure. Mistakes are refused in one line.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.files import read_at_most

PARTS = ("skin", "hair", "top", "bottom", "shoes", "accessory", "face")
PEOPLE = Path(__file__).parent / "people"
LARGEST = 64 * 1024  # bytes of a figure's file
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def number(default: float, low: float, high: float) -> Any:
    """A field that holds a number from `low` to `high`."""
    return field(default=default, metadata={"range": (low, high)})


def choice(default: str, *others: str) -> Any:
    """A field that holds one of some words."""
    return field(default=default, metadata={"words": (default, *others)})


def several(*words: str) -> Any:
    """A field that holds a list of some words."""
    return field(default=(), metadata={"list": words})


@dataclass(frozen=True)
class Body:
    """Factors of an average body: lengths, and how thick it is where."""

    legs: float = number(1.0, 0.5, 1.3)
    arms: float = number(1.0, 0.5, 1.3)
    trunk: float = number(1.0, 0.6, 1.3)
    shoulders: float = number(1.0, 0.6, 1.4)
    hips: float = number(1.0, 0.6, 1.5)
    head: float = number(1.0, 0.7, 1.4)
    hands: float = number(1.0, 0.6, 1.4)
    feet: float = number(1.0, 0.6, 1.4)
    girth: float = number(1.0, 0.6, 1.6)
    waist: float = number(1.0, 0.6, 1.6)
    chest: float = number(0.0, 0.0, 1.5)
    belly: float = number(0.0, 0.0, 1.5)
    limbs: float = number(1.0, 0.6, 1.6)


@dataclass(frozen=True)
class Hair:
    """`size` is a factor of its volume, `length` one of how far it hangs."""

    style: str = choice(
        "short", "bald", "crop", "curls", "quiff", "bob", "long", "ponytail", "bun", "buns", "afro", "braids"
    )
    size: float = number(1.0, 0.5, 1.6)
    length: float = number(1.0, 0.3, 2.0)
    beard: float = number(0.0, 0.0, 1.5)


@dataclass(frozen=True)
class Top:
    """`sleeves` from 0, bare arms, to 1, down to the wrist; `loose` metres of air; `length` of the hem below the hip
    in metres (below 0: a bare waist)."""

    style: str = choice("shirt", "tank", "hoodie", "robe", "bib")
    sleeves: float = number(0.4, 0.0, 1.0)
    loose: float = number(0.008, 0.0, 0.06)
    length: float = number(0.02, -0.12, 0.5)
    stripes: float = number(0.0, 0.0, 0.1)


@dataclass(frozen=True)
class Bottom:
    """`length` from the waist to the hem: 0.5 ends at the knee, 1 at the ankle; `loose` metres of air; `flare` a
    factor of the hem's width; `pleats` folds all round a skirt."""

    style: str = choice("trousers", "skirt", "dress")
    length: float = number(1.0, 0.15, 1.0)
    loose: float = number(0.012, 0.0, 0.06)
    flare: float = number(1.0, 0.5, 3.0)
    pleats: float = number(9.0, 0.0, 24.0)


@dataclass(frozen=True)
class Shoes:
    """`cuff` is how far boots, or socks, go up the shin in metres."""

    style: str = choice("sneakers", "boots", "flats", "bare")
    cuff: float = number(0.0, 0.0, 0.4)


@dataclass(frozen=True)
class Face:
    """What the face shows: how wide the eyes are, and how it smiles."""

    mouth: str = choice("smile", "grin", "calm")
    eyes: float = number(1.0, 0.6, 1.5)


@dataclass(frozen=True)
class Figure:
    """Somebody who dances. `colours` holds a "#rrggbb" for each of `PARTS`; `flat` is a silhouette without clothes."""

    name: str
    title: str
    body: Body = Body()
    hair: Hair = Hair()
    top: Top = Top()
    bottom: Bottom = Bottom()
    shoes: Shoes = Shoes()
    face: Face = Face()
    accessory: tuple[str, ...] = several(
        "glasses", "shades", "cap", "beanie", "headscarf", "headband", "scarf", "sash", "belt", "wristbands",
        "headphones", "flower", "hat",
    )  # fmt: skip
    colours: dict[str, str] = field(default_factory=dict)
    flat: bool = False


_SECTIONS = {"body": Body, "hair": Hair, "top": Top, "bottom": Bottom, "shoes": Shoes, "face": Face}


def read_figure(path: Path) -> Figure:
    """The figure that a TOML file describes, named as the file. UserError in one line if anything is wrong."""
    try:
        table = tomllib.loads(read_at_most(path, LARGEST).decode("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path} is no TOML file: {error}") from error
    try:
        return make_figure(path.stem, table)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def load_people() -> tuple[Figure, ...]:
    """All figures that come with the program, by name."""
    return tuple(read_figure(path) for path in sorted(PEOPLE.glob("*.toml")))


def make_figure(name: str, table: dict[str, Any]) -> Figure:
    """A figure from the table of its file. ValueError says what is wrong."""
    known = [*_SECTIONS, "title", "accessory", "colours", "flat"]
    _refuse_unknown(table, known, "")
    made: dict[str, Any] = {"name": name, "title": table.get("title", name)}
    if not isinstance(made["title"], str) or not made["title"].strip():
        raise ValueError("title must be a text")
    for section, kind in _SECTIONS.items():
        values = table.get(section, {})
        if not isinstance(values, dict):
            raise ValueError(f"{section} must be a table, [{section}]")
        _refuse_unknown(values, [each.name for each in fields(kind)], f" in [{section}]")
        checked = {each.name: _check(values[each.name], each.metadata, f"{section}.{each.name}")
                   for each in fields(kind) if each.name in values}  # fmt: skip
        made[section] = kind(**checked)
    meta = next(each.metadata for each in fields(Figure) if each.name == "accessory")
    made["accessory"] = _check(table.get("accessory", []), meta, "accessory")
    made["flat"] = table.get("flat", False)
    if not isinstance(made["flat"], bool):
        raise ValueError("flat must be true or false")
    made["colours"] = _read_colours(table.get("colours", {}))
    return Figure(**made)


def _read_colours(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        raise ValueError("colours must be a table, [colours]")
    _refuse_unknown(values, list(PARTS), " in [colours]")
    for part in PARTS:
        if part not in values:
            raise ValueError(f"colours.{part} is missing")
        if not isinstance(values[part], str) or not _COLOUR.fullmatch(values[part]):
            raise ValueError(f'colours.{part} must be like "#ff8800", not {values[part]!r}')
    return {part: values[part].lower() for part in PARTS}


def _refuse_unknown(values: dict[str, Any], known: list[str], where: str) -> None:
    for name in values:
        if name not in known:
            raise ValueError(f"unknown {name!r}{where}; there are {', '.join(known)}")


def _check(value: Any, meta: Any, name: str) -> Any:
    """`value` as its field wants it. ValueError names the field and what it may hold."""
    if "range" in meta:
        low, high = meta["range"]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a number, not {value!r}")
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value:g}")
        return float(value)
    if "words" in meta:
        if value not in meta["words"]:
            raise ValueError(f"{name} must be one of {', '.join(meta['words'])}, not {value!r}")
        return value
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list")
    for each in value:
        if each not in meta["list"]:
            raise ValueError(f"{name} may hold {', '.join(meta['list'])}, not {each!r}")
    return tuple(value)
