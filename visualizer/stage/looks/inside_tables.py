"""What is inside a dancer's outline as two tables of colours, which painter and shader look up.

    shade: of a part of the body, and of two numbers that are known all over it (light, say, and how far it faces away)
    stroke: over the distances from the outline and from the nearest inner contour

    picture = shade * keep + stroke, with the stroke's cover

Both are made in steps as fine as they are asked for: the painter's indices have 16 bits for all, a GPU has no limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.moment import PARTS
from visualizer.stage.colours import turn_hue
from visualizer.stage.looks.look import BAND, InsideLook, Look, Shading, Stops

if TYPE_CHECKING:
    from visualizer.stage.mood import Mood

FAR = 0.97 * BAND
DEEPEST = 3 / FRAME_SIZE  # frame widths: no contour is known farther off
FINE = 16  # samples of a stroke a level
INDEX_BITS = 18
PART_BITS = 3
LEAST_BITS = {"edge": 4, "crease": 3, "first": 2, "second": 2}
MOST_BITS = {"edge": 8, "crease": 7, "first": 9, "second": 7}
STROKES = 0.42  # what a step in a stroke counts: it is a pixel wide, one in the shade may be as wide as a body
SEEN, SHARP = 1.5 / 255, 0.10  # steps from level to level that are seen, and that are meant as edges
GREY = np.array([0.2126, 0.7152, 0.0722])

Doubles = NDArray[np.float64]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Levels:
    """How many levels each number of an index has, all powers of two; 1: it does not count."""

    part: int
    edge: int
    crease: int
    first: int
    second: int
    smooth: frozenset[str]  # which of the last two are seen to rise by steps, if nothing hides them


@dataclass(frozen=True)
class Strokes:
    """Over (edge, crease): colours and covers, premultiplied, and how much of the shade below is kept."""

    colour: Array  # (edge, crease, 4)
    keep: Array  # (edge, crease)


@dataclass(frozen=True)
class Span:
    """Frame widths from the outline at the first level of the edge and at the last, and of the last of the crease."""

    outer: float
    inner: float
    crease: float


def outline_of(look: Look) -> Stops:
    """The ramp over the distance from the outline that lies on top of all."""
    assert look.inside is not None
    return look.figure.stops if look.inside.outline is None else look.inside.outline


def find_span(look: Look, pixel: float) -> Span:
    """Where the ramps of the strokes begin and end, for pixels `pixel` frame widths wide."""
    inside, stops = look.inside, outline_of(look)
    assert inside is not None
    low, high = float(stops[0, 0]), float(stops[-1, 0])
    if inside.cover:
        low, high = min(low, inside.edge), max(high, inside.edge)
    creases = 0.0 if inside.creases is None else float(inside.creases[-1, 0])
    # Farther out than FAR a field is flat, and what is drawn there would show its box.
    return Span(min(high + pixel, FAR), low - pixel, min(max(creases + pixel, pixel), DEEPEST))


@lru_cache(maxsize=64)
def make_strokes(look: Look, pixel: float, edges: int, creases: int) -> Strokes:
    """The strokes of a look in so many levels, antialiased for pixels `pixel` frame widths wide."""
    inside = look.inside
    assert inside is not None
    span = find_span(look, pixel)
    outline = _mean_ramp(outline_of(look), span.outer, span.inner, edges, pixel)
    flat = np.array([[0.0, 0, 0, 0, 0, 0]])
    contour = _mean_ramp(flat if inside.creases is None else inside.creases, 0.0, span.crease, creases, pixel)
    filled = np.array([[inside.edge, 0, 0, 0, 1, 0], [inside.edge, 0, 0, 0, 0, 0]])
    body = _mean_ramp(filled, span.outer, span.inner, edges, pixel)[:, 3]
    # From below: the shade, the contours within the body, the outline.
    keep = inside.cover * body[:, None] * (1 - contour[None, :, 3]) * (1 - outline[:, None, 3])
    colour = np.empty((edges, creases, 4))
    within = (body[:, None] * (1 - outline[:, None, 3]))[..., None]
    colour[..., :3] = outline[:, None, :3] + contour[None, :, :3] * within
    bare = (1 - inside.cover * body[:, None]) * (1 - contour[None, :, 3] * body[:, None]) * (1 - outline[:, None, 3])
    colour[..., 3] = 1 - bare
    colour[0], keep[0] = 0, 0
    return Strokes(colour.astype(np.float32), keep.astype(np.float32))


def turn_strokes(strokes: Strokes, degrees: float) -> Strokes:
    """The same strokes with their hues turned."""
    if not degrees:
        return strokes
    colour = strokes.colour.copy()
    colour[..., :3] = np.minimum(turn_hue(colour[..., :3].astype(np.float64), degrees), 1)
    return Strokes(colour, strokes.keep)


def _mean_ramp(stops: Stops, first: float, last: float, levels: int, pixel: float) -> Doubles:
    """(levels, 4) premultiplied, from `first` to `last`, each the mean over a pixel or a level, the wider of them."""
    if levels == 1:
        return np.zeros((1, 4))
    step = (last - first) / (levels - 1)
    at = first + step * (np.arange(-FINE, levels * FINE + FINE) + 0.5 - FINE / 2) / FINE
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    table = np.stack([np.interp(at, where, stops[:, k]) for k in range(1, 6)], axis=1)
    ramp = np.concatenate([table[:, :3] * table[:, 4:5], table[:, 3:4]], axis=1)
    wide = max(1, round(max(pixel / abs(step), 0.6) * FINE))
    total = np.cumsum(np.concatenate([np.zeros((1, 4)), ramp]), axis=0)
    centre = FINE + np.arange(levels) * FINE + FINE // 2
    low = np.clip(centre - wide // 2, 0, len(total) - 1)
    high = np.clip(centre - wide // 2 + wide, 0, len(total) - 1)
    return (total[high] - total[low]) / np.maximum(high - low, 1)[:, None]


def make_base(look: Look, colours: NDArray[np.uint8], number: int, mood: Mood) -> Doubles:
    """(7, 3) what each part is before light falls on it, of the dancer with that number."""
    inside = look.inside
    assert inside is not None
    own = colours.astype(np.float64) / 255
    grey = (own @ GREY)[:, None]
    own = np.clip(grey + (own - grey) * inside.vivid, 0, 1)
    own += (1 - own) * inside.lift
    given = np.ones((1, 3)) if inside.colours is None else inside.colours[:, 1:4]
    base = given + (own - given) * inside.clothes
    if inside.lamps is not None:
        base = base * inside.lamps[number % len(inside.lamps), 1:4]
    degrees = find_turn(look, mood)
    return np.clip(turn_hue(base, degrees), 0, 1) if degrees and inside.clothes < 1 else base


def find_turn(look: Look, mood: Mood) -> float:
    """Degrees by which the hues of a look are turned now; full degrees, so that tables need not be made each time."""
    motion = look.motion
    degrees = motion.hue_energy * mood.energy
    if motion.hue_beats:
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * mood.beat / motion.hue_beats)
        degrees += motion.hue_from + (motion.hue_to - motion.hue_from) * swing
    return float(round(degrees))


def make_shade(look: Look, base: Doubles, first: int, second: int) -> Array:
    """(8, first, second, 3) colours of each part where the two numbers have so many levels; the eighth is no part."""
    inside = look.inside
    assert inside is not None
    parts = np.concatenate([base, base[:1]])[:, None, None]
    ambient = np.ones(3) if inside.ambient is None else inside.ambient[0, 1:4]
    colour = np.broadcast_to(parts * ambient, (len(PARTS) + 1, first, second, 3))
    u, v = ((np.arange(n) + (0.5 if n > 1 else 0.0)) / n for n in (first, second))
    if inside.first is not None:
        colour = _lay(colour, parts, inside.first, u[None, :, None])
    if inside.second is not None:
        at = 0.5 + 0.5 * (v[None, None, :] - u[None, :, None]) if inside.second.against else v[None, None, :]
        colour = _lay(colour, parts, inside.second, at)
    return np.minimum(colour, 1).astype(np.float32)


def _lay(colour: Doubles, parts: Doubles, shading: Shading, at: Doubles) -> Doubles:
    """Colours with a shading over them."""
    stops = shading.stops
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    red, green, blue, cover, light = (np.interp(at, where, stops[:, k])[..., None] for k in range(1, 6))
    tone = np.concatenate([red, green, blue], axis=-1)
    if shading.blend == "light":
        return colour + parts * tone * light
    return colour * (1 - cover) + tone * light


def needs_parts(inside: InsideLook) -> bool:
    """Whether it makes a difference which part of the body a pixel shows."""
    return bool(inside.clothes) or inside.seams > 0 or (inside.colours is not None and len(inside.colours) > 1)


@lru_cache(maxsize=64)
def share_levels(look: Look, pixel: float) -> Levels:
    """Deals the bits of the painter's index to what needs them: what changes most from level to level gets more."""
    inside = look.inside
    assert inside is not None
    strokes = make_strokes(look, pixel, 256, 64)
    whole = np.concatenate([strokes.colour, strokes.keep[..., None]], axis=2) * STROKES
    shade = make_shade(look, np.full((len(PARTS), 3), 0.6), 128, 64)[:1]
    change = {
        "edge": float(np.abs(np.diff(whole[:, -1], axis=0)).sum(axis=0).max()),
        "crease": float(np.abs(np.diff(whole[-1], axis=0)).sum(axis=0).max()),
        "first": float(np.abs(np.diff(shade, axis=1)).sum(axis=1).max()) if inside.first else 0.0,
        "second": float(np.abs(np.diff(shade, axis=2)).sum(axis=2).max()) if inside.second else 0.0,
    }
    bits = {name: LEAST_BITS[name] if each > 1e-3 else 0 for name, each in change.items()}
    left = INDEX_BITS - (PART_BITS if needs_parts(inside) else 0) - sum(bits.values())
    for _ in range(left):
        able = [name for name, each in bits.items() if 0 < each < MOST_BITS[name]]
        if not able:
            break
        bits[max(able, key=lambda name: change[name] / 2 ** bits[name])] += 1
    part = 1 << PART_BITS if needs_parts(inside) else 1
    counts = {name: 1 << each for name, each in bits.items()}
    made = make_shade(look, np.full((len(PARTS), 3), 0.6), counts["first"], counts["second"])[:1]
    smooth = frozenset(
        name for name, axis in (("first", 1), ("second", 2))
        if counts[name] > 1 and SEEN < float(np.abs(np.diff(made, axis=axis)).max()) < SHARP
    )  # fmt: skip
    return Levels(part, counts["edge"], counts["crease"], counts["first"], counts["second"], smooth)
