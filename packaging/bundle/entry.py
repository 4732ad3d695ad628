"""Where the bundle starts: as `visualizer` does, or as `python -m visualizer.…` for the processes that it starts."""

from __future__ import annotations

import ctypes.util
import multiprocessing
import runpy
import sys
from pathlib import Path

BUNDLED = ("libportaudio.so.2",)  # what is looked for by name, and lies in the bundle where the system has none


def find_library(name: str) -> str | None:
    """As ctypes.util.find_library; what the system lacks is found in the bundle."""
    found = find_of_system(name)
    if found is None:
        folder = Path(getattr(sys, "_MEIPASS", "."))
        found = next((str(folder / each) for each in BUNDLED if each.startswith(f"lib{name}.so")), None)
        if found is not None and not Path(found).exists():
            return None
    return found


find_of_system, ctypes.util.find_library = ctypes.util.find_library, find_library

if __name__ == "__main__":
    multiprocessing.freeze_support()
    # There is no python in a bundle: what would be `python -m visualizer.networks.sandbox …` comes here.
    if len(sys.argv) > 2 and sys.argv[1] == "-m" and sys.argv[2].startswith("visualizer."):
        module = sys.argv[2]
        sys.argv = [module, *sys.argv[3:]]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        from visualizer.cli import main

        main()
