"""Processor time of the painter alone, look by look; other programs disturb it less than frame times.

    python -m bench.paint [--look NAME]…

A real dance of 24 beats is painted at both sizes, and the time of this one thread is taken for each picture.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.gallery import dance
from visualizer.moment import Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import Look, find_look, shipped_looks
from visualizer.values import parse_size

SIZES = ("1280x720", "1920x1080")


def paint_times(size: tuple[int, int], look: Look, moments: list[Moment]) -> list[float]:
    """Processor ms of this thread for each picture; the first, which makes the backdrop, comes first."""
    painter, times = Painter(size), []
    for moment in (replace(each, look=look) for each in moments):
        begun = time.thread_time()
        painter.paint(moment)
        times.append(1000 * (time.thread_time() - begun))
    return times


def print_paint(looks: Sequence[Look]) -> None:
    """A table of what painting takes."""
    table = Table(title="painter alone, processor ms a picture, one thread")
    for heading in ("size", "look", "median", "95%", "99%", "worst", "first of all"):
        table.add_column(heading, justify="left" if heading in ("size", "look") else "right")
    moments = dance(11, 32.0, 1, None, 24)
    for size in SIZES:
        for look in looks:
            first, *times = paint_times(parse_size(size), look, moments)
            values = [*np.percentile(times, (50, 95, 99, 100)), first]
            table.add_row(size, look.name, *(f"{value:.2f}" for value in values))
    Console(width=100).print(table)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--look", action="append", help="only these")
    wanted = parser.parse_args().look
    print_paint([find_look(name) for name in wanted] if wanted else shipped_looks())


if __name__ == "__main__":
    main()
