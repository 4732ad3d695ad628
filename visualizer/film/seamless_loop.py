"""A dance that comes round: a number of beats whose end leads into their beginning.

Dancers never repeat themselves, so the way back must be made. First the best place is looked for: of many bars, the
one at which the dance, `beats` later, comes by the same poses again. There, over the last beat, what is danced goes
over into what was danced in the beat before the beginning. That is a blend of latents, not of pictures, and a latent
between two bodies is a body. What hangs from figures swings as if the loop had always gone round.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.formation import FARTHER, stand
from visualizer.dancer.pack import BEATS_PER_BAR, FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT
from visualizer.dancer.sway import SWAY, start_sway, step_sway, sway_of
from visualizer.errors import UserError
from visualizer.music.clock import Hearing
from visualizer.options import FilmOptions, check_value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import Pack
    from visualizer.dancer.steps import Step

SEARCH = 96  # beats in which the best place is looked for
BLEND = STEPS_PER_BEAT  # steps
WARM_UP = 2 * PHRASE_BEATS  # also until the last of a canon has come into it
SETTLED = 4.0  # seconds after which nothing is seen any more of how springs began
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
    """What is danced: `latents` (S, N, D) and `places` (S, N) of the S steps of the loop, which begins at `first`;
    `sway` (S, N, 7) and `hands` (S, N, 4) of figures."""

    first: int  # musical time, a downbeat
    beats: int
    latents: Floats
    places: Floats
    sway: Floats
    hands: Floats
    gap: float  # between the end and the beginning before they were blended, in usual steps of the dance
    pack: Pack  # whose latents they are

    def at(self, beat: float) -> tuple[Floats, Floats]:
        """Latents (N, D) and places (N,) at a musical time; it goes round."""
        return self._find(self.latents, beat), self._find(self.places, beat)

    def dress_at(self, beat: float) -> tuple[Floats, Floats]:
        """Sway (N, 7) and hands (N, 4) at a musical time; they go round too."""
        return self._find(self.sway, beat), self._find(self.hands, beat).clip(0, 1)

    def _find(self, values: Floats, beat: float) -> Floats:
        step = (beat - self.first) * STEPS_PER_BEAT
        k, u = math.floor(step), step - math.floor(step)
        return _through(values[np.arange(k - 1, k + 3) % len(values)], u)


def _through(points: Floats, u: float) -> Floats:
    """Catmull and Rom's cubic from the second (u = 0) to the third (u = 1) of four points (4, …)."""
    a, b, c, d = points
    return (b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))).astype(np.float32)


def find_loop(dancer: Dancer, beats: int, earliest: float, latest: float, energy: Callable[[float], float]) -> Loop:
    """Let `dancer` dance from `earliest` to `latest` (musical time), and cut the best loop out. Its `beat_seconds` say
    how fast what hangs from figures swings.

    `energy` of the music, by musical time. UserError if there is no room for that many beats.
    """
    check_value(FilmOptions, "beats", beats)
    first = math.ceil(earliest / BEATS_PER_BAR - 1e-6) * BEATS_PER_BAR
    last = math.floor((latest - beats) / BEATS_PER_BAR + 1e-6) * BEATS_PER_BAR
    if last < first:
        raise UserError(f"the music has no {beats} beats from a downbeat on, there or later")
    last = min(last, first + SEARCH)
    begin, end = first - 1, last + beats
    danced, stood, held = _dance_through(dancer, begin, end, energy)
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
    latents, places = _closed(danced, at, steps), _closed(stood, at, steps)
    sway = _trace_sway(dancer, latents, places)
    return Loop(chosen, beats, latents, places, sway, _closed(held, at, steps), gap, dancer.pack)


def follow_pack(dancer: Dancer, loop: Loop, energy: Callable[[float], float]) -> Loop:
    """The loop, or one at the same place that another pack dances, where that has taken over from the loop's own."""
    if dancer.pack is loop.pack:
        return loop
    return find_loop(dancer, loop.beats, loop.first, loop.first + loop.beats, energy)


def _trace_sway(dancer: Dancer, latents: Floats, places: Floats) -> Floats:
    """Sway (S, N, 7) of the bodies of a loop in the room, once it has gone round for long enough: the end of it leads
    into its beginning. Nothing sways of flat bodies."""
    steps, troupe = places.shape
    space, seconds = dancer.pack.body, dancer.beat_seconds / STEPS_PER_BEAT
    if space is None or dancer.pack.figures is None:
        return np.zeros((steps, troupe, SWAY), np.float32)
    row = stand(troupe, dancer.view).depth
    bodies = space.joints(latents)
    bodies[..., 0] += (places * FRAME_METRES / FARTHER**row)[..., None]
    state, traced = start_sway(bodies[-1]), np.empty((steps, troupe, SWAY), np.float32)
    for _ in range(1 + math.ceil(SETTLED / (steps * seconds))):
        for step, body in enumerate(bodies):
            state = step_sway(state, body, seconds)
            traced[step] = sway_of(state)
    return traced


def _dance_through(dancer: Dancer, begin: int, end: int, energy: Callable[[float], float]) -> tuple[Floats, ...]:
    """Latents (S, N, D), places (S, N) and hands (S, N, 4) of each step from `begin` to `end`, musical time, all danced
    by one pack.

    By the dancer's count that is whole phrases later: who begins needs two to come into the dance, and who has danced
    already cannot go back.
    """
    pack = None
    made: list[Step] = []
    while pack is not dancer.pack:
        pack = dancer.pack
        later = math.ceil(max(0.0, dancer.beat - begin) / PHRASE_BEATS) * PHRASE_BEATS
        made = []
        dancer.step_to(later + begin + 1.0, energy(begin))
        for k in range(begin * STEPS_PER_BEAT, end * STEPS_PER_BEAT):
            beat = k / STEPS_PER_BEAT
            dancer.step_to(later + beat + WARM_UP, energy(beat))
            made.append(dancer.find_step(later + beat + WARM_UP))
            if dancer.pack is not pack:  # another has taken over: from the beginning again
                break
    return tuple(np.stack([getattr(step, name) for step in made]) for name in ("latent", "place", "hands"))


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
