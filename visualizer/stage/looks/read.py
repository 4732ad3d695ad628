"""Looks out of their files. What is wrong with one is said with its file and line."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from visualizer.errors import UserError
from visualizer.moment import PARTS
from visualizer.stage.backdrop_map import KINDS
from visualizer.stage.colours import rgb
from visualizer.stage.looks.look import (
    BLENDS,
    FIELDS,
    PATTERNS,
    PLACES,
    SURE,
    Backdrop,
    Confetti,
    Effects,
    Figure,
    InsideLook,
    Look,
    Motion,
    Shading,
    Stops,
    TitleLook,
)

FOLDER = Path(__file__).parent
OLD_NAMES = {"haze": "effects"}  # tables of looks that were written for an earlier version
FLAGS = ("colour_blind_safe", "for_figures")

T = TypeVar("T")


class Wrong(ValueError):
    """What is wrong with a look, and the word in its file where that is."""

    def __init__(self, said: str, word: str = "") -> None:
        super().__init__(said)
        self.word = word


def _stops(value: Any, word: str) -> Stops:
    if not isinstance(value, list) or not value:
        raise Wrong(f"{word} must be a list of stops or colours", word)
    rows = []
    for k, stop in enumerate(value):
        if isinstance(stop, str):  # colours alone are evenly spaced
            stop = {"at": k / max(len(value) - 1, 1), "colour": stop}
        if not isinstance(stop, dict):
            raise Wrong(f"{word}: {stop!r} is neither a stop nor a colour", word)
        for key in stop:
            if key not in ("at", "colour", "cover", "light"):
                raise Wrong(f"{word}: a stop has at, colour, cover and light, but no '{key}'", key)
        if "at" not in stop or "colour" not in stop:
            raise Wrong(f"{word}: stop {k + 1} lacks {'colour' if 'at' in stop else 'at'}", word)
        cover = _number(stop.get("cover", 1.0), word)
        try:
            colour = rgb(stop["colour"])
        except ValueError as error:
            raise Wrong(f"{word}: {error}", str(stop["colour"])) from error
        rows.append([_number(stop["at"], word), *colour, cover, _number(stop.get("light", cover), word)])
    stops = np.array(rows)
    if (np.diff(stops[:, 0]) < 0).any():
        raise Wrong(f"{word}: stops must rise", word)
    return stops


def _number(value: Any, word: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Wrong(f"{word} must be a number, not {value!r}", word)
    return float(value)


def _whole(value: Any, word: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1024:
        raise Wrong(f"{word} must be a whole number from 1 to 1024, not {value!r}", word)
    return value


def _flag(value: Any, word: str) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"{word} must be true or false, not {value!r}", word)
    return value


def _text(value: Any, word: str) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{word} must be a text, not {value!r}", word)
    return value


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "Shading | None": lambda value, word: _table(Shading, value, f"inside.{word}"),
    "Stops": _stops, "Stops | None": _stops, "float": _number, "int": _whole, "bool": _flag, "str": _text,
}  # fmt: skip


def _table(kind: type[T], data: Any, where: str) -> T:
    """A dataclass out of a TOML table of the same words. Wrong for a word it does not know, or one that lacks."""
    if not isinstance(data, dict):
        raise Wrong(f"[{where}] must be a table", where)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise Wrong(f"[{where}] has no '{key}'; it knows {', '.join(fields)}", key)
    for name, field in fields.items():
        if name not in data and field.default is dataclasses.MISSING:
            raise Wrong(f"[{where}] lacks '{name}'", where)
    return kind(**{key: _READERS[str(fields[key].type)](value, key) for key, value in data.items()})


def _parse(name: str, data: dict[str, Any], glsl: str | None) -> Look:
    tables: dict[str, type] = {
        "figure": Figure, "backdrop": Backdrop, "effects": Effects, "confetti": Confetti, "motion": Motion,
        "inside": InsideLook, "titles": TitleLook,
    }  # fmt: skip
    data = {OLD_NAMES.get(key, key): value for key, value in data.items()}
    for key in data:
        if key not in ("title", *FLAGS) and key not in tables:
            raise Wrong(f"'{key}' is not known here; there are title, {', '.join([*tables, *FLAGS])}", key)
    for key in ("title", "figure", "backdrop"):
        if key not in data:
            raise Wrong(f"'{key}' is missing")
    read = {key: _table(kind, data[key], key) for key, kind in tables.items() if key in data}
    behind: Backdrop = read["backdrop"]
    if behind.kind not in KINDS:
        raise Wrong(f"kind '{behind.kind}' is none of {', '.join(KINDS)}", "kind")
    if (reach := float(np.abs(read["figure"].stops[:, 0]).max())) > SURE:
        raise Wrong(f"figure stops reach to {reach:g}; the outline is known only within {SURE:g}", "figure")
    if "inside" in read:
        _check_inside(read["inside"])
    if "titles" in read:
        _check_titles(read["titles"])
    flags = {key: _flag(data.get(key, False), key) for key in FLAGS}
    return Look(name, _text(data["title"], "title"), glsl=glsl, **flags, **read)


def _check_inside(inside: InsideLook) -> None:
    """Wrong for what reaches beyond what is known of a body, and for words that mean nothing."""
    if inside.outline is not None and (reach := float(np.abs(inside.outline[:, 0]).max())) > SURE:
        raise Wrong(f"outline reaches to {reach:g}; it is known only within {SURE:g}", "outline")
    if inside.colours is not None and len(inside.colours) not in (1, len(PARTS)):
        raise Wrong(f"colours: one for all, or one for each of {', '.join(PARTS)}", "colours")
    for name, shading in (("first", inside.first), ("second", inside.second)):
        if shading is None:
            continue
        if shading.of not in FIELDS:
            raise Wrong(f"[inside.{name}]: of '{shading.of}' is none of {', '.join(FIELDS)}", shading.of)
        if shading.blend not in BLENDS:
            raise Wrong(f"[inside.{name}]: blend '{shading.blend}' is none of {', '.join(BLENDS)}", shading.blend)
        if name == "first" and (shading.of in PATTERNS or shading.against):
            raise Wrong("[inside.first]: a pattern, or what is 'against', can only be the second", "first")
        if shading.scale <= 0:
            raise Wrong(f"[inside.{name}]: scale must be more than 0", "scale")


def _check_titles(titles: TitleLook) -> None:
    """Wrong for a place that is none, and for letters that nobody could read or that would not fit."""
    if titles.place not in PLACES:
        raise Wrong(f"[titles]: place '{titles.place}' is none of {', '.join(PLACES)}", titles.place)
    for word, least, most in (
        ("size", 0.06, 0.3), ("spacing", 0, 1), ("leading", 0.7, 2), ("tilt", -20, 20), ("outline_width", 0.01, 0.3),
        ("shadow_x", -0.5, 0.5), ("shadow_y", -0.5, 0.5), ("shadow_blur", 0, 0.5), ("glow_width", 0.02, 0.6),
        ("plate_round", 0, 1), ("grain", 0, 1), ("lines", 0, 1),
    ):  # fmt: skip
        if not least <= getattr(titles, word) <= most:
            raise Wrong(f"[titles]: {word} is from {least:g} to {most:g}, not {getattr(titles, word):g}", word)


def _line_of(text: str, word: str) -> int:
    """Number of the first line that says `word` and is no comment; 1 where none does."""
    for number, line in enumerate(text.splitlines(), start=1):
        if word and word in line.partition(" #")[0] and not line.lstrip().startswith("#"):
            return number
    return 1


def load_look(path: Path) -> Look:
    """Read one look. UserError names the file, the line and what is wrong with it."""
    shader = path.with_suffix(".glsl")
    try:
        text = path.read_text(encoding="utf-8")
        glsl = shader.read_text(encoding="utf-8") if shader.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"look {path} cannot be read: {error}") from error
    try:
        return _parse(path.stem, tomllib.loads(text), glsl)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"look {path} is no TOML: {error}") from error
    except Wrong as error:
        raise UserError(f"look {path}, line {_line_of(text, error.word)}: {error}") from error


def load_looks(folder: Path = FOLDER) -> list[Look]:
    """All looks of a folder. The student's black on white comes first: it is where all this began."""
    return sorted((load_look(f) for f in folder.glob("*.toml")), key=lambda each: (each.name != "paper", each.name))
