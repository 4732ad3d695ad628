"""Hands with thumbs and fingers that open, close to a fist and point."""

from __future__ import annotations

import numpy as np

from training.data.figures.body import SIDES, SKIN
from training.data.figures.figure import Figure
from training.data.figures.posture import Posture
from training.data.figures.shapes import LEFT_HAND, RIGHT_HAND, Floats, Shapes, unit

LARGE = 1.34  # hands are larger than life, or fingers would be thinner than a pixel
_REST = 0.16  # how far fingers of an open hand are bent, of a fist
# Of each finger from the first: metres from the middle of the knuckles to the thumb, how far it fans out, its length.
_FINGERS = ((0.030, 0.26, 0.078), (0.010, 0.07, 0.088), (-0.011, -0.12, 0.082), (-0.030, -0.34, 0.066))


def add_hand(shapes: Shapes, posture: Posture, figure: Figure, side: int, shape: Floats) -> None:
    """One hand; `shape` (N, 2) how far it is a fist and how far it points, 0..1."""
    wrist = posture[f"{SIDES[side]}_wrist"]
    frame = posture.hands[side]
    thumb, along, palm = frame.left, frame.up, frame.ahead
    q = LARGE * figure.body.hands
    limb = (LEFT_HAND, RIGHT_HAND)[side]
    fist, point = (np.clip(shape[:, i : i + 1], 0, 1) for i in range(2))
    closed = np.clip(fist + point, 0, 1)

    def put(start: Floats, radius: float, end: Floats, radius_end: float, blend: float) -> None:
        shapes.cone(SKIN, limb, (start, radius * q, end, radius_end * q), (blend, blend))

    knuckles = wrist + 0.082 * q * along
    shapes.cone(
        SKIN, limb, (wrist + 0.01 * q * along, 0.030 * q, knuckles + 0.014 * q * thumb, 0.031 * q), (0.012, 0.015),
        ((palm, 1.35),),
    )  # fmt: skip
    shapes.cone(
        SKIN, limb, (wrist + 0.012 * q * along, 0.028 * q, knuckles - 0.020 * q * thumb, 0.028 * q), (0.015, 0.015),
        ((palm, 1.35),),
    )  # fmt: skip
    for number, (off, fan, length) in enumerate(_FINGERS):
        bent = _REST + closed * (1 - _REST)
        if number == 0:
            bent = bent * (1 - np.clip(point - fist, 0, 1))
        spread = 1 - 0.85 * closed
        straight = unit(along + 1.2 * fan * spread * thumb)
        base = knuckles + off * q * thumb - 0.004 * q * along
        first = straight * np.cos(1.5 * bent) + palm * np.sin(1.5 * bent)
        second = straight * np.cos(3.0 * bent) + palm * np.sin(3.0 * bent)
        middle = base + 0.52 * length * q * first
        put(base, 0.0150, middle, 0.0145, 0.010)
        put(middle, 0.0145, middle + 0.48 * length * q * second, 0.0125, 0.004)
    root = wrist + 0.028 * q * along + 0.020 * q * thumb
    away = unit((0.55 + 0.30 * closed) * along + (0.95 - 0.75 * closed) * thumb + (0.25 + 0.60 * closed) * palm)
    joint = root + 0.044 * q * away
    put(root, 0.0200, joint, 0.0165, 0.016)
    put(joint, 0.0165, joint + 0.036 * q * unit(away + 0.4 * along), 0.0140, 0.006)
