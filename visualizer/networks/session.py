"""Sessions: a network file opened by onnxruntime, on the device that truly runs it.

The dancer and the ear both use it. A file is read and judged by `onnx_check` first, and opened from the bytes that were
judged, so that it cannot reach other files.
"""

from __future__ import annotations

import ctypes
import logging
import shutil
import sys
from collections import deque
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from visualizer.errors import UserError, clean

from .onnx_check import check_network, part_for

LARGEST_FILE = 64 * 1024 * 1024  # bytes of a network; ours are below 8 MB

_log = logging.getLogger(__name__)
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}


def failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a network that it cannot read or run. Its errors share no class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

    names = (
        "DeviceReset",
        "EPFail",
        "EngineError",
        "Fail",
        "InvalidProtobuf",
        "InvalidGraph",
        "InvalidArgument",
        "NotImplemented",
        "RuntimeException",
    )
    return (*(getattr(state, n) for n in names if hasattr(state, n)), ValueError, RuntimeError, MemoryError)


def first_line(error: BaseException) -> str:
    return clean(str(error), 120)


def read_network(path: Path) -> bytes:
    """The bytes of one network. UserError if they cannot be read or are too many."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: {path.stat().st_size} bytes is too large for a network of a pack")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def open_session(path: Path, device: str = "cpu", limited: bool = False) -> tuple[Any, str]:
    """Open one network and say what truly runs it, "cpu", "cuda" or "coreml".

    One thread a step: the networks are small, and the drawing wants the other cores. UserError if it is no network, or
    one that holds what `check_network` refuses. `limited`: within the pool of memory that this process has set up.
    """
    return open_bytes(read_network(path), path, device, limited)


def open_bytes(data: bytes, path: Path, device: str = "cpu", limited: bool = False) -> tuple[Any, str]:
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
    check_network(data, path)
    try:
        # From bytes, not from the path: weights kept in other files cannot be reached from a pack.
        session = ort.InferenceSession(data, options, providers=wanted)
    except failures() as error:
        raise UserError(f"{path}: not a usable network ({first_line(error)})") from error
    # What is listed as available is not what runs: CUDA falls back to the CPU silently.
    running = session.get_providers()[0]
    return session, {v: k for k, v in _PROVIDERS.items()}.get(running, "cpu")


def open_joints(path: Path) -> Any:
    """What of a decoder that has been opened makes the joints: a hundredth of the work, where they hang on the latent
    alone. None where that would save nothing, or cannot be had."""
    data = read_network(path)
    part = part_for(data, "joints")
    if len(part) > len(data) / 2:
        return None
    try:
        return open_bytes(part, path)[0]
    except UserError as error:
        _log.info("the joints need the whole decoder: %s", error)
        return None


class OnDevice:
    """A network on a device that may fail in the middle of a show, as where a driver restarts or a laptop has slept.

    It then goes on on the processor, from the same state, and that is said once for all networks of a pack.
    """

    def __init__(self, session: Any, path: Path, device: str, messages: deque[str], lost: set[str]) -> None:
        """`lost`: devices that have failed, shared by the networks of a pack."""
        self._session, self._path, self._device = session, path, device
        self._messages, self._lost = messages, lost
        self._moved = False

    def run(self, names: list[str] | None, given: dict[str, NDArray]) -> list[NDArray]:
        if not self._moved:
            try:
                return self._session.run(names, given)
            except failures() as error:
                self._session, _ = open_session(self._path)
                self._moved = True
                if self._device not in self._lost:
                    self._lost.add(self._device)
                    self._messages.append(f"{self._device} has failed ({first_line(error)}): networks on cpu now")
        return self._session.run(names, given)

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
