"""A pack on trial: its networks are read, opened and run in a process of their own, which may not take much.

`onnx_check` has seen to it that how much a network takes depends on the number of dancers alone, and what it looks up
on letters alone. So what is asked of it here, of every number of dancers that there can be and with every letter,
stands for what it will ever ask for: memory, time, and whether onnxruntime survives it at all. A pack that ships is
not tried; any other is, once: what passed is noted in the user's cache folder by the hash of its files, so that your
own dancer starts as fast as ours.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from visualizer.errors import UserError, clean

from .contract import (
    FIGURES,
    GRID,
    MOST_DANCERS,
    NETWORKS,
    check_contract,
    expected_inputs,
    networks_of,
    run_checked,
)
from .onnx_check import check_network
from .session import open_bytes, read_network, seal_network, seal_of

RULES = 3  # of what is tried here and in `onnx_check`: what passed by others is tried again
MEMORY = 1 << 30  # bytes that the networks may take beside the program itself; ours take 0.13 GB for nine dancers
CPU_SECONDS = 60  # ours take 3
WALL_SECONDS = 180.0
SLOWEST = 0.5  # seconds of the processor for one call of a network; ours take 0.02 for nine dancers
SLOWEST_OPENING = 3.0  # seconds of the processor; our four together take 0.4
SLOWEST_ENCODER = 5.0  # it is not for the show; ours takes 0.5 for sixteen frames
DANCERS = tuple(range(1, MOST_DANCERS + 1))
PICTURES = (1, 2, 16)  # that the encoder looks at: footage and tests alone use it
STEPS = 64  # of a dance that is tried, four beats
PLACES = (0.0, 7 / 8)  # within a letter, of its eight steps the first and the last
STEPS_PER_LETTER = 8
# Frame widths, what a dance shows lies within two; pixels of creases; and what are shares or unit vectors.
FARTHEST = {"joints": 100.0, "frame": 100.0, "travel": 100.0, "crease": 100.0, "normal": 2.0, "parts": 2.0}
BOXES = ((GRID, GRID), (28, 52), (1, 1))  # columns and rows that figures are drawn in: any up to the whole frame

_NO_MEMORY = ("bfc_arena", "bad_alloc", "allocate memory")  # in onnxruntime's words

Arrays = dict[str, NDArray[Any]]
_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parent.parent.parent


# --- outside ---------------------------------------------------------------------------------------------------------


def seal_networks(folder: Path, networks: tuple[str, ...] = NETWORKS) -> dict[str, str]:
    """The hash of each of the `networks` of a pack. UserError where one is missing; the encoder, which only training
    and footage ask for, may be."""
    seals = {}
    for network in networks:
        path = folder / f"{network}.onnx"
        if path.is_file():
            seals[network] = seal_network(path)
        elif network != "encoder":
            raise UserError(f"{path}: missing from the pack")
    return seals


def _noted(info: dict[str, Any], seals: dict[str, str]) -> Path:
    """Where it is noted that exactly these networks have passed with this `pack.json`."""
    said = json.dumps([RULES, MEMORY, CPU_SECONDS, SLOWEST, info, seals], sort_keys=True)
    return Path(platformdirs.user_cache_dir("dancing-screen")) / "packs" / seal_of(said.encode())


def pass_trial(folder: Path, info: dict[str, Any]) -> dict[str, str]:
    """The hashes of the networks that the pack in `folder` can be danced by; no others should be opened.

    `info`: its `pack.json`, checked. UserError with the reason if it cannot.
    """
    seals = seal_networks(folder, networks_of(info))
    noted = _noted(info, seals)
    if noted.exists():
        return seals
    started = time.monotonic()
    try_pack(folder, info, seals)
    _log.debug("%s: tried in %.1f s, and fit to dance", folder, time.monotonic() - started)
    try:
        noted.parent.mkdir(parents=True, exist_ok=True)
        noted.touch()
    except OSError as error:
        _log.info("%s: cannot be written (%s), so the pack is tried each time", noted.parent, error.strerror)
    return seals


def try_pack(folder: Path, info: dict[str, Any], seals: dict[str, str]) -> None:
    """Run the networks of the pack in `folder` in a limited process. UserError with what that process says of them."""
    command = [sys.executable, "-m", "visualizer.networks.sandbox", str(folder.resolve())]
    try:
        done = subprocess.run(
            command, cwd=_ROOT, input=json.dumps([info, seals]).encode(), capture_output=True, timeout=WALL_SECONDS,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UserError(f"{folder}: to try its networks took more than {WALL_SECONDS:.0f} s") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be tried ({error.strerror})") from error
    try:
        verdict = json.loads(done.stdout.decode("utf-8", "replace").splitlines()[-1])["refused"]
    except (IndexError, ValueError, KeyError, TypeError):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        _log.debug("the trial of %s ended with %d: %s", folder, done.returncode, " | ".join(said[-3:]))
        raise UserError(f"{folder}: {_why_it_died(done.returncode)}") from None
    if verdict:
        raise UserError(clean(str(verdict), 400))


def _why_it_died(code: int) -> str:
    if sys.platform != "win32":
        import signal

        if code == -signal.SIGXCPU:
            return f"running its networks took more than {CPU_SECONDS} s"
    return f"running its networks broke the program that tried it (exit code {code}), or took more than it may"


# --- inside the process ----------------------------------------------------------------------------------------------


def _limit() -> None:
    """From here on, this process gets no more than the limits say."""
    import onnxruntime as ort

    # On any system: onnxruntime's own pool. It holds what the networks compute.
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    pool = {"max_mem": MEMORY, "arena_extend_strategy": 1, "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1}  # fmt: skip
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg(pool))
    try:
        import resource
    except ImportError:  # Windows has none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))  # the first is a signal that can be told
    if sys.platform == "linux":  # macOS says yes, and does not keep to it
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = taken + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


class _Trial:
    """The networks of one pack, called with what they are given at a party."""

    def __init__(self, folder: Path, info: dict[str, Any], seals: dict[str, str]) -> None:
        self._folder, self._info = folder, info
        self._sessions: dict[str, Any] = {}
        self.looking_up: set[str] = set()  # networks to which each letter may be another matter
        for network, seal in seals.items():  # all are judged before one is opened
            path = self._path(network)
            if check_network(read_network(path, seal), path).looks_up:
                self.looking_up.add(network)
        for network, seal in seals.items():
            path, begun = self._path(network), time.process_time()
            self._sessions[network] = open_bytes(read_network(path, seal), path, limited=True)[0]
            if (taken := time.process_time() - begun) > SLOWEST_OPENING:  # what is constant is computed then
                raise UserError(f"{path}: takes {taken:.1f} s to open; up to {SLOWEST_OPENING} s are taken")

    def _path(self, network: str) -> Path:
        return self._folder / f"{network}.onnx"

    def check(self, network: str, count: int) -> None:
        """UserError unless it keeps to the contract, for that many dancers."""
        begun = time.process_time()
        check_contract(self._sessions[network], network, self._info, self._path(network), count)
        self._judge_time(network, count, time.process_time() - begun, 4.0)  # the first call takes longer

    def _judge_time(self, network: str, count: int, taken: float, leave: float = 1.0) -> None:
        """UserError where a call of a network took longer than one may."""
        most = SLOWEST_ENCODER if network == "encoder" else SLOWEST
        if taken > leave * most:
            raise UserError(
                f"{self._path(network)}: takes {taken:.1f} s at a time for {count}; up to {most} s are taken"
            )

    def call(self, network: str, given: Arrays) -> Arrays:
        """What it makes. UserError unless that is what it should be, of finite numbers, and in time."""
        path, session = self._path(network), self._sessions[network]
        begun = time.process_time()
        made = run_checked(session, network, self._info, path, given)
        self._judge_time(network, len(next(iter(given.values()))), time.process_time() - begun)
        for name, values in made.items():
            if not np.isfinite(values).all():
                raise UserError(f"{path}: output {name} is not of finite numbers")
            if name == "letter_out" and not ((values >= 0) & (values < self._info["letters"])).all():
                raise UserError(f"{path}: writes letters that there are not")
            if np.abs(values).max(initial=0) > FARTHEST.get(name, np.inf):
                unit = " frame widths" if name in ("joints", "frame", "travel") else ""
                raise UserError(f"{path}: output {name} is farther out than {FARTHEST[name]:.0f}{unit}")
        return made

    def give(self, network: str, draw: np.random.Generator, count: int, **known: NDArray[Any]) -> Arrays:
        """What a network is given at a party: what is `known`, poses of the pack, conditions and noise as they come."""
        info = self._info
        seeds = [info["seeds"][i] for i in draw.integers(len(info["seeds"]), size=count)]
        given: Arrays = {}
        for name, shape in expected_inputs(info)[network].items():
            if name in known:
                given[name] = known[name]
            elif name == "latent":
                given[name] = np.array([seed["latent"] for seed in seeds], np.float32)
            elif name in ("letter", "next_letter"):
                given[name] = np.array([seed["letter"] for seed in seeds], np.int64)
            elif name in ("grid_x", "grid_y"):
                given[name] = np.tile(np.arange(shape[0], dtype=np.float32) + 0.5, (count, 1))
            elif name == "sway":
                given[name] = draw.uniform(-0.3, 0.3, (count, *shape)).astype(np.float32)
            elif name in ("style", "dance", "figure"):
                given[name] = np.eye(shape[0], dtype=np.float32)[draw.integers(shape[0], size=count)]
            elif name == "noise" and network == "dancer":
                given[name] = draw.standard_normal((count, *shape)).astype(np.float32)
            elif name == "state":
                given[name] = np.zeros((count, *shape), np.float32)
            else:
                given[name] = draw.random((count, *shape), np.float32)
        return given


def run_networks(folder: Path, info: dict[str, Any], seals: dict[str, str]) -> None:
    """Read, open and run each network. UserError for one that holds what none should, breaks the contract, takes too
    long, or gives anything but numbers within bounds."""
    trial, draw = _Trial(folder, info, seals), np.random.default_rng(0)
    made: Arrays = {}
    for count in DANCERS:
        for network in ("choreographer", "dancer", "decoder"):
            trial.check(network, count)
            made = trial.call(network, trial.give(network, draw, count))
    frame = made["frame"]
    if FIGURES in seals:
        _try_figures(trial, draw)
    for count in PICTURES if "encoder" in seals else ():
        trial.check("encoder", count)
        trial.call("encoder", {"frame": np.resize(frame, (count, *frame.shape[1:]))})
    _try_letters(trial, draw, info["letters"])
    _try_dance(trial, draw)


def _try_figures(trial: _Trial, draw: np.random.Generator) -> None:
    """Each number of dancers, in boxes of some sizes; the largest first."""
    for count in reversed(DANCERS):
        trial.check(FIGURES, count)
        for columns, rows in BOXES:
            given = trial.give(FIGURES, draw, count)
            trial.call(FIGURES, {**given, "grid_x": given["grid_x"][:, :columns], "grid_y": given["grid_y"][:, :rows]})


def _try_letters(trial: _Trial, draw: np.random.Generator, letters: int) -> None:
    """Each letter, as the one that is danced and as the next, where what is made of it may be anything."""
    every = np.arange(-letters % MOST_DANCERS + letters) % letters
    for network in sorted(trial.looking_up):
        for place in PLACES if network == "dancer" else PLACES[:1]:
            for some in every.reshape(-1, MOST_DANCERS):
                known = {"letter": some, "next_letter": letters - 1 - some,
                         "place": np.full((MOST_DANCERS, 1), place, np.float32)}  # fmt: skip
                trial.call(network, trial.give(network, draw, MOST_DANCERS, **known))


def _try_dance(trial: _Trial, draw: np.random.Generator) -> None:
    """A short dance of two: each network goes on from what it made itself."""
    count = 2
    dance = trial.give("dancer", draw, count)
    before = letter = dance["letter"]
    latent, state = dance["latent"], dance["state"]
    choreography = trial.give("choreographer", draw, count)["state"]
    for step in range(STEPS):
        if step % STEPS_PER_LETTER == 0:
            before = letter
            wrote = trial.call(
                "choreographer", trial.give("choreographer", draw, count, letter=letter, state=choreography)
            )
            letter, choreography = wrote["letter_out"], wrote["state_out"]
            trial.call("decoder", {"latent": latent})
        place = np.full((count, 1), step % STEPS_PER_LETTER / STEPS_PER_LETTER, np.float32)
        known = {"letter": before, "next_letter": letter, "latent": latent, "state": state, "place": place}
        stepped = trial.call("dancer", trial.give("dancer", draw, count, **known))
        latent, state = stepped["latent_out"], stepped["state_out"]


def _main(folder: Path) -> None:
    info, seals = json.load(sys.stdin)
    verdict = ""
    try:
        _limit()
        run_networks(folder, info, seals)
    except UserError as reason:
        verdict = str(reason)
        if any(word in str(reason.__cause__) for word in _NO_MEMORY):
            verdict = f"{verdict.split(': ')[0]}: takes more than {MEMORY >> 20} MB of memory"
    except MemoryError:
        verdict = f"{folder}: its networks take more than {MEMORY >> 20} MB of memory"
    print(json.dumps({"refused": verdict}), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
