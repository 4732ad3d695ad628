"""A pack: one trained dancer in a folder. Loading checks everything before a network is opened.

A pack from a stranger is data. `pack.json` is read as JSON and each number in it is held against the networks; the
networks are read by `onnx_check` first, run once in a limited process (`sandbox`) unless they ship with the program,
and opened from bytes, so that they cannot reach other files.
"""

from __future__ import annotations

import json
import logging
import math
import os
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import paths
from visualizer.errors import UserError
from visualizer.errors import clean as clean
from visualizer.files import read_at_most
from visualizer.messages import write_to_log
from visualizer.names import find_name
from visualizer.networks.contract import FIGURES, check_contract
from visualizer.networks.contract import FRAME_SIZE as FRAME_SIZE
from visualizer.networks.contract import JOINT_COUNT as JOINT_COUNT
from visualizer.networks.contract import MOST_DANCERS as MOST_DANCERS
from visualizer.networks.contract import NETWORKS as NETWORKS
from visualizer.networks.contract import STEPS_PER_BEAT as STEPS_PER_BEAT
from visualizer.networks.session import (
    Bounded,
    OnDevice,
    devices_to_try,
    first_line,
    has_nvidia,
    open_part,
    open_session,
)

from .body_space import BodySpace, read_body_space
from .entries import Entries, read_entries
from .pack_figures import PackFigures, has_figures, read_figures

FORMAT = 3  # of a pack that is written: its latents are bodies in space
FORMATS = (2, 3)  # that can be danced; 2: flat bodies
FRAME_METRES = 2.5  # width of the square that a frame shows
FLOOR = 0.92  # height of the floor line in the frame, from the top
STEPS_PER_LETTER = 8  # a letter is a half-beat move
BEATS_PER_BAR = 4
PHRASE_BEATS = 8  # a written dance is a loop that begins where a phrase begins

DEFAULT_PACK = "default"
LARGEST_INFO = 8 * 1024 * 1024  # bytes of pack.json, which takes ten times as much once it is read; ours has 0.2 MB
MOST_SEEDS = 10_000
LARGEST_STATE = 65536  # numbers that a recurrent network may carry for each dancer
MOST_NAMES = 1000  # styles, and dances, of one pack
LONGEST_DANCE = 64  # beats
LIMITS = ("far", "still")
SYNCS = ("each", "unison", "canon")  # of a troupe
LARGEST_LIMIT = 1e6
PROBES = 64  # poses from which it is learned where joints are
WRONG = 0.01  # frame widths by which they may be missed
FARTHEST_JOINT = 4.0  # frame widths from the middle of the frame; no body reaches farther

log = logging.getLogger("visualizer")
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
    energy: float | None = None  # rank of its speed and size among the pack's dances, 0 the quietest, 1 the liveliest
    crotch: float = 0.0  # share of its steps with a hand before the crotch, which in a silhouette is misread


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
    body: BodySpace | None = None  # what latents of format 3 are
    entries: Entries | None = None  # how the dances stand at each beat
    crotch_letters: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # with a hand before it
    figures: PackFigures | None = None  # who can dance; None: the silhouette alone
    figure_decoder: Any = None  # the network that draws them
    joints: Any = None  # what of the decoder makes the joints, without the frames; None: ask the decoder

    @cached_property
    def joint_weights(self) -> NDArray[np.float64] | None:
        """Weights (D + 1, 21) from a latent and 1 to how far right of the middle the joints are, frame widths.

        None where there are none, or where a network that fails, or is not linear, does not tell.
        """
        if self.body is not None:
            return self.body.across / FRAME_METRES
        latent = np.stack([seed.latent for seed in self.seeds[:: max(1, len(self.seeds) // PROBES)]])
        names = [output.name for output in self.decoder.get_outputs()]
        if "joints" not in names or len(latent) <= self.latent_size:
            return None
        try:
            (found,) = (self.joints or self.decoder).run(["joints"], {"latent": latent})
        except Exception as error:  # noqa: BLE001 - a stranger's network may raise anything; the dance goes on without
            _log.warning("the joints of pack %s cannot be had: %s", self.name, first_line(error))
            return None
        found = np.asarray(found)
        if found.shape != (len(latent), JOINT_COUNT, 2) or found.dtype.kind != "f":
            return None
        across = found[:, :, 0].astype(np.float64) - 0.5
        if not (np.abs(across) <= FARTHEST_JOINT).all():
            return None
        known = np.pad(latent.astype(np.float64), ((0, 0), (0, 1)), constant_values=1)
        weights: NDArray[np.float64] = np.asarray(np.linalg.lstsq(known, across, rcond=None)[0], dtype=np.float64)
        return weights if np.abs(known @ weights - across).max() < WRONG else None


# --- finding ---------------------------------------------------------------------------------------------------


def find_pack(name_or_path: str | None) -> Path:
    """Folder of a pack: the name of one that ships or of one that was added, or a path; None for the default.

    A bare word is a name: whatever lies in the current folder, `default` is the pack that ships. A folder there is
    written `./default`. UserError if there is none.
    """
    name = DEFAULT_PACK if name_or_path is None else name_or_path
    is_path = any(mark in name for mark in {"/", os.sep}) or name in (".", "..") or Path(name).is_absolute()
    places = (Path(name),) if is_path else (paths.models() / name, paths.added_packs() / name)
    for folder in places if name else ():
        if _holds_pack(folder):
            if not is_path and _holds_pack(Path(name)):
                _say_that_one_is_here(name)
            return folder
    if not is_path and name and _holds_pack(Path(name)):
        raise UserError(f"no pack is called {name!r}; for the folder of that name here, say ./{name}")
    there = known_packs()
    if not is_path and (meant := find_name(name, there)):  # but for capitals, spaces and dashes
        return there[meant]
    known = ", ".join(there) or "none"
    raise UserError(f"no pack {name_or_path!r}: neither a folder with a pack.json nor one of {known}")


@cache
def _say_that_one_is_here(name: str) -> None:
    log.warning("the pack %s is meant, not the folder of that name here; that would be ./%s", name, name)


def _holds_pack(folder: Path) -> bool:
    try:
        return (folder / "pack.json").is_file()
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error


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
        for key in ("energy", "crotch"):
            share = dance.get(key)
            if share is not None and not (type(share) in (int, float) and 0 <= share <= 1):
                raise UserError(f"{where}: a dance's {key} must be from 0 to 1, not {_shown(share)}")
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
        info = json.loads(read_at_most(where, LARGEST_INFO).decode("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder}: no pack.json there, so not a pack") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: cannot be read ({first_line(error)})") from error
    if not isinstance(info, dict) or type(info.get("format")) is not int or info["format"] not in FORMATS:
        raise UserError(f"{where}: not a pack of format {' or '.join(map(str, FORMATS))}")
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
    _read_planning(info, where)
    _read_figures(info, where)
    return info


def _read_planning(info: dict[str, Any], where: Path) -> dict[str, Any]:
    """Fields of a `Pack`: what latents are, and what helps to choose what is danced."""
    letters = info.get("crotch_letters", [])
    if not isinstance(letters, list) or not all(type(n) is int and 0 <= n < info["letters"] for n in letters):
        raise UserError(f"{where}: crotch_letters must be numbers of letters")
    found: dict[str, Any] = {"crotch_letters": np.array(letters, np.int64)}
    if info["format"] == FORMAT:
        try:
            found["body"] = read_body_space(info.get("body"), info["latent_size"])
            if "entries" in info:
                found["entries"] = read_entries(info["entries"], len(info["dances"]), found["body"])
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
    return found


def _read_figures(info: dict[str, Any], where: Path) -> PackFigures | None:
    try:
        return read_figures(info) if has_figures(info) else None
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None


# --- loading ---------------------------------------------------------------------------------------------------


@dataclass
class _Opened:
    """The networks of a pack, and what truly runs them."""

    sessions: dict[str, Any]
    provider: str


def _open_networks(
    folder: Path, info: dict[str, Any], device: str, seals: dict[str, str], notify: Callable[[str], None]
) -> _Opened:
    """Open them on the best device that runs. UserError for one that breaks the contract, or where a device that was
    asked for by name does not run. `seals`: hashes of what the sandbox has judged, none for a pack that ships."""
    sessions: dict[str, Any] = {}
    provider = "cpu"
    lost: set[str] = set()
    for choice in devices_to_try(device):
        sessions, provider = {}, choice
        for network in (*NETWORKS[1:], *([FIGURES] if has_figures(info) else [])):
            path = folder / f"{network}.onnx"
            session, running = open_session(path, choice, seals.get(network))
            check_contract(session, network, info, path)
            provider = provider if running == choice else running
            if running != "cpu":
                session = OnDevice(session, path, running, notify, lost, seals.get(network))
            sessions[network] = Bounded(session) if seals else session
        if provider == choice:
            break
        if device != "auto":
            raise UserError(f"{device} was asked for, but onnxruntime runs on the {provider} here")
        _log.info("%s is listed but does not run here; using the %s", choice, provider)
        if choice == "coreml" or has_nvidia():  # else it is no news: CUDA is listed on each Linux and Windows
            remedy = "; install the extra gpu" if choice == "cuda" else ""
            notify(f"{choice} is there but does not run the networks: they run on the {provider}{remedy}")
    if any(output.name == "joints" for output in sessions["decoder"].get_outputs()):
        joints = open_part(folder / "decoder.onnx", "joints", seals.get("decoder"))
        sessions["joints"] = Bounded(joints) if seals and joints is not None else joints
    if FIGURES in sessions:
        sessions["figure_decoder"] = sessions.pop(FIGURES)
    return _Opened(sessions, provider)


def load_pack(
    folder: Path | str, device: str = "auto", notify: Callable[[str], None] = write_to_log
) -> Pack:  # fmt: skip
    """Load and check a pack. `device` is "auto", "cpu", "cuda" or "coreml". `notify` is told of a device that does not
    run the networks, now or later.

    Raises UserError for anything broken, and where a device asked for by name does not run.
    """
    folder = Path(folder)
    info = read_info(folder)
    seals: dict[str, str] = {}
    if not ships(folder):
        from visualizer.networks.sandbox import pass_trial

        seals = pass_trial(folder, info)
    opened = _open_networks(folder, info, device, seals, notify)
    return Pack(
        name=info.get("name") or folder.name,
        folder=folder,
        styles=tuple(info["styles"]),
        latent_size=info["latent_size"],
        letters=info["letters"],
        choreographer_state=tuple(info["choreographer_state"]),
        dancer_state=tuple(info["dancer_state"]),
        latent_mean=np.asarray(info["latent_mean"], dtype=np.float32),
        latent_spread=np.asarray(info["latent_spread"], dtype=np.float32),
        seeds=tuple(Seed(np.asarray(s["latent"], dtype=np.float32), s["letter"], s["style"]) for s in info["seeds"]),
        dances=tuple(
            NamedDance(d["name"], d["style"], d["beats"], d.get("energy"), d.get("crotch") or 0.0)
            for d in info["dances"]
        ),
        limits={key: float(info["limits"][key]) for key in LIMITS},
        provider=opened.provider,
        info=info,
        **_read_planning(info, folder / "pack.json"),
        figures=_read_figures(info, folder / "pack.json"),
        **opened.sessions,
    )
