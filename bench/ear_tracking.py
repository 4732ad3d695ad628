"""Our tracker on inputs that were computed before: live, whole, searched for better parameters, and drawn."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from bench.ear_clips import Clip, Front
from bench.ear_marks import Called, Marks, mark, mean
from visualizer.music.analysis.beat_pipeline import ROWS, Caller, Rows
from visualizer.music.analysis.beats import BeatTracker, TrackerParams, find_beats
from visualizer.music.analysis.features import HOP, RATE, row_time

TUNED = {  # parameter: the factor by which it is varied
    "center": 1.06, "spread": 1.2, "stiff": 1.3, "restart": 1.7, "share": 1.15, "weight": 1.25, "even": 1.4,
    "floor": 1.3, "width": 1.2, "awake": 1.3, "patience": 1.5, "path": 1.2, "memory": 1.3, "bar_weight": 1.3,
    "bar_slip": 1.5,
}  # fmt: skip


def call_live(front: Front, params: TrackerParams | None = None, gated: bool = True) -> Called:
    """What `BeatPipeline` calls live, pair of rows by pair of rows. Not `gated`: all beats, sure or not."""
    tracker, caller = BeatTracker(params), Caller()
    beats, downbeats, late = [], [], []
    begun = time.process_time()
    for i, pair in enumerate(front.heard.pairs(), 1):
        tracker.push(*pair)
        if not gated:
            tracker.steady = True
        if (one := caller.call(tracker, i * ROWS)) is not None:
            beats.append(one[0])
            downbeats += [one[0]] * one[1]
            late.append(i * ROWS * HOP / RATE - one[0])
    cpu = (front.cpu + time.process_time() - begun) / front.seconds
    return Called(np.array(beats), np.array(downbeats), float(np.mean(late)) if late else None, cpu)


def call_whole(front: Front, params: TrackerParams | None = None) -> Called:
    """With the future known, as songs and films have it."""
    begun = time.process_time()
    found = find_beats(front.rows.activations, front.rows.onset, params)
    cpu = (front.cpu + time.process_time() - begun) / front.seconds
    return Called(found.beats, found.downbeats, None, cpu)


def call_all(fronts: Sequence[Front], workers: int = 1) -> list[Called]:
    """`call_live` on each, by so many processes."""
    if workers < 2:
        return [call_live(front) for front in fronts]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(call_live, fronts))


# --- tuning ----------------------------------------------------------------------------------------------------


def worth(marks: Sequence[Marks]) -> float:
    """The score that the search increases."""
    locks = np.mean([min(one.lock, 20.0) for one in marks]) / 20
    return sum(mean(marks, n) for n in ("f", "cmlt", "amlt")) + 0.5 * mean(marks, "downbeat_f") - 0.5 * float(locks)


def _worth_of(given: tuple[TrackerParams, list[Clip], list[Front]]) -> float:
    params, clips, fronts = given
    called = [call_live(one, params, gated=False) for one in fronts]
    return worth([mark(clip, one) for clip, one in zip(clips, called, strict=True)])


def tune(clips: list[Clip], fronts: list[Front], tries: int, say: Callable[[str], None]) -> TrackerParams:
    """Hill climbing: change some parameters at random and keep what is better. `clips`: those that choose, once for
    each scene; `fronts`: the tracker's input for each."""
    rng, best, pair = np.random.default_rng(0), TrackerParams(), os.cpu_count() or 1
    with ProcessPoolExecutor(pair) as pool:
        top = _worth_of((best, clips, fronts))
        say(f"{top:.4f} {best}")
        for _ in range(math.ceil(tries / pair)):
            others = []
            for _ in range(pair):
                moved = {
                    name: getattr(best, name) * by ** rng.standard_normal()
                    for name, by in TUNED.items()
                    if rng.random() < 0.3
                }
                for name in ("share", "path"):
                    moved[name] = min(moved.get(name, getattr(best, name)), 1.0)
                others.append(replace(best, **moved))
            given = [(other, clips, fronts) for other in others]
            for other, value in zip(others, pool.map(_worth_of, given), strict=True):
                if value > top:
                    best, top = other, value
                    say(f"{top:.4f} " + " ".join(f"{f.name}={getattr(best, f.name):.4g}" for f in fields(best)))
    return best


# --- pictures --------------------------------------------------------------------------------------------------


def plot(clip: Clip, front: Front, path: Path, seconds: float = 20.0) -> None:
    """Plot the beginning of a clip: activations, belief over tempo, and called beats beside the true ones."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    front = front._replace(live=min(front.live, int(seconds * RATE) // HOP // ROWS * ROWS))
    rows: Rows = front.heard
    tracker = BeatTracker()
    bpms, _ = tracker.tempi()
    tempi, phases, sure = [], [], []
    for pair in rows.pairs():
        tracker.push(*pair)
        tempi.append(tracker.tempi()[1])
        phases.append((tracker.bpm, tracker.beat))
        sure.append((tracker.confidence, tracker.bar_confidence, float(tracker.steady)))
    at = np.asarray(row_time(np.arange(len(rows.onset))))
    called = call_live(front)
    figure, (top, middle, low) = pyplot.subplots(3, 1, figsize=(18, 10), sharex=True, height_ratios=(3, 3, 2))
    top.plot(at, rows.activations.beat, lw=0.9, label="network: beat")
    top.plot(at, -rows.activations.downbeat, lw=0.9, label="network: downbeat (downwards)")
    top.plot(at, rows.onset * 0.4 - 1.5, lw=0.6, color="gray", label="onset")
    top.vlines(clip.beats, 1.02, 1.2, color="black", label="true beats, bars longer")
    top.vlines(clip.downbeats, 1.02, 1.4, color="black", lw=2)
    top.vlines(called.beats, -1.75, -1.55, color="red", label="called beats, bars longer")
    top.vlines(np.asarray(called.downbeats), -1.95, -1.55, color="red", lw=2)
    top.legend(loc="upper right", fontsize=8)
    top.set_title(clip.name)
    middle.pcolormesh(at[ROWS - 1 :: ROWS], bpms, np.sqrt(np.array(tempi).T), shading="nearest", cmap="magma")
    middle.plot(at[ROWS - 1 :: ROWS], [bpm for bpm, _ in phases], color="cyan", lw=1, label="followed")
    gaps = np.diff(clip.beats)
    middle.plot(clip.beats[1:], 60 / gaps, color="lime", lw=0.8, ls=":", label="true")
    middle.set_ylabel("belief over BPM")
    middle.legend(loc="upper right", fontsize=8)
    place = np.array([beat % 1.0 for _, beat in phases])
    low.plot(at[ROWS - 1 :: ROWS], place, lw=0.6, color="tab:red", label="place in the beat")
    for k, name in enumerate(("confidence", "bar confidence", "steady")):
        low.plot(at[ROWS - 1 :: ROWS], [one[k] for one in sure], lw=1, label=name)
    low.vlines(clip.beats, 0, 1, color="black", lw=0.4)
    low.legend(loc="upper right", fontsize=8)
    low.set_xlabel("seconds")
    low.set_xlim(0, seconds)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)
