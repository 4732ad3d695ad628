"""Which figure each dancer of a troupe is, and how one turns into another: within a beat, as a blend of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.names import find_name

MORPH_BEATS = 1.0
LONG_AGO = -1e9  # beats

NO_FIGURES = "this pack's dancers are flat: it has no figures to choose from"


def figure_names(info: dict[str, Any]) -> tuple[str, ...]:
    """Names of the figures of a pack, by its pack.json; none of a pack whose dancers are flat."""
    return tuple(str(figure["name"]) for figure in info.get("figures", ()))


def flat_figures(info: dict[str, Any]) -> tuple[str, ...]:
    """Names of those of them that are silhouettes: nobody becomes one but by name, for beside people they look odd."""
    return tuple(str(figure["name"]) for figure in info.get("figures", ()) if figure.get("flat"))


def split_figures(text: str) -> tuple[str, ...]:
    """Names of one figure, or of several between commas."""
    return tuple(name.strip() for name in text.split(","))


class Wardrobe:
    """The figures of N dancers. Times are beats, and do not go back."""

    def __init__(self, figures: tuple[str, ...], seed: int, count: int, flat: tuple[str, ...] = ()) -> None:
        """Each dancer begins as another figure, as far as there are so many, in an order that the seed picks; those
        that are `flat` come last."""
        self.figures = figures
        order = np.random.default_rng([seed, 18]).permutation(len(figures))
        order = order[np.argsort([figures[k] in flat for k in order], kind="stable")]
        self._asked: NDArray[np.int64] = order.astype(np.int64)  # that the dancers are in turn
        self._begun = np.full(0, LONG_AGO)  # when each began to turn into what it is
        self._before = np.zeros((0, len(figures)))  # and the weights that it had then
        self._worn = np.zeros(0, np.int64)
        self.resize(count)

    @property
    def worn(self) -> tuple[str, ...]:
        """The figure of each dancer, also while it is still turning into it."""
        return tuple(self.figures[k] for k in self._worn) if self.figures else ()

    def wear(self, names: Iterable[str], beat: float) -> None:
        """The dancers are these figures in turn, within a beat from `beat` on.

        UserError, and nothing changed, for one that the pack does not have, or if it has none at all.
        """
        if not self.figures:
            raise UserError(NO_FIGURES)
        asked = [self._find(name) for name in names]
        if not asked:
            raise UserError(f"which figure? There are {', '.join(self.figures)}")
        self._asked = np.array(asked, np.int64)
        wanted = self._in_turn(np.arange(len(self._worn)))
        other = wanted != self._worn
        self._before[other] = self.weights(beat)[other]
        self._begun[other] = beat
        self._worn = wanted

    def resize(self, count: int) -> None:
        """So many dancers; those who come are what they will be."""
        kept = min(count, len(self._worn))
        new = self._in_turn(np.arange(kept, count))
        self._worn = np.concatenate([self._worn[:kept], new])
        self._begun = np.concatenate([self._begun[:kept], np.full(len(new), LONG_AGO)])
        self._before = np.concatenate([self._before[:kept], np.zeros((len(new), len(self.figures)))])

    def follow(self, figures: tuple[str, ...], seed: int, flat: tuple[str, ...] = ()) -> Wardrobe:
        """The wardrobe of another pack, with what of this one it has too."""
        other = Wardrobe(figures, seed, len(self._worn), flat)
        known = [self.figures[k] for k in self._asked if self.figures[k] in figures] if self.figures else []
        if known:
            other.wear(known, LONG_AGO)
        return other

    def weights(self, beat: float) -> NDArray[np.float32]:
        """(N, F) shares of the figures in each dancer at that beat; each row sums to 1."""
        share = np.clip((beat - self._begun) / MORPH_BEATS, 0, 1) if len(self._begun) else self._begun
        share = (share * share * (3 - 2 * share))[:, None]
        now = np.eye(len(self.figures))[self._worn] if self.figures else np.zeros((len(self._worn), 0))
        return (self._before * (1 - share) + now * share).astype(np.float32)

    def _in_turn(self, dancers: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._asked[dancers % len(self._asked)] if len(self._asked) else np.zeros(len(dancers), np.int64)

    def _find(self, name: str) -> int:
        found = find_name(name, self.figures)
        if found is None:
            raise UserError(f"no figure {name!r} in this pack; it has {', '.join(self.figures)}")
        return self.figures.index(found)
