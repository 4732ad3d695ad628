"""How a dance answers the energy of its music, over a whole show. Pure functions of rows, one a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluate.metrics import Floats
from visualizer.dancer.pack import BEATS_PER_BAR, STEPS_PER_BEAT

BAR = BEATS_PER_BAR * STEPS_PER_BEAT  # steps
LONGEST_LAG = 16  # beats
LEAST_R = 0.1  # with a weaker answer its lag means nothing


def mean_over(rows: Floats, steps: int) -> Floats:
    """Means over whole blocks of `steps`, (S,) -> (S // steps,)."""
    return rows[: len(rows) // steps * steps].reshape(-1, steps).mean(axis=1)


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's r of two rows (N,); 0 where one of them does not change."""
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 1e-12 else 0.0


def energy_correlation(speed: Floats, level: Floats) -> float:
    """Pearson's r, bar by bar, of the speed of a dance with the energy of its music, (S,) each."""
    return correlation(mean_over(speed, BAR), mean_over(level, BAR))


def response_lag(speeds: Sequence[Floats], levels: Sequence[Floats]) -> float | None:
    """Beats by which the dance follows the music: the lag, 0 to `LONGEST_LAG`, at which the speed of each beat fits the
    energy of the beat that much earlier best (largest mean Pearson's r over the shows). None where even that is below
    `LEAST_R`. Cross-correlation as for the response lag of DiscoForcing (2026), which has another signal and rate."""
    fits = np.zeros(LONGEST_LAG + 1)
    for speed, level in zip(speeds, levels, strict=True):
        a, b = mean_over(speed, STEPS_PER_BEAT), mean_over(level, STEPS_PER_BEAT)
        fits += [correlation(a[lag:], b[: len(b) - lag]) for lag in range(LONGEST_LAG + 1)]
    best = int(fits.argmax())
    return float(best) if fits[best] / max(len(speeds), 1) >= LEAST_R else None


def section_speeds(speed: Floats, section: np.ndarray, names: Sequence[str], settle: int = BAR) -> Mapping[str, float]:
    """Mean speed in each kind of section: `speed` (S,), `section` (S,) numbers of `names`. The first `settle` steps of
    a section are left out: a dance needs a moment to answer. Kinds that do not occur are left out."""
    begins = np.flatnonzero(np.diff(section, prepend=-1) != 0)
    since = np.arange(len(section)) - np.repeat(begins, np.diff(np.append(begins, len(section))))
    settled = since >= settle
    return {
        name: float(speed[settled & (section == number)].mean())
        for number, name in enumerate(names)
        if (settled & (section == number)).any()
    }
