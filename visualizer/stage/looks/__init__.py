"""Looks: how a frame is painted. One small TOML file each in this folder; an optional .glsl file of the same name.

A look is two ramps of colour, and that is why painter and shader show the same picture:

- the figure ramp, over the signed distance from the outline: colour, and how much it covers what is behind;
- the haze ramp, over the light that lies about the dancer: glow, trails and the pool on the floor, 0..1.

    picture = haze_ramp[haze] * (1 - cover[distance]) + figure_ramp[distance]

A .glsl file may add `vec3 finish(vec3 colour, vec2 stage)` for the shader stage.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

if TYPE_CHECKING:
    from visualizer.stage.mood import Mood

BAND = 3 / 128  # frame widths about the outline in which the field is a true distance
SURE = 0.8 * BAND  # how far out a network's field can be trusted; no ramp reaches beyond it
LEVELS = 256  # samples of a ramp


@dataclass(frozen=True)
class Haze:
    """The light about the dancer. Strengths are shares of the haze ramp, 1 = its end."""

    stops: tuple[tuple[float, NDArray[np.float64]], ...]  # (haze 0..1, RGB 0..1), rising
    glow: float  # strength of the blurred outline
    glow_width: float  # its Gaussian spread, frame widths
    trail: float  # strength of what the outline leaves behind
    trail_beats: float  # half-life of a trail, beats
    trail_zoom: float  # growth of trails a beat, 1 = none
    floor: float  # strength of the pool of light on the floor
    pulse: float  # how much of glow and floor comes and goes with the beat, 0..1


@dataclass(frozen=True)
class Look:
    """One way of painting; the settings of its TOML file."""

    name: str
    title: str
    stops: NDArray[np.float64]  # (K, 6) of the figure: distance in frame widths, R, G, B, cover, light
    haze: Haze | None  # None: the background is the flat end of the figure ramp
    hue_beats: float  # beats in which all hues swing to and fro once; 0 = they stand still
    hue_swing: tuple[float, float]  # degrees between which they swing, from and to
    hue_energy: float  # degrees of hue that full energy adds
    bright: float  # how much louder music brightens the figure, 0 = not
    glsl: str | None = None


@dataclass(frozen=True)
class Lights:
    """A look at one moment: what painter and shader need to paint it."""

    figure: NDArray[np.float32]  # (256, 4): premultiplied RGB and cover; [0] lies `reach` outside, [255] as far inside
    haze: NDArray[np.float32]  # (256, 3) RGB; [0] no haze
    reach: float  # frame widths that the figure ramp spans on each side of the outline
    glow: float
    trail: float
    floor: float


def _rgb(text: str) -> NDArray[np.float64]:
    return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def _parse(name: str, data: dict[str, Any], glsl: str | None) -> Look:
    stops = []
    for stop in data["figure"]["stops"]:
        cover = float(stop.get("cover", 1.0))
        stops.append([float(stop["at"]), *_rgb(stop["colour"]), cover, float(stop.get("light", cover))])
    haze = None
    if "haze" in data:
        h = data["haze"]
        haze = Haze(
            stops=tuple((float(s["at"]), _rgb(s["colour"])) for s in h["stops"]),
            glow=float(h.get("glow", 0)),
            glow_width=float(h.get("glow_width", 0.05)),
            trail=float(h.get("trail", 0)),
            trail_beats=float(h.get("trail_beats", 0.5)),
            trail_zoom=float(h.get("trail_zoom", 1)),
            floor=float(h.get("floor", 0)),
            pulse=float(h.get("pulse", 0)),
        )
    motion = data.get("motion", {})
    return Look(
        name=name,
        title=data["title"],
        stops=np.array(stops),
        haze=haze,
        hue_beats=float(motion.get("hue_beats", 0)),
        hue_swing=(float(motion.get("hue_from", 0)), float(motion.get("hue_to", 0))),
        hue_energy=float(motion.get("hue_energy", 0)),
        bright=float(motion.get("bright", 0)),
        glsl=glsl,
    )


def load_look(path: Path) -> Look:
    """Read one look. UserError names the file and what is wrong with it."""
    shader = path.with_suffix(".glsl")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _parse(path.stem, data, shader.read_text(encoding="utf-8") if shader.is_file() else None)
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"look {path} cannot be used: {error!r}") from error


@cache
def _shipped() -> tuple[Look, ...]:
    files = sorted(Path(__file__).parent.glob("*.toml"))
    # The student's black on white comes first: it is where all this began.
    return tuple(sorted((load_look(f) for f in files), key=lambda each: (each.name != "paper", each.name)))


LOOKS: tuple[Look, ...] = _shipped()


def look(name: str) -> Look:
    """The look of that name; UserError names those there are."""
    for each in LOOKS:
        if each.name == name:
            return each
    raise UserError(f"no look is called '{name}'; there are: {', '.join(each.name for each in LOOKS)}")


@lru_cache(maxsize=32)
def _figure_ramp(name: str, stops_key: bytes, rows: int, pixel: float) -> tuple[NDArray[np.float64], float]:
    """(256, 4) premultiplied figure ramp, antialiased for pixels `pixel` frame widths wide, and its reach."""
    stops = np.frombuffer(stops_key).reshape(rows, 6)
    reach = min(SURE, float(np.abs(stops[:, 0]).max()) + pixel)
    fine = 32  # samples a level, so that the mean over a pixel is smooth
    at = reach * (1 - 2 * (np.arange(-fine * 8, (LEVELS + 8) * fine) + 0.5) / (LEVELS * fine))
    # Two stops at one place make a sharp edge; a hair between them keeps np.interp's input rising.
    where = stops[:, 0] + np.arange(rows) * 1e-9
    table = np.stack([np.interp(at, where, stops[:, k]) for k in range(1, 6)], axis=1)
    premultiplied = np.concatenate([table[:, :3] * table[:, 4:5], table[:, 3:4]], axis=1)
    # A pixel shows the mean of what it covers: a running mean one pixel wide is the antialiasing.
    wide = max(1, round(pixel / (2 * reach) * LEVELS * fine))
    total = np.cumsum(np.concatenate([np.zeros((1, 4)), premultiplied]), axis=0)
    centre = ((np.arange(LEVELS) + 0.5 + 8) * fine).astype(int)
    low = np.clip(centre - wide // 2, 0, len(total) - 1)
    high = np.clip(centre - wide // 2 + wide, 0, len(total) - 1)
    return (total[high] - total[low]) / np.maximum(high - low, 1)[:, None], reach


def turn_hue(rgb: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Colours (..., 3) rotated about the grey axis (Rodrigues' formula), which keeps R + G + B and all greys."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b = (1 - c) / 3, s / math.sqrt(3)
    matrix = np.array([[c + a, a - b, a + b], [a + b, c + a, a - b], [a - b, a + b, c + a]])
    return np.maximum(rgb @ matrix.T, 0)


def lights(look: Look, mood: Mood, side: int) -> Lights:
    """The ramps and strengths of `look` in this mood, for a frame `side` pixels wide."""
    base, reach = _figure_ramp(look.name, look.stops.tobytes(), len(look.stops), 1 / side)
    degrees = look.hue_energy * mood.energy
    if look.hue_beats:
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * mood.turn / look.hue_beats)
        degrees += look.hue_swing[0] + (look.hue_swing[1] - look.hue_swing[0]) * swing
    figure = base.copy()
    gain = 1 + look.bright * (0.6 * mood.loudness + 0.4 * mood.pulse - 0.5)
    figure[:, :3] = np.minimum(turn_hue(base[:, :3], degrees) * gain if degrees or look.bright else base[:, :3], 1)
    if look.haze is None:
        outside = figure[0, :3]
        return Lights(figure.astype(np.float32), np.tile(outside, (LEVELS, 1)).astype(np.float32), reach, 0, 0, 0)
    haze = look.haze
    at = np.arange(LEVELS) / (LEVELS - 1)
    ramp = np.stack([np.interp(at, [s[0] for s in haze.stops], [s[1][k] for s in haze.stops]) for k in range(3)], 1)
    swing = 1 - haze.pulse + haze.pulse * (0.35 * mood.bass + 0.25 * mood.loudness + 0.4 * mood.pulse)
    return Lights(
        figure=figure.astype(np.float32),
        haze=np.minimum(turn_hue(ramp, degrees), 1).astype(np.float32),
        reach=reach,
        glow=haze.glow * swing,
        trail=haze.trail * (0.55 + 0.45 * mood.energy),
        floor=haze.floor * swing,
    )
