"""Finds a hand that, in the picture, hangs before the crotch: in a flat silhouette it reads as something else.

A silhouette does not show depth, so only the picture plane counts: a hand in front, one behind and one between the
thighs look the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import INDEX

HALF_WIDTH = 0.07  # metres to either side of the middle between the hips
TOP, BOTTOM = 0.05, 0.33  # metres below the hip joints: the crotch, and where the knees of bent legs begin
ALONG_HAND = (0.3, 0.65, 1.0)  # of the way from the wrist to the finger tips: where the hand is looked at
AT_REST = 0.5  # metres a beat, in the picture against the hips: a slower hand is not on its way to somewhere else


def before_crotch(joints: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which hand is before the crotch: joints (T, 21, 2 or 3), metres, y up, to (T, 2), left and right hand."""
    picture = joints[..., :2]
    middle = 0.5 * (picture[:, INDEX["left_hip"]] + picture[:, INDEX["right_hip"]])
    found = np.zeros((len(picture), 2), dtype=bool)
    for k, side in enumerate(("left", "right")):
        wrist, tip = picture[:, INDEX[f"{side}_wrist"]], picture[:, INDEX[f"{side}_hand"]]
        for share in ALONG_HAND:
            across, up = np.moveaxis(wrist + share * (tip - wrist) - middle, -1, 0)
            found[:, k] |= (np.abs(across) < HALF_WIDTH) & (up < -TOP) & (up > -BOTTOM)
    return found


def rests_before_crotch(joints: NDArray[np.floating], steps_per_beat: int) -> NDArray[np.bool_]:
    """Which hand is before the crotch and slower than `AT_REST`: joints (T, 21, 2 or 3) of a loop to (T, 2)."""
    picture = joints[..., :2]
    middle = 0.5 * (picture[:, INDEX["left_hip"]] + picture[:, INDEX["right_hip"]])
    hands = picture[:, [INDEX["left_hand"], INDEX["right_hand"]]] - middle[:, None]
    step = 0.5 * (np.roll(hands, -1, 0) - np.roll(hands, 1, 0))
    return before_crotch(joints) & (np.linalg.norm(step, axis=-1) * steps_per_beat < AT_REST)
