"""Time from the command to the first dancing frame, on a warm disk.

    python -m bench.start [--times 5]

The clock starts before the process does and stops when its log says that the first frame was shown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from bench.xvfb import screen

GOAL = 2.0  # seconds


def measure(env: dict[str, str], *words: str) -> float:
    """Seconds from starting the process to its first frame. RuntimeError with what it said if there was none."""
    said = []
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "visualizer", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("first frame"):
                seconds = time.perf_counter() - begun
                process.wait()
                return seconds
    raise RuntimeError(f"ended with {process.returncode} and no frame:\n" + "".join(said))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print(f"command to first dancing frame, goal ≤ {GOAL:g} s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with screen() as env:
        for name, words in (
            ("fullscreen, own tempo", ("--audio", "none")),
            ("fullscreen, microphone if there is one", ()),
            ("painter from the start", ("--audio", "none", "--stage", "painter")),
        ):
            measure(env, "--seconds", "0.1", *words)  # warms the disk
            taken = [measure(env, "--seconds", "0.1", *words) for _ in range(times)]
            print(f"{name:40s} median {statistics.median(taken):.2f} s, worst {max(taken):.2f} s")


if __name__ == "__main__":
    main()
