"""A pack on trial: its networks are opened and run once in a process of their own, which may not take much.

`onnx_check` has seen to it that how much a network takes depends on the number of dancers alone. So what is asked of
it here, with one dancer, two, and as many as there can be, stands for what it will ever ask for: memory, time, and
whether onnxruntime survives it at all. A pack that ships is not tried; any other is, once: what passed is noted in the
user's cache folder by the hash of its files, so that your own dancer starts as fast as ours.
"""

from __future__ import annotations

import contextlib
import hashlib
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

from visualizer.dancer.pack import FORMAT, read_info
from visualizer.errors import UserError, clean

from .contract import MOST_DANCERS, NETWORKS, check_contract, expected_inputs, run_checked
from .session import open_session

MEMORY = 1 << 30  # bytes that the networks may take beside the program itself; ours take 0.13 GB for nine dancers
CPU_SECONDS = 60  # ours take 0.4
WALL_SECONDS = 180.0
DANCERS = (1, 2, MOST_DANCERS)
PICTURES = (1, 2)  # that the encoder looks at: footage and tests alone use it

_NO_MEMORY = ("bfc_arena", "bad_alloc", "allocate memory")  # in onnxruntime's words

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parent.parent.parent


# --- outside ---------------------------------------------------------------------------------------------------------


def _noted(folder: Path) -> Path:
    """Where it is noted that exactly these files have passed."""
    seen = hashlib.sha256(f"{FORMAT} {MEMORY} {CPU_SECONDS}".encode())
    for name in ("pack.json", *(f"{network}.onnx" for network in NETWORKS)):
        with contextlib.suppress(FileNotFoundError):  # the encoder may be absent
            seen.update(f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}".encode())
    return Path(platformdirs.user_cache_dir("dancing-screen")) / "packs" / seen.hexdigest()


def pass_trial(folder: Path) -> None:
    """UserError unless the pack in `folder` can be danced by, or has been found so before."""
    try:
        noted = _noted(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error
    if noted.exists():
        return
    started = time.monotonic()
    try_pack(folder)
    _log.debug("%s: tried in %.1f s, and fit to dance", folder, time.monotonic() - started)
    try:
        noted.parent.mkdir(parents=True, exist_ok=True)
        noted.touch()
    except OSError as error:
        _log.info("%s: cannot be written (%s), so the pack is tried anew each time", noted.parent, error.strerror)


def try_pack(folder: Path) -> None:
    """Run the networks of the pack in `folder` in a limited process. UserError with what that process says of them."""
    command = [sys.executable, "-m", "visualizer.networks.sandbox", str(folder.resolve())]
    try:
        done = subprocess.run(
            command, cwd=_ROOT, capture_output=True, timeout=WALL_SECONDS,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UserError(f"{folder}: its networks take more than {WALL_SECONDS:.0f} s for one frame") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be tried ({error.strerror})") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    try:
        verdict = json.loads(lines[-1])["refused"]
    except (IndexError, ValueError, KeyError, TypeError):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        _log.debug("the trial of %s ended with %d: %s", folder, done.returncode, " | ".join(said[-3:]))
        raise UserError(
            f"{folder}: running its networks took more than {MEMORY >> 20} MB or {CPU_SECONDS} s, or broke the "
            f"program that tried it (exit code {done.returncode})"
        ) from None
    if verdict:
        raise UserError(clean(str(verdict), 400))


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
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":  # macOS says yes, and does not keep to it
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = taken + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _given(network: str, info: dict[str, Any], dancers: int, frames: Any) -> dict[str, np.ndarray]:
    """What a network is given at a party: poses it knows, conditions and noise as they come."""
    draw = np.random.default_rng(dancers)
    seeds = [info["seeds"][i % len(info["seeds"])] for i in range(dancers)]
    latent = np.array([seed["latent"] for seed in seeds], np.float32)
    letter = np.array([seed["letter"] for seed in seeds], np.int64)
    given = {}
    for name, shape in expected_inputs(info)[network].items():
        if name == "latent":
            given[name] = latent
        elif name in ("letter", "next_letter"):
            given[name] = letter
        elif name == "frame":
            given[name] = frames[:dancers]
        elif name in ("style", "dance"):
            given[name] = np.eye(shape[0], dtype=np.float32)[draw.integers(shape[0], size=dancers)]
        elif name == "noise" and network == "dancer":
            given[name] = draw.standard_normal((dancers, *shape)).astype(np.float32)
        elif name == "state":
            given[name] = np.zeros((dancers, *shape), np.float32)
        else:
            given[name] = draw.random((dancers, *shape), np.float32)
    return given


def run_networks(folder: Path) -> None:
    """Open and run each network. UserError for one that breaks the contract or gives anything but numbers."""
    info = read_info(folder)
    frames = None
    for network in ("choreographer", "dancer", "decoder", "encoder"):
        path = folder / f"{network}.onnx"
        if network == "encoder" and not path.exists():
            continue  # only training asks for it
        session, _ = open_session(path, limited=True)
        for dancers in PICTURES if network == "encoder" else DANCERS:
            check_contract(session, network, info, path, dancers)
            made = run_checked(session, network, info, path, _given(network, info, dancers, frames))
            for name, values in made.items():
                if not np.isfinite(values).all():
                    raise UserError(f"{path}: output {name} is not of finite numbers")
                if name == "letter_out" and not ((values >= 0) & (values < info["letters"])).all():
                    raise UserError(f"{path}: writes letters that there are not")
            frames = made.get("frame", frames)


def _main(folder: Path) -> None:
    verdict = ""
    try:
        _limit()
        run_networks(folder)
    except UserError as reason:
        verdict = str(reason)
        if any(word in str(reason.__cause__) for word in _NO_MEMORY):
            verdict = f"{verdict.split(': ')[0]}: takes more than {MEMORY >> 20} MB of memory"
    except MemoryError:
        verdict = f"{folder}: its networks take more than {MEMORY >> 20} MB of memory"
    print(json.dumps({"refused": verdict}), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
