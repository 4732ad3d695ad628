"""The likeliest beats of a song that was heard whole: the best path through every tempo and every place (Viterbi)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.beat_belief import FINE, Doubles


def find_path(
    gains: Doubles, bump: Doubles, periods: NDArray[np.int64], moves: Doubles, prior: Doubles
) -> tuple[NDArray[np.int64], float]:
    """Places (counted from the first row) of the beats on the likeliest path through all rows, and its score.

    gains (rows): logarithm of a row's odds. bump (odd): their shape about a beat. periods (tempi): places of a beat, up
    to 255 of them. moves (tempi, tempi), prior (tempi): logarithms. The states are rings as in `Belief`. Of two paths
    that are as likely, the one by the first tempo and place is taken. 7 ms for a second of song.
    """
    count, numbers = len(periods), np.arange(len(periods))
    base = np.concatenate([[0], np.cumsum(periods)[:-1]])
    heads = np.zeros(count, np.int64)
    score = np.repeat(prior - np.log(periods), periods)
    came = np.empty((len(gains) * FINE, count), np.uint8)  # tempo of the beat before, for each beat that could begin
    into, ways = np.ascontiguousarray(moves.T), np.empty((count, count))
    about = np.arange(len(bump)) - len(bump) // 2
    for row, gain in enumerate(gains.tolist()):
        for fine in range(FINE):
            heads = np.where(heads > 0, heads, periods) - 1
            at = base + heads
            np.add(into, score[at], out=ways)
            best = ways.argmax(axis=1)
            score[at] = ways[numbers, best]
            came[row * FINE + fine] = best
        near = base[:, None] + (heads[:, None] + about) % periods[:, None]
        score[near] += gain * bump
    turned = np.concatenate(
        [np.roll(score[b : b + p], -h) for b, p, h in zip(base.tolist(), periods.tolist(), heads.tolist(), strict=True)]
    )  # place 0 of each ring first
    end = int(turned.argmax())
    which = int(np.searchsorted(base, end, "right")) - 1
    beats, at_place = [], len(gains) * FINE - 1 - (end - int(base[which]))
    while at_place >= 0:
        beats.append(at_place)
        which = int(came[at_place, which])
        at_place -= int(periods[which])
    return np.array(beats[::-1], np.int64), float(turned[end])
