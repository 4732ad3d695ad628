"""The dancer at work: letters from one network, steps from the other, one step at a time in musical time.

The choreographer writes a letter, a half-beat move, once every half beat, one letter ahead of the body. The dancer
network turns the letter and the one that follows into latents, sixteen steps a beat. A frame between two steps
is decoded from latents interpolated between them, so the picture is as smooth as the screen is fast.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

from .pack import BEATS_PER_BAR, STEPS_PER_BEAT, STEPS_PER_LETTER, Pack

BLEND_BEATS = 2.0  # a change of style takes this long
LOOK_AHEAD = 2  # steps past the present that a cubic needs
LONGEST_GAP = 4 * STEPS_PER_BEAT  # steps: after a longer stall the dance goes on from now instead of catching up
HOME_BEATS = 24.0  # time constant of the pull back to the dancer's own place
SPACING = 0.5  # frame widths between two of a troupe
ROAM = 0.6  # frame widths: a dancer never gets farther from home than this, so that nobody leaves the screen

_log = logging.getLogger(__name__)


def bar_phase(beat: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Where in the beat and in the bar: sin and cos of the beat, sin and cos of the bar. (…) beats -> (…, 4)."""
    angle = 2 * np.pi * np.asarray(beat, dtype=np.float64)
    bar = angle / BEATS_PER_BAR
    return np.stack([np.sin(angle), np.cos(angle), np.sin(bar), np.cos(bar)], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Picture:
    """What the stage draws.

    `frames` (N, 1, 128, 128) signed fields in frame widths, negative inside, row 0 at the top; `joints` (N, 21, 2)
    frame coordinates, x right, y down, 0..1, or None where the pack has none; `place` (N,) sideways place of each
    dancer on the stage in frame widths, 0 in the middle.
    """

    frames: NDArray[np.float32]
    joints: NDArray[np.float32] | None
    place: NDArray[np.float32]


@dataclass(frozen=True)
class _Step:
    """The state of the troupe at one step: latents (N, D) and places (N,)."""

    latent: NDArray[np.float32]
    place: NDArray[np.float32]


def _catmull_rom(a: Any, b: Any, c: Any, d: Any, u: float) -> Any:
    """Cubic through b (u = 0) and c (u = 1) with the slopes of their neighbours (Catmull & Rom, 1974)."""
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))


class Dancer:
    """A troupe of N dancers out of one pack. The same seed, styles and times give the same dance.

    `temperature` makes the choreographer's choices tamer (below 1) or wilder (above); `style` None starts with one
    that the seed picks. Raises UserError for a style that the pack has not learned.
    """

    def __init__(
        self, pack: Pack, seed: int, style: str | None = None, troupe: int = 1, temperature: float = 1.0
    ) -> None:
        if troupe < 1:
            raise ValueError("a troupe has at least one dancer")
        self.pack = pack
        self.troupe = troupe
        self.temperature = temperature
        self.restarts = 0  # times a network gave something that is not a number
        self._random = np.random.default_rng(seed)
        self._style = self._style_index(style) if style is not None else int(self._random.integers(len(pack.styles)))
        self._weights = np.eye(len(pack.styles), dtype=np.float32)[self._style]
        self._choreography = np.zeros((troupe, *pack.choreographer_state), dtype=np.float32)
        self._body = np.zeros((troupe, *pack.dancer_state), dtype=np.float32)
        starts = [self._pick_seed() for _ in range(troupe)]
        self._latent = np.stack([pack.seeds[i].latent for i in starts])
        self._letter = np.array([pack.seeds[i].letter for i in starts], dtype=np.int64)
        self._next_letter = self._letter.copy()
        self._home = (np.arange(troupe, dtype=np.float32) - (troupe - 1) / 2) * SPACING
        self._place = self._home.copy()
        self._step = -1  # the last step computed; its time is _step / STEPS_PER_BEAT
        self._steps: deque[_Step] = deque(maxlen=LOOK_AHEAD + 2)
        self.letters_written: deque[int] = deque(maxlen=4096)  # of the first dancer, for measures

    # --- control

    @property
    def style(self) -> str:
        """Name of the style that is danced now, or blended to."""
        return self.pack.styles[self._style]

    def _style_index(self, style: str) -> int:
        if style not in self.pack.styles:
            raise UserError(f"no style {style!r} in pack {self.pack.name}; it has {', '.join(self.pack.styles)}")
        return self.pack.styles.index(style)

    def _pick_seed(self) -> int:
        """A seed of the style in force, or any if it has none."""
        of_style = [i for i, s in enumerate(self.pack.seeds) if s.style == self._style]
        return int(self._random.choice(of_style or np.arange(len(self.pack.seeds))))

    def _turn_to_new_moves(self) -> None:
        """The choreographer forgets what it wrote and goes on from a seed's letter; the body is left where it is."""
        self._choreography[:] = 0
        for i in range(self.troupe):
            self._next_letter[i] = self.pack.seeds[self._pick_seed()].letter

    def _restart(self, failed: NDArray[np.bool_]) -> None:
        """Those of the troupe (N,) whose networks gave nonsense start again from a pose of the training data."""
        self.restarts += 1
        if self.restarts & (self.restarts - 1) == 0:  # the 1st, 2nd, 4th, 8th: a log is not to be flooded
            _log.warning("a network gave something that is no pose; the dance starts again from a seed (%d times)",
                         self.restarts)  # fmt: skip
        for i in np.flatnonzero(failed):
            seed = self.pack.seeds[self._pick_seed()]
            self._choreography[i] = self._body[i] = 0
            self._latent[i] = seed.latent
            self._letter[i] = self._next_letter[i] = seed.letter

    def reseed(self, seed: int) -> None:
        """Begin a new dance: what follows changes, the picture does not jump."""
        self._random = np.random.default_rng(seed)
        self._turn_to_new_moves()

    def set_style(self, style: str) -> None:
        """Blend over to another style within `BLEND_BEATS`. Raises UserError if the pack has not learned it."""
        self._style = self._style_index(style)
        self._turn_to_new_moves()

    # --- stepping

    def _conditions(self, beat: float, energy: float) -> dict[str, NDArray[np.float32]]:
        n = self.troupe
        return {
            "bar_phase": np.tile(bar_phase(beat), (n, 1)),
            "energy": np.full((n, 1), min(1.0, max(0.0, energy)), dtype=np.float32),
            "style": np.tile(self._weights, (n, 1)),
        }

    def _write_letter(self, beat: float, energy: float) -> None:
        """Move on to the next letter and have the choreographer write the one after it."""
        self._letter = self._next_letter.copy()
        self.letters_written.append(int(self._letter[0]))
        letter, state = self.pack.choreographer.run(
            ["letter_out", "state_out"],
            {
                "letter": self._letter,
                "state": self._choreography,
                **self._conditions(beat + 0.5, energy),
                "noise": self._random.random((self.troupe, self.pack.letters), dtype=np.float32),
                "temperature": np.full((self.troupe, 1), self.temperature, dtype=np.float32),
            },
        )
        self._next_letter, self._choreography = letter, state
        failed = ~np.isfinite(state.reshape(self.troupe, -1)).all(axis=1)
        failed |= (letter < 0) | (letter >= self.pack.letters)
        if failed.any():
            self._restart(failed)

    def _advance(self, energy: float) -> None:
        """One step of a sixteenth of a beat."""
        self._step += 1
        beat = self._step / STEPS_PER_BEAT
        goal = np.eye(len(self._weights), dtype=np.float32)[self._style]
        reach = 1 / (BLEND_BEATS * STEPS_PER_BEAT)
        self._weights = self._weights + np.clip(goal - self._weights, -reach, reach)
        self._weights = (self._weights / self._weights.sum()).astype(np.float32)
        place_in_letter = self._step % STEPS_PER_LETTER
        if place_in_letter == 0:
            self._write_letter(beat, energy)
        latent, state, travel = self.pack.dancer.run(
            ["latent_out", "state_out", "travel"],
            {
                "latent": self._latent,
                "state": self._body,
                "letter": self._letter,
                "next_letter": self._next_letter,
                "place": np.full((self.troupe, 1), place_in_letter / STEPS_PER_LETTER, dtype=np.float32),
                **self._conditions(beat, energy),
                "noise": self._random.standard_normal((self.troupe, self.pack.latent_size), dtype=np.float32),
            },
        )
        self._latent, self._body = latent, state
        made = np.concatenate([latent, state.reshape(self.troupe, -1), travel], axis=1)
        failed = np.asarray(~np.isfinite(made).all(axis=1))
        if failed.any():
            self._restart(failed)
            travel = np.where(failed[:, None], np.float32(0), travel)
        # The crop took the sideways speed away; here it is given back, so that feet stay where they are put. The
        # pull home is slow enough not to be seen as sliding.
        self._place = self._place + travel[:, 0] / STEPS_PER_BEAT
        self._place = self._place + (self._home - self._place) * (1 - math.exp(-1 / (HOME_BEATS * STEPS_PER_BEAT)))
        shown = self._home + ROAM * np.tanh((self._place - self._home) / ROAM)
        self._steps.append(_Step(self._latent.copy(), shown.astype(np.float32)))

    def step_to(self, musical_time: float, energy: float = 0.5) -> None:
        """Run the networks step by step until the frame at `musical_time` (beats) can be drawn."""
        wanted = math.floor(musical_time * STEPS_PER_BEAT) + LOOK_AHEAD
        if wanted - self._step > LONGEST_GAP:
            # After a stall, or at the start of a clock that does not start at zero: same place in the bar, no rush.
            bar = BEATS_PER_BAR * STEPS_PER_BEAT
            self._step += (wanted - self._step - LOOK_AHEAD - 2) // bar * bar
        while self._step < wanted or len(self._steps) < LOOK_AHEAD + 2:
            self._advance(energy)

    def between(self, musical_time: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Latents (N, D) and places (N,) at a moment between the steps; `step_to` must have reached it.

        Times outside the last step taken are held at its ends.
        """
        if not self._steps:
            raise RuntimeError("step_to comes first")
        newest = self._step
        position = min(max(musical_time * STEPS_PER_BEAT, newest - LOOK_AHEAD), newest - LOOK_AHEAD + 1.0)
        u = position - (newest - LOOK_AHEAD)
        a, b, c, d = self._steps
        latent = _catmull_rom(a.latent, b.latent, c.latent, d.latent, u)
        place = _catmull_rom(a.place, b.place, c.place, d.place, u)
        return latent.astype(np.float32), np.asarray(place, dtype=np.float32)

    def picture(self, musical_time: float) -> Picture:
        """Decode the troupe at `musical_time`, as `between` gives it."""
        latent, place = self.between(musical_time)
        outputs = [o.name for o in self.pack.decoder.get_outputs()]
        found = dict(zip(outputs, self.pack.decoder.run(None, {"latent": latent}), strict=True))
        return Picture(found["frame"], found.get("joints"), place)
