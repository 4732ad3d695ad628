"""Sessions: a network file opened by onnxruntime, on the device that truly runs it.

The dancer and the ear both use it. A file is read and judged by `onnx_check` first, and opened from the bytes that were
judged, so that it cannot reach other files.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import shutil
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from visualizer.errors import UserError, clean
from visualizer.files import open_plain, read_at_most

from .onnx_check import check_network, part_for

LARGEST_FILE = 64 * 1024 * 1024  # bytes of a network; ours are below 8 MB
LONGEST_CALL = 3.0  # seconds; the sandbox takes no network that takes more than a sixth of it
LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}


def failures() -> tuple[type[Exception], ...]:
    """What a session raises that cannot open or run a network. onnxruntime's errors share no class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

    theirs = [v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception)]
    return (*theirs, ValueError, RuntimeError, MemoryError)


def first_line(error: BaseException) -> str:
    return clean(str(error), 120)


def read_network(path: Path, seal: str | None = None) -> bytes:
    """The bytes of one network. UserError if they cannot be read, are too many, or have another hash than `seal`."""
    try:
        _check_size(path, path.stat().st_size)
        data = read_at_most(path, LARGEST_FILE)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    if seal is not None and seal_of(data) != seal:
        raise UserError(f"{path}: has changed while it was looked at")
    return data


def seal_of(data: bytes) -> str:
    """The hash by which the bytes that were judged are known again when they are opened."""
    return hashlib.sha256(data).hexdigest()


def seal_network(path: Path) -> str:
    """`seal_of` what is in a file, without having it in memory. UserError as for `read_network`."""
    try:
        with open_plain(path) as file:
            _check_size(path, os.fstat(file.fileno()).st_size)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        raise UserError(f"{path}: {size} bytes is too large for a network of a pack")


def open_session(path: Path, device: str = "cpu", seal: str | None = None) -> tuple[Any, str]:
    """Open one network and say what truly runs it, "cpu", "cuda" or "coreml".

    One thread a step: the networks are small, and the drawing wants the other cores. UserError if it is no network, or
    one that holds what `check_network` refuses. `seal`: the hash of what the sandbox judged; nothing else is opened.
    """
    data = read_network(path, seal)
    if seal is None:
        check_network(data, path)
    return open_bytes(data, path, device)


def open_bytes(data: bytes, path: Path, device: str = "cpu", limited: bool = False) -> tuple[Any, str]:
    """As `open_session`, of bytes that have been judged. `limited`: within the pool of memory that this process has set
    up. `path` is only named."""
    import onnxruntime as ort

    ort.disable_telemetry_events()  # see environment.py; this is for systems that collect what programs tell them
    ort.set_default_logger_severity(4)  # it would print its own story of a missing CUDA beside ours
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    if limited:
        options.add_session_config_entry("session.use_env_allocators", "1")
    wanted = [_PROVIDERS[device], _PROVIDERS["cpu"]] if device != "cpu" else [_PROVIDERS["cpu"]]
    try:
        # From bytes, not from the path: weights kept in other files cannot be reached from a pack.
        session = ort.InferenceSession(data, options, providers=wanted)
    except failures() as error:
        raise UserError(f"{path}: not a usable network ({first_line(error)})") from error
    # What is listed as available is not what runs: CUDA falls back to the CPU silently.
    running = session.get_providers()[0]
    return session, {v: k for k, v in _PROVIDERS.items()}.get(running, "cpu")


def open_part(path: Path, output: str, seal: str | None = None) -> Any:
    """What of a network that has been opened makes one output alone. None where that would save little, or cannot be
    had. `seal` as for `open_session`."""
    data = read_network(path, seal)
    part = part_for(data, output)
    if len(part) > len(data) / 2:
        return None
    try:
        check_network(part, path)
        return open_bytes(part, path)[0]
    except UserError as error:
        _log.info("%s: %s needs all of it: %s", path, output, error)
        return None


class Bounded:
    """A network whose calls end: one that takes longer than `seconds` is broken off, and fails as any other may.

    A single operation that takes long is not broken off; the sandbox has seen that there is none.
    """

    def __init__(self, session: Any, seconds: float = LONGEST_CALL) -> None:
        import onnxruntime as ort

        self._session, self._seconds = session, seconds
        self._options = ort.RunOptions()
        self._options.log_severity_level = 4
        self._begun: float | None = None
        _breaker.watch(self)

    def run(self, names: list[str] | None, given: dict[str, NDArray]) -> list[NDArray]:
        self._options.terminate = False
        self._begun = time.monotonic()
        try:
            return self._session.run(names, given, self._options)
        finally:
            self._begun = None

    def break_off(self) -> None:
        """End a call that has taken too long. Asked now and then, from another thread."""
        begun = self._begun
        if begun is not None and time.monotonic() - begun > self._seconds:
            self._options.terminate = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _Breaker:
    """Looks at the calls of all bounded networks twice a second, in a thread that begins with the first of them."""

    def __init__(self) -> None:
        self._watched: weakref.WeakSet[Bounded] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, network: Bounded) -> None:
        with self._lock:
            self._watched.add(network)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="network calls", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        pause = threading.Event()  # never set: this thread is there as long as the program
        while not pause.wait(LOOK_SECONDS):
            with self._lock:
                watched = list(self._watched)
            for network in watched:
                network.break_off()


_breaker = _Breaker()


class OnDevice:
    """A network on a device that may fail in the middle of a show, as where a driver restarts or a laptop has slept.

    It then goes on on the processor, from the same state, and that is said once for all networks of a pack.
    """

    def __init__(
        self,
        session: Any,
        path: Path,
        device: str,
        notify: Callable[[str], None],
        lost: set[str],
        seal: str | None = None,
    ) -> None:
        """`notify` is told when it moves. `lost`: devices that have failed, shared by the networks of a pack. `seal` as
        for `open_session`."""
        self._session, self._path, self._device, self._seal = session, path, device, seal
        self._notify, self._lost = notify, lost
        self._moved = False

    def run(self, names: list[str] | None, given: dict[str, NDArray], *options: Any) -> list[NDArray]:
        if not self._moved:
            try:
                return self._session.run(names, given, *options)
            except failures() as error:
                try:
                    self._session, _ = open_session(self._path, seal=self._seal)
                except UserError as gone:  # a show goes on: the caller of a network knows what to do with its failures
                    raise RuntimeError(str(gone)) from error
                self._moved = True
                if self._device not in self._lost:
                    self._lost.add(self._device)
                    self._notify(f"{self._device} has failed ({first_line(error)}): networks on cpu now")
        return self._session.run(names, given, *options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def has_nvidia() -> bool:
    """Whether there is a card on which CUDA should run. It is listed by onnxruntime whether there is one or not."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def may_run_cuda() -> bool:
    """Whether there is anything of NVIDIA here at all: a card, or its driver's library, without which no CUDA runs.

    To try CUDA in vain costs a start a tenth of a second.
    """
    if has_nvidia():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def devices_to_try(device: str) -> list[str]:
    """Devices to try, best first."""
    import onnxruntime as ort

    if device not in ("auto", *_PROVIDERS):
        raise UserError(f"device must be auto, cpu, cuda or coreml, not {device!r}")
    available = ort.get_available_providers()
    if device != "auto":
        if _PROVIDERS[device] not in available:
            has = ", ".join(d for d, p in _PROVIDERS.items() if p in available)
            raise UserError(f"{device} was asked for, but the onnxruntime here only has: {has}")
        return [device]
    better = [d for d in ("cuda", "coreml") if _PROVIDERS[d] in available]
    if "cuda" in better and not may_run_cuda():
        _log.info("cuda is listed but does not run here, where nothing of NVIDIA is; not tried")
        better.remove("cuda")
    return [*better, "cpu"]
