"""The likeliest beats of a song that was heard whole: the best path through every tempo and every place (Viterbi).

Numba compiles it, for it looks at some millions of states; librosa brings numba. What is compiled is kept on disk, so
only the first song waits for it, and it lets go of the interpreter while it runs. The live tracker does without, for
to load the compiler takes a third of a second, 100 MB, and holds up every other thread for tens of milliseconds.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from visualizer.music.analysis.beat_belief import FINE


@njit(cache=True, nogil=True)
def find_path(gains, bump, base, periods, moves, prior):
    """Places (counted from the first row) of the beats on the likeliest path through all rows (Viterbi).

    gains (rows): logarithm of a row's odds. moves (tempi, tempi), prior (tempi): logarithms.
    """
    count, wide = len(periods), len(bump) // 2
    heads = np.zeros(count, np.int64)
    score = np.empty(base[-1] + periods[-1])
    for k in range(count):
        score[base[k] : base[k] + periods[k]] = prior[k] - math.log(periods[k])
    came = np.empty((len(gains) * FINE, count), np.uint8)  # tempo of the beat before, for each beat that could begin
    wrapped = np.empty(count)
    for row in range(len(gains)):
        for fine in range(FINE):
            for k in range(count):
                heads[k] = heads[k] - 1 if heads[k] > 0 else periods[k] - 1
                wrapped[k] = score[base[k] + heads[k]]
            for k in range(count):
                best, which = -np.inf, 0
                for j in range(count):
                    value = wrapped[j] + moves[j, k]
                    if value > best:
                        best, which = value, j
                score[base[k] + heads[k]] = best
                came[row * FINE + fine, k] = which
        for k in range(count):
            for o in range(-wide, wide + 1):
                score[base[k] + (heads[k] + o) % periods[k]] += gains[row] * bump[o + wide]
    best, k, place = -np.inf, 0, 0
    for j in range(count):
        for p in range(periods[j]):
            if score[base[j] + (heads[j] + p) % periods[j]] > best:
                best, k, place = score[base[j] + (heads[j] + p) % periods[j]], j, p
    beats = [0]  # a typed list for the compiler; its first entry goes
    at = len(gains) * FINE - 1 - place
    while at >= 0:
        beats.append(at)
        k = came[at, k]
        at -= periods[k]
    return np.array(beats[:0:-1]), best
