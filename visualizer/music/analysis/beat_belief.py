"""The inner loops of the beat tracker: how a belief over every tempo and every place within the beat moves on.

Numba compiles them, for in Python they would be too slow; it comes with librosa. The compiled loops are kept on disk,
so only the first start waits for them, and they let go of the interpreter while they run.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

FINE = 2  # places within a row of 10 ms: at 200 BPM whole rows would be tempo steps of 3%


@njit(cache=True, nogil=True, fastmath=True)  # for its sums
def weigh_row(belief, base, periods, heads, moves, powers):
    """One row: move on by FINE places, weigh the places about the beat with `powers`.

    belief (states): for each tempo a ring of `period` places, whose place 0 lies at `heads`. moves (tempi, 2 band + 1):
    how a beat's tempo passes on to its neighbours. Returns by how much the mass of the belief has grown.
    """
    count, band, wide = len(periods), moves.shape[1] // 2, len(powers) // 2
    wrapped = np.empty(count)
    for _ in range(FINE):
        for k in range(count):
            heads[k] = heads[k] - 1 if heads[k] > 0 else periods[k] - 1
            wrapped[k] = belief[base[k] + heads[k]]
        for k in range(count):
            total = 0.0
            for j in range(max(k - band, 0), min(k + band + 1, count)):
                total += wrapped[j] * moves[j, k - j + band]
            belief[base[k] + heads[k]] = total
    grown = 0.0
    for k in range(count):
        for o in range(-wide, wide + 1):
            place = heads[k] + o
            place += periods[k] if place < 0 else (-periods[k] if place >= periods[k] else 0)
            before = belief[base[k] + place]
            belief[base[k] + place] = before * powers[o + wide]
            grown += before * (powers[o + wide] - 1)
    return grown


@njit(cache=True, nogil=True, fastmath=True)
def renew(belief, fresh, restart):
    """Start a share of the belief again, and make its mass 1 again."""
    scale = (1 - restart) / belief.sum()
    for i in range(len(belief)):
        belief[i] = belief[i] * scale + restart * fresh[i]


@njit(cache=True, nogil=True)
def lean_on_phase(belief, base, periods, heads, powers):
    """Weigh every place within the beat, powers (any number) of them from one beat to the next; the new mass."""
    mass = 0.0
    for k in range(len(periods)):
        for p in range(periods[k]):
            place = heads[k] + p
            place -= periods[k] if place >= periods[k] else 0
            belief[base[k] + place] *= powers[p * len(powers) // periods[k]]
            mass += belief[base[k] + place]
    return mass


@njit(cache=True, nogil=True)
def mass_around(belief, base, periods, heads, period, phase, reach, near):
    """Mass, mean log period and mean phase of the belief within `reach` of a tempo (natural log) and `near` a phase.

    Eight parameters, for a compiled loop is given arrays and numbers, no objects.
    """
    mass, tempo, off = 0.0, 0.0, 0.0
    for k in range(len(periods)):
        away = math.log(periods[k] / period)
        if abs(away) > reach:
            continue
        middle = phase * periods[k]
        wide = near * periods[k]
        for p in range(math.ceil(middle - wide), math.floor(middle + wide) + 1):
            value = belief[base[k] + (heads[k] + p) % periods[k]]
            mass += value
            tempo += value * away
            off += value * (p / periods[k] - phase)
    if mass <= 0:
        return 0.0, period, phase
    return mass, period * math.exp(tempo / mass), phase + off / mass


@njit(cache=True, nogil=True)
def best_state(belief, base, periods, heads, bias):
    """Period and phase of the likeliest state, each tempo weighed with its bias."""
    best, which, where = -1.0, 0, 0
    for k in range(len(periods)):
        for p in range(periods[k]):
            value = belief[base[k] + p] * bias[k]
            if value > best:
                best, which, where = value, k, p
    return which, (where - heads[which]) % periods[which] / periods[which]


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
