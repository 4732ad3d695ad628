"""BVH files and keypoints written out of motion that is known, as several programs would write them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from training.data.motion.keypoints import COCO
from training.data.motion.skeleton import INDEX

Motion = NDArray[np.float32]  # (T, 21, 3) metres, y up


@dataclass(frozen=True)
class Convention:
    """How a program writes: names (with # for the side) of our joints, the order of rotations, units a metre, the axis
    that is up, and whether every joint has positions."""

    sides: tuple[str, str]
    names: dict[str, str]
    order: str = "ZXY"
    units: float = 100.0
    up: str = "y"
    positions: bool = False
    fps: float = 60.0


_MAYA = {
    "pelvis": "Hips", "spine": "Spine", "chest": "Spine1", "neck": "Neck", "head": "Head", "collar": "#Shoulder",
    "shoulder": "#Arm", "elbow": "#ForeArm", "wrist": "#Hand", "hip": "#UpLeg", "knee": "#Leg", "ankle": "#Foot",
    "toe": "#ToeBase",
}  # fmt: skip
WORDS = ("Left", "Right")
CONVENTIONS = {
    "cmu": Convention(WORDS, {**_MAYA, "spine": "LowerBack", "chest": "Spine"}, "ZYX", 0.45 / 0.0254, fps=120.0),
    "mixamo": Convention(WORDS, {k: f"mixamorig:{v}" for k, v in _MAYA.items()}, "XYZ", 100.0, fps=30.0),
    "motionbuilder": Convention(WORDS, _MAYA, "ZXY", 1 / 0.0254, positions=True),
    "blender": Convention(
        ("L", "R"),
        {"pelvis": "hips", "spine": "spine.001", "chest": "spine.002", "neck": "neck", "head": "head",
         "collar": "shoulder.#", "shoulder": "upper_arm.#", "elbow": "forearm.#", "wrist": "hand.#", "hip": "thigh.#",
         "knee": "shin.#", "ankle": "foot.#", "toe": "toe.#"},
        "XYZ", 1.0, "z",
    ),
    "biovision": Convention(
        WORDS,
        {"pelvis": "Hips", "spine": "Chest", "chest": "Chest2", "neck": "Neck", "head": "Head", "collar": "#Collar",
         "shoulder": "#Shoulder", "elbow": "#Elbow", "wrist": "#Wrist", "hip": "#Hip", "knee": "#Knee",
         "ankle": "#Ankle", "toe": "#Toe"},
        "YXZ", 1 / 0.0254,
    ),
    "biped": Convention(
        ("L", "R"),
        {"pelvis": "Bip01", "spine": "Bip01 Spine", "chest": "Bip01 Spine1", "neck": "Bip01 Neck",
         "head": "Bip01 Head", "collar": "Bip01 # Clavicle", "shoulder": "Bip01 # UpperArm",
         "elbow": "Bip01 # Forearm", "wrist": "Bip01 # Hand", "hip": "Bip01 # Thigh", "knee": "Bip01 # Calf",
         "ankle": "Bip01 # Foot", "toe": "Bip01 # Toe0"},
        "ZYX", 1000.0, "z",
    ),
}  # fmt: skip

# Where each bone points in the pose of rest: arms to the sides.
_REST = {"spine": (0, 1, 0), "chest": (0, 1, 0), "neck": (0, 1, 0), "head": (0, 1, 0), "shoulder": (1, 0.5, 0),
         "elbow": (1, 0, 0), "wrist": (1, 0, 0), "hand": (1, 0, 0), "hip": (1, 0, 0), "knee": (0, -1, 0),
         "ankle": (0, -1, 0), "toe": (0, -0.3, 1)}  # fmt: skip


def _align(rest: NDArray, now: NDArray) -> NDArray[np.float64]:
    """The smallest rotations (T, 3, 3) that bring unit `rest` (T, 3) to unit `now` (T, 3)."""
    axis = np.cross(rest, now)
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, np.sum(rest * now, axis=-1))
    axis = np.where(sine[:, None] > 1e-9, axis / np.maximum(sine, 1e-12)[:, None], [[0.0, 0.0, 1.0]])
    return Rotation.from_rotvec(axis * angle[:, None]).as_matrix()


def write_bvh(path: Path, motion: Motion, how: Convention, mirror_names: bool = False) -> Path:
    """Write motion at 60 frames a second, every second one where the convention has 30, each twice as often at 120."""
    motion = motion.astype(np.float64)  # type: ignore[assignment]
    if how.fps == 30:
        motion = motion[::2]
    elif how.fps == 120:
        fine = np.arange(0, len(motion) - 0.99, 0.5)
        motion = CubicSpline(np.arange(len(motion)), motion)(fine)
    frames = len(motion)
    # x, y, z -> x, -z, y is the same body seen by who counts z upwards.
    change = np.eye(3) if how.up == "y" else np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    motion = motion @ change.T * how.units

    lines = ["HIERARCHY"]
    columns: list[NDArray] = []
    rotation_words = " ".join(f"{axis}rotation" for axis in how.order)

    def name_of(joint: str, side: str) -> str:
        words = how.sides[::-1] if mirror_names else how.sides
        return how.names[joint].replace("#", words[0] if side == "left" else words[1])

    def rest_of(joint: str) -> NDArray:
        kind = joint.split("_")[-1]
        rest = np.array(_REST[kind], float)
        if joint.startswith("right"):
            rest[0] *= -1
        return change @ (rest / np.linalg.norm(rest))

    def channels(offset: NDArray, turn: NDArray, before: NDArray, root: bool) -> None:
        """Columns of one joint: its position where it has one, and its own rotation."""
        if root or how.positions:
            lines.append(f"CHANNELS 6 Xposition Yposition Zposition {rotation_words}")
            columns.append(offset)
        else:
            lines.append(f"CHANNELS 3 {rotation_words}")
        own = np.swapaxes(before, -1, -2) @ turn
        columns.append(Rotation.from_matrix(own).as_euler(how.order, degrees=True))

    def still(offset: NDArray) -> NDArray:
        return np.tile(offset, (frames, 1))

    def bone(parent: str, joint: str, turn: NDArray, carrier: str, inner: list, first: NDArray | None = None) -> None:
        """A joint at `parent` that turns so that the bone to `joint` lies right, then what hangs on its end."""
        offset = np.zeros(3) if first is None else first
        lines.extend([f"JOINT {carrier}", "{", "OFFSET " + " ".join(f"{v:.6f}" for v in offset)])
        span = motion[:, INDEX[joint]] - motion[:, INDEX[parent]]
        length = float(np.linalg.norm(span, axis=-1).mean())
        rest = rest_of(joint)
        unit = span / np.linalg.norm(span, axis=-1, keepdims=True)
        now = _align(np.einsum("tij,j->ti", turn, rest), unit) @ turn
        channels(still(offset), now, turn, False)
        end = rest * length
        for parent_joint, child, child_carrier, more in inner:
            bone(parent_joint, child, now, child_carrier, more, end)
        if not inner:
            lines.extend(["End Site", "{", "OFFSET " + " ".join(f"{v:.6f}" for v in end), "}"])
        lines.append("}")

    eye = np.tile(np.eye(3), (frames, 1, 1))
    lines.extend([f"ROOT {name_of('pelvis', '')}", "{", "OFFSET 0 0 0"])
    channels(motion[:, 0], eye, eye, True)
    arms = []
    for side in ("left", "right"):
        s = f"{side}_"
        # A joint stands where its bone begins: the carrier of the bone to the elbow is the shoulder.
        arms.append(("chest", s + "shoulder", name_of("collar", side), [
            (s + "shoulder", s + "elbow", name_of("shoulder", side), [
                (s + "elbow", s + "wrist", name_of("elbow", side), [
                    (s + "wrist", s + "hand", name_of("wrist", side), [])])])]))  # fmt: skip
    trunk = [("pelvis", "spine", "Abdomen", [("spine", "chest", name_of("spine", ""), [
        ("chest", "neck", name_of("chest", ""), [("neck", "head", name_of("neck", ""), [])]), *arms])])]  # fmt: skip
    for parent, joint, carrier, inner in trunk:
        bone(parent, joint, eye, carrier, inner, np.zeros(3))
    for side in ("left", "right"):
        s = f"{side}_"
        foot = [(s + "ankle", s + "toe", name_of("ankle", side), [])]
        shin = [(s + "knee", s + "ankle", name_of("knee", side), foot)]
        leg = [(s + "hip", s + "knee", name_of("hip", side), shin)]
        bone("pelvis", s + "hip", eye, f"{'L' if side == 'left' else 'R'}HipJoint", leg, np.zeros(3))
    lines.append("}")
    table = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / how.fps:.7f}"]
    lines += [" ".join(f"{v:.5f}" for v in row) for row in table]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def keypoints(motion: Motion) -> NDArray[np.float64]:
    """The 17 joints of COCO in centimetres, (T, 17, 3): ears and eyes where a head has them."""
    at = {name: np.asarray(motion[:, i], np.float64) for name, i in INDEX.items()}
    across = at["left_shoulder"] - at["right_shoulder"]
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    middle = at["neck"] + 0.55 * (at["head"] - at["neck"])
    up = (at["head"] - at["neck"]) / np.linalg.norm(at["head"] - at["neck"], axis=-1, keepdims=True)
    front = np.cross(across, up)
    at["nose"] = middle + 0.12 * front
    for sign, side in ((1, "left"), (-1, "right")):
        at[f"{side}_eye"] = middle + 0.09 * front + sign * 0.03 * across + 0.03 * up
        at[f"{side}_ear"] = middle + 0.02 * front + sign * 0.075 * across
    return 100 * np.stack([at[name] for name in COCO], axis=1)


def write_keypoints(path: Path, points: NDArray, protocol: int = 4) -> Path:
    """As AIST++ writes it."""
    path.write_bytes(pickle.dumps({"keypoints3d": points, "keypoints3d_optim": points}, protocol=protocol))
    return path
