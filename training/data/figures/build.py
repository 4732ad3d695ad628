"""Puts a figure together: joints, hands and sway in, solid shapes and marks out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.figures.accessories import wear_accessories
from training.data.figures.body import add_arms, add_flat, add_legs, add_trunk
from training.data.figures.clothes import wear_bottom, wear_shoes, wear_top
from training.data.figures.figure import Figure
from training.data.figures.hair import add_hair
from training.data.figures.hands import add_hand
from training.data.figures.head import add_face, add_head
from training.data.figures.posture import find_posture
from training.data.figures.shapes import Shapes


def build_shapes(
    figure: Figure, bodies: NDArray[np.floating], sway: NDArray[np.floating], hands: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shapes (N, K, SHAPE) and marks (N, M, MARK) of `bodies` (N, 21, 3) in the figure's proportions, with `sway`
    (N, 7) and `hands` (N, 4) as `draw_truths` has them."""
    shapes = Shapes(len(bodies))
    posture = find_posture(bodies, sway)
    if figure.flat:
        add_flat(shapes, posture)
        return shapes.packed()
    # What comes later melts into what is there, so the order matters: from the middle outwards.
    add_trunk(shapes, posture, figure)
    wear_top(shapes, posture, figure)
    add_legs(shapes, posture, figure)
    wear_bottom(shapes, posture, figure)
    wear_shoes(shapes, posture, figure)
    add_arms(shapes, posture, figure)
    for side in range(2):
        add_hand(shapes, posture, figure, side, np.asarray(hands[:, 2 * side : 2 * side + 2], np.float64))
    add_head(shapes, posture, figure)
    add_hair(shapes, posture, figure)
    add_face(shapes, posture, figure)
    wear_accessories(shapes, posture, figure)
    return shapes.packed()
