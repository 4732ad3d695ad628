"""Memory that was let go does not stay with the program. Each time in a process of its own, whose memory it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from visualizer.stage.looks import shipped_looks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MAPS = """
from bench.watch import resident
from visualizer.support.memory import one_heap
from visualizer.stage.backdrop import BackdropCache
from visualizer.stage.layout import find_layout
from visualizer.stage.looks import shipped_looks
one_heap()
scene, place = BackdropCache(patient=False), find_layout((1280, 720))
for look in shipped_looks() * 2:
    step, numbers = scene.update(look.backdrop, place)
    while step > 1:
        step, numbers = scene.update(look.backdrop, place) or (step, numbers)
    print(look.name, resident())
"""
THREADS = """
import threading
from pathlib import Path
from visualizer.support.memory import one_heap
def heap():
    line = next(line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]"))
    first, last = line.split()[0].split("-")
    return (int(last, 16) - int(first, 16)) / 1e6
one_heap()
before = heap()
held = []
thread = threading.Thread(target=lambda: held.extend(bytes(100_000) for _ in range(500)))
thread.start()
thread.join()
print(heap() - before)
"""


def said(program: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()


@pytest.mark.slow
def test_the_room_that_a_backdrop_was_made_in_is_given_back() -> None:
    held = [(name, float(megabytes)) for name, megabytes in map(str.split, said(MAPS))][len(shipped_looks()) :]
    assert [name for name, _ in held] == [each.name for each in shipped_looks()]
    least, most = (pick(megabytes for _, megabytes in held) for pick in (min, max))
    assert most - least < 5, held  # a map is 0.9


def test_threads_share_one_heap() -> None:
    assert float(said(THREADS)[0]) > 40
