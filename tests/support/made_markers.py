"""C3D files of bodies whose joints are known, with the markers of the Plug-in Gait model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.motion.markers import ANKLE, HIP_BACK, HIP_DOWN, HIP_SIDE, KNEE, SHOULDER
from training.data.motion.skeleton import INDEX

Points = NDArray[np.float64]


def _unit(v: Points) -> Points:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def markers_of(positions: NDArray[np.floating]) -> dict[str, Points]:
    """Joints (T, 21, 3) metres, y up -> markers by name, (T, 3) millimetres, z up, as studios have them."""
    at = {name: positions[:, number].astype(np.float64) for name, number in INDEX.items()}
    middle = (at["left_hip"] + at["right_hip"]) / 2
    across = _unit(at["left_hip"] - at["right_hip"])
    ahead = _unit(np.cross(across, at["neck"] - middle))
    up = np.cross(ahead, across)
    width = np.linalg.norm(at["left_hip"] - at["right_hip"], axis=-1, keepdims=True) / (2 * HIP_SIDE)
    front = middle + width * (HIP_DOWN * up + HIP_BACK * ahead)
    found = {"C7": at["neck"] - 0.06 * ahead, "CLAV": at["neck"] + 0.06 * ahead}
    for name, ahead_of in (("FHD", 0.09), ("BHD", -0.09)):
        found |= {f"L{name}": at["head"] + ahead_of * ahead, f"R{name}": at["head"] + ahead_of * ahead}
    for side, s, sign in (("left", "L", 1.0), ("right", "R", -1.0)):
        outwards = sign * across * width
        found[f"{s}ASI"] = front + outwards / 2
        found[f"{s}PSI"] = front + outwards / 6 - 0.15 * ahead
        found[f"{s}KNE"] = at[f"{side}_knee"] + KNEE * outwards
        found[f"{s}ANK"] = at[f"{side}_ankle"] + ANKLE * outwards
        found[f"{s}TOE"] = at[f"{side}_toe"]
        found[f"{s}SHO"] = at[f"{side}_shoulder"] + SHOULDER * width * _unit(at["neck"] - front)
        found[f"{s}ELB"] = at[f"{side}_elbow"]
        found[f"{s}WRA"] = at[f"{side}_wrist"] + 0.03 * ahead
        found[f"{s}WRB"] = at[f"{side}_wrist"] - 0.03 * ahead
        found[f"{s}FIN"] = at[f"{side}_hand"]
    return {name: 1000 * p[:, [0, 2, 1]] * (1, -1, 1) for name, p in found.items()}


def write_c3d(path: Path, markers: dict[str, Points], fps: float = 120.0) -> Path:
    """Write markers (T, 3); what is not a number is written as a marker that was not seen."""
    import c3d

    writer = c3d.Writer(point_rate=fps)
    whole = np.stack(list(markers.values()), axis=1)
    for frame in whole:
        lost = ~np.isfinite(frame).all(axis=-1)
        points = np.zeros((len(frame), 5), np.float32)
        points[:, :3] = np.nan_to_num(frame)
        points[lost, 3:] = -1
        writer.add_frames([(points, np.zeros((0, 0), np.float32))])
    writer.set_point_labels(list(markers))
    with path.open("wb") as file:
        writer.write(file)
    return path
