"""Reads BVH, the commonest format of captured motion: a tree of joints, then numbers, a line for each frame.

Only the contents of the file are read here; `mapping.py` finds which joint is which, `retarget.py` how large the body
is and which way is up. A file is either read or refused with one line.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

LARGEST_FILE = 256 * 1024 * 1024  # bytes; an hour of 60 joints at 120 frames a second has 0.6 GB, a dance 10 MB
MOST_JOINTS = 500
DEEPEST = 100
MOST_FRAMES = 1_000_000
END = " end"  # after the name of a joint: where its bone ends

_AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True)
class Joint:
    """One joint: its parent's number or -1, where it sits on the parent at rest, and what moves it, in the file's
    order, as (is it a rotation, axis)."""

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[tuple[bool, int], ...]


@dataclass(frozen=True)
class Skeleton:
    """A capture as it is in the file: `positions` (T, J, 3) of joints and bones' ends, in its own units and axes."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    positions: NDArray[np.float64]
    fps: float


def _number(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise UserError(f"{where}: {word[:20]!r} is no number") from None
    if not abs(value) < 1e6:  # also nan
        raise UserError(f"{where}: {word[:20]} is no place of a joint")
    return value


def _read_tree(lines: list[str], path: Path) -> list[Joint]:
    """Joints in the order of the file, up to the line that begins the motion."""
    joints: list[Joint] = []
    above: list[int] = []  # joints whose braces are open
    name, offset, channels, head = "", None, (), 0  # of the joint that is being read
    pending = False  # a joint has a name, and its brace is not yet open
    for at, line in enumerate(lines):
        words = line.split()
        where = f"{path}: line {at + 1}"
        if not words:
            continue
        word = words[0].upper()
        if at == head and word == "HIERARCHY":
            continue
        if word in ("ROOT", "JOINT", "END"):
            if pending or (word == "ROOT") != (not above) or (word == "ROOT" and joints):
                raise UserError(f"{where}: {word} is not where it can be; one tree of joints is read")
            name = joints[above[-1]].name + END if word == "END" else line.strip()[len(word) :].strip()
            if not name or len(name) > 100:
                raise UserError(f"{where}: a joint needs a name of up to 100 letters")
            pending = True
        elif word == "{":
            if not pending or len(above) >= DEEPEST:
                raise UserError(f"{where}: a brace that belongs to no joint, or more than {DEEPEST} in one another")
            joints.append(Joint(name, above[-1] if above else -1, (0.0, 0.0, 0.0), ()))
            if len(joints) > MOST_JOINTS:
                raise UserError(f"{path}: more than {MOST_JOINTS} joints")
            above.append(len(joints) - 1)
            pending = False
        elif word == "}":
            if not above:
                raise UserError(f"{where}: a brace is closed that was not open")
            above.pop()
        elif word == "OFFSET" and above and len(words) == 4:
            offset = tuple(_number(w, where) for w in words[1:])
            old = joints[above[-1]]
            joints[above[-1]] = Joint(old.name, old.parent, offset, old.channels)  # type: ignore[arg-type]
        elif word == "CHANNELS" and above:
            channels = tuple(words[2:])
            if len(words) < 2 or words[1] != str(len(channels)) or len(channels) > 6:
                raise UserError(f"{where}: the number of channels is not that of their names, or above 6")
            read = []
            for channel in channels:
                kind, axis = channel[1:].lower(), channel[:1].lower()
                if kind not in ("rotation", "position") or axis not in _AXES:
                    raise UserError(f"{where}: no channel is called {channel[:20]!r}")
                read.append((kind == "rotation", _AXES[axis]))
            if len(set(read)) != len(read):
                raise UserError(f"{where}: a channel is there twice")
            old = joints[above[-1]]
            joints[above[-1]] = Joint(old.name, old.parent, old.offset, tuple(read))
        elif word == "MOTION":
            if above or pending or not joints:
                raise UserError(f"{where}: the motion begins before the tree of joints ends")
            return joints
        else:
            raise UserError(f"{where}: not in the format of BVH ({line.strip()[:30]!r})")
    raise UserError(f"{path}: ends before the motion begins")


def _rotations(axis: int, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) -> (T, 3, 3), about one axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out = np.zeros((len(degrees), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    out[:, axis, axis] = 1
    out[:, one, one], out[:, one, two] = c, -s
    out[:, two, one], out[:, two, two] = s, c
    return out


def _place(joints: list[Joint], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Forward kinematics: `values` (T, channels) -> (T, J, 3). A joint's rotations apply in the order in which the
    file names them, the last one first; where a joint has positions, they replace its offset."""
    frames = len(values)
    positions = np.zeros((frames, len(joints), 3))
    turns: list[NDArray[np.float64]] = []
    at = 0
    for number, joint in enumerate(joints):
        place = np.tile(np.array(joint.offset), (frames, 1))
        turn = np.tile(np.eye(3), (frames, 1, 1)) if joint.parent < 0 else turns[joint.parent]
        own = None
        for is_rotation, axis in joint.channels:
            if is_rotation:
                step = _rotations(axis, values[:, at])
                own = step if own is None else own @ step
            else:
                place[:, axis] = values[:, at]
            at += 1
        if joint.parent < 0:
            positions[:, number] = place
        else:
            positions[:, number] = positions[:, joint.parent] + np.einsum("tij,tj->ti", turn, place)
        turns.append(turn if own is None else turn @ own)
    return positions


def read_bvh(path: Path) -> Skeleton:
    """Read a BVH file. UserError with the reason for one that cannot be used."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: {path.stat().st_size >> 20} MB is too large for a dance")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    line = re.search(r"^[ \t]*MOTION[ \t\r]*$", text, re.MULTILINE | re.IGNORECASE)
    if not line or "HIERARCHY" not in text[:1000].upper():
        raise UserError(f"{path}: not a BVH file, or cut off before the motion")
    joints = _read_tree([*text[: line.start()].splitlines(), "MOTION"], path)
    motion = text[line.end() :]
    rows = motion.lstrip().split("\n", 2)
    try:
        (label, count), (other, time) = (row.split(":") for row in rows[:2])
        if label.strip().lower() != "frames" or other.strip().lower() != "frame time":
            raise ValueError
        frames, seconds = int(count), float(time)
    except ValueError:
        raise UserError(f"{path}: after MOTION must come the number of frames and the time of one") from None
    if not 2 <= frames <= MOST_FRAMES or not 1e-3 <= seconds <= 0.2:
        raise UserError(f"{path}: {frames} frames of {seconds:g} s each are no dance")
    channels = sum(len(joint.channels) for joint in joints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where numbers end before the text does; counted below
        try:
            values = np.fromstring(rows[2] if len(rows) > 2 else "", sep=" ")
        except ValueError:  # what later numpy says instead
            values = np.zeros(0)
    if len(values) != frames * channels:
        raise UserError(
            f"{path}: {frames} frames of {channels} numbers are {frames * channels}, but {len(values)} can be read"
        )
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e6:
        raise UserError(f"{path}: holds numbers that are no angles or places")
    positions = _place(joints, values.reshape(frames, channels))
    return Skeleton(tuple(j.name for j in joints), tuple(j.parent for j in joints), positions, 1 / seconds)
