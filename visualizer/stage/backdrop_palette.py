"""The colours that the numbers of a backdrop's map have now; they move with the music."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.stage.backdrop_map import FACETS, GAPS, HASHES, LEVELS, RAYS, SHEETS, TILES, WALL

if TYPE_CHECKING:
    from visualizer.stage.looks import Backdrop
    from visualizer.stage.mood import Mood

Doubles = NDArray[np.float64]


def _ramp(stops: Doubles, samples: int) -> Doubles:
    return _make_ramp(stops.tobytes(), len(stops), samples)


@lru_cache(maxsize=64)
def _make_ramp(stops_key: bytes, rows: int, samples: int) -> Doubles:
    """(samples, 3), which is not written into."""
    stops = np.frombuffer(stops_key).reshape(rows, -1)
    at = np.linspace(0, 1, samples)
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    return np.stack([np.interp(at, where, stops[:, k]) for k in (1, 2, 3)], axis=1)


def make_palette(look: Backdrop, mood: Mood) -> Doubles:
    """(256, 3) RGB 0..1 of the numbers of the map now."""
    ground = look.stops if look.ground is None else look.ground
    match look.kind:
        case "room":
            return np.concatenate([_ramp(look.stops, WALL), _ramp(ground, LEVELS - WALL)])
        case "sheets":
            # Each sheet in its own colour; the deeper in shadow, the darker.
            shade = 1.04 - 0.42 * np.linspace(0, 1, LEVELS // SHEETS)[None, :, None]
            sheets = _ramp(look.stops, SHEETS)[:, None, :] * shade
            return np.concatenate([sheets.reshape(-1, 3), sheets[-1, -1:]])
        case "tiles":
            return np.concatenate([_lit_tiles(look, ground, mood), _ramp(look.stops, LEVELS - TILES)])
        case "sunset":
            return np.concatenate([_ramp(look.stops, 100), _ramp(_lit(look), 48), _ramp(ground, 108)])
        case "curtain":
            return np.concatenate([_ramp(look.stops, 160), _ramp(ground, 96)])
        case "rays":
            shift = round(mood.beat / look.spin_beats * RAYS * 16) / 16
            at = (np.arange(RAYS) + 0.5 - shift) % RAYS / RAYS
            rays = np.stack([np.interp(at, look.stops[:, 0], look.stops[:, k], period=1) for k in (1, 2, 3)], axis=1)
            return np.concatenate([rays, _ramp(ground, LEVELS - RAYS)])
        case "ballroom":
            return np.concatenate([_ramp(look.stops, 100), _ramp(ground, 100), _facets(look, mood)])
        case _:
            return _ramp(look.stops, LEVELS).copy()


def _lit(look: Backdrop) -> Doubles:
    return look.stops if look.lit is None else look.lit


def _lit_tiles(look: Backdrop, ground: Doubles, mood: Mood) -> Doubles:
    """(192, 3): each beat other tiles are lit, each bar by another rule; as many go out as are lit."""
    beat = math.floor(mood.beat)
    share = min((mood.beat - beat) / 0.5, 1.0)
    share = share * share * (3 - 2 * share)
    last, beat = mood.number(beat - 1), mood.number(beat)
    now = _pattern(beat) * share + _pattern(last) * (1 - share)
    lit = _lit(look)[:, 1:4]
    place = np.arange(HASHES)
    slide = mood.beat % 1 if last // 8 != beat // 8 else 1.0  # colours move on every other bar
    colour = lit[(place + last // 8) % len(lit)] * (1 - slide) + lit[(place + beat // 8) % len(lit)] * slide
    strong = 0.78 + 0.22 * mood.bass
    glow = 0.13 + (0.87 * strong) * now  # (8, 2)
    tiles = colour[:, None, :] * glow[:, :, None]
    depth = np.array([1.0, 0.74, 0.52])
    tiles = tiles[:, :, None, :] * depth[None, None, :, None]
    gap = _ramp(ground, 2)[0]
    mix = np.linspace(0, 1, GAPS)[:, None]
    return (tiles[..., None, :] * (1 - mix) + gap * mix).reshape(TILES, 3)


def _pattern(beat: int) -> Doubles:
    """(8, 2) which tiles are lit in a beat, by their hash and whether they are the black or the white of a board."""
    hashes, sides = np.arange(HASHES)[:, None], np.arange(2)[None, :]
    match (beat // 8) % 3:
        case 0:
            on = (hashes + sides + beat) % 2 == 0
        case 1:
            on = (sides + beat) % 2 + 0 * hashes == 0
        case _:
            on = (hashes // 2 + sides + beat) % 4 < 2
    return on.astype(np.float64)


def _facets(look: Backdrop, mood: Mood) -> Doubles:
    """(56, 3): as the ball turns, now these facets catch the lamp, now those."""
    lit = _lit(look)[:, 1:4]
    group = np.arange(FACETS)
    glint = (0.5 + 0.5 * np.cos(2 * math.pi * (mood.beat / look.glint_beats + group * 0.381966))) ** 3
    tone = lit[group % len(lit)]
    return tone * (0.16 + 0.30 * ((group * 7) % 11 / 11))[:, None] + glint[:, None] * (1 - 0.25 * (1 - tone))
