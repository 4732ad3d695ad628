"""The bones that are drawn between the joints of a pack, for looks that see through the dancer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# Joints by the numbers of the packs' skeleton: the middle line, then the left arm, right arm, left leg, right leg.
PELVIS, SPINE, CHEST, NECK, HEAD = range(5)
LIMBS = ((5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
JOINTS = 21


def _bones() -> tuple[Doubles, Doubles, Doubles]:
    """(B, 21) weights of the joints for the beginning and the end of each bone, and (B,) how thick it is."""
    eye = np.eye(JOINTS)
    rows: list[tuple[Doubles, Doubles, float]] = []

    def bone(a: Doubles, b: Doubles, thick: float) -> None:
        rows.append((a, b, thick))

    neck, head, chest, spine, pelvis = eye[NECK], eye[HEAD], eye[CHEST], eye[SPINE], eye[PELVIS]
    bone(0.62 * head + 0.38 * neck, 0.80 * head + 0.20 * neck, 3.9)  # skull
    bone(0.40 * head + 0.60 * neck, 0.46 * head + 0.54 * neck, 2.3)  # jaw
    bone(0.35 * head + 0.65 * neck, chest, 0.8)
    bone(chest, spine, 0.9)
    bone(spine, pelvis, 1.0)
    for arm, leg in ((LIMBS[0], LIMBS[2]), (LIMBS[1], LIMBS[3])):
        shoulder, hip = eye[arm[0]], eye[leg[0]]
        bone(0.9 * neck + 0.1 * chest, shoulder, 0.75)  # collar bone
        for share, wide in ((0.06, 0.62), (0.30, 0.72), (0.54, 0.76), (0.78, 0.72), (1.02, 0.62)):  # ribs hang outwards
            centre = (1 - share) * (0.8 * neck + 0.2 * chest) + share * (0.55 * spine + 0.45 * chest)
            out = wide * (shoulder - neck)
            bone(centre, centre + out + 0.16 * (spine - chest), 0.6)
        bone(pelvis, hip, 1.9)
        bone(pelvis + 0.5 * (spine - pelvis), hip, 0.8)
        for limb, thick in ((arm, (0.95, 0.8, 0.7)), (leg, (1.3, 1.1, 0.8))):
            for k, t in enumerate(thick):
                bone(eye[limb[k]], eye[limb[k + 1]], t)
            for k in (0, 1, 2):
                bone(eye[limb[k]], eye[limb[k]], 1.55 if limb is arm else 1.9)  # heads of the bones
    return np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows]), np.array([r[2] for r in rows])


_FROM, _TO, _THICK = _bones()


def bones(joints: NDArray[np.float32]) -> tuple[Doubles, Doubles, Doubles]:
    """Beginnings (B, 2) and ends (B, 2) in frame coordinates of a body's (21, 2) joints, and (B,) relative radii."""
    return _FROM @ joints, _TO @ joints, _THICK
