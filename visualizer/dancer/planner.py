"""What to dance next: what was asked for, or else phrase by phrase one of the style's named dances, or improvisation.

A phrase is 8 beats of musical time, as written dances and most music have it. The plan says which dance; how it is
danced is the choreographer's, letter by letter, so that no two phrases of one dance are the same. Quiet music gets the
quieter dances of a style, a drop the liveliest, where the pack says which those are. Where it also says how each dance
stands at each beat, those come first to which the body can go over easily, and a dance is left where that is easiest.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.names import find_name

from .entries import Entries, find_body
from .pack import BEATS_PER_BAR, DEFAULT_PACK, FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT, NamedDance, Pack, Seed
from .rows import Rows
from .transition import Stance

IMPROVISE = 0.35  # share of phrases without a named dance: enough to surprise, too few to blur what is recognised
AGAIN = 0.8  # chance that a dance of one phrase is danced for a second: it takes two to be sure what one saw
ANSWERED = 0.6  # chance that its second phrase is answered by half a phrase of improvisation, so that repeats differ
FRESH = 0.5  # the next dance is one of this share of them that was danced longest ago; so all have their turn
HIGH_ENERGY = 0.75  # from here on half phrases are allowed: a drop wants changes twice as often
SHORT_BEATS = BEATS_PER_BAR  # a half phrase; only of dances that are over by then
SUITED = 0.5  # the next dance is one of this share of them whose energy is nearest to the music's
WOBBLE = 0.25  # of the music's energy, at random, so that steady music does not see half of the dances only
SURGE = 0.35  # by which the music's energy must differ from what a dance was chosen for, to end it early
MOST_PHRASES = 2  # no dance goes on for longer without being asked for
LEAD = 4  # beats before the end of a plan in which another dance may begin, where it is easier to go over
EARLY = 1.0  # what that costs; see `transition.find_transition_cost` for the unit
CHOOSY = 1.5  # difference of cost for which a dance comes e times as often as another
PATIENCE = 2.0  # rounds of all dances that suit, after which a dance that has not come costs 1 / e of what it did
MISREAD = 20.0  # what it costs to show a hand before the crotch all the time


class Planner:
    """The plan of one dancer. The same seed and the same questions get the same answers."""

    def __init__(self, dances: tuple[NamedDance, ...], seed: list[int], entries: Entries | None = None) -> None:
        self.dances, self._entries = dances, entries
        self.random = np.random.default_rng(seed)
        self.dance: int | None = None  # index into dances; None: improvises
        self.until = -math.inf  # beat at which the plan is over
        self.never: frozenset[int] = frozenset()  # dances that come only if they are asked for
        self.held = False  # whether the plan goes on when it is over
        self._style: int | None = None
        self._answer, self._answering = math.inf, False  # beat from which the dance is answered, and whether it is now
        self._begun = 0.0  # beat at which the plan begins
        self._energy = 0.0  # of the music when the plan was made
        self._last: dict[int, float] = {}  # dance -> beat at which it was over or given up
        self._turns, self._turn = 0, dict[int, int]()  # dances chosen, and when each was last
        self._next: tuple[float, int | None] | None = None  # at what beat something else begins, and what

    def ask(self, beat: float, style: int, energy: float, body: Stance | None = None) -> int | None:
        """What to dance at `beat`, half a beat after the last question: a dance of `style`, or None to improvise.
        `body`: how the dancer stands now, if that is known."""
        surged = self._surged(beat, energy)
        if surged or style != self._style or self.dance in self.never:
            self._next = None
        if ((beat >= self.until or surged) and not self.held) or style != self._style or self.dance in self.never:
            if self._next is None:
                self._choose(beat, style, energy, body)
            else:
                self._begin(self._next[1], beat, energy)
        elif self._next is not None and beat >= self._next[0] and not self.held:
            self._begin(self._next[1], self.until, energy)
        elif self._entries is not None and self.dance is not None and self._begun < beat == self.until - LEAD:
            self._look_ahead(self._entries, beat, energy)
        if not self.held:
            self._answering = beat >= self._answer
        return None if self._answering else self.dance

    def _surged(self, beat: float, energy: float) -> bool:
        """Whether a phrase begins with music that is much quieter or livelier than what the plan was made for."""
        known = self.dance is not None and self.dances[self.dance].energy is not None
        return known and beat % PHRASE_BEATS == 0 and abs(energy - self._energy) >= SURGE

    def renew(self, dance: int | None = None) -> None:
        """Choose again when asked next, and something else than `dance`, which was danced meanwhile."""
        self.until, self._next = -math.inf, None
        if dance is not None:
            self.dance = dance

    def shift(self, beats: float) -> None:
        """Musical time leaps ahead. The plan goes along by whole phrases; otherwise another begins where it lands."""
        self.until = self.until + beats if beats % PHRASE_BEATS == 0 else -math.inf
        self._begun, self._answer, self._next = self._begun + beats, self._answer + beats, None

    def _choose(self, beat: float, style: int, energy: float, body: Stance | None) -> None:
        """Draw what begins at `beat`, and begin it."""
        self._style = style
        among = self._find_free(beat)
        entries = None if body is None else self._entries
        costs = np.zeros(len(among)) if entries is None or body is None else entries.cost_from(body, among, beat)
        self._begin(self._draw(among, energy, costs), beat, energy)

    def _look_ahead(self, entries: Entries, beat: float, energy: float) -> None:
        """Draw what comes when the plan is over, by where within `LEAD` beats it is easiest to go over."""
        if (among := self._find_free(self.until)) and self.dance is not None and self._answer > self.until:
            moments = np.arange(beat, self.until + 1)
            costs = np.stack([entries.cost_between(self.dance, among, moment) for moment in moments])
            costs[:-1] += EARLY
            drawn = self._draw(among, energy, costs.min(axis=0))
            best = self.until if drawn is None else moments[costs[:, among.index(drawn)].argmin()]
            self._next = float(best), drawn

    def _find_free(self, beat: float) -> list[int]:
        """Dances of the style that may begin at `beat`."""
        # A loop that is longer than half a phrase begins where a phrase does. (A key may ask for it anywhere.)
        longest = SHORT_BEATS if beat == self.until and beat % PHRASE_BEATS == SHORT_BEATS else math.inf
        free = [
            i for i, d in enumerate(self.dances) if d.style == self._style and i != self.dance and d.beats <= longest
        ]
        return [i for i in free if i not in self.never]

    def _draw(self, among: list[int], energy: float, costs: NDArray[np.float64]) -> int | None:
        """One of the dances `among`, to go over to which costs that much, or None to improvise: one that suits the
        energy, was danced long ago, and costs little. The longer a dance has waited, the less its cost counts, so that
        each has its turn."""
        if not among:
            return None
        of = dict(zip(among, costs, strict=True))
        if self.dances[among[0]].energy is not None:
            among = find_suited(self.dances, among, energy + WOBBLE * (2 * self.random.random() - 1))
        order = self.random.random(len(among))
        by_age = sorted(range(len(among)), key=lambda k: (self._last.get(among[k], -math.inf), order[k]))
        fresh = [among[k] for k in by_age[: math.ceil(FRESH * len(among))]]
        waited = np.array([self._turns - self._turn.get(i, 0) for i in fresh])
        cost = np.array([of[i] + MISREAD * self.dances[i].crotch for i in fresh])
        merit = -cost * np.exp(-waited / (PATIENCE * len(among))) / CHOOSY
        # The largest of merit and Gumbel noise is a draw from the softmax of merit.
        drawn = fresh[int(np.argmax(merit - np.log(-np.log(self.random.uniform(1e-12, 1, len(fresh))))))]
        return None if self.random.random() < IMPROVISE else drawn

    def _begin(self, dance: int | None, beat: float, energy: float) -> None:
        """Dance that from now on, and for as long as if it began at `beat`."""
        if self.dance is not None:
            self._last[self.dance] = beat
        place = beat % PHRASE_BEATS
        phrase_end = beat - place + PHRASE_BEATS
        self.dance, self.until, self._begun, self._next = dance, phrase_end, beat, None
        self._answer, self._answering = math.inf, False
        self._energy = energy
        beats = PHRASE_BEATS if dance is None else self.dances[dance].beats
        if dance is not None:
            self._turns += 1
            self._turn[dance] = self._turns
        if energy >= HIGH_ENERGY:
            if beats <= SHORT_BEATS and place < SHORT_BEATS:
                self.until = phrase_end - SHORT_BEATS
        elif place == 0 and self.random.random() < AGAIN:
            self.until += (MOST_PHRASES - 1) * PHRASE_BEATS
            if beats <= PHRASE_BEATS and self.random.random() < ANSWERED:
                self._answer = self.until - SHORT_BEATS
        if beats > PHRASE_BEATS:
            self.until = phrase_end + (MOST_PHRASES - 1) * PHRASE_BEATS


def find_suited(dances: tuple[NamedDance, ...], among: list[int], energy: float) -> list[int]:
    """The share of `among`, numbers of dances of one style, that suits music of that energy; all of them, where the
    pack does not tell how lively they are.

    Energies are compared by rank within the style: the quietest of a wild style is what it has for a break.
    """
    if not among:
        return []
    of_style = [(d.energy, i) for i, d in enumerate(dances) if d.style == dances[among[0]].style]
    if any(known is None for known, _ in of_style):
        return among
    ranks = {i: k / max(len(of_style) - 1, 1) for k, (_, i) in enumerate(sorted(of_style))}
    nearest = sorted(among, key=lambda i: abs(ranks[i] - energy))
    return sorted(nearest[: math.ceil(SUITED * len(nearest))])


def split_styles(style: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Names of one style, or of several between commas."""
    return (style,) if style in known else tuple(name.strip() for name in style.split(","))


def find_styles(pack: Pack, style: str) -> tuple[int, ...]:
    """Numbers of one style, or of several between commas. UserError for one that the pack has not learned."""
    return tuple(find_style(pack, name) for name in split_styles(style, pack.styles))


def find_style(pack: Pack, style: str) -> int:
    """Number of a style, however its name is capitalised and spaced. UserError if the pack has not learned it."""
    found = find_name(style, pack.styles)
    if found is None:
        raise UserError(f"no style {style!r} in pack {pack.name}; it has {', '.join(pack.styles)}")
    return pack.styles.index(found)


def _stand_in(pack: Pack, style: str, known: tuple[str, ...]) -> int:
    """Number of a style, or of the one that stands for it in a pack that has not learned it; `known`: all names."""
    return pack.styles.index(style) if style in pack.styles else known.index(style) % len(pack.styles)


def find_dance(pack: Pack, dance: str) -> int:
    """Number of a dance, however its name is capitalised and spaced. UserError for an unknown one, with those that are
    near."""
    names = [d.name.casefold() for d in pack.dances]
    asked = dance.casefold()
    if (found := find_name(asked, names)) is not None:
        return names.index(found)
    close = [n for n in names if asked and asked in n] or difflib.get_close_matches(asked, names, 4, 0.5)
    hint = f"near it are: {', '.join(pack.dances[names.index(n)].name for n in close[:4])}; " if close else ""
    which = "" if pack.folder.name == DEFAULT_PACK else f" --pack {pack.folder}"
    raise UserError(f"no dance {dance!r} in pack {pack.name}; {hint}'visualizer dances{which}' lists all {len(names)}")


class TroupePlanner:
    """What a troupe is asked to dance, and the plans of its dancers for all else.

    `styles`: numbers of the styles that the dancers have in turn; `dance`: number of the dance that all dance, or None.
    """

    def __init__(self, pack: Pack, seed: int, styles: tuple[int, ...], dance: int | None) -> None:
        self.styles, self.dance = styles, dance
        self.names = tuple(pack.styles[i] for i in styles)  # of the styles, as they were asked for
        self.known_styles = pack.styles  # that may be asked for
        self._pack, self._seed = pack, seed
        self._planners: list[Planner] = []
        self._never: tuple[str, ...] = ()  # names of dances
        self._held = False

    def __len__(self) -> int:
        return len(self._planners)

    def resize(self, count: int) -> None:
        """Plans for that many; those who stay keep theirs."""
        del self._planners[count:]
        self._planners += [
            Planner(self._pack.dances, [self._seed, i], self._pack.entries) for i in range(len(self), count)
        ]
        self._tell()

    def reseed(self, seed: int) -> None:
        """Other plans for all."""
        count, self._seed, self._planners = len(self), seed, []
        self.resize(count)

    def follow(self, pack: Pack) -> TroupePlanner:
        """The same wishes of another pack. Styles keep their names: who asks knows those. One that the pack has not
        learned is danced as some style that it has."""
        styles = tuple(_stand_in(pack, name, self.known_styles) for name in self.names)
        dance = None
        if self.dance is not None:
            wanted = self._pack.dances[self.dance].name
            dance = next((i for i, d in enumerate(pack.dances) if d.name == wanted), None)
        names = self.names
        if dance is not None and (pack.dances[dance].style,) != styles:
            styles = (pack.dances[dance].style,)
            names = (pack.styles[styles[0]],)
        made = TroupePlanner(pack, self._seed, styles, dance)
        made.names, made.known_styles = names, self.known_styles
        made._never, made._held = self._never, self._held
        made.resize(len(self))
        return made

    def set_styles(self, names: Iterable[str]) -> None:
        """The styles that the dancers have in turn. UserError for none, or for one that there is not. A dance of
        another style is over."""
        names = tuple(names)
        if not names:
            raise UserError("a troupe needs a style")
        wanted = tuple(
            _stand_in(self._pack, name, self.known_styles)
            if name in self.known_styles
            else find_style(self._pack, name)
            for name in names
        )
        self.styles, self.names = wanted, names
        if self.dance is not None and {self._pack.dances[self.dance].style} != set(wanted):
            self.dance = None

    def set_dance(self, dance: int | None) -> None:
        """A dance, and its style; None: as it comes."""
        if dance is not None:
            style = self._pack.dances[dance].style
            self.names = (self.names[0] if style == self.styles[0] else self._pack.styles[style],)
            self.styles = (style,)
        elif self.dance is not None:
            for planner in self._planners:
                planner.renew(self.dance)
        self.dance = dance

    def set_never(self, dances: Collection[str]) -> None:
        """Dances that come only if they are asked for by name; names that the pack does not have are ignored."""
        self._never = tuple(dances)
        self._tell()

    def set_held(self, held: bool) -> None:
        """Whether all go on with what they dance, until asked for something else."""
        self._held = held
        self._tell()

    def style_of(self, who: int) -> int:
        """The style of a dancer."""
        return self.styles[who % len(self.styles)]

    def style_row(self) -> NDArray[np.int64]:
        """(N,) the style of each."""
        return np.array([self.style_of(i) for i in range(len(self))], dtype=np.int64)

    def dance_row(self, beat: float, energy: float, bodies: Stance | None = None) -> NDArray[np.int64]:
        """(N,) what each shall dance at `beat`, half a beat after the last question; -1: improvise. `bodies`: how they
        stand now, (N, …)."""
        if self.dance is not None:
            return np.full(len(self), self.dance)
        each = [None] * len(self) if bodies is None else bodies.split()
        plans = (planner.ask(beat, self.style_of(i), energy, each[i]) for i, planner in enumerate(self._planners))
        return np.array([-1 if plan is None else plan for plan in plans])

    def pick_seed(self, who: int) -> Seed:
        """A pose to begin with: of the style in force, or any if it has none."""
        seeds = self._pack.seeds
        of_style = [i for i, s in enumerate(seeds) if s.style == self.style_of(who)]
        return seeds[int(self._planners[who].random.choice(of_style or np.arange(len(seeds))))]

    def shift(self, beats: float) -> None:
        """Musical time leaps ahead; see `Planner.shift`."""
        for planner in self._planners:
            planner.shift(beats)

    def _tell(self) -> None:
        never = frozenset(i for i, d in enumerate(self._pack.dances) if d.name in self._never)
        for planner in self._planners:
            planner.never, planner.held = never, self._held


def begin_plan(
    pack: Pack, seed: int, style: str | None, dance: str | None, random: np.random.Generator
) -> TroupePlanner:  # fmt: skip
    """What is danced at the start: a named dance, or one style for all, or one for each in turn; `random` picks a style
    where none is asked for. UserError for what the pack has not learned, or a dance that is of another style."""
    named = find_dance(pack, dance) if dance is not None else None
    styles = find_styles(pack, style) if style is not None else (int(random.integers(len(pack.styles))),)
    if named is not None:
        asked, styles = styles, (pack.dances[named].style,)
        if style is not None and asked != styles:
            right = pack.styles[styles[0]]
            raise UserError(f"the dance {pack.dances[named].name!r} is of the style {right}, not {style}")
    return TroupePlanner(pack, seed, styles, named)


def find_bodies(pack: Pack, rows: Rows) -> Stance | None:
    """How all stand now; None of a pack that does not say how its dances stand, where it would be of no use."""
    if pack.body is None or pack.entries is None:
        return None
    return find_body(pack.body, rows.before, rows.latent, rows.travel * FRAME_METRES / STEPS_PER_BEAT)
