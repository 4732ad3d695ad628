from __future__ import annotations

import numpy as np

from visualizer.stage.screens.homography import apply, find_homography

UNIT = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
QUAD = ((10.0, 20.0), (300.0, 5.0), (320.0, 240.0), (0.0, 200.0))


def test_corners_go_to_corners_and_back() -> None:
    there = find_homography(UNIT, QUAD)
    assert np.allclose(apply(there, UNIT), QUAD)
    assert np.allclose(apply(np.linalg.inv(there), QUAD), UNIT)


def test_the_diagonals_still_cross_in_the_middle() -> None:
    (middle,) = apply(find_homography(UNIT, QUAD), [(0.5, 0.5)])
    a, b, c, d = (np.array(corner) for corner in QUAD)
    for one, other in ((a, c), (b, d)):
        along, to = other - one, middle - one
        assert abs(along[0] * to[1] - along[1] * to[0]) < 1e-6
