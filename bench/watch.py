"""Records each frame of a long show while it runs, and prints figures and a plot of the record afterwards.

A folder with frames.bin, one `FRAME` for each picture shown, and memory.tsv, one line a minute. Both are written to the
disk at once, so that recording needs no memory of its own. Linux only, because it reads /proc.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

# Seconds of the show; seconds that tell how long a frame took; musical time drawn, beats; a hash of the silhouette.
FRAME = np.dtype([("at", "<f8"), ("spent", "<f8"), ("beat", "<f8"), ("body", "<i8")])
LATE = 0.100  # seconds: a frame that took longer is seen as a stumble
NEAR = 0.070  # seconds within which a dance counts as on the beat
STEP = 600.0  # seconds in which silhouettes are counted


class Watch:
    """Writes frames down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._frames = (folder / "frames.bin").open("wb")
        self._memory = (folder / "memory.tsv").open("w", encoding="ascii")
        self._row = np.zeros(1, FRAME)
        self._due = 0.0

    def frame(self, at: float, stamp: float, beat: float, silhouette: NDArray[np.bool_]) -> None:
        """A frame was drawn at `at` seconds; `stamp` is a clock of which the differences are frame times."""
        self._row[0] = (at, stamp, beat, hash(silhouette.tobytes()))
        self._frames.write(self._row.tobytes())
        if at >= self._due:
            self._due = at + 60
            self._memory.write(f"{at:.1f}\t{resident():.2f}\t{handles()}\n")
            self._memory.flush()

    def close(self) -> None:
        self._frames.close()
        self._memory.close()


def resident() -> float:
    """MB of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def handles() -> int:
    """Files, pipes and sockets that this process has open."""
    return len(os.listdir("/proc/self/fd"))


@dataclass(frozen=True)
class Soaked:
    """What was written down, in time."""

    at: NDArray[np.float64]  # (F,) seconds since the first frame
    took: NDArray[np.float64]  # (F,) seconds; the first is 0
    off: NDArray[np.float64]  # (F,) seconds that the dance is late; NaN where the beat cannot be known yet
    bodies: NDArray[np.int64]  # (F,)
    backwards: int  # number of frames whose musical time was less than that of the frame before
    minutes: NDArray[np.float64]  # (M, 3): seconds, MB, handles


def read(folder: Path, music: Callable[[Times], tuple[Times, Times]], apart: float = 0.0) -> Soaked:
    """Read a record. `music(seconds)` gives the true beat, NaN where it cannot be known yet, and the seconds of a beat
    there.

    `apart`: the largest share by which the clock of the sound may be faster or slower than ours.
    """
    frames = np.fromfile(folder / "frames.bin", FRAME)
    minutes = np.loadtxt(folder / "memory.tsv", ndmin=2)
    some = frames[:: max(1, len(frames) // 2000)]

    def agreement(way: tuple[float, float]) -> float:
        beat, _ = music(some["at"] * (1 + way[1]) - way[0] - some["at"][0] * way[1])
        return float(np.abs(np.nanmean(np.exp(2j * np.pi * (beat - some["beat"])))))

    # The delay from loudspeaker to ear and the true rate of the sound card are not known, and do not count as errors.
    rates = np.arange(-apart, apart + 1e-5, 1e-5) if apart else (0.0,)
    delay, rate = max(itertools.product(np.arange(-1.0, 4.0, 0.02), rates), key=agreement)
    beat, length = music(frames["at"] * (1 + rate) - delay - frames["at"][0] * rate)
    late = (np.mod(beat - frames["beat"] + 0.5, 1) - 0.5) * length
    late -= np.nanmedian(late)
    start = frames["at"][0]
    return Soaked(
        frames["at"] - start, np.diff(frames["spent"], prepend=frames["spent"][:1]), late, frames["body"],
        int((np.diff(frames["beat"]) < 0).sum()), minutes - np.array([start, 0, 0]),
    )  # fmt: skip


def _off_by(off: Times) -> str:
    there = np.abs(off[~np.isnan(off)])
    if not len(there):
        return "nothing known"
    return f"{1000 * np.median(there):.1f} ms, {100 * np.mean(there < NEAR):.1f}% within {1000 * NEAR:.0f} ms"


def figures(soaked: Soaked, warm: float, span: float) -> list[str]:
    """The figures in words. `warm`: seconds after which memory and frames count. `span`: length in seconds of the
    beginning and the end that are compared: of the whole show for the beat, of the time after `warm` for memory."""
    at, end = soaked.at, soaked.at[-1]
    took = soaked.took[at >= warm] * 1000
    minutes = soaked.minutes[soaked.minutes[:, 0] >= min(warm, soaked.minutes[-1, 0])]
    more = minutes[:, 2] - minutes[0, 2]  # handles
    # Memory varies with what is on stage, so medians over several minutes are compared.
    first, last = (
        float(np.median(minutes[part, 1]))
        for part in (minutes[:, 0] <= minutes[0, 0] + span, minutes[:, 0] >= minutes[-1, 0] - span)
    )
    early = soaked.minutes[soaked.minutes[:, 0] <= minutes[0, 0], 1]
    trend = np.polyfit(minutes[:, 0] / 3600, minutes[:, 1], 1)[0] if len(minutes) > 2 else 0.0
    parts = np.split(soaked.bodies, np.searchsorted(at, np.arange(STEP, end, STEP)))
    if len(parts) > 1 and len(parts[-1]) < len(parts[0]) / 2:  # what is left over
        del parts[-1]
    varied = [len(np.unique(part)) for part in parts]
    return [
        f"{len(at):,} frames in {end / 3600:.2f} hours",
        f"memory {first:.1f} MB after {warm / 60:.0f} minutes, {last:.1f} at the end: {last - first:+.1f} (goal: 5), "
        f"medians of {span / 60:.0f} minutes; one minute {minutes[:, 1].min():.1f}, another {minutes[:, 1].max():.1f}; "
        f"until then at most {early.max():.1f}; trend {trend:+.2f} MB an hour",
        f"open handles {minutes[0, 2]:.0f}, {more[-1]:+.0f} at the end, at most {more.max():+.0f} (goal: 0)",
        f"frames: median {np.median(took):.1f} ms, 99% {np.percentile(took, 99):.1f}, worst {took.max():.1f}; "
        f"{(took > 1000 * LATE).sum()} of {len(took):,} later than {1000 * LATE:.0f} (goal: 0)",
        f"beat off by {_off_by(soaked.off[at < span])} in the first {span / 60:.0f} minutes; "
        f"{_off_by(soaked.off[at >= end - span])} in the last (goal: no worse)",
        f"distinct silhouettes in ten minutes: {min(varied):,} to {max(varied):,}, in the last {varied[-1]:,}",
        f"musical time ran backwards {soaked.backwards} times",
    ]


def plot(soaked: Soaked, path: Path, title: str) -> None:
    """Memory, frame times and phase error over the hours, as PNG."""
    from matplotlib.figure import Figure

    hours, minute = soaked.at / 3600, (soaked.at // 60).astype(np.int64)
    edges = np.searchsorted(minute, np.arange(minute[-1] + 1))
    middle = (np.arange(minute[-1] + 1) + 0.5) / 60
    groups = [slice(a, b) for a, b in zip(edges, [*edges[1:], len(minute)], strict=True)]
    figure = Figure((9, 7), layout="constrained")
    figure.suptitle(title)
    memory, frames, phase = figure.subplots(3, 1, sharex=True)
    memory.plot(soaked.minutes[:, 0] / 3600, soaked.minutes[:, 1])
    memory.set(ylabel="memory, MB", ylim=(0, None))
    took = 1000 * soaked.took
    frames.plot(middle, [took[g].max() for g in groups], label="worst of a minute")
    frames.plot(middle, [np.median(took[g]) for g in groups], label="median")
    frames.axhline(1000 * LATE, color="0.6", linestyle=":", label="seen as a stumble")
    frames.set(ylabel="a frame, ms", yscale="log")
    frames.legend()
    known = [1000 * soaked.off[g][~np.isnan(soaked.off[g])] for g in groups]
    shares = np.array([np.percentile(k, (10, 50, 90)) if len(k) else (np.nan,) * 3 for k in known])
    phase.fill_between(middle, shares[:, 0], shares[:, 2], alpha=0.3, label="four frames of five")
    phase.plot(middle, shares[:, 1], label="median")
    phase.set(ylabel="dance late by, ms", xlabel="hours", xlim=(0, hours[-1]))
    phase.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
