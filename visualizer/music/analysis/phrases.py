"""Where bars and phrases of a song begin that was heard to its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.downbeat import colour, hit
from visualizer.music.analysis.features import HOPS_A_SECOND, Floats
from visualizer.music.analysis.genre import MEASURES
from visualizer.music.clock import BEATS_PER_BAR

BARS = 8  # of a phrase
PHRASE = BARS * BEATS_PER_BAR  # beats
NEAR = 5  # rows about a beat in which the network may say that it opens a bar
TRUST = 0.75  # in what the network says of it, against the two clues
ONSET = 3  # of what Strokes measures
_CHANGES = [ONSET, *range(6, MEASURES)]  # what tells one part of a song from the next


def find_first_bar(
    low: NDArray[np.float16], bands: Floats, downbeat: Floats, beats: NDArray[np.float64], meter: int
) -> int:
    """Index of the first beat that opens a bar, the song counted through.

    The place within the bar at which the network (downbeat: rows of its activation) hears most downbeats; in four
    four, the two clues of downbeat.py have as much of a say.
    """
    about = np.rint(beats * HOPS_A_SECOND).astype(np.int64)[:, None] + 1 + np.arange(-NEAR, NEAR + 1)
    chance = np.clip(downbeat[np.clip(about, 0, len(downbeat) - 1)].max(axis=1), 0.01, 0.99)
    odds = np.log(chance / (1 - chance))
    said = np.array([odds[k::meter].mean() for k in range(meter)])
    if meter != BEATS_PER_BAR:
        return int(np.argmax(said))
    rows = np.clip(np.rint(beats * HOPS_A_SECOND).astype(np.int64), 0, len(low) - 1)
    hits = np.array([hit(bands[r:, :2]) for r in rows])
    colours = np.stack([colour(low[r:]) for r in rows])
    changes = np.concatenate([[0.0], np.abs(np.diff(colours, axis=0)).mean(axis=1)])
    scores = TRUST * said
    for clue in (hits, changes):
        standard = (clue - clue.mean()) / (clue.std() + 1e-9)
        scores = scores + [standard[k::meter].mean() for k in range(meter)]
    return int(np.argmax(scores))


def find_opening(values: NDArray[np.float16], power: Floats, beats: NDArray[np.float64], phase: int, meter: int) -> int:
    """Index of a beat that opens a phrase of eight bars; `phase` is that of the first beat that opens a bar.

    Where a phrase ends the music changes: its colour, its density, its loudness, over the two bars before and after. Of
    the eight places that a phrase can have, that is taken at which it changes most, also at the half and the quarter
    of a phrase; where nothing speaks for any, the song begins with a phrase.
    """
    if meter != BEATS_PER_BAR or len(beats) < 2 * PHRASE:
        return phase
    rows = np.clip(np.rint(beats * HOPS_A_SECOND).astype(np.int64), 0, len(values) - 1)
    signs = np.column_stack([10 * np.log10(np.maximum(power, 1e-8))[: len(values)] / 3, values[:, _CHANGES]])
    bars = rows[phase::meter]
    sums = np.concatenate(
        [np.zeros((1, signs.shape[1])), np.cumsum(np.nan_to_num(signs, nan=0.0), axis=0, dtype=np.float64)]
    )
    mean = (sums[bars[1:]] - sums[bars[:-1]]) / np.maximum(np.diff(bars), 1)[:, None]
    if len(mean) < 2 * BARS:
        return phase
    mean = (mean - mean.mean(axis=0)) / (mean.std(axis=0) + 1e-3)
    change = np.zeros(len(mean))
    for i in range(1, len(mean) - 1):
        before, after = mean[max(i - 2, 0) : i].mean(axis=0), mean[i : i + 2].mean(axis=0)
        change[i] = np.sqrt(np.mean((after - before) ** 2))
    change[0] = change.mean() + change.std()  # music begins with a phrase, as a rule
    return phase + meter * int(np.argmax(score_openings(change)))


def score_openings(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much speaks for each of the eight places that a phrase can begin at, (BARS,): `change` (bars) is how much the
    music changes with each bar. Changes at the half and the quarter of a phrase speak for its beginning, too, if less.
    """
    scores = np.zeros(BARS)
    for every in (2, 4, BARS):
        scores += [change[k % every :: every].mean() for k in range(BARS)]
    return scores
