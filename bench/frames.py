"""Frame times of the whole live program without a GPU: hear, step, decode, paint and show, in a real window.

    python -m bench.frames [--seconds 300] [--look NAME] [--size WxH] [--pace]

Runs `visualizer` itself for each look and size and prints its frame times beside the goal: as fast as it goes and
with all effects, or with --pace at the goal's rate, with the governor at work.
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
from visualizer.stage.looks import shipped_looks

GOALS = {"1280x720": 60, "1920x1080": 30}  # frames a second on two cores
STATS = re.compile(
    r"frames in [\d.]+ s, (?P<fps>[\d.]+) fps; frame ms: median (?P<median>[\d.]+), 95% (?P<slow>[\d.]+), "
    r"99% (?P<slower>[\d.]+), worst (?P<worst>[\d.]+); work ms: median (?P<work>[\d.]+)"
)
TOAST = re.compile(r"toast: (effects .*|flashes .*)")


def measure(
    size: str, look: str, seconds: float, env: dict[str, str], rate: float = 0
) -> tuple[re.Match[str], list[str]]:
    """One run of the program, at most `rate` frames a second, 0 for no limit: its times, and what it said of effects
    and flashes. RuntimeError with all that it said if it failed."""
    words = ["--window", size, "--look", look, "--stage", "painter", "--audio", "none", "--device", "cpu"]
    words += ["--seed", "1", "--fps", f"{rate:g}", "--stats", "--seconds", str(seconds)]
    done = subprocess.run([sys.executable, "-m", "visualizer", *words], capture_output=True, text=True, env=env)
    if done.returncode or not (found := STATS.search(done.stdout)):
        raise RuntimeError(done.stdout + done.stderr)
    return found, TOAST.findall(done.stdout + done.stderr)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="for each row")
    parser.add_argument("--look", action="append", help="only this look; may be given again")
    parser.add_argument("--size", action="append", choices=list(GOALS), help="only this size")
    parser.add_argument("--pace", action="store_true", help="no faster than the goal, with the governor")
    chosen = parser.parse_args()
    table = Table(title=f"painter, whole program, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    for heading in ("size", "look", "frames/s", "goal", "median ms", "95%", "99%", "worst", "work ms", "it said"):
        table.add_column(heading, justify="left" if heading in ("size", "look", "it said") else "right")
    with screen() as env:
        for size in chosen.size or GOALS:
            for look in chosen.look or [look.name for look in shipped_looks()]:
                r, said = measure(size, look, chosen.seconds, env, GOALS[size] if chosen.pace else 0)
                times = (r["median"], r["slow"], r["slower"], r["worst"], r["work"])
                table.add_row(size, look, r["fps"], f"≥ {GOALS[size]}", *times, "; ".join(dict.fromkeys(said)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
