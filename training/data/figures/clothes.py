"""Shirts, trousers, skirts and shoes. Skirts follow the knees, lag behind the hips and open in a turn."""

from __future__ import annotations

import numpy as np

from training.data.figures.body import BOTTOM, LEGS, SHOES, SIDES, SKIN, TOP, bares_shoulders
from training.data.figures.figure import Figure
from training.data.figures.posture import DOWN, Posture
from training.data.figures.shapes import CLOTH, TRUNK, Cut, Floats, Shapes, unit


def wear_top(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """The part of a top that hangs from the ribs, straps, and a hood."""
    p, body, top = posture, figure.body, figure.top
    chest, hips, g = p.chest, p.hips, body.girth
    if figure.bottom.style != "dress":
        start = chest.at(p["spine"], up=0.06)
        hem = hips.at(p["pelvis"], up=-top.length, ahead=-0.004) + 0.25 * top.length * p.sway[:, 3:6]
        room, low = top.loose, max(min((0.10 - top.length) / 0.14, 1.0), 0.0)
        hip = (0.166 - 0.04 * low) * body.hips**0.8 * g + room + 0.10 * max(top.length - 0.03, 0)
        front = (0.112 - 0.016 * low) * g * (1 + 0.25 * body.belly) + room + 0.08 * max(top.length - 0.03, 0)
        waist = 0.112 * body.waist * g
        shapes.tube(
            TOP, TRUNK, (start, hem), (waist + 0.7 * room, 0.085 * body.waist * g + 0.7 * room, hip, front), hips.ahead,
            blend=(0.06, 0.02),
        )  # fmt: skip
    if bares_shoulders(figure):
        for sign in (1, -1):
            ends = (
                chest.at(p["chest"], 0.085 * sign, 0.07, 0.055),
                0.026,
                chest.at(p["neck"], 0.085 * sign, -0.035, 0.02),
                0.026,
            )
            shapes.cone(TOP, TRUNK, ends, (0.01, 0.01), ((chest.ahead, 1.0),))
    if top.style == "hoodie":
        back = chest.at(p["neck"], up=-0.03, ahead=-0.075)
        shapes.cone(TOP, TRUNK, (chest.at(back, 0.05), 0.058, chest.at(back, -0.05), 0.058), (0.03, 0.03))
        for sign in (1, -1):
            ends = (
                chest.at(p["neck"], 0.085 * sign, 0.0, -0.05),
                0.042,
                chest.at(p["neck"], 0.05 * sign, -0.045, 0.065),
                0.026,
            )
            shapes.cone(TOP, TRUNK, ends, (0.02, 0.02))


def wear_bottom(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Trousers, or a skirt."""
    if figure.bottom.style == "trousers":
        for side in range(2):
            _wear_leg(shapes, posture, figure, side)
    else:
        _wear_skirt(shapes, posture, figure)


def _wear_leg(shapes: Shapes, posture: Posture, figure: Figure, side: int) -> None:
    p, body, bottom = posture, figure.body, figure.bottom
    g, limb, name = body.girth * body.limbs, LEGS[side], SIDES[side]
    hip, knee, ankle = (p[f"{name}_{joint}"] for joint in ("hip", "knee", "ankle"))
    room = bottom.loose
    start = p.hips.at(hip, (-0.014, 0.014)[side])
    thigh, shin = knee - hip, ankle - knee
    wide, narrow = 0.088 * g * body.hips**0.4 + 0.5 * room, 0.058 * g + room
    if bottom.length < 0.5:
        reach = 2 * bottom.length
        edge = wide + (narrow - wide) * reach + 0.008
        shapes.cone(
            BOTTOM, limb, (start, wide, hip + reach * thigh, edge * bottom.flare), (0.05, 0.02), (),
            (Cut(hip + reach * thigh, thigh),),
        )  # fmt: skip
        return
    shapes.cone(BOTTOM, limb, (start, wide, knee, narrow), (0.05, 0.01))
    share = 2 * bottom.length - 1
    end = knee + min(share, 1.0) * shin * 1.0
    hem = (0.058 - 0.014 * share) * g + room
    if bottom.flare > 1.05:
        lag = 0.5 * p.sway[:, 3:6] * (bottom.flare - 1)
        end = knee + share * 1.04 * shin + lag
        middle = knee + 0.35 * shin
        shapes.cone(BOTTOM, limb, (knee, narrow, middle, narrow), (0.012, 0.02))
        wide = 0.054 * g * bottom.flare + room
        shapes.tube(
            BOTTOM, limb, (middle - 0.02 * shin, end), (narrow, narrow, 0.92 * wide, 1.15 * wide), p.feet[side].ahead,
            blend=(0.03, 0.01), bulge=1.3,
        )  # fmt: skip
    else:
        shapes.cone(BOTTOM, limb, (knee, narrow, end + 0.05 * shin, hem), (0.012, 0.006), (), (Cut(end, shin),))


def along_leg(posture: Posture, side: str, length: float) -> Floats:
    """The point (N, 3) of a leg at a share of its length, 0 the hip, 0.5 the knee, 1 the ankle."""
    hip, knee, ankle = (posture[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    return hip + 2 * length * (knee - hip) if length < 0.5 else knee + (2 * length - 1) * (ankle - knee)


def _wear_skirt(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    p, body, bottom = posture, figure.body, figure.bottom
    hips, g = p.hips, body.girth
    waist = hips.at(p["spine"], up=-0.005)
    legs = [along_leg(p, side, bottom.length) for side in SIDES]
    # Cloth hangs between where the body points and where gravity does, and the legs carry it along.
    fall = np.linalg.norm(waist - hips.at(p["pelvis"]), axis=-1, keepdims=True) + 2 * 0.43 * body.legs * bottom.length
    hang = waist + fall * unit(DOWN - 0.8 * hips.up)
    middle = 0.35 * hang + 0.65 * (0.5 * (legs[0] + legs[1]))
    lag, late = p.sway[:, 3:6], np.abs(p.sway[:, 6:7])
    hem = middle + (0.6 + 0.9 * bottom.length) * lag * np.array([1.0, 0.5, 1.0]) - 0.14 * late * fall * DOWN
    across = 0.5 * (legs[0] - legs[1])
    open_ = (1 + 0.35 * late + 1.2 * np.clip(lag[:, 1:2], 0, 0.2))[:, 0]
    rest = (0.165 * body.hips * g + 0.21 * bottom.length * bottom.flare) * open_
    most = 1.5 * rest
    room = 0.075 * g
    side = np.minimum(np.abs((across * hips.left).sum(-1)) + room, most)
    front = np.minimum(np.abs((across * hips.ahead).sum(-1)) + room, most)
    side, front = (rest**4 + side**4) ** 0.25, ((0.92 * rest) ** 4 + front**4) ** 0.25
    part = BOTTOM
    top = 0.112 * body.waist * g
    pleats = (bottom.pleats, 0.07 if bottom.pleats else 0.0, 2.5 * p.sway[:, 6])
    for name, limb in zip(SIDES, LEGS, strict=True):  # cloth on the thighs
        hip, knee = p[f"{name}_hip"], p[f"{name}_knee"]
        reach = min(1.7 * bottom.length, 0.92)
        r = 0.090 * g * body.hips**0.4 + 0.012
        cut = (Cut(hip + reach * (knee - hip), knee - hip),)
        shapes.cone(part, CLOTH, (hip, r, hip + reach * (knee - hip), 0.82 * r), (0.06, 0.05), (), cut)
        del limb
    shapes.tube(
        part, CLOTH, (waist, hem), (top, 0.085 * body.waist * g, side, front), hips.ahead, pleats, (0.05, 0.04),
        bulge=0.8,
    )  # fmt: skip


def wear_shoes(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Shoes with flat soles, boots, or bare feet."""
    shoes, z = figure.shoes, figure.body.feet
    part = SKIN if shoes.style == "bare" else SHOES
    for side, (name, limb) in enumerate(zip(SIDES, LEGS, strict=True)):
        foot = posture.feet[side]
        ankle, knee = posture[f"{name}_ankle"], posture[f"{name}_knee"]
        thick = {"sneakers": 1.0, "boots": 1.04, "flats": 0.84, "bare": 0.82}[shoes.style]
        r = 0.050 * thick * (0.4 + 0.6 * z)
        sole = Cut(foot.at(ankle, up=-0.078), -foot.up)
        heel = foot.at(ankle, up=-0.078 + 0.86 * r, ahead=-0.030 * z)
        toe = foot.at(ankle, up=-0.078 + 0.76 * r, ahead=0.158 * z)
        shapes.cone(part, limb, (heel, r, toe, 1.0 * r), (0.015, 0.02), ((foot.left, 1.04),), (sole,), 0.012)
        instep = foot.at(ankle, up=-0.038, ahead=0.095 * z)
        shapes.cone(part, limb, (foot.at(ankle, up=0.002), 0.043 * thick, instep, 0.040 * thick), (0.03, 0.03))
        if shoes.cuff and part == SHOES:
            shin = unit(knee - ankle)
            end = ankle + shoes.cuff * shin
            wide = 0.044 + 0.06 * shoes.cuff
            shapes.cone(
                part, limb, (ankle, 0.044, end + 0.03 * shin, wide * figure.body.limbs * figure.body.girth),
                (0.02, 0.006), (), (Cut(end, shin),),
            )  # fmt: skip
