"""A pool of splices, made once in several processes and kept in a folder, from which training draws.

What is in it is decided by the dances and a seed, so a pool that was interrupted goes on where it was, and a longer one
begins with the shorter one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.data.motion.kinematics import Floats
from training.data.splices import AFTER, Source, Way, find_exits, find_ways, splice
from training.data.weights import SAME_DANCE, weigh_takes
from training.folders import write_whole
from training.parallel import map_parallel
from visualizer import files
from visualizer.dancer.pack import STEPS_PER_LETTER
from visualizer.errors import UserError

FORMAT = 2  # of the pool and of how splices are made; with another number they are made again
CHUNK = 100  # splices in a file
SOONEST = 8  # letters of a dance before it may be left: what a window of training shows of it
TRIES = 1000  # draws without a way over after which there is none

ROW = np.dtype(
    [("source", "i4"), ("other", "i4"), ("leave", "i4"), ("enter", "i4"), ("leave_mirrored", "?"),
     ("enter_mirrored", "?"), ("cost", "f8"), ("positions", "f4", (AFTER, 21, 3))]
)  # fmt: skip


def find_shares(sources: Sequence[Source]) -> NDArray[np.float64]:
    """How often each source is drawn, (N,) that sums to 1."""
    weight = weigh_takes([s.letters for s in sources], [s.style for s in sources])
    return weight / weight.sum()


@dataclass(frozen=True)
class Drawn:
    """A splice before it is made: numbers of both sources, the letter from which on an exit was looked for, the
    cheapest way over, and the cheapest one that leaves at that letter."""

    source: int
    other: int
    cut: int
    way: Way
    at_once: Way


def draw_splice(sources: Sequence[Source], shares: NDArray[np.float64], rng: np.random.Generator) -> Drawn:
    """Two dances at random, a place in the first, and the cheapest way over within four beats. UserError where no two
    dances are long enough."""
    names = np.array([s.name for s in sources])
    for _ in range(TRIES):
        number = int(rng.choice(len(sources), p=shares))
        source = sources[number]
        if source.letters < SOONEST:
            continue
        cut = int(rng.integers(SOONEST, max(source.letters, SOONEST + 1)))
        other = int(rng.choice(len(sources), p=shares))
        if rng.random() < SAME_DANCE:
            other = int(rng.choice(np.flatnonzero(names == source.name)))
        ways = find_ways(source, sources[other], find_exits(source, cut), bool(rng.random() < 0.5))
        if ways and ways[0].leave == cut:
            return Drawn(number, other, cut, min(ways, key=lambda way: way.cost), ways[0])
    raise UserError("no dance is long enough to go over from one to another")


@dataclass(frozen=True)
class SplicePool:
    """Splices of `sources`; `chunks` are arrays of `ROW`, on disk until they are read."""

    sources: list[Source]
    chunks: list[NDArray[Any]]

    def __len__(self) -> int:
        return sum(len(chunk) for chunk in self.chunks)

    def row(self, number: int) -> Any:
        """One splice, with the fields of `ROW`."""
        return self.chunks[number // CHUNK][number % CHUNK]

    def way(self, number: int) -> tuple[Source, Source, Way]:
        """From which source to which one, and how."""
        row = self.row(number)
        way = Way(int(row["leave"]), int(row["enter"]), bool(row["leave_mirrored"]), bool(row["enter_mirrored"]),
                  float(row["cost"]))  # fmt: skip
        return self.sources[int(row["source"])], self.sources[int(row["other"])], way

    def window(self, number: int, before: int, steps: int, margin: int = 0) -> Floats:
        """Positions (margin + steps + margin, 21, 3) in the room, `before` of the steps those of the first dance.

        The margins are what comes before and after, for filters. A window ends within `AFTER` steps after the cut.
        """
        source, _, way = self.way(number)
        if not 0 <= before <= steps or steps - before + margin > AFTER:
            raise ValueError(f"a window ends at most {AFTER} steps after the cut")
        first = way.leave * STEPS_PER_LETTER - before - margin
        begun = source.steps(first, before + margin, way.leave_mirrored)
        return np.concatenate([begun, self.row(number)["positions"][: steps - before + margin].astype(np.float64)])

    def letters(self, number: int, before: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which letters are danced in a window of `count` letters: `before` ones of the first source, and the others of
        the second, each to be taken round where its source loops."""
        _, _, way = self.way(number)
        return way.leave - before + np.arange(before), way.enter + np.arange(count - before)


def open_pool(folder: Path, sources: Sequence[Source], count: int, seed: int, workers: int | None = None) -> SplicePool:
    """Splices of `sources`, at least `count`, kept in `folder`; made by `workers` processes (one a processor if not
    given) as far as they are not there yet. UserError where no two dances are long enough, or nothing can be kept."""
    key = _find_key(sources, seed)
    inside = folder / key[:16]
    paths = [inside / f"{number:05d}.npy" for number in range(-(-count // CHUNK))]
    missing = [number for number, path in enumerate(paths) if not _is_whole(path)]
    if missing:
        draw_splice(sources, find_shares(sources), np.random.default_rng(seed))  # raises before anything is written
        try:
            inside.mkdir(parents=True, exist_ok=True)
            _write_sources(inside, sources)
        except OSError as error:
            raise UserError(f"{inside}: splices cannot be kept there ({error.strerror})") from error
        tasks = [(inside, number, seed) for number in missing]
        made = map_parallel(_make_chunk, tasks, workers=workers)
        for _ in track(made, description="going over from dance to dance", total=len(tasks)):
            pass
    return SplicePool(list(sources), [np.load(path, mmap_mode="r") for path in paths])


def _find_key(sources: Sequence[Source], seed: int) -> str:
    digest = hashlib.sha256(f"splices {FORMAT} {CHUNK} {AFTER} {seed}".encode())
    for source in sources:
        digest.update(repr((source.name, source.style, source.phase, source.loops, len(source.positions))).encode())
        digest.update(np.ascontiguousarray(source.positions).tobytes())
    return digest.hexdigest()


def _is_whole(path: Path) -> bool:
    """Whether a chunk is there. It is written whole or not at all; what something else has spoiled is made again."""
    try:
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return found.dtype == ROW and found.shape == (CHUNK,)


def _write_sources(inside: Path, sources: Sequence[Source]) -> None:
    """Keep the sources beside the splices, from where each process reads them."""
    with files.write_whole(inside / "sources.npy") as made, made.open("wb") as file:
        np.save(file, np.concatenate([s.positions for s in sources]))
    facts = [{"name": s.name, "style": s.style, "phase": s.phase, "loops": s.loops, "positions": len(s.positions)}
             for s in sources]  # fmt: skip
    write_whole(inside / "sources.json", json.dumps(facts))


def _read_sources(inside: Path) -> list[Source]:
    facts = json.loads((inside / "sources.json").read_text(encoding="utf-8"))
    ends = np.cumsum([each["positions"] for each in facts])[:-1]
    parts = np.split(np.load(inside / "sources.npy", mmap_mode="r"), ends)
    return [Source(**{**each, "positions": part}) for each, part in zip(facts, parts, strict=True)]


def _make_chunk(task: tuple[Path, int, int]) -> int:
    """Make the splices of one file: the folder, which file, and the seed of the pool."""
    inside, number, seed = task
    sources = _read_sources(inside)
    shares, rng = find_shares(sources), np.random.default_rng([seed, number])
    rows = np.zeros(CHUNK, ROW)
    for row in rows:
        drawn = draw_splice(sources, shares, rng)
        source, other, way = sources[drawn.source], sources[drawn.other], drawn.way
        row["source"], row["other"], row["cost"] = drawn.source, drawn.other, way.cost
        row["leave"], row["enter"] = way.leave, way.enter
        row["leave_mirrored"], row["enter_mirrored"] = way.leave_mirrored, way.enter_mirrored
        row["positions"] = splice(source, other, way)
    with files.write_whole(inside / f"{number:05d}.npy") as made, made.open("wb") as file:
        np.save(file, rows)
    return number
