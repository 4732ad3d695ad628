"""How well beats were called: the marks of `bench.ear`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import mir_eval
import numpy as np

from bench.ear_clips import Clip, Times

WARM_UP = 5.0  # seconds that are not judged
HIT = 0.07  # seconds, mir_eval's own
ROW_OF_LOCK = 4  # beats in a row
STATES = ("right", "double", "half", "off-beat", "silent", "astray")
BANDS = ((0.0, 90.0), (90.0, 120.0), (120.0, 150.0), (150.0, 999.0))  # BPM


class Called(NamedTuple):
    """What an ear called: times in seconds."""

    beats: Times
    downbeats: Times | None  # None: it does not know bars
    late: float | None  # seconds, mean, from a beat to its call
    cpu: float  # seconds of CPU a second of sound


class Marks(NamedTuple):
    """Of one clip; `lock` is infinite if it never was."""

    f: float
    forgiven: float  # F where half, double and the other half of the beats are right too
    cmlt: float
    amlt: float
    downbeat_f: float
    off: float  # seconds, mean distance of the beats that were hit; NaN without a hit
    shift: float  # seconds by which the beats that were hit were called too late, mean; negative is too early
    lock: float
    shares: tuple[float, ...]  # of the true beats, in each of STATES


def mark(clip: Clip, called: Called, warm_up: float = WARM_UP) -> Marks:
    """How well the beats of a clip were called."""
    true, beats = (times[times >= warm_up] for times in (clip.beats, called.beats))
    lock = time_to_lock(clip.beats, called.beats)
    shares = find_shares(true, called.beats)
    if len(beats) < 2 or len(true) < 2:
        return Marks(0.0, 0.0, 0.0, 0.0, 0.0, math.nan, math.nan, lock, shares)
    _, cmlt, _, amlt = mir_eval.beat.continuity(true, beats)
    off = beats[None, :] - true[:, None]
    off = off[np.arange(len(true)), np.abs(off).argmin(axis=1)]
    off = off[np.abs(off) < HIT]
    downbeat_f = math.nan
    if called.downbeats is not None and len(clip.downbeats):
        bars, heard = (times[times >= warm_up] for times in (clip.downbeats, called.downbeats))
        downbeat_f = float(mir_eval.beat.f_measure(bars, heard)) if len(heard) else 0.0
    return Marks(
        float(mir_eval.beat.f_measure(true, beats)),
        max(float(mir_eval.beat.f_measure(level, beats)) for level in levels_of(true) if len(level)),
        cmlt, amlt, downbeat_f, float(np.abs(off).mean()) if len(off) else math.nan,
        float(off.mean()) if len(off) else math.nan, lock, shares,
    )  # fmt: skip


def levels_of(true: Times) -> tuple[Times, ...]:
    """The true beats; those and the middles between them; every other one, from the first and from the second on."""
    middles = (true[1:] + true[:-1]) / 2
    return true, np.sort(np.concatenate([true, middles])), true[::2], true[1::2]


def find_shares(true: Times, beats: Times) -> tuple[float, ...]:
    """Which share of the true beats was danced in each of STATES.

    A beat is `double` where its middle was called as well, `off-beat` where only that was, `half` among others of which
    every second one was called, `silent` where nothing was called within a beat and a half of it."""
    if len(true) < 3:
        return (0.0,) * (len(STATES) - 2) + (1.0, 0.0)
    gaps = np.diff(true)

    def near(at: Times, within: Times | float) -> np.ndarray:
        if not len(beats):
            return np.zeros(len(at), bool)
        return np.abs(at[:, None] - beats).min(axis=1) < within

    on, middle = near(true[:-1], HIT), near(true[:-1] + gaps / 2, HIT)
    silent = ~near(true[:-1], 1.5 * gaps)
    counts = dict.fromkeys(STATES, 0)
    for i in range(len(gaps)):
        before, after = (bool(on[k]) if 0 <= k < len(on) else None for k in (i - 1, i + 1))
        between = bool(middle[max(i - 1, 0) : i + 1].any())
        # The same place two beats away is as this one, and the neighbours are not.
        apart = all(bool(on[k]) == bool(on[i]) for k in (i - 2, i + 2) if 0 <= k < len(on))
        alternate = apart and not between and all(one is not bool(on[i]) for one in (before, after) if one is not None)
        if silent[i]:
            state = "silent"
        elif on[i]:
            state = "double" if middle[i] else "half" if alternate else "right"
        else:
            state = "off-beat" if middle[i] else "half" if alternate else "astray"
        counts[state] += 1
    return tuple(counts[state] / len(gaps) for state in STATES)


def time_to_lock(true: Times, beats: Times) -> float:
    """Seconds at which the first ROW_OF_LOCK beats in a row have been called that are neighbours, each within HIT, on
    the true beats, on every other one, or on those and the middles between them; infinite if there are none."""
    first = math.inf
    for level in levels_of(true):
        if len(level) < ROW_OF_LOCK:
            continue
        away = np.abs(beats[:, None] - level)
        nearest, hit = away.argmin(axis=1), away.min(axis=1) < HIT
        run = 0
        for i in range(len(beats)):
            follows = i > 0 and hit[i - 1] and nearest[i] == nearest[i - 1] + 1
            run = (run + 1 if follows else 1) if hit[i] else 0
            if run == ROW_OF_LOCK:
                first = min(first, float(beats[i]))
                break
    return first


def mean(marks: Iterable[Marks], name: str) -> float:
    """Mean of a mark over clips, those that have none left out."""
    values = [getattr(one, name) for one in marks]
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def mean_share(marks: Sequence[Marks], state: str) -> float:
    """Mean over clips of the share of beats in one of STATES."""
    return float(np.mean([one.shares[STATES.index(state)] for one in marks]))


HEADINGS = (
    "ear", "clips", "F", "F, any octave", "CMLt", "AMLt", "downbeat F", "double", "half", "off-beat", "silent",
    "off ms", "late ms", "lock s", "never", "CPU s/s", "told ms",
)  # fmt: skip


def row(name: str, clips: Sequence[Clip], called: Sequence[Called], warm_up: float = WARM_UP) -> list[str]:
    """One row of the table."""
    marks = [mark(clip, one, warm_up) for clip, one in zip(clips, called, strict=True)]
    locks = [one.lock for one in marks]
    told = [one.late for one in called if one.late is not None]
    numbers = [mean(marks, name) for name in ("f", "forgiven", "cmlt", "amlt", "downbeat_f")]
    return [
        name, str(len(clips)), *("–" if math.isnan(n) else f"{n:.3f}" for n in numbers),
        *(f"{mean_share(marks, state):.0%}" for state in ("double", "half", "off-beat", "silent")),
        f"{1000 * mean(marks, 'off'):.1f}", f"{1000 * mean(marks, 'shift'):.0f}", f"{np.median(locks):.1f}",
        f"{np.mean(np.isinf(locks)):.0%}",
        f"{np.mean([one.cpu for one in called]):.4f}", f"{1000 * np.mean(told):.0f}" if told else "–",
    ]  # fmt: skip
