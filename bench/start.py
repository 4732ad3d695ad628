"""Time from the command to the first dancing frame.

    python -m bench.start [--times 5] [--cold]

The clock starts before the process does and stops when its log says that the first frame was shown. `--cold` (on Linux)
puts the files of Python, its packages and the program out of memory before each start, as after booting; what other
programs have open at the time stays there.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from bench.xvfb import screen

GOAL, COLD_GOAL, IMPORT_GOAL = 1.0, 3.0, 0.3  # seconds
ROOT = Path(__file__).parents[1]


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


def forget() -> None:
    """Put all files that a start may read out of memory."""
    for folder in (Path(sysconfig.get_paths()["stdlib"]), Path(sysconfig.get_paths()["purelib"]), ROOT / "models",
                   ROOT / "visualizer", ROOT / "assets"):  # fmt: skip
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def importing(module: str, cold: bool) -> float:
    """Seconds to start Python and import one module, less those to start Python."""
    taken = []
    for code in ("pass", f"import {module}"):
        if cold:
            forget()
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        taken.append(time.perf_counter() - begun)
    return max(taken[1] - taken[0], 0.0)


def told(name: str, taken: list[float]) -> str:
    """One line of the table; seconds."""
    return f"{name:40s} median {statistics.median(taken):.2f} s, worst {max(taken):.2f} s"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    asked = parser.parse_args()
    times, cold = asked.times, asked.cold
    goal = f"goal ≤ {COLD_GOAL if cold else GOAL:g} s {'cold' if cold else 'warm'}"
    print(f"command to first dancing frame, {goal}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for module in ("visualizer", "visualizer.cli"):
        taken = [importing(module, cold) for _ in range(times)]
        print(told(f"import {module}, goal ≤ {IMPORT_GOAL:g} s", taken))
    with screen() as env:
        for name, words in (
            ("fullscreen, own tempo", ("--audio", "none")),
            ("fullscreen, microphone if there is one", ()),
            ("painter from the start", ("--audio", "none", "--stage", "painter")),
        ):
            measure(env, "--seconds", "0.1", *words)  # warms the disk, and compiles what is to be compiled
            taken = []
            for _ in range(times):
                if cold:
                    forget()
                taken.append(measure(env, "--seconds", "0.1", *words))
            print(told(name, taken))


if __name__ == "__main__":
    main()
