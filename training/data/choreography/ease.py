"""Keys to curves: how a body goes from one pose to the next.

A track is a list of keys in musical time that repeats for ever. How a key is reached is its easing:

    "~"  smooth   leaves softly, arrives softly, and is there on the beat
    "!"  hit      waits, draws back a little, snaps in just before the beat, overshoots and settles
    "/"  swing    passes through without stopping (Catmull-Rom tangent)
    "="  even     constant speed, for machines

The curves are cubic Hermite splines; stops have a zero tangent. Anticipation and overshoot are the old
animators' principles (Thomas and Johnston, *The Illusion of Life*, 1981) as terms added to the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMOOTH_BEATS = 0.9  # a soft move takes at most this long; before it the pose is held
HIT_BEATS = 0.8  # a hit: a quarter of it draws back, the rest snaps
ANTICIPATION = 0.07  # share of the way that a hit first goes backwards
SETTLE_BEATS = 0.13  # time from the beat to the peak of the overshoot
OVERSHOOT = {"~": 0.025, "!": 0.09, "/": 0.0, "=": 0.0}


@dataclass(frozen=True)
class Keys:
    """Keys of one track: `times` (K,) beats, sorted, within one period; `values` (K, C); `eases` K characters.

    After one period the values have become `values * wrap_scale + wrap_add`: a dancer who has spun round
    once is 360 degrees further, and a quaternion that has come round may have changed its sign.
    """

    times: Floats
    values: Floats
    eases: str
    period: float
    wrap_add: float = 0.0
    wrap_scale: float = 1.0


def smoothstep(u: Floats) -> Floats:
    """0 to 1 with zero slope at both ends; `u` of any shape, clipped to 0..1."""
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def bump(u: Floats) -> Floats:
    """0 outside 0..1, one smooth hill of height 1 inside."""
    u = np.clip(u, 0.0, 1.0)
    return 16.0 * u * u * (1.0 - u) * (1.0 - u)


def tween(keys: Keys, t: Floats, flourish: float = 1.0) -> Floats:
    """Values (T, C) at musical times `t` (T,) beats. `flourish` scales anticipation and overshoot."""
    count = len(keys.times)
    # The keys of the previous and next rounds, so that a curve at the seam knows its neighbours.
    rounds = np.arange(-2, 3)
    if count > 2:
        rounds = np.arange(-1, 2)
    times = np.concatenate([keys.times + r * keys.period for r in rounds])
    values = np.concatenate([keys.values * keys.wrap_scale ** abs(r) + r * keys.wrap_add for r in rounds])
    codes = np.array(list(keys.eases * len(rounds)))

    gap = np.diff(times)
    slope = np.zeros_like(values)
    inner = codes[1:-1] == "/"
    central = (values[2:] - values[:-2]) / (gap[1:] + gap[:-1])[:, None]
    slope[1:-1][inner] = central[inner]

    phase = np.mod(t, keys.period)
    turns = np.floor_divide(t, keys.period)
    b = np.searchsorted(times, phase, side="left")  # the key that is being reached; at its own time, arrived
    a = b - 1
    start, end = times[a], times[b]
    length = end - start
    code = codes[b]
    window = length.copy()
    window[code == "~"] = np.minimum(length, SMOOTH_BEATS)[code == "~"]
    window[code == "!"] = np.minimum(length, HIT_BEATS)[code == "!"]
    window = np.where((codes[a] == "/") & (code != "!"), length, window)  # a swing does not stop to wait
    u = np.clip((phase - (end - window)) / window, 0.0, 1.0)

    hit = code == "!"
    wait = 0.25 * np.clip((window - 0.5) / (HIT_BEATS - 0.5), 0.0, 1.0)  # on half beats there is no time for it
    snap = np.clip((u - wait) / (1.0 - wait), 0.0, 1.0)
    v = np.where(hit, snap**1.2, u)
    v2, v3 = v * v, v * v * v
    h00, h10, h01, h11 = 2 * v3 - 3 * v2 + 1, v3 - 2 * v2 + v, 3 * v2 - 2 * v3, v3 - v2
    even = code == "="
    h00, h01 = np.where(even, 1 - u, h00), np.where(even, u, h01)
    h10, h11 = np.where(even | hit, 0.0, h10), np.where(even, 0.0, h11)
    draw_back = np.where(hit, ANTICIPATION * flourish * 4.0 * wait * bump(u / 0.5), 0.0)
    h00, h01 = h00 + draw_back, h01 - draw_back
    out = h00[:, None] * values[a] + h01[:, None] * values[b]
    out += window[:, None] * (h10[:, None] * slope[a] + h11[:, None] * slope[b])

    # Overshoot after the last two keys passed: rises with zero speed, peaks, dies away.
    overshoot = np.array([OVERSHOOT[c] for c in codes])
    for back in (0, 1):
        key = np.maximum(a - back, 1)
        after = (phase - times[key]) / SETTLE_BEATS
        amount = flourish * overshoot[key]
        swell = amount * after**2 * np.exp(2.0 * (1.0 - after))
        out += swell[:, None] * (values[key] - values[key - 1])
    if keys.wrap_add:
        out += turns[:, None] * keys.wrap_add
    if keys.wrap_scale != 1.0:
        out *= np.where(np.mod(turns, 2) == 0, 1.0, keys.wrap_scale)[:, None]
    return out
