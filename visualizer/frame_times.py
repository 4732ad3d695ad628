"""How long frames take: for a line in the log each minute, and one at the end."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field


@dataclass
class FrameTimes:
    """Seconds from flip to flip, and seconds of work in them."""

    intervals: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def add(self, interval: float, work: float) -> None:
        """One more frame, s."""
        self.intervals.append(interval)
        self.work.append(work)

    def report(self) -> str:
        """One line with frames a second and the spread of frame times."""
        if len(self.intervals) < 2:
            return "stats: too few frames to tell"
        ordered = sorted(self.intervals)
        ms = [
            1000 * ordered[min(math.ceil(share * len(ordered)) - 1, len(ordered) - 1)] for share in (0.5, 0.95, 0.99, 1)
        ]
        total = sum(self.intervals)
        return (
            f"stats: {len(ordered)} frames in {total:.2f} s, {len(ordered) / total:.1f} fps; frame ms: "
            f"median {ms[0]:.2f}, 95% {ms[1]:.2f}, 99% {ms[2]:.2f}, worst {ms[3]:.2f}; work ms: "
            f"median {1000 * statistics.median(self.work):.2f}"
        )
