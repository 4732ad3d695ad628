"""Looks: how a frame is painted. One small TOML file each in this folder; an optional .glsl file of the same name.

A look is four layers, and since each of them is a table of colours that is looked up, painter and shader show the
same picture:

- the backdrop: a map of small numbers, made once (backdrop.py), and 256 colours that move with the music;
- the haze: light or shadow about the dancer, 0..1, on a coarse canvas (haze.py), and a ramp that gives its colour and
  how much it covers;
- the figure ramp, over the signed distance from the outline: colour and cover;
- sprites: confetti (sprites.py).

    picture = over(figure_ramp[distance], over(haze_ramp[haze], palette[map]))

A .glsl file may add `vec3 finish(vec3 colour, vec2 stage)` for the shader stage.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.names import bare
from visualizer.stage import backdrop
from visualizer.stage.colours import rgb, turn_hue, wander

if TYPE_CHECKING:
    from visualizer.stage.mood import Mood

BAND = 3 / 128  # frame widths about the outline in which the field is a true distance
SURE = 0.8 * BAND  # how far out a network's field can be trusted; no ramp reaches beyond it
LEVELS = 256  # samples of a ramp
FOLDER = Path(__file__).parent

Doubles = NDArray[np.float64]
Stops = NDArray[np.float64]  # (K, 6): at, R, G, B, cover, light; `at` rises
T = TypeVar("T")


@dataclass(frozen=True)
class Figure:
    """The dancer."""

    stops: Stops  # `at` in frame widths from the outline, negative inside
    grain: float = 0.0  # frame widths by which fixed noise shifts the outline
    grain_size: float = 0.004  # frame widths that a grain is wide
    grain_long: float = 1.0  # how much longer than wide


@dataclass(frozen=True)
class Haze:
    """Light and shadow about the dancer. Strengths are shares of the ramp, 1 = its end; what has none is left out."""

    stops: Stops  # `at` in 0..1
    rows: int = 64  # cells of the canvas that a frame is high; 128 for what must be crisp
    pulse: float = 0.0  # how much of glow, fill, floor and spots comes and goes with the beat, 0..1
    glow: float = 0.0  # the blurred outline
    glow_width: float = 0.05  # its Gaussian spread, frame widths
    fill: float = 0.0  # the blurred body
    fill_width: float = 0.02
    fill_x: float = 0.0  # frame widths that it falls to the right of the body
    fill_y: float = 0.0  # and below
    fill_is_cast: bool = False  # it falls on what is behind or below; a picture without a stage leaves it out
    trail: float = 0.0  # what the outline leaves behind
    trail_beats: float = 0.5  # half-life, beats
    trail_zoom: float = 1.0  # growth a beat
    trail_rise: float = 0.0  # frame widths a beat, upwards
    trail_spread: float = 0.0  # frame widths by which it spreads in a beat
    trail_body: bool = False  # the whole body leaves it, not just the outline
    floor: float = 0.0  # pool about the place where the dancer stands
    contact: float = 0.0  # where feet and hands touch the floor
    contact_width: float = 0.02
    wet: float = 0.0  # share of all this that the floor throws back
    echo: float = 0.0  # of the newest copy of the dancer; older ones step evenly down to 0
    echo_copies: int = 4
    echo_beats: float = 0.5  # from copy to copy
    rings: float = 0.0  # falls off with the distance from the body
    ring_range: float = 0.9  # frame widths in which it falls to 0
    ring_step: float = 0.09  # frame widths from ring to ring
    ring_beats: float = 2.0  # in which a ring moves on to the next one's place
    ring_depth: float = 0.0  # how much darker it is between the rings
    spots: float = 0.0  # of a mirror ball
    spot_size: float = 0.016  # Gaussian spread, frame widths
    spot_beats: float = 1.6  # in which a spot moves on to the next one's place
    bones: float = 0.0  # the skeleton, where the pack knows its joints
    bone_width: float = 0.008


@dataclass(frozen=True)
class Backdrop:
    """What is behind the dancer; see backdrop.py for the kinds."""

    stops: Stops  # `at` in 0..1: what that means depends on the kind
    kind: str = "plain"
    ground: Stops | None = None  # of the floor, where there is one: from below the dancer outwards
    line: float = 0.80  # height of the far end of the floor, frame widths from the frame's top
    horizon: float = 0.60  # height of the eye, where lines of the floor meet
    tile: float = 0.30  # frame widths of a tile
    grain: float = 0.0  # noise, share of the stops' range
    grain_size: float = 0.004
    rays: int = 12
    spin_beats: float = 64.0  # in which rays move on by one
    glint_beats: float = 8.0  # from one glint of a mirror ball's facet to the next
    lit: Stops | None = None  # colours of tiles that are lit, evenly spaced


@dataclass(frozen=True)
class Confetti:
    """Pieces thrown from the hands on strong beats."""

    stops: Stops  # their colours
    pieces: int = 26  # thrown by a hand on the strongest beat
    size: float = 0.016  # frame widths
    beats: float = 10.0  # until the last of them is gone
    speed: float = 0.36  # frame widths a beat
    weight: float = 0.16  # frame widths a beat²


@dataclass(frozen=True)
class Motion:
    """What moves with the music."""

    hue_beats: float = 0.0  # beats in which all hues swing to and fro once; 0: they stand still
    hue_from: float = 0.0  # degrees
    hue_to: float = 0.0
    hue_energy: float = 0.0  # degrees that full energy adds
    round_beats: float = 0.0  # beats in which the backdrop's hues go once round; lightness stays
    backdrop: float = 0.0  # share of the swing of hues that the backdrop joins in
    bright: float = 0.0  # how much louder music brightens the figure
    breathe: float = 0.0  # how much louder music brightens the backdrop
    sway: float = 0.0  # how much of the backdrop's brightness comes and goes with the bar


@dataclass(frozen=True)
class Look:
    """One way of painting; the settings of its TOML file. Not compared by value: a file read anew is a new look."""

    name: str
    title: str
    figure: Figure
    backdrop: Backdrop
    haze: Haze | None = None
    confetti: Confetti | None = None
    motion: Motion = Motion()
    glsl: str | None = None

    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclass(frozen=True)
class Lights:
    """A look at one moment: what painter and shader need to paint it. Colours are premultiplied by cover."""

    figure: NDArray[np.float32]  # (256, 4) RGB and cover; [0] lies `reach` outside, [255] as far inside
    haze: NDArray[np.float32]  # (256, 4); [0] no haze
    palette: NDArray[np.float32]  # (256, 3) of the backdrop
    reach: float  # frame widths that the figure ramp spans on each side of the outline
    swing: float  # 0..1, by which glow, fill, floor and spots are multiplied
    trail: float  # the same for trails


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
        "figure": Figure, "backdrop": Backdrop, "haze": Haze, "confetti": Confetti, "motion": Motion,
    }  # fmt: skip
    for key in data:
        if key != "title" and key not in tables:
            raise Wrong(f"'{key}' is not known here; there are title, {', '.join(tables)}", key)
    for key in ("title", "figure", "backdrop"):
        if key not in data:
            raise Wrong(f"'{key}' is missing")
    read = {key: _table(kind, data[key], key) for key, kind in tables.items() if key in data}
    behind: Backdrop = read["backdrop"]
    if behind.kind not in backdrop.KINDS:
        raise Wrong(f"kind '{behind.kind}' is none of {', '.join(backdrop.KINDS)}", "kind")
    if (reach := float(np.abs(read["figure"].stops[:, 0]).max())) > SURE:
        raise Wrong(f"figure stops reach to {reach:g}; the outline is known only within {SURE:g}", "figure")
    return Look(name, _text(data["title"], "title"), glsl=glsl, **read)


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


LOOKS: list[Look] = load_looks()  # changed in place where looks are edited live, see live.py


def look(name: str) -> Look:
    """The look of that name or title; UserError names those there are."""
    for each in LOOKS:
        if each.name == name:
            return each
    for each in LOOKS:
        if bare(name) in (bare(each.name), bare(each.title)):
            return each
    raise UserError(f"no look is called '{name}'; there are: {', '.join(each.name for each in LOOKS)}")


@lru_cache(maxsize=64)
def _figure_ramp(stops_key: bytes, rows: int, pixel: float, grain: float) -> tuple[Doubles, float]:
    """(256, 4) premultiplied figure ramp, antialiased for pixels `pixel` frame widths wide, and its reach."""
    stops = np.frombuffer(stops_key).reshape(rows, 6)
    reach = min(SURE, float(np.abs(stops[:, 0]).max()) + pixel + 2 * grain)
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
    mean = (total[high] - total[low]) / np.maximum(high - low, 1)[:, None]
    # Where nothing is drawn the level is 0, so there a ramp must have ended, also in a window of few pixels.
    share = np.clip(np.arange(LEVELS) / 12, 0, 1)[:, None]
    return mean * share + premultiplied[0] * (1 - share), reach


def ramp(stops: Stops, samples: int = LEVELS) -> Doubles:
    """(samples, 4) premultiplied RGB and cover at even steps over 0..1."""
    at = np.linspace(0, 1, samples)
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    colour, cover, light = ([np.interp(at, where, stops[:, k]) for k in ks] for ks in ((1, 2, 3), (4,), (5,)))
    return np.stack([*(c * light[0] for c in colour), cover[0]], axis=1)


def lights(look: Look, mood: Mood, side: int) -> Lights:
    """The tables of colours of `look` in this mood, for a frame `side` pixels wide."""
    motion, stops = look.motion, look.figure.stops
    base, reach = _figure_ramp(stops.tobytes(), len(stops), 1 / side, look.figure.grain)
    degrees = motion.hue_energy * mood.energy
    if motion.hue_beats:
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * mood.turn / motion.hue_beats)
        degrees += motion.hue_from + (motion.hue_to - motion.hue_from) * swing
    gain = 1 + motion.bright * (0.6 * mood.loudness + 0.4 * mood.pulse - 0.5)
    figure = base.copy()
    figure[:, :3] = np.minimum(turn_hue(base[:, :3], degrees) * gain if degrees or motion.bright else base[:, :3], 1)
    palette = backdrop.palette(look.backdrop, mood)
    around = degrees * motion.backdrop
    if motion.round_beats:
        around += 360 * (mood.turn % motion.round_beats) / motion.round_beats
    if around:
        palette = wander(palette, around)
    if motion.breathe or motion.sway:
        palette = palette * (1 + motion.breathe * (mood.loudness - 0.5) + motion.sway * (mood.bar - 0.5))
    haze, pulse = np.zeros((LEVELS, 4)), 0.0
    if look.haze is not None:
        haze, pulse = ramp(look.haze.stops), look.haze.pulse
        haze[:, :3] = np.minimum(turn_hue(haze[:, :3], degrees), 1)
        if look.haze.ring_depth:
            haze *= _rings(look.haze, mood)[:, None]
    return Lights(
        figure=figure.astype(np.float32),
        haze=haze.astype(np.float32),
        palette=np.clip(palette, 0, 1).astype(np.float32),
        reach=reach,
        swing=1 - pulse + pulse * (0.35 * mood.bass + 0.25 * mood.loudness + 0.4 * mood.pulse),
        trail=0.55 + 0.45 * mood.energy,
    )


def _rings(haze: Haze, mood: Mood) -> Doubles:
    """(256,) brightness of the haze ramp: rings at even distances from the body that move outwards."""
    away = (1 - np.linspace(0, 1, LEVELS) / max(haze.rings, 1e-6)) * haze.ring_range
    wave = 0.5 + 0.5 * np.cos(2 * math.pi * (away / haze.ring_step - mood.turn / haze.ring_beats))
    inside = np.clip(away / haze.ring_step, 0, 1)  # the body itself has no rings
    return 1 - haze.ring_depth * (1 - wave) * inside
