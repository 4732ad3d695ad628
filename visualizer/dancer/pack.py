"""A pack: one trained dancer in a folder. Loading checks everything before a network is opened.

A pack from a stranger is data. `pack.json` is read as JSON and each number in it is held against the networks; the
networks are read by `network.py` first, run once in a limited process (`trial.py`) unless they ship with the program,
and opened from bytes, so that they cannot reach other files.
"""

from __future__ import annotations

import ctypes
import json
import logging
import math
import reprlib
import shutil
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import paths
from visualizer.dancer.network import check_network, part_for
from visualizer.errors import UserError

FORMAT = 2
FRAME_SIZE = 128  # pixels a side of the learned field
FRAME_METRES = 2.5  # width of the square that a frame shows
FIGURE = 0.8  # frame widths that a dancer needs: hardly any pose spreads farther
FLOOR = 0.92  # height of the floor line in the frame, from the top
STEPS_PER_BEAT = 16
STEPS_PER_LETTER = 8  # a letter is a half-beat move
BEATS_PER_BAR = 4
PHRASE_BEATS = 8  # a written dance is a loop that begins where a phrase begins
JOINT_COUNT = 21

DEFAULT_PACK = "default"
NETWORKS = ("encoder", "decoder", "choreographer", "dancer")
LARGEST_FILE = 64 * 1024 * 1024  # bytes of a network; ours are below 8 MB
LARGEST_INFO = 8 * 1024 * 1024  # bytes of pack.json, which takes ten times as much once it is read; ours has 0.2 MB
MOST_SEEDS = 10_000
LARGEST_STATE = 65536  # numbers that a recurrent network may carry for each dancer
MOST_NAMES = 1000  # styles, and dances, of one pack
LONGEST_DANCE = 64  # beats
LIMITS = ("far", "still")
MOST_DANCERS = 9
SYNCS = ("each", "unison", "canon")  # of a troupe
LARGEST_LIMIT = 1e6

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seed:
    """A pose of the training data from which a dance can start."""

    latent: NDArray[np.float32]  # (D,)
    letter: int
    style: int


@dataclass(frozen=True)
class NamedDance:
    """A written dance that can be asked for by its name. It is a loop whose first beat is the first of a phrase."""

    name: str
    style: int  # index into the pack's styles
    beats: int  # of the loop


@dataclass(frozen=True)
class Pack:
    """A loaded dancer. Networks are onnxruntime sessions; `provider` is what truly runs them."""

    name: str
    folder: Path
    styles: tuple[str, ...]
    latent_size: int
    letters: int
    choreographer_state: tuple[int, ...]  # without the batch axis
    dancer_state: tuple[int, ...]
    latent_mean: NDArray[np.float32]  # (D,)
    latent_spread: NDArray[np.float32]  # (D,)
    seeds: tuple[Seed, ...]
    dances: tuple[NamedDance, ...]  # none where the pack was learnt from footage
    # What no healthy dance does, measured at training, for the watchdog. "still": mean size of a latent's step over
    # four beats; "far": distance to the nearest seed latent, in spreads. Both root mean squares over D.
    limits: dict[str, float]
    provider: str  # "cpu", "cuda" or "coreml"
    decoder: Any
    choreographer: Any
    dancer: Any
    info: dict[str, Any]  # the whole of pack.json
    joints: Any = None  # what of the decoder makes the joints, without the frames; None: ask the decoder
    messages: deque[str] = field(default_factory=deque)  # what there is to say of the device that runs it


# --- finding ---------------------------------------------------------------------------------------------------


def find_pack(name_or_path: str | None) -> Path:
    """Folder of a pack: a path, the name of one that ships, or of one that was added; None for the default.

    UserError if there is none.
    """
    if name_or_path is None:
        name_or_path = DEFAULT_PACK
    for folder in (Path(name_or_path), paths.models() / name_or_path, paths.added_packs() / name_or_path):
        try:
            if (folder / "pack.json").is_file():
                return folder
        except OSError as error:
            raise UserError(f"{folder}: cannot be read ({error.strerror})") from error
    known = ", ".join(known_packs()) or "none"
    raise UserError(f"no pack {name_or_path!r}: neither a folder with a pack.json nor one of {known}")


def known_packs() -> dict[str, Path]:
    """Folders of the packs that have a name: first those that ship, then those that were added, in order of names."""
    found: dict[str, Path] = {}
    for shelf in (paths.models(), paths.added_packs()):
        for path in sorted(shelf.glob("*/pack.json")):
            if not path.parent.name.startswith("."):  # half-way in or out
                found.setdefault(path.parent.name, path.parent)
    return found


def ships(folder: Path) -> bool:
    """Whether the pack came with the program."""
    return folder.resolve().parent == paths.models().resolve()


# --- checking --------------------------------------------------------------------------------------------------


def _positive(info: dict[str, Any], key: str, most: int, where: Path) -> int:
    value = info.get(key)
    if type(value) is not int or not 1 <= value <= most:  # a bool is an int, but no number here
        raise UserError(f"{where}: {key} must be a whole number from 1 to {most}, not {_shown(value)}")
    return value


def _numbers(value: Any, size: int, key: str, where: Path) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # too large becomes infinite, which is refused below
            array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0, dtype=np.float32)
    if array.shape != (size,) or not np.isfinite(array).all():
        raise UserError(f"{where}: {key} must be {size} finite numbers")
    return array


def clean(text: str, longest: int = 60) -> str:
    """A stranger's words, fit to be shown: one line, nothing that moves the cursor or hides, not too long."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _shown(value: Any) -> str:
    return clean(reprlib.repr(value))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 40 and value.isprintable()


def _check_dances(info: dict[str, Any], where: Path) -> None:
    dances = info.get("dances")
    if not isinstance(dances, list) or len(dances) > MOST_NAMES or not all(isinstance(d, dict) for d in dances):
        raise UserError(f"{where}: dances must be a list of names with a style and beats; it may be empty")
    for dance in dances:
        if not _is_name(dance.get("name")):
            raise UserError(f"{where}: a dance's name must be a short line of text")
        for key, least, most in (("style", 0, len(info["styles"]) - 1), ("beats", 1, LONGEST_DANCE)):
            number = dance.get(key)
            if type(number) is not int or not least <= number <= most:
                raise UserError(f"{where}: a dance's {key} must be from {least} to {most}, not {_shown(number)}")
    if len({d["name"].casefold() for d in dances}) != len(dances):
        raise UserError(f"{where}: dances must have distinct names")


def _check_limits(info: dict[str, Any], where: Path) -> None:
    limits = info.get("limits")
    if not isinstance(limits, dict):
        raise UserError(f"{where}: limits must say what is {' and '.join(LIMITS)}")
    for key in LIMITS:
        value: Any = limits.get(key)
        if type(value) not in (int, float) or not 0 < value <= LARGEST_LIMIT:
            raise UserError(f"{where}: limits must have a number above 0 for {key}, not {_shown(value)}")


def read_info(folder: Path) -> dict[str, Any]:
    """Read and check `pack.json`. Raises UserError with what is wrong and where."""
    where = folder / "pack.json"
    try:
        if where.stat().st_size > LARGEST_INFO:
            raise UserError(f"{where}: too large to be a pack.json")
        info = json.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder}: no pack.json there, so not a pack") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: cannot be read ({_first_line(error)})") from error
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise UserError(f"{where}: not a pack of format {FORMAT}")
    for key, needed in (("frame_size", FRAME_SIZE), ("steps_per_beat", STEPS_PER_BEAT),
                        ("steps_per_letter", STEPS_PER_LETTER)):  # fmt: skip
        if info.get(key) != needed:
            raise UserError(f"{where}: {key} must be {needed}, not {_shown(info.get(key))}")
    latent = _positive(info, "latent_size", 128, where)
    letters = _positive(info, "letters", 65536, where)
    name = info.get("name", "")
    if not isinstance(name, str) or len(name) > 80 or not name.isprintable():
        raise UserError(f"{where}: name must be a short line of text")
    styles = info.get("styles")
    if (
        not isinstance(styles, list)
        or not 1 <= len(styles) <= MOST_NAMES
        or not all(map(_is_name, styles))
        or len(set(styles)) != len(styles)
    ):
        raise UserError(f"{where}: styles must be distinct short names")
    _numbers(info.get("latent_mean"), latent, "latent_mean", where)
    if not (_numbers(info.get("latent_spread"), latent, "latent_spread", where) > 0).all():
        raise UserError(f"{where}: latent_spread must be above zero")
    for key in ("choreographer_state", "dancer_state"):
        shape = info.get(key)
        if (
            not isinstance(shape, list)
            or not 1 <= len(shape) <= 3
            or not all(type(n) is int and 0 < n <= 8192 for n in shape)
            or math.prod(shape) > LARGEST_STATE
        ):
            raise UserError(f"{where}: {key} must be a short list of sizes")
    seeds = info.get("seeds")
    if not isinstance(seeds, list) or not 1 <= len(seeds) <= MOST_SEEDS:
        raise UserError(f"{where}: there must be from 1 to {MOST_SEEDS} seeds to start from")
    for seed in seeds:
        if not isinstance(seed, dict):
            raise UserError(f"{where}: a seed must have a latent, a letter and a style")
        _numbers(seed.get("latent"), latent, "a seed's latent", where)
        for key, most in (("letter", letters), ("style", len(styles))):
            number = seed.get(key)
            if type(number) is not int or not 0 <= number < most:
                raise UserError(f"{where}: a seed's {key} must be from 0 to {most - 1}, not {_shown(number)}")
    _check_dances(info, where)
    _check_limits(info, where)
    return info


def expected_inputs(info: dict[str, Any]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: input names and shapes (without the batch axis) of each network."""
    d, k, s = info["latent_size"], info["letters"], len(info["styles"])
    g = max(1, len(info["dances"]))  # no axis of a network is empty
    conditions = {"bar_phase": (6,), "energy": (1,), "style": (s,), "dance": (g,)}
    return {
        "encoder": {"frame": (1, FRAME_SIZE, FRAME_SIZE)},
        "decoder": {"latent": (d,)},
        "choreographer": {"letter": (), "state": tuple(info["choreographer_state"]), **conditions,
                          "noise": (k,), "temperature": (1,)},
        "dancer": {"latent": (d,), "state": tuple(info["dancer_state"]), "letter": (), "next_letter": (),
                   "place": (1,), **conditions, "noise": (d,)},
    }  # fmt: skip


def expected_outputs(info: dict[str, Any]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: output names and shapes (without the batch axis). The decoder alone may leave out joints."""
    d = info["latent_size"]
    return {
        "encoder": {"latent": (d,)},
        "decoder": {"frame": (1, FRAME_SIZE, FRAME_SIZE), "joints": (JOINT_COUNT, 2)},
        "choreographer": {"letter_out": (), "state_out": tuple(info["choreographer_state"])},
        "dancer": {"latent_out": (d,), "state_out": tuple(info["dancer_state"]), "travel": (1,)},
    }


# --- opening ---------------------------------------------------------------------------------------------------

_LETTERS = ("letter", "next_letter", "letter_out")  # whole numbers; all else are floats
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}


def _refusals() -> tuple[type[Exception], ...]:
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


def _first_line(error: BaseException) -> str:
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
    return _open(read_network(path), path, device, limited)


def _open(data: bytes, path: Path, device: str = "cpu", limited: bool = False) -> tuple[Any, str]:
    import onnxruntime as ort

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
    except _refusals() as error:
        raise UserError(f"{path}: not a usable network ({_first_line(error)})") from error
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
        return _open(part, path)[0]
    except UserError as error:
        _log.info("the joints need the whole decoder: %s", error)
        return None


def check_contract(session: Any, network: str, info: dict[str, Any], path: Path, dancers: int = 2) -> None:
    """UserError unless a network takes and gives what the contract says. It is run once, by a troupe of so many: what a
    file says of its outputs is a claim, and a party is a bad place to find that out."""
    try:
        inputs = {i.name: i for i in session.get_inputs()}
        found = {name: tuple(i.shape[1:]) for name, i in inputs.items()}
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: the name of an input is no text") from error
    wanted = expected_inputs(info)[network]
    if found != wanted:
        raise UserError(f"{path}: inputs are {clean(str(found), 300)}, but the pack says {clean(str(wanted), 300)}")
    given = {}
    for name, shape in wanted.items():
        kind, dtype = ("tensor(int64)", np.int64) if name in _LETTERS else ("tensor(float)", np.float32)
        if inputs[name].type != kind or not inputs[name].shape or isinstance(inputs[name].shape[0], int):
            raise UserError(f"{path}: input {name} must be {kind} with a free first axis")
        given[name] = np.zeros((dancers, *shape), dtype=dtype)
    run_checked(session, network, info, path, given)


def run_checked(
    session: Any, network: str, info: dict[str, Any], path: Path, given: dict[str, NDArray]
) -> dict[str, NDArray]:
    """What a network makes of `given`, by name. UserError unless shapes and kinds are those of the contract."""
    names = [o.name for o in session.get_outputs()]
    shapes = expected_outputs(info)[network]
    missing = set(shapes) - set(names) - {"joints"}
    if missing:
        raise UserError(f"{path}: output {', '.join(sorted(missing))} is missing")
    shapes = {name: shape for name, shape in shapes.items() if name in names}
    try:
        made = dict(zip(shapes, session.run(list(shapes), given), strict=True))
    except _refusals() as error:
        raise UserError(f"{path}: does not run ({_first_line(error)})") from error
    count = len(next(iter(given.values())))
    for name, shape in shapes.items():
        dtype = np.int64 if name in _LETTERS else np.float32
        if not isinstance(made[name], np.ndarray) or made[name].shape != (count, *shape) or made[name].dtype != dtype:
            raise UserError(
                f"{path}: output {name} of a troupe of {count} must be {np.dtype(dtype).name} {(count, *shape)}"
            )
    return made


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
            except _refusals() as error:
                self._session, _ = open_session(self._path)
                self._moved = True
                if self._device not in self._lost:
                    self._lost.add(self._device)
                    self._messages.append(f"{self._device} has failed ({_first_line(error)}): networks on cpu now")
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


def _devices(device: str) -> list[str]:
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


def check_files(folder: Path) -> None:
    """UserError where a network of the pack is missing or holds what no network should. Nothing is opened."""
    for network in NETWORKS:
        path = folder / f"{network}.onnx"
        if path.is_file():
            check_network(read_network(path), path)
        elif network != "encoder":  # that one is for training and footage; it is opened when asked for
            raise UserError(f"{path}: missing from the pack")


def load_pack(folder: Path | str, device: str = "auto") -> Pack:
    """Load and check a pack. `device` is "auto", "cpu", "cuda" or "coreml".

    Raises UserError for anything broken, and where a device asked for by name does not run.
    """
    folder = Path(folder)
    info = read_info(folder)
    tries = _devices(device)
    if not ships(folder):
        from visualizer.dancer.trial import pass_trial

        check_files(folder)
        pass_trial(folder)
    sessions: dict[str, Any] = {}
    provider = "cpu"
    messages: deque[str] = deque()
    lost: set[str] = set()
    for choice in tries:
        sessions, provider = {}, choice
        for network in NETWORKS[1:]:
            path = folder / f"{network}.onnx"
            sessions[network], running = open_session(path, choice)
            check_contract(sessions[network], network, info, path)
            provider = provider if running == choice else running
            if running != "cpu":
                sessions[network] = OnDevice(sessions[network], path, running, messages, lost)
        if provider == choice:
            break
        if device != "auto":
            raise UserError(f"{device} was asked for, but onnxruntime runs on the {provider} here")
        _log.info("%s is listed but does not run here; using the %s", choice, provider)
        if choice == "coreml" or has_nvidia():  # else it is no news: CUDA is listed on each Linux and Windows
            remedy = "; install the extra gpu" if choice == "cuda" else ""
            messages.append(f"{choice} is there but does not run the networks: they run on the {provider}{remedy}")
    d = info["latent_size"]
    has_joints = any(output.name == "joints" for output in sessions["decoder"].get_outputs())
    return Pack(
        name=info.get("name") or folder.name,
        folder=folder,
        styles=tuple(info["styles"]),
        latent_size=d,
        letters=info["letters"],
        choreographer_state=tuple(info["choreographer_state"]),
        dancer_state=tuple(info["dancer_state"]),
        latent_mean=np.asarray(info["latent_mean"], dtype=np.float32),
        latent_spread=np.asarray(info["latent_spread"], dtype=np.float32),
        seeds=tuple(Seed(np.asarray(s["latent"], dtype=np.float32), s["letter"], s["style"]) for s in info["seeds"]),
        dances=tuple(NamedDance(d["name"], d["style"], d["beats"]) for d in info["dances"]),
        limits={key: float(info["limits"][key]) for key in LIMITS},
        provider=provider,
        info=info,
        messages=messages,
        joints=open_joints(folder / "decoder.onnx") if has_joints else None,
        **sessions,
    )
