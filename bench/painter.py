"""Frames a second of the whole live program without a GPU: hear, step, decode, paint and show, in a real window.

    python -m bench.painter [--seconds 10]

Runs `visualizer` itself, as fast as it goes, for each look and size, and prints its frame times beside the goal.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from bench.xvfb import screen
from visualizer.stage.looks import LOOKS

GOALS = {"1280x720": 60, "1920x1080": 30}  # frames a second on two cores
STATS = re.compile(
    r"frames in [\d.]+ s, (?P<fps>[\d.]+) fps; frame ms: median (?P<median>[\d.]+), 95% (?P<slow>[\d.]+), "
    r"worst (?P<worst>[\d.]+)"
)


def measure(size: str, look: str, seconds: float, env: dict[str, str]) -> re.Match[str]:
    """One run of the program. RuntimeError with what it said if it failed."""
    words = ["--window", size, "--look", look, "--stage", "painter", "--audio", "none", "--device", "cpu"]
    words += ["--seed", "1", "--fps", "0", "--stats", "--seconds", str(seconds)]
    done = subprocess.run([sys.executable, "-m", "visualizer", *words], capture_output=True, text=True, env=env)
    if done.returncode or not (found := STATS.search(done.stdout)):
        raise RuntimeError(done.stdout + done.stderr)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each row")
    seconds = parser.parse_args().seconds
    table = Table(title=f"painter, whole program, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    for heading in ("size", "look", "frames/s", "goal", "median ms", "95% ms", "worst ms"):
        table.add_column(heading, justify="left" if heading in ("size", "look") else "right")
    with screen() as env:
        for size, goal in GOALS.items():
            for look in LOOKS:
                r = measure(size, look.name, seconds, env)
                table.add_row(size, look.name, r["fps"], f"≥ {goal}", r["median"], r["slow"], r["worst"])
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
