"""The dancer at work: letters from one network, steps from the other, one step at a time in musical time.

The choreographer writes a letter, a half-beat move, once every half beat, one letter ahead of the body. The dancer
network turns the letter and the one that follows into latents, sixteen steps a beat. A frame between two steps
is decoded from latents interpolated between them, so the picture is as smooth as the screen is fast.

Whatever changes, changes with a letter: the next one that is written belongs to the new style, dance or sync, at
the same place in the phrase. The transition is the dancer network's; it was trained on such splices.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
import math
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.moment import Bodies
from visualizer.music import taken

from .formation import FARTHER, SPACING, Formation, above, stand
from .pack import (
    BEATS_PER_BAR,
    DEFAULT_PACK,
    MOST_DANCERS,
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    STEPS_PER_LETTER,
    SYNCS,
    Pack,
)
from .planner import Planner
from .watchdog import Watchdog

FLAT = 0.01  # rows that are still so near to one another are one
LOOK_AHEAD = 2  # steps past the present that a cubic needs
LONGEST_GAP = PHRASE_BEATS * STEPS_PER_BEAT  # steps: after a longer stall the dance goes on from now, not catching up
HOME_BEATS = 24.0  # time constant of the pull back to the dancer's own place
MOVE_BEATS = 2.0  # time constant of a change of that place, when others come or go
LEAVE = 1.0  # frame widths a beat: so fast leavers slide out; no slower than anybody beside them makes room
WIDEST = 32 / 9  # width by height of the widest screen there is, two of 16:9 side by side
ROAM = 0.6  # frame widths: a dancer alone never gets farther from home than this, so that nobody leaves the screen
TROUPE_ROAM = 0.25  # the same where there are neighbours: half their spacing, so that nobody changes places
CANON_BEATS = 2  # each of a canon is so much later than the one before
URGED, URGE_STEPS = 0.6, STEPS_PER_BEAT  # who idles is told of at least this energy, for a beat: so quiet never freezes
RESCUE_STEPS = STEPS_PER_BEAT  # in a beat, and until a letter ends, a stuck body is led to a pose of the training data

NOBODY = 1.0  # of a frame: outside of any outline everywhere

_PAST = (MOST_DANCERS - 1) * CANON_BEATS * STEPS_PER_BEAT + 1  # steps of the leader that a canon needs

_log = logging.getLogger(__name__)


def bar_phase(beat: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Where in the beat, the bar and the phrase: sin and cos of each. (…) beats -> (…, 6)."""
    turns = np.asarray(beat, dtype=np.float64)[..., None] / (1, BEATS_PER_BAR, PHRASE_BEATS)
    angle = 2 * np.pi * turns
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(*turns.shape[:-1], 6).astype(np.float32)


@dataclass(frozen=True)
class _Step:
    """The troupe at one step: latents (N, D), places (N,), rows (N,), and what is seen of the stage; see Bodies."""

    latent: NDArray[np.float32]
    place: NDArray[np.float32]
    depth: NDArray[np.floating]
    seen: NDArray[np.floating]  # span, rise, deep


@dataclass
class _Rows:
    """What is carried from step to step, one row a dancer."""

    latent: NDArray[np.float32]  # (N, D)
    body: NDArray[np.float32]  # (N, …) state of the dancer network
    choreography: NDArray[np.float32]  # (N, …) state of the choreographer
    letter: NDArray[np.int64]  # (N,) danced now
    next_letter: NDArray[np.int64]
    dance: NDArray[np.int64]  # (N,) the plan that the letter belongs to; -1: improvises
    next_dance: NDArray[np.int64]
    style: NDArray[np.int64]
    next_style: NDArray[np.int64]
    home: NDArray[np.floating]  # (N,) frame widths from the middle
    depth: NDArray[np.float32]  # (N,) rows behind the first
    away: NDArray[np.floating]  # (N,) frame widths from home that travel has led
    urge: NDArray[np.int64]  # (N,) steps left in which it is urged to move
    rescue: NDArray[np.int64]  # (N,) steps left until a rescue is over
    rescue_steps: NDArray[np.int64]  # (N,) how many the rescue takes
    origin: NDArray[np.float32]  # (N, D) where the rescue began
    goal: NDArray[np.float32]  # (N, D) where it leads
    goal_letter: NDArray[np.int64]  # (N,) danced from there

    def map(self, change: Any, *others: _Rows) -> _Rows:
        """`change` of each array, and of the arrays of the same name of the others."""
        names = [f.name for f in dataclasses.fields(self)]
        return _Rows(**{n: change(getattr(self, n), *(getattr(o, n) for o in others)) for n in names})


def _catmull_rom(a: Any, b: Any, c: Any, d: Any, u: float) -> Any:
    """Cubic through b (u = 0) and c (u = 1) with the slopes of their neighbours (Catmull & Rom, 1974)."""
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))


class Dancer:
    """A troupe of N dancers out of one pack. The same seed and the same calls give the same dance.

    `temperature` makes the choreographer's choices tamer (below 1) or wilder (above). `dance` is a named dance, which
    has its style; None leaves it to a plan of phrases. `style` None starts with one that the seed picks. Raises
    UserError for a style or dance that the pack has not learned, or a dance that is of another style.
    """

    def __init__(
        self, pack: Pack, seed: int, style: str | None = None, troupe: int = 1, temperature: float = 1.0,
        dance: str | None = None,
    ) -> None:  # fmt: skip
        self._check_troupe(troupe)
        self.pack = pack
        self.temperature = temperature
        self._view = WIDEST
        self.restarts = 0  # times a network gave something that is not a number
        self._messages: deque[str] = deque()
        self._shown: NDArray[np.float32] | None = None  # frames of the last picture
        self.rescues = 0  # times the watchdog led a body on that stood still or was lost
        # Noise is drawn for the largest troupe there can be, so that nobody's dance depends on how many dance along.
        self._random = np.random.default_rng(seed)
        self._seed = seed
        self._dance = self._dance_index(dance) if dance is not None else None
        # One style for all, or one for each in turn.
        self._styles = (
            self._style_indices(style) if style is not None else (int(self._random.integers(len(pack.styles))),)
        )
        if self._dance is not None:
            self._styles = (pack.dances[self._dance].style,)
            if style not in (None, self.style):
                raise UserError(f"the dance {self.dance!r} is of the style {self.style}, not {style}")
        self._style_rows = np.eye(len(pack.styles), dtype=np.float32)
        count = max(1, len(pack.dances))
        self._dance_rows = np.eye(count + 1, count, dtype=np.float32)  # the last, which is also -1, is all zeros
        self._troupe = troupe
        self._never: frozenset[int] = frozenset()
        self._held = False
        self._planners = self._plans(range(troupe))  # one a row, leavers too
        self._formation = Formation(pack)
        self._formation.resize(troupe)
        stood = stand(troupe, self._view)
        self._rows = self._newcomers(range(troupe), stood.home, stood.depth)
        self._watchdog = Watchdog(pack, troupe)
        self._seen, self._roam = stood.seen, self._roam_of(troupe)
        self._sync = self._synced = SYNCS[0]  # asked for, and danced since the last letter
        self._renewed: int | None = None  # a seed that waits for the next letter
        self._past: dict[str, NDArray[Any]] = {}  # (_PAST, …): what the dancer network was told of the leader
        self._told = 0  # steps that were written there
        self._step = -1  # the last step computed; its time is _step / STEPS_PER_BEAT
        self._steps: deque[_Step] = deque(maxlen=LOOK_AHEAD + 2)
        self.letters_written: deque[int] = deque(maxlen=4096)  # of the first dancer, for measures

    # --- what is danced, and how to change it

    @property
    def style(self) -> str:
        """Name of the style that is danced now, or from the next letter on; the leader's if there are several."""
        return self.pack.styles[self._styles[0]]

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles that the dancers have in turn."""
        return tuple(self.pack.styles[i] for i in self._styles)

    @property
    def dance(self) -> str | None:
        """Name of the dance that was asked for; None: as it comes."""
        return None if self._dance is None else self.pack.dances[self._dance].name

    @property
    def dances(self) -> tuple[str, ...]:
        """Names of the dances of the style."""
        return tuple(d.name for d in self.pack.dances if d.style == self._styles[0])

    @property
    def danced(self) -> tuple[str | None, ...]:
        """Name of the dance of each own letter that is danced now; None: improvised."""
        return tuple(self.pack.dances[i].name if i >= 0 else None for i in self._rows.dance[: self._troupe])

    @property
    def troupe(self) -> int:
        """How many dance. A picture may have more: those who leave are drawn until they are out of sight."""
        return self._troupe

    @property
    def sync(self) -> str:
        """One of SYNCS. The first dancer leads all but "each"."""
        return self._sync

    def set_style(self, style: str) -> None:
        """Another style from the next letter on, or several as in "salsa,ballet"; see `set_styles`."""
        self.set_styles(self.pack.styles[i] for i in self._style_indices(style))

    def set_styles(self, styles: Iterable[str]) -> None:
        """The styles that the dancers have in turn, from the next letter on: the first, the second, and so round.

        In unison and canon all dance as the leader does. Raises UserError if the pack has not learned one, or for none.
        """
        wanted = tuple(self._style_index(style) for style in styles)
        if not wanted:
            raise UserError("a troupe needs a style")
        self._styles = wanted
        if self._dance is not None and {self.pack.dances[self._dance].style} != set(wanted):
            self._dance = None

    def set_dance(self, dance: str | None) -> None:
        """A named dance, and its style, from the next letter on; None: as it comes. UserError for an unknown one."""
        wanted = None if dance is None else self._dance_index(dance)
        if wanted is not None:
            self._styles = (self.pack.dances[wanted].style,)
        elif self._dance is not None:
            for planner in self._planners:
                planner.renew(self._dance)
        self._dance = wanted

    def reseed(self, seed: int) -> None:
        """Begin a new dance: from the next letter on other chance and another plan. The picture does not jump."""
        self._renewed = seed

    def set_sync(self, sync: str) -> None:
        """One of SYNCS from the next letter on: each its own, all as the first, or one after the other."""
        if sync not in SYNCS:
            raise UserError(f"no sync {sync!r}; there are {', '.join(SYNCS)}")
        self._sync = sync

    def set_troupe(self, troupe: int) -> None:
        """So many dancers. Those who stay dance on and make room; newcomers slide in from beyond the right edge of the
        picture, and the others slide out there, dancing. Who is on the way out turns round before anybody new comes."""
        self._check_troupe(troupe)
        self._troupe = troupe
        old = len(self._planners)
        if troupe <= old:
            return
        self._planners += self._plans(range(old, troupe))
        stood = stand(troupe, self._view)
        edge = self._edge(stood.seen, *(s.seen for s in self._steps))
        first = max(edge, float(self._rows.home[-1]) + SPACING)
        new = self._newcomers(range(old, troupe), first + SPACING * np.arange(troupe - old), stood.depth[old:])
        self._rows = self._rows.map(lambda a, b: np.concatenate([a, b]), new)
        for k, s in enumerate(self._steps):
            latent, place = np.concatenate([s.latent, new.latent]), np.concatenate([s.place, new.home])
            self._steps[k] = _Step(latent, place.astype(np.float32), np.concatenate([s.depth, new.depth]), s.seen)
        self._watchdog.resize(troupe)
        self._formation.resize(troupe)

    def set_never(self, dances: Collection[str]) -> None:
        """Dances that come only if they are asked for by name; names that the pack does not have are ignored."""
        self._never = frozenset(i for i, d in enumerate(self.pack.dances) if d.name in dances)
        for planner in self._planners:
            planner.never = self._never

    def set_held(self, held: bool) -> None:
        """Whether everybody goes on with what he dances, until asked for something else."""
        self._held = held
        for planner in self._planners:
            planner.held = held

    def _plans(self, numbers: range) -> list[Planner]:
        planners = [Planner(self.pack.dances, [self._seed, i]) for i in numbers]
        for planner in planners:
            planner.never, planner.held = self._never, self._held
        return planners

    def _let_go(self) -> None:
        """Drop the leavers, the last first, whom nobody sees any more."""
        count = len(self._planners)
        while count > self._troupe and all(s.place[count - 1] > self._edge(s.seen) for s in self._steps):
            count -= 1
        if count == len(self._planners):
            return
        self._rows = self._rows.map(lambda a: a[:count].copy())
        del self._planners[count:]
        for k, s in enumerate(self._steps):
            self._steps[k] = _Step(s.latent[:count], s.place[:count], s.depth[:count], s.seen)
        self._watchdog.resize(count)
        self._formation.resize(count)

    @staticmethod
    def _check_troupe(troupe: int) -> None:
        if not 1 <= troupe <= MOST_DANCERS:
            raise UserError(f"a troupe has 1 to {MOST_DANCERS} dancers, not {troupe}")

    def _style_indices(self, style: str) -> tuple[int, ...]:
        """Of one style, or of several between commas."""
        names = (style,) if style in self.pack.styles else tuple(name.strip() for name in style.split(","))
        return tuple(self._style_index(name) for name in names)

    def _style_of(self, who: int) -> int:
        return self._styles[who % len(self._styles)]

    def _style_index(self, style: str) -> int:
        if style not in self.pack.styles:
            raise UserError(f"no style {style!r} in pack {self.pack.name}; it has {', '.join(self.pack.styles)}")
        return self.pack.styles.index(style)

    def _dance_index(self, dance: str) -> int:
        """Number of a dance, however its name is capitalised."""
        names = [d.name.casefold() for d in self.pack.dances]
        asked = dance.casefold()
        if asked in names:
            return names.index(asked)
        close = [n for n in names if asked and asked in n] or difflib.get_close_matches(asked, names, 4, 0.5)
        hint = f"near it are: {', '.join(self.pack.dances[names.index(n)].name for n in close[:4])}; " if close else ""
        which = "" if self.pack.folder.name == DEFAULT_PACK else f" --pack {self.pack.folder}"
        raise UserError(
            f"no dance {dance!r} in pack {self.pack.name}; {hint}'visualizer dances{which}' lists all {len(names)}"
        )

    @property
    def view(self) -> float:
        """Width by height of the window, if somebody says: how far off the wings are, and how a troupe stands."""
        return self._view

    @view.setter
    def view(self, view: float) -> None:
        self._view = view
        if not self._steps:  # who has not begun stands so at once
            stood = stand(self._troupe, view)
            self._rows.home, self._rows.depth = stood.home.copy(), stood.depth.copy()
            self._seen = stood.seen

    def _wide(self, seen: NDArray[np.floating]) -> float:
        """Frame widths that the window shows; see Layout."""
        span, rise, deep = map(float, seen)
        return max(self._view * (1 + above(rise, deep)), span)

    def _edge(self, *seen: NDArray[np.floating]) -> float:
        """Frame widths right of the middle from where on nothing of a dancer's frame is in the picture."""
        return (max(map(self._wide, seen)) + 1) / 2

    @staticmethod
    def _roam_of(troupe: int) -> float:
        return ROAM if troupe == 1 else TROUPE_ROAM

    def _newcomers(self, numbers: range, homes: NDArray[np.floating], depths: NDArray[np.float32]) -> _Rows:
        """Rows of dancers who begin with a pose of the training data in the style in force."""
        seeds = [self.pack.seeds[self._pick_seed(i)] for i in numbers]
        n = len(seeds)
        latent = np.stack([s.latent for s in seeds])
        letter = np.array([s.letter for s in seeds], dtype=np.int64)
        none, style = np.full(n, -1), np.array([self._style_of(i) for i in numbers], dtype=np.int64)
        return _Rows(
            latent=latent,
            body=np.zeros((n, *self.pack.dancer_state), dtype=np.float32),
            choreography=np.zeros((n, *self.pack.choreographer_state), dtype=np.float32),
            letter=letter, next_letter=letter.copy(),
            dance=none, next_dance=none.copy(), style=style, next_style=style.copy(),
            home=homes.astype(np.float32), depth=depths.copy(), away=np.zeros(n, dtype=np.float32),
            urge=np.zeros(n, dtype=np.int64),
            rescue=np.zeros(n, dtype=np.int64), rescue_steps=np.ones(n, dtype=np.int64),
            origin=latent.copy(), goal=latent.copy(), goal_letter=letter.copy(),
        )  # fmt: skip

    def _pick_seed(self, who: int) -> int:
        """A seed of the style in force, or any if it has none."""
        of_style = [i for i, s in enumerate(self.pack.seeds) if s.style == self._style_of(who)]
        return int(self._planners[who].random.choice(of_style or np.arange(len(self.pack.seeds))))

    # --- what goes wrong

    def _restart(self, failed: NDArray[np.bool_]) -> None:
        """Those of the troupe (N,) whose networks gave nonsense start again from a pose of the training data."""
        self.restarts += 1
        if self.restarts & (self.restarts - 1) == 0:  # the 1st, 2nd, 4th, 8th: a log is not to be flooded
            self._messages.append("a network gave something that is no pose: dancing on from another")
            _log.warning("a network gave something that is no pose; the dance starts again from a seed (%d times)",
                         self.restarts)  # fmt: skip
        rows = self._rows
        for i in np.flatnonzero(failed):
            seed = self.pack.seeds[self._pick_seed(int(i))]
            rows.choreography[i] = rows.body[i] = 0
            rows.latent[i] = seed.latent
            rows.letter[i] = rows.next_letter[i] = seed.letter
            rows.rescue[i] = 0
        self._watchdog.forget(failed)

    def _watch(self, before: NDArray[np.float32]) -> None:
        """The last resort. Who stands still or is lost is led to the nearest pose of the training data; until then
        what the network says of the body does not count. A seed's pose is the one before its letter, so the body
        arrives with the last step of a letter, and the seed's is the one that follows."""
        rows = self._rows
        led = rows.rescue > 0
        if led.any():
            rows.rescue[led] -= 1
            share = 1 - (rows.rescue / rows.rescue_steps)[led, None]
            share = (share * share * (3 - 2 * share)).astype(np.float32)  # starts and ends at rest
            rows.latent[led] = (1 - share) * rows.origin[led] + share * rows.goal[led]
            arriving = led & (rows.rescue < STEPS_PER_LETTER)  # what is written before that is over by then
            rows.next_letter[arriving] = rows.goal_letter[arriving]
            self._watchdog.forget(led)
        stuck = self._watchdog.see(before, rows.latent) & ~led
        rows.urge = np.where(self._watchdog.idle(), URGE_STEPS, np.maximum(rows.urge - 1, 0))
        if not stuck.any():
            return
        for i in np.flatnonzero(stuck):
            self.rescues += 1
            if self.rescues & (self.rescues - 1) == 0:
                _log.warning("a body stood still or lost its way; it is led to a pose of the training data (%d times)",
                             self.rescues)  # fmt: skip
            seed = self.pack.seeds[self._watchdog.nearest_seed(rows.latent[i], int(rows.style[i]))]
            rows.rescue[i] = rows.rescue_steps[i] = RESCUE_STEPS + STEPS_PER_LETTER - 1 - self._step % STEPS_PER_LETTER
            rows.origin[i], rows.goal[i], rows.goal_letter[i] = rows.latent[i], seed.latent, seed.letter
            rows.body[i] = 0  # what it was stuck in
        self._watchdog.forget(stuck)

    # --- stepping

    def _conditions(
        self, beat: float, energy: float, style: NDArray[np.int64], dance: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float32]]:
        n = len(style)
        return {
            "bar_phase": np.broadcast_to(bar_phase(beat), (n, 6)),
            "energy": np.where(self._rows.urge > 0, max(energy, URGED), energy).astype(np.float32)[:, None],
            "style": self._style_rows[style],
            "dance": self._dance_rows[dance],
        }

    def _begin_anew(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._seed = seed
        self._planners = self._plans(range(len(self._planners)))

    def _write_letters(self, beat: float, energy: float) -> None:
        """Move on to the next letter and have the choreographer write the one after it."""
        if self._renewed is not None:
            self._begin_anew(self._renewed)
            self._renewed = None
        self._synced = self._sync
        rows, n = self._rows, len(self._planners)
        rows.letter, rows.dance, rows.style = rows.next_letter.copy(), rows.next_dance, rows.next_style
        self.letters_written.append(int(rows.letter[0]))
        coming = beat + STEPS_PER_LETTER / STEPS_PER_BEAT  # when what is written now will be danced
        rows.next_style = np.array([self._style_of(i) for i in range(n)], dtype=np.int64)
        if self._dance is not None:
            rows.next_dance = np.full(n, self._dance)
        else:
            plans = (planner.ask(coming, self._style_of(i), energy) for i, planner in enumerate(self._planners))
            rows.next_dance = np.array([-1 if plan is None else plan for plan in plans])
        letter, state = self.pack.choreographer.run(
            ["letter_out", "state_out"],
            {
                "letter": rows.letter,
                "state": rows.choreography,
                **self._conditions(coming, energy, rows.next_style, rows.next_dance),
                "noise": self._random.random((MOST_DANCERS, self.pack.letters), dtype=np.float32)[:n],
                "temperature": np.full((n, 1), self.temperature, dtype=np.float32),
            },
        )
        rows.next_letter, rows.choreography = letter, state
        failed = ~np.isfinite(state.reshape(n, -1)).all(axis=1)
        failed |= (letter < 0) | (letter >= self.pack.letters)
        if failed.any():
            self._restart(failed)

    def _told_now(self, own: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What the dancer network is told this step, out of what each of the troupe would tell it by himself."""
        if not self._past:
            self._past = {name: np.zeros((_PAST, *a.shape[1:]), dtype=a.dtype) for name, a in own.items()}
        now = self._told % _PAST
        for name, array in own.items():
            self._past[name][now] = array[0]
        self._told += 1
        if self._synced == "each":
            return own
        behind = np.arange(len(self._planners)) * (CANON_BEATS * STEPS_PER_BEAT if self._synced == "canon" else 0)
        behind[behind >= self._told] = 0  # the beginning of a canon: as the leader, until there is something to repeat
        return {name: array[(now - behind) % _PAST] for name, array in self._past.items()}

    def _advance(self, energy: float) -> None:
        """One step of a sixteenth of a beat."""
        self._step += 1
        beat = self._step / STEPS_PER_BEAT
        energy = min(1.0, max(0.0, energy))
        place_in_letter = self._step % STEPS_PER_LETTER
        if place_in_letter == 0:
            self._write_letters(beat, energy)
        rows, n = self._rows, len(self._planners)
        noise = self._random.standard_normal((MOST_DANCERS, self.pack.latent_size), dtype=np.float32)[:n]
        own = {
            "letter": rows.letter,
            "next_letter": rows.next_letter,
            "place": np.full((n, 1), place_in_letter / STEPS_PER_LETTER, dtype=np.float32),
            **self._conditions(beat, energy, rows.style, rows.dance),
        }
        before = rows.latent
        latent, state, travel = self.pack.dancer.run(
            ["latent_out", "state_out", "travel"],
            {
                "latent": before,
                "state": rows.body,
                **self._told_now(own),
                "noise": np.broadcast_to(noise[0], noise.shape) if self._synced == "unison" else noise,
            },
        )
        rows.latent, rows.body = latent, state
        made = np.concatenate([latent, state.reshape(n, -1), travel], axis=1)
        failed = np.asarray(~np.isfinite(made).all(axis=1))
        if failed.any():
            self._restart(failed)
            travel = np.where(failed[:, None], np.float32(0), travel)
        self._watch(before)
        self._move(travel[:, 0])
        wanted = rows.home + FARTHER**rows.depth * (self._roam * np.tanh(rows.away / self._roam))
        shown = self._formation.step(rows.latent, wanted, self._troupe, self._wide(self._seen) / 2, rows.depth)
        self._steps.append(_Step(rows.latent.copy(), shown.astype(np.float32), rows.depth, self._seen))
        self._let_go()

    def _move(self, travel: NDArray[np.float32]) -> None:
        """Walk by `travel` (N,) frame widths a beat.

        The crop took the sideways speed away; here it is given back, so that feet stay where they are put. The
        pull home is slow enough not to be seen as sliding. Homes themselves move when others come or go; those of
        leavers go out at an even pace.
        """
        rows, n = self._rows, len(self._planners)
        rows.away = (rows.away + travel / STEPS_PER_BEAT) * np.float32(math.exp(-1 / (HOME_BEATS * STEPS_PER_BEAT)))
        ease = 1 - math.exp(-1 / (MOVE_BEATS * STEPS_PER_BEAT))
        stood = stand(self._troupe, self._view)
        move = (stood.home - rows.home[: self._troupe]) * np.float32(ease)
        nearer = (stood.depth - rows.depth[: self._troupe]) * np.float32(ease)
        rows.depth = (rows.depth + np.pad(nearer, (0, n - self._troupe))).astype(np.float32)
        rows.home = rows.home + np.pad(move, (0, n - self._troupe), constant_values=LEAVE / STEPS_PER_BEAT)
        self._roam += (self._roam_of(self._troupe) - self._roam) * ease
        self._seen = self._seen + (stood.seen - self._seen) * ease

    def step_to(self, musical_time: float, energy: float = 0.5) -> None:
        """Run the networks step by step until the frame at `musical_time` (beats) can be drawn."""
        wanted = math.floor(musical_time * STEPS_PER_BEAT) + LOOK_AHEAD
        if wanted - self._step > LONGEST_GAP:
            # After a stall, or at the start of a clock that does not start at zero: same place in the phrase, no rush.
            phrases = (wanted - self._step - LOOK_AHEAD - 2) // (PHRASE_BEATS * STEPS_PER_BEAT)
            self._step += phrases * PHRASE_BEATS * STEPS_PER_BEAT
            for planner in self._planners:
                planner.shift(phrases * PHRASE_BEATS)
        while self._step < wanted or len(self._steps) < LOOK_AHEAD + 2:
            self._advance(energy)

    def _about(self, musical_time: float) -> tuple[deque[_Step], float]:
        """The four steps about a moment, and how far it is from the second to the third, 0..1."""
        if not self._steps:
            raise RuntimeError("step_to comes first")
        first = self._step - LOOK_AHEAD
        return self._steps, min(max(musical_time * STEPS_PER_BEAT - first, 0.0), 1.0)

    def between(self, musical_time: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Latents (N, D) and places (N,) at a moment between the steps; `step_to` must have reached it.

        Times outside the last step taken are held at its ends.
        """
        (a, b, c, d), u = self._about(musical_time)
        latent = _catmull_rom(a.latent, b.latent, c.latent, d.latent, u)
        place = _catmull_rom(a.place, b.place, c.place, d.place, u)
        return latent.astype(np.float32), np.asarray(place, dtype=np.float32)

    def picture(self, musical_time: float) -> Bodies:
        """Decode the troupe at `musical_time`, as `between` gives it."""
        latent, place = self.between(musical_time)
        (a, b, c, d), u = self._about(musical_time)
        seen = _catmull_rom(a.seen, b.seen, c.seen, d.seen, u)
        return self.draw(latent, place, seen, _catmull_rom(a.depth, b.depth, c.depth, d.depth, u))

    def draw(
        self, latent: NDArray[np.float32], place: NDArray[np.float32],
        seen: NDArray[np.floating] | None = None, depth: NDArray[np.floating] | None = None,
    ) -> Bodies:  # fmt: skip
        """Decode latents (N, D) of dancers at places (N,); span, rise and deep are `seen`; None: as they stand."""
        if seen is None or depth is None:
            stood = stand(len(place), self._view)
            seen, depth = stood.seen, stood.depth
        span, rise, deep = map(float, seen)
        outputs = [o.name for o in self.pack.decoder.get_outputs()]
        found = dict(zip(outputs, self.pack.decoder.run(None, {"latent": latent}), strict=True))
        frame = found["frame"]
        failed = ~np.isfinite(frame).all(axis=(1, 2, 3))
        if failed.any():
            frame = self._mended(frame, failed)
        self._shown = frame
        picture = Bodies(frame, found.get("joints"), place, span)
        if deep < FLAT:
            return picture
        return dataclasses.replace(picture, depth=np.maximum(depth, 0), rise=rise, deep=deep)

    def _mended(self, frame: NDArray[np.float32], failed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """What was shown before of those whose frames are nonsense, and nobody where nothing was; they start again."""
        frame = frame.copy()
        shown = self._shown
        frame[failed] = NOBODY if shown is None or shown.shape != frame.shape else shown[failed]
        if len(failed) == len(self._rows.latent):
            self._restart(failed)
        return frame

    def toasts(self) -> list[str]:
        """What went wrong since the last call."""
        return taken(self._messages) + taken(self.pack.messages)
