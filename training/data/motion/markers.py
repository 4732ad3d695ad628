"""Markers on the skin, as cameras of studios see them, in C3D files: from markers to the joints beneath them.

Names are those of the Plug-in Gait model, which nearly all studios use; a table (`--joints`) names others. The centre
of a hip lies at fixed shares of the distance between the front spines of the pelvis (Bell, Pedersen and Brand, 1990).
"""

from __future__ import annotations

import itertools
import struct
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.motion.gaps import fill_short_gaps
from training.data.motion.mapping import NEEDED
from training.data.motion.place_joints import Landmarks
from visualizer.errors import UserError

Points = NDArray[np.float64]  # (T, 3)

LARGEST_FILE = 256 * 1024 * 1024  # bytes
MOST_FRAMES, MOST_MARKERS = 1_000_000, 2000
KNEE, ANKLE, SHOULDER = 0.27, 0.15, 0.2  # of the width of the pelvis: how far a joint lies beneath its marker
HIP_SIDE, HIP_DOWN, HIP_BACK = 0.36, 0.30, 0.19  # of that width, from the middle of the front spines
_HEAD = ("LFHD", "RFHD", "LBHD", "RBHD")
_SIDE = ("ASI", "KNE", "ANK", "TOE", "SHO", "ELB")  # after L and R; WRA and WRB, or WRI, at the wrist
# What the reader raises for damaged files; it agrees on no common class.
_BROKEN = (
    ValueError, KeyError, IndexError, AssertionError, AttributeError, TypeError, OverflowError, MemoryError, EOFError,
    ZeroDivisionError, struct.error, UnicodeError, RuntimeError,
)  # fmt: skip


def read_markers(path: Path, table: dict[str, str] | None = None) -> Landmarks:
    """Read a C3D file. `table`: which marker is which of our joints, for other names. UserError with the reason for one
    that cannot be used."""
    names, points, fps = _read(path)
    at = {name: number for number, name in enumerate(names)}
    if table:
        return _by_table(at, points, fps, path, table)
    needed = [f"{s}{n}" for s in "LR" for n in _SIDE]
    wrists = {s: [n for n in (f"{s}WRA", f"{s}WRB", f"{s}WRI") if n in at] for s in "LR"}
    missing = [n for n in needed if n not in at] + [f"{s}WRA" for s in "LR" if not wrists[s]]
    backs = [n for n in ("LPSI", "RPSI", "SACR") if n in at]
    missing += [] if backs else ["SACR"]
    necks = [n for n in ("C7", "CLAV") if n in at]
    missing += [] if necks else ["C7"]
    if missing:
        raise UserError(
            f"{path}: no marker {missing[0]} among {', '.join(names)[:300]}; a table says which joint is which "
            f"(--joints)"
        )
    heads = [n for n in _HEAD if n in at]
    used = [*needed, *wrists["L"], *wrists["R"], *backs, *necks, *heads, *(n for n in ("LFIN", "RFIN") if n in at)]
    used += [n for n in ("STRN", "T10", "LHEE", "RHEE") if n in at]
    filled = fill_short_gaps(points[:, [at[n] for n in used]], used, fps, path)
    m = {name: filled[:, number] for number, name in enumerate(used)}
    return _joints_beneath(m, wrists, backs, necks, heads, fps)


def _joints_beneath(
    m: dict[str, Points], wrists: dict[str, list[str]], backs: list[str], necks: list[str], heads: list[str], fps: float
) -> Landmarks:
    """Joints from markers `m` by name."""

    def mean(names: list[str]) -> Points:
        return np.mean([m[n] for n in names], axis=0)

    front = (m["LASI"] + m["RASI"]) / 2
    width = np.linalg.norm(m["LASI"] - m["RASI"], axis=-1, keepdims=True)
    across = _unit(m["LASI"] - m["RASI"])
    ahead = front - mean(backs)
    ahead = _unit(ahead - across * np.sum(ahead * across, axis=-1, keepdims=True))
    up = np.cross(ahead, across)
    neck = mean(necks)
    up = np.where(np.sum(up * (neck - front), axis=-1, keepdims=True) < 0, -up, up)
    limbs: dict[str, Points] = {}
    for side, s, sign in (("left", "L", 1.0), ("right", "R", -1.0)):
        inwards = -sign * across * width
        limbs[f"{side}_hip"] = front + width * (sign * HIP_SIDE * across - HIP_DOWN * up - HIP_BACK * ahead)
        limbs[f"{side}_knee"] = m[f"{s}KNE"] + KNEE * inwards
        limbs[f"{side}_ankle"] = m[f"{s}ANK"] + ANKLE * inwards
        limbs[f"{side}_toe"] = m[f"{s}TOE"]
        limbs[f"{side}_shoulder"] = m[f"{s}SHO"] - SHOULDER * width * _unit(neck - front)
        limbs[f"{side}_elbow"] = m[f"{s}ELB"]
        limbs[f"{side}_wrist"] = mean(wrists[s])
        if f"{s}FIN" in m:
            limbs[f"{side}_hand"] = m[f"{s}FIN"]
    middle = (limbs["left_hip"] + limbs["right_hip"]) / 2
    head = mean(heads) if heads else neck + 0.5 * (neck - middle)
    trunk = [(m["STRN"] + m["T10"]) / 2, neck] if "STRN" in m and "T10" in m else [neck]
    return Landmarks(limbs, trunk, head, fps, ahead, ["markers"])


def _by_table(
    at: dict[str, int], points: NDArray[np.float64], fps: float, path: Path, table: dict[str, str]
) -> Landmarks:
    """Joints that a table names among the points."""
    wanted = {*NEEDED, "neck"}
    absent = sorted(wanted - set(table))
    if absent:
        raise UserError(f"{path}: the table of joints does not name {absent[0]}, which markers need")
    strange = [name for name in table.values() if name not in at]
    if strange:
        raise UserError(f"{path}: no marker is called {strange[0][:40]!r}; there are {', '.join(at)[:300]}")
    filled = fill_short_gaps(points[:, [at[n] for n in table.values()]], list(table.values()), fps, path)
    m = {joint: filled[:, number] for number, joint in enumerate(table)}
    middle = (m["left_hip"] + m["right_hip"]) / 2
    head = m["head"] if "head" in m else m["neck"] + 0.5 * (m["neck"] - middle)
    ahead = None
    if "left_toe" in m and "right_toe" in m:
        ahead = m["left_toe"] - m["left_ankle"] + m["right_toe"] - m["right_ankle"]
    return Landmarks({n: p for n, p in m.items() if "_" in n}, [m["neck"]], head, fps, ahead, ["markers"])


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _read(path: Path) -> tuple[list[str], NDArray[np.float64], float]:
    """Names of the markers, their places (T, P, 3), NaN where one was lost, and frames a second."""
    import c3d

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: too large for a file of markers")
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the reader, about what is unusual
            reader = c3d.Reader(file)
            names = [str(name).strip().rsplit(":", 1)[-1].upper() for name in reader.point_labels]
            fps, count = float(reader.point_rate), int(reader.point_used)
            if not 0 < count <= MOST_MARKERS or not 1 <= fps <= 2000:
                raise UserError(f"{path}: {count} markers at {fps:g} frames a second are no dance")
            frames = [
                found for _, found, _ in itertools.islice(reader.read_frames(analog_transform=False), MOST_FRAMES)
            ]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except _BROKEN as error:
        raise UserError(f"{path}: not a C3D file that can be read ({' '.join(str(error).split())[:80]})") from error
    if len(frames) < 2 or len(names) < count:
        raise UserError(f"{path}: holds no movement ({len(frames)} frames of {len(names)} named markers)")
    whole = np.stack(frames).astype(np.float64)
    points = whole[:, :count, :3]
    points[whole[:, :count, 3] < 0] = np.nan
    if not np.abs(points[np.isfinite(points)]).max(initial=0) < 1e7:
        raise UserError(f"{path}: holds numbers that are no places")
    return names[:count], points, fps
