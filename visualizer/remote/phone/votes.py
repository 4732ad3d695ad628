"""What the guests want next: a few dances and looks, one vote each for every guest, counted where a round ends."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

ROUND_BEATS = 64  # eight phrases of the dancer: half a minute at 120 BPM
CHOICES = 4  # that can be voted for, of each kind
KINDS = ("dance", "look")
MOST_GUESTS = 1000  # whose votes are kept


@dataclass
class Ballot:
    """One kind of thing that is voted for."""

    names: tuple[str, ...] = ()  # that there are; who votes is shown `choices` of them
    choices: tuple[str, ...] = ()
    votes: dict[str, str] = field(default_factory=dict)  # guest -> name

    def count(self) -> list[int]:
        """Votes for each of the choices."""
        counted = Counter(self.votes.values())
        return [counted[name] for name in self.choices]


class Votes:
    """The rounds of a party. `guest` is whatever tells one guest from another: one vote each."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ballots = {kind: Ballot() for kind in KINDS}
        self._round: int | None = None

    def offer(self, kind: str, names: Sequence[str], now: str | None) -> bool:
        """There are `names` to choose from, and `now` is on. Whether that made new choices: as many as there can be of
        what is not on now, where other names than before are offered."""
        ballot = self._ballots[kind]
        if ballot.names == tuple(names):
            return False
        ballot.names = tuple(names)
        self._draw(ballot, now)
        return True

    def vote(self, guest: str, kind: Any, name: Any) -> bool:
        """Take a vote in place of the last one of that guest; False for what cannot be voted for."""
        if not (isinstance(kind, str) and isinstance(name, str)) or kind not in self._ballots:
            return False
        ballot = self._ballots[kind]
        if name not in ballot.choices or (guest not in ballot.votes and len(ballot.votes) >= MOST_GUESTS):
            return False
        ballot.votes[guest] = name
        return True

    def end_round(self, beat: float, on: dict[str, str | None]) -> dict[str, str]:
        """What won, by kind, if a round has ended at `beat`; `on` is what is on now of each kind.

        A round ends at each multiple of ROUND_BEATS. Where nothing got a vote nothing has won; of those with as many
        votes chance decides.
        """
        this = math.floor(beat / ROUND_BEATS)
        before, self._round = self._round, this
        if before is None or this == before:
            return {}
        won = {}
        for kind, ballot in self._ballots.items():
            counts = ballot.count()
            if most := max(counts, default=0):
                tied = [name for name, count in zip(ballot.choices, counts, strict=True) if count == most]
                won[kind] = self._chance.choice(tied)
            self._draw(ballot, won.get(kind, on.get(kind)))
        return won

    def describe(self) -> dict[str, list[list[Any]]]:
        """Names and votes of each kind, as the page shows them."""
        return {
            kind: [[name, count] for name, count in zip(ballot.choices, ballot.count(), strict=True)]
            for kind, ballot in self._ballots.items()
        }

    def _draw(self, ballot: Ballot, now: str | None) -> None:
        others = [name for name in ballot.names if name != now]
        ballot.choices = tuple(self._chance.sample(others, min(CHOICES, len(others))))
        ballot.votes.clear()
