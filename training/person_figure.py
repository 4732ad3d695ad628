"""A figure that looks like the person in a video, as a TOML table, and what of it was seen there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit

from training.data.figures.figure import PARTS, Figure, make_figure
from training.data.footage.clothes import Colour, Looks
from training.folders import write_whole

# What is taken for what was not seen.
DEFAULTS = {
    "skin": "#c98a5e", "hair": "#2f1c14", "top": "#3d7ea6", "bottom": "#2b3a55", "shoes": "#2b2b2b",
    "accessory": "#888888", "face": "#2a1510",
}  # fmt: skip
BARE = 60.0  # of 255 from the skin: a limb of such a colour is bare, if the cloth beside it is farther off
ONE_PIECE = 36.0  # of 255: a skirt of nearly the colour of the top is a dress
HALF = 0.5  # of what was measured of the build is believed: landmarks are a few centimetres off
LIMITS = {"legs": (0.88, 1.12), "arms": (0.88, 1.12), "trunk": (0.88, 1.12), "girth": (0.85, 1.4)}


@dataclass(frozen=True)
class PersonFigure:
    """A figure of somebody, its table as in a TOML file, and lines that say what was seen and what was not."""

    figure: Figure
    table: dict[str, Any]
    said: tuple[str, ...]


def make_person(name: str, looks: Looks) -> PersonFigure:
    """The figure `name` of what was seen of a person."""
    seen = {} if looks.shadow else dict(looks.colours)
    colours = {**DEFAULTS, **{part: _write_colour(seen[part]) for part in PARTS if part in seen}}
    colours["accessory"] = colours["top"]
    taken = [part for part in PARTS if part in seen]
    missing = [part for part in ("skin", "hair", "top", "bottom", "shoes") if part not in seen]
    how = "about landmarks" if looks.by_landmarks else "by height in upright outlines, for no landmarks are known"
    none = "no colours: a shadow has none" if looks.shadow else "no colours"
    said = [f"colours of {', '.join(taken)}, {how}, in {looks.pictures} pictures" if taken else none]
    table: dict[str, Any] = {"title": f"{name}, as seen"[:40], "body": {}, "bottom": {}, "top": {}, "colours": colours}
    _take_build(looks, table, said, missing)
    _take_cut(looks, seen, table, said, missing)
    if missing:
        said.append(f"not to be seen, and guessed: {', '.join(missing)}")
    said.append("not taken from the footage: hair style, face, shoes' form, accessories")
    return PersonFigure(make_figure(name, table), table, tuple(said))


def _take_build(looks: Looks, table: dict[str, Any], said: list[str], missing: list[str]) -> None:
    """How long limbs and how broad the trunk are."""
    found = dict(looks.limbs or {})
    if looks.girth is not None:
        found["girth"] = looks.girth
    for name, value in found.items():
        table["body"][name] = round(float(np.clip(1 + HALF * (value - 1), *LIMITS[name])), 2)
    if found:
        said.append("build: " + ", ".join(f"{name} {table['body'][name]:g}" for name in found))
    missing += [what for what, known in (("limbs", looks.limbs), ("girth", looks.girth)) if known is None]


def _take_cut(
    looks: Looks, seen: dict[str, Colour], table: dict[str, Any], said: list[str], missing: list[str]
) -> None:
    """Trousers, shorts, a skirt or a dress, and how long sleeves are."""
    skin, top, bottom = (seen.get(part) for part in ("skin", "top", "bottom"))
    shin_bare = _is_bare(seen.get("shin"), skin, bottom)
    if looks.skirt:
        one_piece = top is not None and bottom is not None and float(np.linalg.norm(top - bottom)) < ONE_PIECE
        length = 0.55 if shin_bare else 0.8
        table["bottom"] = {"style": "dress" if one_piece else "skirt", "length": length, "flare": 1.4}
        said.append("a dress" if one_piece else "a skirt: cloth between the knees")
    else:
        table["bottom"] = {"style": "trousers", "length": 0.45 if shin_bare else 1.0}
        known = "shorts: bare shins" if shin_bare else "trousers"
        said.append(known if looks.skirt is not None else f"{known}, for the knees are never far enough apart to tell")
    if "forearm" in seen and skin is not None and top is not None:
        bare = _is_bare(seen["forearm"], skin, top), _is_bare(seen.get("upper_arm"), skin, top)
        table["top"] = {"style": "tank" if bare[1] else "shirt", "sleeves": 0.0 if bare[1] else 0.4 if bare[0] else 1.0}
        said.append("sleeves: " + ("none" if bare[1] else "short" if bare[0] else "long"))
    else:
        missing.append("sleeves")


def _is_bare(limb: Colour | None, skin: Colour | None, cloth: Colour | None) -> bool:
    if limb is None or skin is None or cloth is None:
        return False
    return float(np.linalg.norm(limb - skin)) < min(BARE, float(np.linalg.norm(limb - cloth)))


def _write_colour(colour: Colour) -> str:
    return "#" + "".join(f"{round(float(value)):02x}" for value in np.clip(colour, 0, 255))


def write_toml(path: Path, person: PersonFigure) -> None:
    """Write the figure as a file that can be changed, and added to a pack."""
    said = "".join(f"# {line}\n" for line in person.said)
    write_whole(path, said + tomlkit.dumps({name: value for name, value in person.table.items() if value != {}}))
