"""Milliseconds of each network of a pack on one CPU thread, for one dancer and for a troupe of nine.

    python -m bench.networks [PACK] [--calls 400]

The networks run as the live program runs them. A decode is needed for each frame, a step sixteen times and a letter
twice a beat; an encode never, while dancing. The last rows are what a step of the dance takes beside its networks: the
time of the whole step, less that of the networks in it.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import STEPS_PER_BEAT, Pack, find_pack, load_pack
from visualizer.networks.contract import expected_inputs, networks_of
from visualizer.networks.session import open_session

GOALS = {("dancer", 1): 0.3, ("decoder", 1): 4.0, ("figures", 1): 4.0, ("figures", 9): 22.0}  # ms
WORDS = {
    "dancer": "dancer, one step",
    "choreographer": "choreographer, one letter",
    "decoder": "decoder, one frame",
    "encoder": "encoder, one frame",
    "figures": "figures, each in the usual box",
}
TROUPES = (1, 9)
USUAL_BOX = {"grid_x": 28, "grid_y": 52}  # columns and rows of cells
WARM_UP = 20


def inputs(shapes: dict[str, tuple[int, ...]], letters: int, troupe: int) -> dict[str, NDArray]:
    """Random inputs of the shapes of the contract."""
    rng = np.random.default_rng(0)
    return {
        name: np.tile(np.arange(USUAL_BOX[name], dtype=np.float32) + 8.5, (troupe, 1)) if name in USUAL_BOX
        else np.eye(shape[0], dtype=np.float32)[np.arange(troupe) % shape[0]] if name == "figure"
        else rng.integers(0, letters, (troupe, *shape)) if name in ("letter", "next_letter")
        else rng.random((troupe, *shape), dtype=np.float32)
        for name, shape in shapes.items()
    }  # fmt: skip


class Timed:
    """A session that adds up the seconds it takes."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.seconds = 0.0

    def run(self, outputs: list[str], feed: dict[str, NDArray]) -> list[NDArray]:
        begun = time.perf_counter()
        made = self.session.run(outputs, feed)
        self.seconds += time.perf_counter() - begun
        return made


def own_times(pack: Pack, troupe: int, calls: int) -> list[float]:
    """Milliseconds of a step less those of its networks, the mean of each of `calls` beats."""
    choreographer, body = Timed(pack.choreographer), Timed(pack.dancer)
    dancer = Dancer(dataclasses.replace(pack, choreographer=choreographer, dancer=body), 0, troupe=troupe)
    taken = []
    for beat in range(WARM_UP + calls):
        choreographer.seconds = body.seconds = 0.0
        begun = time.perf_counter()
        dancer.step_to(float(beat))
        own = time.perf_counter() - begun - choreographer.seconds - body.seconds
        taken.append(1000 * own / STEPS_PER_BEAT)
    return taken[WARM_UP:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", nargs="?", help="folder or name of a pack; the one that ships if not given")
    parser.add_argument("--calls", type=int, default=400, help="timed calls for each row")
    given = parser.parse_args()
    pack = load_pack(find_pack(given.pack), "cpu")
    load = os.getloadavg()[0]
    title = (
        f"pack {pack.name}, one CPU thread, {given.calls} calls, {os.cpu_count()} cores, load {load:.1f} at the start"
    )
    table = Table(title=title)
    for heading in ("network", "dancers", "median ms", "95% ms", "goal ms", "MB"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for network in reversed(networks_of(pack.info)):
        path = pack.folder / f"{network}.onnx"
        session, _ = open_session(path, "cpu")
        for troupe in TROUPES:
            feed = inputs(expected_inputs(pack.info)[network], pack.letters, troupe)
            taken = []
            for _ in range(WARM_UP + given.calls):
                begun = time.perf_counter()
                session.run(None, feed)
                taken.append(1000 * (time.perf_counter() - begun))
            median, slow = np.quantile(taken[WARM_UP:], [0.5, 0.95])
            goal = f"≤ {GOALS[network, troupe]:g}" if (network, troupe) in GOALS else ""
            size = f"{path.stat().st_size / 1e6:.1f}" if troupe == 1 else ""
            table.add_row(WORDS[network], str(troupe), f"{median:.3f}", f"{slow:.3f}", goal, size)
    for troupe in TROUPES:
        median, slow = np.quantile(own_times(pack, troupe, given.calls), [0.5, 0.95])
        table.add_row("own time of a step (Python)", str(troupe), f"{median:.3f}", f"{slow:.3f}", "", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
