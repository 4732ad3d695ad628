"""A dance that comes round: a number of beats whose end leads into their beginning.

Dancers never repeat themselves, so the way back must be made. First the best place is looked for: of many bars, the
one at which the dance, `beats` later, comes by the same poses again. There, over the last beat, what is danced goes
over into what was danced in the beat before the beginning. That is a blend of latents, not of pictures, and a latent
between two bodies is a body.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import BEATS_PER_BAR, PHRASE_BEATS, STEPS_PER_BEAT
from visualizer.errors import UserError
from visualizer.music.clock import Hearing
from visualizer.options import FilmOptions, check_value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import Pack

SEARCH = 96  # beats in which the best place is looked for
BLEND = STEPS_PER_BEAT  # steps
WARM_UP = 2 * PHRASE_BEATS  # also until the last of a canon has come into it
PLACE = 4.0  # what a frame width off the place counts, in spreads of the latents

PERIODS = (
    "hue_beats",
    "round_beats",
    "ring_beats",
    "spin_beats",
    "glint_beats",
    "spot_beats",
)  # of a look: beats after which it is as before
NEVER = 1e9  # beats

Floats = NDArray[np.float32]
T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True)
class Loop:
    """What is danced: `latents` (S, N, D) and `places` (S, N) of the S steps of the loop, which begins at `first`."""

    first: int  # musical time, a downbeat
    beats: int
    latents: Floats
    places: Floats
    gap: float  # between the end and the beginning before they were blended, in usual steps of the dance
    pack: Pack  # whose latents they are

    def at(self, beat: float) -> tuple[Floats, Floats]:
        """Latents (N, D) and places (N,) at a musical time; it goes round."""
        step = (beat - self.first) * STEPS_PER_BEAT
        k, u = math.floor(step), step - math.floor(step)
        around = np.arange(k - 1, k + 3) % len(self.latents)
        return _through(self.latents[around], u), _through(self.places[around], u)


def _through(points: Floats, u: float) -> Floats:
    """Catmull and Rom's cubic from the second (u = 0) to the third (u = 1) of four points (4, …)."""
    a, b, c, d = points
    return (b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))).astype(np.float32)


def find_loop(dancer: Dancer, beats: int, earliest: float, latest: float, energy: Callable[[float], float]) -> Loop:
    """Let `dancer` dance from `earliest` to `latest` (musical time), and cut the best loop out.

    `energy` of the music, by musical time. UserError if there is no room for that many beats.
    """
    check_value(FilmOptions, "beats", beats)
    first = math.ceil(earliest / BEATS_PER_BAR - 1e-6) * BEATS_PER_BAR
    last = math.floor((latest - beats) / BEATS_PER_BAR + 1e-6) * BEATS_PER_BAR
    if last < first:
        raise UserError(f"the music has no {beats} beats from a downbeat on, there or later")
    last = min(last, first + SEARCH)
    begin, end = first - 1, last + beats
    danced, stood = _dance_through(dancer, begin, end, energy)
    spread = dancer.pack.latent_spread
    steps = beats * STEPS_PER_BEAT
    best: tuple[float, int] | None = None
    for candidate in range(first, last + 1, BEATS_PER_BAR):
        at = (candidate - begin) * STEPS_PER_BEAT
        before, after = slice(at - BLEND, at), slice(at + steps - BLEND, at + steps)
        off = _size((danced[after] - danced[before]) / spread)
        off = np.hypot(off, PLACE * (stood[at + steps - 1] - stood[at - 1]))
        usual = _size(np.diff(danced[at : at + steps], axis=0) / spread).mean()
        gap = float(off.mean() / max(usual, 1e-6))
        if best is None or gap < best[0]:
            best = gap, candidate
    assert best is not None
    gap, chosen = best
    at = (chosen - begin) * STEPS_PER_BEAT
    # What the dancers have walked meanwhile is walked back evenly, too slowly to be seen.
    drift = (stood[at + steps - 1] - stood[at - 1]) / steps
    stood = stood - drift * (np.arange(len(stood))[:, None] - at)
    return Loop(chosen, beats, _closed(danced, at, steps), _closed(stood, at, steps), gap, dancer.pack)


def follow_pack(dancer: Dancer, loop: Loop, energy: Callable[[float], float]) -> Loop:
    """The loop, or one at the same place that another pack dances, where that has taken over from the loop's own."""
    if dancer.pack is loop.pack:
        return loop
    return find_loop(dancer, loop.beats, loop.first, loop.first + loop.beats, energy)


def _dance_through(dancer: Dancer, begin: int, end: int, energy: Callable[[float], float]) -> tuple[Floats, Floats]:
    """Latents (S, N, D) and places (S, N) of each step from `begin` to `end`, musical time, all danced by one pack.

    By the dancer's count that is whole phrases later: who begins needs two to come into the dance, and who has danced
    already cannot go back.
    """
    pack = None
    latents, places = [], []
    while pack is not dancer.pack:
        pack = dancer.pack
        later = math.ceil(max(0.0, dancer.beat - begin) / PHRASE_BEATS) * PHRASE_BEATS
        latents, places = [], []
        dancer.step_to(later + begin + 1.0, energy(begin))
        for k in range(begin * STEPS_PER_BEAT, end * STEPS_PER_BEAT):
            beat = k / STEPS_PER_BEAT
            dancer.step_to(later + beat + WARM_UP, energy(beat))
            latent, place = dancer.between(later + beat + WARM_UP)
            latents.append(latent)
            places.append(place)
            if dancer.pack is not pack:  # another has taken over: from the beginning again
                break
    return np.stack(latents), np.stack(places)


def _closed(values: Floats, at: int, steps: int) -> Floats:
    """(steps, …) from `at` on, whose last BLEND go over into those before `at`."""
    loop = values[at : at + steps].astype(np.float64)
    share = (np.arange(BLEND) + 1) / (BLEND + 1)
    share = (share * share * (3 - 2 * share)).reshape(-1, *[1] * (loop.ndim - 1))
    loop[-BLEND:] += share * (values[at - BLEND : at] - loop[-BLEND:])
    return loop.astype(np.float32)


def _size(difference: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.sqrt(np.square(difference).mean(axis=-1))


def between_hearings(a: Hearing, b: Hearing, share: float) -> Hearing:
    """From `a` (share 0) to `b` (share 1) in all that is seen of the music; time and beat are a's."""
    levels = {
        name: getattr(a, name) + share * (getattr(b, name) - getattr(a, name))
        for name in ("loudness", "bass", "mid", "treble", "energy")
    }
    return dataclasses.replace(a, **levels)


def come_round(look: T, beats: int) -> T:
    """The same look, or part of one, whose slow changes are back where they were after `beats`.

    Each comes round as often as is nearest to what the look wants; what would not come round once stands still.
    """
    changed: dict[str, Any] = {}
    for part in dataclasses.fields(look):
        value: Any = getattr(look, part.name)
        if hasattr(value, "__dataclass_fields__"):
            changed[part.name] = come_round(value, beats)
        elif part.name in PERIODS and value:
            times = round(beats / value)
            changed[part.name] = beats / times if times else NEVER
    return dataclasses.replace(look, **changed)
