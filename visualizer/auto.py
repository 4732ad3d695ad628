"""What to change when no one asks: auto mode, favourites and never-again, on musical time.

Four kinds of things change: the look of the picture, the style of dancing, the dance within it, and the figures, who
dances. Each stays for two to eight phrases and gives way where a phrase ends. What comes next is drawn from a shuffled
deck: all that is allowed once a round, favourites three times, the same never twice in a row; so nothing is seen again
before everything was.

What a person chooses holds for a minute or two. What was asked for by name on the command line is pinned: it holds
until a command says otherwise. All of this is arithmetic on beats with a seeded chance; `Show` acts on it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from visualizer.dancer.pack import PHRASE_BEATS

Kind = Literal["look", "style", "dance", "figure"]
KINDS: tuple[Kind, ...] = ("look", "style", "dance", "figure")
STAY: dict[Kind, tuple[int, int]] = {  # beats
    "look": (32, 64), "style": (32, 64), "dance": (16, 32), "figure": (32, 64),
}  # fmt: skip
# Beats of the music's phrases and half phrases, at whose ends they change.
GRID: dict[Kind, int] = {"look": 32, "style": 32, "dance": 16, "figure": 32}
HOLD = 128  # beats that a person's choice holds
# The next letter is written half a beat before it is danced, out of sight a little earlier still. Another
# dance that is asked for that much before a phrase ends begins with the next.
EARLY = 0.875  # beats
FAVOUR = 3  # times that a favourite comes in a round
AS_IT_COMES = ""  # among the dances: the dancer's own plan


@dataclass
class Preferences:
    """What people like and what they have seen enough of, by kind. Names that this pack does not have are kept."""

    favourite: dict[Kind, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(KINDS, ()))
    never: dict[Kind, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(KINDS, ()))
    _last: tuple[dict[Kind, tuple[str, ...]], dict[Kind, tuple[str, ...]]] | None = None

    def allowed(self, kind: Kind, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names` that may come. If that would be none, all: a show goes on."""
        left = tuple(name for name in names if name not in self.never[kind])
        return left or tuple(names)

    def like(self, on: dict[Kind, str]) -> bool:
        """All of `on` are favourites from now on (True), or, if all were, no longer (False)."""
        self._keep()
        liked = all(name in self.favourite[kind] for kind, name in on.items())
        for kind, name in on.items():
            others = tuple(other for other in self.favourite[kind] if other != name)
            self.favourite[kind] = others if liked else (*others, name)
        return not liked

    def ban(self, kind: Kind, name: str, names: Sequence[str]) -> bool:
        """Never again `name`; it is no favourite then. False, and nothing done, if it is the last of `names`."""
        if not any(other != name and other not in self.never[kind] for other in names):
            return False
        self._keep()
        self.favourite[kind] = tuple(other for other in self.favourite[kind] if other != name)
        self.never[kind] = (*(other for other in self.never[kind] if other != name), name)
        return True

    def take_back(self) -> bool:
        """Undo the last `like` or `ban`; False if there is none, or it is undone already."""
        if self._last is None:
            return False
        (self.favourite, self.never), self._last = self._last, None
        return True

    def as_settings(self) -> dict[str, tuple[str, ...]]:
        """All of them by the settings' names."""
        pairs = (("favourite", self.favourite), ("never", self.never))
        return {f"{word}_{kind}s": names[kind] for word, names in pairs for kind in KINDS}

    def _keep(self) -> None:
        self._last = (dict(self.favourite), dict(self.never))


Deck = tuple[str, ...]


def draw(
    deck: Deck, allowed: Sequence[str], favourites: Collection[str], now: str | None, chance: random.Random
) -> tuple[str | None, Deck]:
    """The next card, never `now`, and the deck without it; None if there is no other.

    Once the deck has none that is allowed, a new round is put on it: each of `allowed` once, favourites FAVOUR times,
    shuffled. Cards that are not allowed now may be later, so they wait.
    """
    if not any(name != now for name in allowed):
        return None, deck
    if not any(name in allowed and name != now for name in deck):
        cards = [name for name in allowed for _ in range(FAVOUR if name in favourites else 1)]
        chance.shuffle(cards)
        deck = (*(name for name in deck if name not in allowed), *cards)
    card = next(k for k, name in enumerate(deck) if name in allowed and name != now)
    return deck[card], deck[:card] + deck[card + 1 :]


class Auto:
    """When each kind changes, and to what."""

    def __init__(self, chance: random.Random, on: bool = True, pinned: Collection[Kind] = ()) -> None:
        """`pinned`: kinds that stay as they are until a person chooses another."""
        self.on = on
        self.pinned = set(pinned)
        self._chance = chance
        self._decks: dict[tuple[Kind, str], Deck] = {}
        self._due: dict[Kind, float] = {}  # musical time of the phrase's end at which each kind may change
        self._phrase: dict[Kind, int] = {}  # in which each was asked about last

    def turns(self, beat: float) -> tuple[Kind, ...]:
        """The kinds that change now. To be asked for each frame, also while auto is off: it knows by that when a phrase
        ends, and never answers at any other time."""
        return tuple(kind for kind in KINDS if self._turns(kind, beat + (0 if kind == "look" else EARLY)))

    def _turns(self, kind: Kind, beat: float) -> bool:
        phrase = math.floor(beat / PHRASE_BEATS)
        ended = self._phrase.get(kind, phrase) != phrase
        self._phrase[kind] = phrase
        if kind not in self._due:
            self._due[kind] = self._stay_until(kind, phrase * PHRASE_BEATS)
        return ended and self.on and kind not in self.pinned and phrase * PHRASE_BEATS >= self._due[kind]

    def choose(
        self, kind: Kind, allowed: Sequence[str], favourites: Collection[str], now: str | None, of: str = ""
    ) -> str | None:
        """What comes instead of `now`; None if there is nothing else. `of`: dances of different styles have different
        decks. It stays until its time is over."""
        chosen, self._decks[kind, of] = draw(self._decks.get((kind, of), ()), allowed, favourites, now, self._chance)
        self.stay(kind)
        return chosen

    def stay(self, kind: Kind) -> None:
        """Something of this kind has just come, chosen here or by the music: it stays a while."""
        self._due[kind] = self._stay_until(kind, self._phrase.get(kind, 0) * PHRASE_BEATS)

    def hold(self, kind: Kind) -> None:
        """A person has just chosen: it holds for HOLD beats, and is pinned no longer."""
        self.pinned.discard(kind)
        self._due[kind] = (self._phrase.get(kind, 0) + 1) * PHRASE_BEATS + HOLD

    def _stay_until(self, kind: Kind, beat: int) -> int:
        """Beat up to which what came at `beat` stays: where a phrase of the music ends, as near as may be."""
        least, most = STAY[kind]
        drawn = beat + PHRASE_BEATS * self._chance.randint(least // PHRASE_BEATS, most // PHRASE_BEATS)
        return round(drawn / GRID[kind]) * GRID[kind]


def find_pins(asked: Collection[str], by_music: bool) -> set[Kind]:
    """The kinds that stay, of what was asked for by name; `by_music`: the style that was asked for is the music's."""
    kinds: set[Kind] = {kind for kind in KINDS if kind in asked}
    if "dance" in kinds:
        kinds.add("style")  # another would end the dance
    elif by_music:
        kinds.discard("style")
    return kinds
