"""Trunk, arms and legs of a figure, in skin or in the cloth that follows them closely."""

from __future__ import annotations

import numpy as np

from training.data.figures.figure import PARTS, Figure
from training.data.figures.posture import Posture
from training.data.figures.shapes import (
    BAND,
    HOLE,
    LEFT_ARM,
    LEFT_LEG,
    RIGHT_ARM,
    RIGHT_LEG,
    TRUNK,
    Cut,
    Floats,
    Shapes,
    unit,
)
from training.data.motion.body import PARTS as FLAT_PARTS

SKIN, HAIR, TOP, BOTTOM, SHOES, ACCESSORY, FACE = range(len(PARTS))
SIDES = ("left", "right")
ARMS, LEGS = (LEFT_ARM, RIGHT_ARM), (LEFT_LEG, RIGHT_LEG)
SOFT = 0.07  # metres over which flesh of the trunk melts together


def bares_shoulders(figure: Figure) -> bool:
    """Whether arms and shoulders show."""
    return figure.top.style == "tank"


def add_flat(shapes: Shapes, posture: Posture) -> None:
    """The body of frames without an inside: the same capsules, in one colour."""
    limbs = {"arm": ARMS, "leg": LEGS}
    for start, end, begin, stop, radius, radius_end in FLAT_PARTS:
        kind = "arm" if end.split("_")[-1] in ("elbow", "wrist", "hand") else "leg"
        apart = end.split("_")[-1] in ("elbow", "wrist", "hand", "knee", "ankle", "toe")
        limb = limbs[kind][SIDES.index(end.split("_")[0])] if apart else TRUNK
        a, b = posture[start], posture[end]
        ends = (a + begin * (b - a), radius, a + stop * (b - a), radius_end)
        shapes.cone(SKIN, limb, ends, (0.03, 0.02 if apart else 0.03))


def add_trunk(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Hips, waist, ribs, shoulders and neck. Shirts follow it, so it is already in their colour."""
    p, body = posture, figure.body
    chest, hips = p.chest, p.hips
    g = body.girth
    low = BOTTOM
    thin = (hips.ahead, 1.14 - 0.06 * body.belly)
    wide = 0.052 * body.hips * g
    r = 0.108 * body.hips**0.5 * g
    pelvis, spine = p["pelvis"], p["spine"]
    shapes.cone(
        low, TRUNK, (hips.at(pelvis, wide, 0.01, -0.006), r, hips.at(pelvis, -wide, 0.01, -0.006), r), (SOFT, SOFT),
        (thin,),
    )  # fmt: skip
    middle = chest.at(spine, up=0.03)
    r = 0.104 * body.waist * g
    shapes.cone(
        TOP, TRUNK, (hips.at(pelvis, up=0.05), 1.05 * r, middle, r), (SOFT, SOFT),
        ((hips.ahead, 1.24), (hips.left, 0.90)),
    )  # fmt: skip
    if body.belly:
        r = 0.105 * g * body.belly**0.5
        shapes.cone(
            TOP, TRUNK, (hips.at(pelvis, up=0.05, ahead=0.045), r, chest.at(spine, up=0.03, ahead=0.04), 0.9 * r),
            (SOFT, SOFT), ((hips.left, 0.85),),
        )  # fmt: skip
    ribs = p["chest"]
    r = 0.116 * g
    shapes.cone(
        TOP, TRUNK, (middle, 0.100 * body.waist * g, chest.at(ribs, up=0.035, ahead=-0.004), r), (SOFT, SOFT),
        ((chest.ahead, 1.26), (chest.left, 0.86)),
    )  # fmt: skip
    if body.chest:
        for sign in (1, -1):
            side = 0.062 * sign * g
            ends = (
                chest.at(ribs, side, 0.045, 0.040), 0.066 * body.chest**0.5 * g,
                chest.at(ribs, 1.05 * side, 0.005, 0.058), 0.060 * body.chest**0.5 * g,
            )  # fmt: skip
            shapes.cone(TOP, TRUNK, ends, (0.035, 0.03))
    _add_shoulders(shapes, posture, figure)


def _add_shoulders(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    p, body = posture, figure.body
    chest, g = p.chest, body.girth
    bare = bares_shoulders(figure)
    neck, ribs = p["neck"], p["chest"]
    loose = 0.0 if bare else figure.top.loose
    for side, sign in zip(SIDES, (1, -1), strict=True):
        shoulder = p[f"{side}_shoulder"]
        inner = 0.72 * shoulder + 0.28 * neck
        # from the neck to the shoulder, and from the breastbone outwards
        shapes.cone(
            TOP, TRUNK, (chest.at(neck, 0.022 * sign, -0.045, -0.012), 0.058 * g, inner, 0.054 * g + loose),
            (0.05, 0.05), ((chest.ahead, 1.05),),
        )  # fmt: skip
        shapes.cone(
            TOP, TRUNK, (chest.at(ribs, 0.05 * sign, 0.06, 0.0), 0.088 * g, 0.80 * shoulder + 0.20 * ribs, 0.064 * g),
            (0.06, 0.05), ((chest.ahead, 1.18),),
        )  # fmt: skip
    up = unit_between(ribs, neck)
    shapes.cone(
        SKIN, TRUNK, (chest.at(neck, up=-0.05, ahead=-0.008), 0.056 * g**0.5, p.head.at(neck, up=0.07, ahead=-0.004),
                      0.047 * g**0.7), (0.03, 0.01), (), (),
    )  # fmt: skip
    if bare:
        # A vest ends where it is painted over with skin: round the neck, and outside its straps.
        frame = (neck, chest.left, chest.up, chest.ahead)
        shapes.mark(HOLE, SKIN, TRUNK, frame, (0.0, 0.02), (0.070 * g, 0.115), over=TOP)
        for sign in (1, -1):
            shapes.mark(
                BAND, SKIN, TRUNK, frame, (0.31 * sign, -0.03), (0.31 - 0.112 * g * body.shoulders, 0.17), over=TOP
            )
    else:
        # The collar: cloth to the root of the neck, cut off by a plane that sinks to the front.
        rim = Cut(chest.at(neck, up=0.012), unit_plane(up, chest.ahead))
        shapes.cone(
            TOP, TRUNK, (chest.at(neck, up=-0.06, ahead=-0.006), 0.074 * g**0.5 + 0.5 * loose,
                         chest.at(neck, up=0.03, ahead=-0.004), 0.062 * g**0.5 + 0.5 * loose), (0.04, 0.02),
            (), (rim,),
        )  # fmt: skip


def unit_between(start: Floats, end: Floats) -> Floats:
    """Unit vectors (N, 3) from one point to another."""
    return unit(end - start)


def unit_plane(up: Floats, ahead: Floats) -> Floats:
    """The normal (N, 3) of a neckline: up, sinking to the front."""
    return up + 0.55 * ahead


def add_arms(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Arms, and sleeves about them."""
    p, body, top = posture, figure.body, figure.top
    g = body.girth * body.limbs
    sleeves = 0.0 if bares_shoulders(figure) else top.sleeves
    for side, limb in zip(SIDES, ARMS, strict=True):
        shoulder, elbow, wrist = (p[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        upper, lower = elbow - shoulder, wrist - elbow
        if sleeves < 0.45:
            shapes.cone(SKIN, limb, (shoulder, 0.054 * g, elbow, 0.041 * g), (0.045, 0.006))
        if sleeves < 0.98:
            shapes.cone(SKIN, limb, (elbow, 0.041 * g, elbow + 0.3 * lower, 0.043 * g), (0.010, 0.01))
            shapes.cone(SKIN, limb, (elbow + 0.3 * lower, 0.043 * g, wrist, 0.030 * g), (0.010, 0.004))
        if not sleeves:
            continue
        room = top.loose
        wrap = 0.058 * g + room
        reach = min(2 * sleeves, 1.0)
        hem = (Cut(shoulder + reach * upper, upper),) if reach < 1 else ()
        tip = (0.048 if reach == 1 else 0.054) * g + 0.9 * room
        shapes.cone(TOP, limb, (shoulder - 0.02 * upper, wrap, shoulder + reach * upper, tip), (0.05, 0.012), (), hem)
        if sleeves > 0.5:
            share = 2 * sleeves - 1
            end = elbow + share * lower
            wide = 0.035 * g + (0.7 if top.style == "hoodie" else 1.0) * room
            if top.style == "robe":
                _add_wide_sleeve(shapes, posture, (elbow, end), limb, g)
            shapes.cone(TOP, limb, (elbow, tip, end, wide), (0.012, 0.004), (), (Cut(end, lower),))


def _add_wide_sleeve(shapes: Shapes, posture: Posture, ends: tuple[Floats, Floats], limb: int, girth: float) -> None:
    """A sleeve that hangs from the forearm, as of a kimono."""
    elbow, end = ends
    along = unit_between(elbow, end)
    down = (0.0, -1.0, 0.0) - along * (-along[:, 1:2])
    drop = down + 0.6 * posture.sway[:, :3]
    shapes.cone(
        TOP, limb, (elbow + 0.02 * drop, 0.056 * girth, elbow + 0.9 * (end - elbow) + 0.10 * drop, 0.105 * girth),
        (0.015, 0.01), ((unit_side(along, drop), 2.2),), (Cut(end, along),),
    )  # fmt: skip


def unit_side(along: Floats, drop: Floats) -> Floats:
    """Unit vectors (N, 3) at right angles to both."""
    return unit(np.cross(along, drop))


def add_legs(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Bare legs, as far up as they may show: under a skirt there are none."""
    p, body, bottom = posture, figure.body, figure.bottom
    if bottom.style == "trousers" and bottom.length > 0.9:
        return
    g = body.girth * body.limbs
    hidden = 0.0 if bottom.style == "trousers" else max(bottom.length - 0.02, 0.0)
    for side, limb, sign in zip(SIDES, LEGS, (1, -1), strict=True):
        hip, knee, ankle = (p[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        thigh, shin = knee - hip, ankle - knee
        if hidden < 0.48:
            cut = (Cut(hip + 2 * hidden * thigh, -thigh),) if hidden else ()
            start = p.hips.at(hip, -0.014 * sign)
            shapes.cone(SKIN, limb, (start, 0.086 * g * body.hips**0.4, knee, 0.056 * g), (0.05, 0.012), (), cut)
        cut = (Cut(knee + (2 * hidden - 1) * shin, -shin),) if hidden > 0.5 else ()
        back = -unit_side(p.hips.left, -shin)
        calf = knee + 0.32 * shin + 0.005 * back
        shapes.cone(SKIN, limb, (knee, 0.054 * g, calf, 0.053 * g), (0.02, 0.03), (), cut)
        shapes.cone(SKIN, limb, (calf, 0.053 * g, ankle, 0.036 * g), (0.03, 0.006), (), cut)
