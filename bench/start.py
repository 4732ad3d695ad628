"""Time from the command to the first dancing frame.

    python -m bench.start [--times 5] [--cold] [--against FOLDER]

The clock starts before the process does and stops when its log says that the first frame was shown. Beside it stands
what the whole command took of the processor, with a tenth of a second of show: that depends less on what else runs.
Where there is PulseAudio, a row says how long it takes until the microphone is heard, with a sound server of our own.
The program is compiled first, as pip does when it installs it, and remembers into a folder of this benchmark alone.

`--cold` (on Linux) puts the files of Python, its packages, the program and all libraries out of memory before each
start, as after booting; what other programs have open at the time stays there. `--against` starts another checkout in
turns with this one.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.pulse import Server
from bench.xvfb import screen
from visualizer.stage.gpu.software_gl import FILE

GOAL, COLD_GOAL, IMPORT_GOAL = 1.0, 3.0, 0.3  # seconds
ROOT = Path(__file__).parents[1]
FRAME, LISTENING = "first frame", "toast: listening to"  # how lines of the log begin


@dataclass
class Taken:
    """Of several starts: seconds until the first frame, and seconds of the processor."""

    wall: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def add(self, wall: float, work: float) -> None:
        self.wall.append(wall)
        self.work.append(work)

    def told(self, name: str) -> str:
        """One line of the table."""
        wall, work = sorted(self.wall), min(self.work)
        middle = statistics.median(wall)
        return f"{name:46s} best {wall[0]:.2f} s, median {middle:.2f}, worst {wall[-1]:.2f}; processor {work:.2f} s"


def processor() -> float:
    """Seconds of the processor that all ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(
    env: dict[str, str], *words: str, root: Path = ROOT, mapped: set[Path] | None = None, until: str = FRAME
) -> tuple[float, float]:
    """Seconds from starting the process to the line of its log that begins with `until`, and of the processor until it
    has ended. RuntimeError with what it said if there was none. Into `mapped` go the files that it has in its memory at
    that moment."""
    most = "0.1" if until == FRAME else "60"
    said = []
    before = processor()
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "visualizer", "--seconds", most, "--no-remember", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd=root,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith(until):
                seconds = time.perf_counter() - begun
                if mapped is not None:
                    mapped |= in_memory(process.pid)
                if until != FRAME:
                    process.terminate()
                process.wait()
                return seconds, processor() - before
    raise RuntimeError(f"ended with {process.returncode} and no {until!r}:\n" + "".join(said))


def in_memory(pid: int) -> set[Path]:
    """The files that a process has mapped; none where that cannot be known."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return set()
    return {Path(line.split(maxsplit=5)[5]) for line in lines if "/" in line}


def forget(folders: set[Path], files: set[Path]) -> None:
    """Drop all files that a start may read from memory."""
    for path in {*files, *(path for folder in folders for path in folder.rglob("*"))}:
        if path.is_file() and os.access(path, os.R_OK) and not path.is_relative_to("/dev"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def importing(module: str, env: dict[str, str], root: Path) -> tuple[float, float]:
    """Seconds to start Python and import one module, less those to start Python; and of the processor."""
    taken = []
    for code in ("pass", f"import {module}"):
        before, begun = processor(), time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=env)
        taken.append((time.perf_counter() - begun, processor() - before))
    return max(taken[1][0] - taken[0][0], 0.0), max(taken[1][1] - taken[0][1], 0.0)


@contextmanager
def sound_server() -> Iterator[dict[str, str]]:
    """The environment of programs that hear a sound server of our own; an empty one where there is no PulseAudio."""
    if not all(map(shutil.which, ("pulseaudio", "pactl", "pacat"))):
        print("no PulseAudio here: not measured until it listens")
        yield {}
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            names = "XDG_RUNTIME_DIR", "PULSE_SERVER", "PULSE_RUNTIME_PATH", "PULSE_COOKIE", "ALSA_CONFIG_PATH"
            yield {name: server.environment[name] for name in names}
        finally:
            server.kill()


def until(words: tuple[str, ...]) -> str:
    """The line of the log at which a start is over."""
    return LISTENING if "mic" in words else FRAME


def cache(scratch: str, root: Path) -> dict[str, str]:
    """The environment with a folder for what this checkout remembers, used by nothing else."""
    return {"XDG_CACHE_HOME": str(Path(scratch) / "cache" / str(root).strip("/").replace("/", "-"))}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    goal = f"goal ≤ {COLD_GOAL if asked.cold else GOAL:g} s {'cold' if asked.cold else 'warm'}"
    print(f"command to first dancing frame, {goal}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    roots = {"": ROOT, **({"before: ": asked.against.resolve()} if asked.against else {})}
    with screen() as display, tempfile.TemporaryDirectory() as scratch, sound_server() as sound:
        common = {**display, "PYTHONPYCACHEPREFIX": f"{scratch}/compiled"}
        common.pop("PYTHONDONTWRITEBYTECODE", None)
        offscreen = {**common, "SDL_VIDEODRIVER": "offscreen"}
        starts = {
            "full screen, the first start of all": (common, ("--audio", "none")),
            "full screen, own tempo": (common, ("--audio", "none")),
            "full screen, microphone if there is one": (common, ()),
            "full screen, painter asked for": (common, ("--audio", "none", "--stage", "painter")),
            "painter, in memory": (offscreen, ("--audio", "none", "--stage", "painter")),
        }
        if sound:
            starts["until the microphone is heard"] = (common | sound, ("--audio", "mic"))
        mapped: set[Path] = set()
        for root in roots.values():  # compiles what is to be compiled, and shows which files a start needs
            for env, words in starts.values():
                measure(env | cache(scratch, root), *words, root=root, mapped=mapped, until=until(words))
            importing("visualizer.cli", common, root)
        paths = sysconfig.get_paths()
        packages = {Path(path) for path in sys.path if path and Path(path).is_dir() and not ROOT.is_relative_to(path)}
        folders = {Path(paths["stdlib"]), Path(scratch), *packages} | {
            root / name for root in roots.values() for name in ("models", "visualizer", "assets")
        }
        table: dict[str, Taken] = {}

        def add(name: str, taken: tuple[float, float]) -> None:
            table.setdefault(name, Taken()).add(*taken)

        for _ in range(asked.times):
            for module in ("visualizer", "visualizer.cli"):
                for which, root in roots.items():
                    if asked.cold:
                        forget(folders, mapped)
                    add(f"{which}import {module}, goal ≤ {IMPORT_GOAL:g} s", importing(module, common, root))
            for name, (env, words) in starts.items():
                for which, root in roots.items():
                    own = cache(scratch, root)
                    if "first" in name:
                        (Path(own["XDG_CACHE_HOME"]) / "dancing-screen" / FILE).unlink(missing_ok=True)
                    if asked.cold:
                        forget(folders, mapped)
                    add(f"{which}{name}", measure(env | own, *words, root=root, until=until(words)))
    for name in sorted(table, key=lambda name: name.startswith("before")):
        print(table[name].told(name))


if __name__ == "__main__":
    main()
