"""How the parts of bodies stand in space: the directions left, up and ahead of chest, hips, head, hands and feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.figures.shapes import Floats, square_to, unit
from training.data.motion.skeleton import ANKLE_HEIGHT, BONE, INDEX

_TOE_DROP = np.arcsin((ANKLE_HEIGHT - 0.03) / BONE["toe"])  # the line from ankle to toe, above a flat sole
NECK_LEANS = 0.20  # radians: the bone from the neck to the crown leans forward where the eyes look level
DOWN = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True)
class Frame:
    """Directions (N, 3) of a part of N bodies, at right angles: its left, up and ahead."""

    left: Floats
    up: Floats
    ahead: Floats

    def at(self, origin: Floats, left: float = 0.0, up: float = 0.0, ahead: float = 0.0) -> Floats:
        """Points (N, 3) so many metres left, up and ahead of `origin` (N, 3)."""
        return origin + left * self.left + up * self.up + ahead * self.ahead


@dataclass(frozen=True)
class Posture:
    """N bodies as `joints` (N, 21, 3), with the frames of their parts; hands and feet left, then right."""

    joints: Floats
    chest: Frame
    hips: Frame
    head: Frame
    hands: tuple[Frame, Frame]
    feet: tuple[Frame, Frame]
    sway: Floats

    def __getitem__(self, name: str) -> Floats:
        """Where a joint is (N, 3)."""
        return self.joints[:, INDEX[name]]


def find_posture(joints: NDArray[np.floating], sway: NDArray[np.floating]) -> Posture:
    """The posture of bodies `joints` (N, 21, 3) metres with `sway` (N, 7)."""
    j = joints.astype(np.float64)
    at = {name: j[:, place] for name, place in INDEX.items()}
    chest = _frame(at["left_shoulder"] - at["right_shoulder"], at["neck"] - at["spine"])
    hips = _frame(at["left_hip"] - at["right_hip"], at["spine"] - at["pelvis"])
    # Heads turn with the chest: the bones do not say more.
    up = unit(at["head"] - at["neck"])
    left = square_to(chest.left, up)
    ahead: Floats = np.cross(left, up)
    level: Floats = np.cos(NECK_LEANS) * up - np.sin(NECK_LEANS) * ahead
    ahead = np.cos(NECK_LEANS) * ahead + np.sin(NECK_LEANS) * up
    head = Frame(left, level, ahead)
    hands = tuple(_hand(at, chest, side, sign) for side, sign in (("left", 1.0), ("right", -1.0)))
    feet = tuple(_foot(at, hips, side) for side in ("left", "right"))
    return Posture(j, chest, hips, head, (hands[0], hands[1]), (feet[0], feet[1]), np.asarray(sway, np.float64))


def _frame(left: Floats, up: Floats) -> Frame:
    """The frame that faces away from both, `left` as it is."""
    across = unit(left)
    ahead = unit(np.cross(across, up))
    return Frame(across, np.cross(ahead, across), ahead)


def _hand(at: dict[str, Floats], chest: Frame, side: str, sign: float) -> Frame:
    """`up` along the fingers, `left` to the thumb, `ahead` out of the palm."""
    along = unit(at[f"{side}_hand"] - at[f"{side}_wrist"])
    hint = 0.75 * chest.ahead + 0.55 * chest.up - 0.35 * sign * chest.left
    thumb = square_to(hint, along)
    palm: Floats = sign * np.cross(along, thumb)
    return Frame(thumb, along, palm)


def _foot(at: dict[str, Floats], hips: Frame, side: str) -> Frame:
    """`up` out of the shoe, `ahead` to the toes, along a flat sole."""
    toe = unit(at[f"{side}_toe"] - at[f"{side}_ankle"])
    shin = unit(at[f"{side}_knee"] - at[f"{side}_ankle"])
    left = unit(np.cross(shin, toe) + 0.15 * hips.left)  # a pointed foot keeps its sides
    left = square_to(left, toe)
    up: Floats = np.cross(toe, left)
    ahead: Floats = np.cos(_TOE_DROP) * toe + np.sin(_TOE_DROP) * up
    return Frame(left, np.cross(ahead, left), ahead)
