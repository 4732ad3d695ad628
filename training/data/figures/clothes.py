"""Shirts, trousers, skirts and shoes. Skirts follow the knees, lag behind the hips and open in a turn."""

from __future__ import annotations

import numpy as np

from training.data.figures.body import ACCESSORY, BOTTOM, LEGS, SHOES, SIDES, SKIN, TOP
from training.data.figures.figure import Figure
from training.data.figures.posture import DOWN, Posture
from training.data.figures.shapes import BAND, CLOTH, PATCH, TRUNK, Cut, Floats, Shapes, unit


def wear_top(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """The part of a top that hangs from the ribs, a bib, a hood, and lapels."""
    p, top = posture, figure.top
    chest, g = p.chest, figure.body.girth
    if top.style == "bib":
        _wear_bib(shapes, posture, figure)
    elif top.length > 0.12:
        _drape(shapes, posture, figure, TOP, 0.05 + top.length / 0.86, (0.75, 0.0))
    elif top.length < -0.03 or (figure.bottom.style == "skirt" and top.length <= 0):
        _tuck_in(shapes, posture, figure)
    elif figure.bottom.style != "dress":
        _hang_shirt(shapes, posture, figure)
    if top.style == "hoodie":
        back = chest.at(p["neck"], up=-0.03, ahead=-0.075)
        shapes.cone(TOP, TRUNK, (chest.at(back, 0.05), 0.060, chest.at(back, -0.05), 0.060), (0.03, 0.03))
        for sign in (1, -1):
            ends = (
                chest.at(p["neck"], 0.085 * sign * g, 0.0, -0.05), 0.044,
                chest.at(p["neck"], 0.045 * sign, -0.050, 0.070), 0.028,
            )  # fmt: skip
            shapes.cone(TOP, TRUNK, ends, (0.02, 0.02))
    if top.style == "robe":
        _paint_lapels(shapes, posture)


def _paint_lapels(shapes: Shapes, posture: Posture) -> None:
    """The borders of a robe, from the neck to the waist; the left side lies on top."""
    chest = posture.chest
    for sign, start, length in ((-1, -0.02, 0.17), (1, 0.0, 0.34)):
        along = 0.92 * chest.up + 0.39 * sign * chest.left
        across = 0.92 * chest.left - 0.39 * sign * chest.up
        frame = (chest.at(posture["neck"], 0.055 * sign, start), across, along, chest.ahead)
        shapes.mark(PATCH, ACCESSORY, TRUNK, frame, (0.0, -0.5 * length), (0.021, 0.5 * length + 0.02), over=TOP)


def _tuck_in(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Below the waist the trunk is skirt, or trousers; between a short top and that, skin."""
    p = posture
    waist = -0.005 if figure.bottom.style == "skirt" else -0.05
    frame = (p["spine"], p.hips.left, p.hips.up, p.hips.ahead)
    shapes.mark(BAND, BOTTOM, TRUNK, frame, (0.0, waist - 0.3), (0.5, 0.3), over=TOP)
    hem = -figure.top.length - 0.12 * figure.body.trunk
    if hem > waist:
        shapes.mark(BAND, SKIN, TRUNK, frame, (0.0, hem - 0.3), (0.5, 0.3), over=TOP)


def _hang_shirt(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """From the ribs to a hem about the hips."""
    p, body, top = posture, figure.body, figure.top
    chest, hips, g, room = p.chest, p.hips, body.girth, top.loose
    start = chest.at(p["spine"], up=0.06)
    hem = hips.at(p["pelvis"], up=-top.length, ahead=-0.004) + 0.25 * max(top.length, 0.0) * p.sway[:, 3:6]
    low = np.clip((top.length + 0.10) / 0.12, 0.3, 1)  # 1 over the hips
    waist = 0.112 * body.waist * g
    hip = 0.052 * body.hips * g + 0.108 * body.hips**0.5 * g + 0.016
    side = waist + low * (max(hip, 0.100 * body.hips + 0.070 * g * body.limbs) - waist) + room
    front = (0.084 + 0.040 * low) * g * (1 + 0.30 * body.belly) + room
    shapes.tube(
        TOP, TRUNK, (start, hem), (waist + 0.5 * room, 0.082 * body.waist * g + 0.5 * room, side, front), hips.ahead,
        blend=(0.06, 0.008), bulge=0.22,
    )  # fmt: skip
    # Where thighs are lifted the cloth lies on them, down to the hem.
    edge = Cut(hips.at(p["pelvis"], up=-top.length), -hips.up)
    limbs = g * body.limbs
    wide = 0.088 * limbs * body.hips**0.4 + 0.5 * figure.bottom.loose + 0.009 + 0.5 * room
    narrow = 0.058 * limbs + figure.bottom.loose + 0.009 + 0.5 * room
    for side, sign in zip(SIDES, (1, -1), strict=True):
        hip, knee = p[f"{side}_hip"], p[f"{side}_knee"]
        thigh = knee - hip
        ends = (hips.at(hip, -0.014 * sign), wide, knee, narrow)
        shapes.cone(TOP, TRUNK, ends, (0.05, 0.02), (), (edge, Cut(hip + (0.12 + top.length) * unit(thigh), thigh)))


def _wear_bib(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Overalls are painted on a shirt: up to the waist all round, a bib before the chest, and straps."""
    p, g = posture, figure.body.girth
    chest, hips = p.chest, p.hips
    low = (p["spine"], hips.left, hips.up, hips.ahead)
    high = (p["chest"], chest.left, chest.up, chest.ahead)
    shapes.mark(BAND, BOTTOM, TRUNK, low, (0.0, -0.24), (0.5, 0.25))
    shapes.mark(PATCH, BOTTOM, TRUNK, high, (0.0, -0.06), (0.098 * g, 0.12))
    for sign in (1, -1):
        shapes.mark(BAND, BOTTOM, TRUNK, high, (0.082 * sign * g, 0.14), (0.019, 0.16), over=TOP)


def wear_bottom(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Trousers, or a skirt."""
    if figure.bottom.style == "trousers":
        for side in range(2):
            _wear_leg(shapes, posture, figure, side)
    else:
        bottom = figure.bottom
        _drape(shapes, posture, figure, BOTTOM, bottom.length, (bottom.flare, bottom.pleats))


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
            blend=(0.03, 0.01), bulge=-0.3,
        )  # fmt: skip
    else:
        shapes.cone(BOTTOM, limb, (knee, narrow, end + 0.05 * shin, hem), (0.012, 0.006), (), (Cut(end, shin),))


def along_leg(posture: Posture, side: str, length: float) -> Floats:
    """The point (N, 3) of a leg at a share of its length, 0 the hip, 0.5 the knee, 1 the ankle."""
    hip, knee, ankle = (posture[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    return hip + 2 * length * (knee - hip) if length < 0.5 else knee + (2 * length - 1) * (ankle - knee)


def _drape(
    shapes: Shapes, posture: Posture, figure: Figure, part: int, length: float, cut: tuple[float, float]
) -> None:
    """Cloth from the waist to a share `length` of the legs; `cut` its flare and how many pleats. Many parameters, for
    skirts, dresses and tunics are cut from it."""
    p, body = posture, figure.body
    hips, g = p.hips, body.girth
    flare, pleats = cut
    waist = hips.at(p["spine"], up=-0.005)
    legs = [along_leg(p, side, length) for side in SIDES]
    # Cloth hangs between where the body points and where gravity does, and the legs carry it along.
    fall = np.linalg.norm(waist - p["pelvis"], axis=-1, keepdims=True) + 2 * 0.43 * body.legs * length
    hang = waist + fall * unit(DOWN - 0.8 * hips.up)
    middle = 0.45 * hang + 0.55 * 0.5 * (legs[0] + legs[1])
    lag, late = p.sway[:, 3:6], np.abs(p.sway[:, 6:7])
    hem = middle + (0.6 + 0.9 * length) * lag * np.array([1.0, 0.5, 1.0]) - 0.14 * late * fall * DOWN
    wider = (1 + 0.35 * late + 1.2 * np.clip(lag[:, 1:2], 0, 0.2))[:, 0]
    rest = (0.165 * body.hips * g + 0.21 * length * flare) * wider
    room = 0.075 * g
    side, front = (
        np.minimum(np.max([np.abs(((leg - hem) * way).sum(-1)) for leg in legs], axis=0) + room, 1.8 * rest)
        for way in (hips.left, hips.ahead)
    )
    side, front = (rest**4 + side**4) ** 0.25, ((0.90 * rest) ** 4 + front**4) ** 0.25
    _cover_legs(shapes, posture, figure, part, length)
    top, depth = 0.116 * body.waist * g, 0.090 * body.waist * g * (1 + 0.3 * body.belly)
    shapes.tube(
        part, CLOTH, (waist, hem), (top, depth, side, front), hips.ahead,
        (pleats, 0.07 if pleats else 0.0, 2.5 * p.sway[:, 6]), (0.05, 0.05), bulge=0.22,
    )  # fmt: skip
    for limb in LEGS:  # knees that push through the cloth
        radii = (top + 0.08, depth + 0.08, side + 0.13, front + 0.13)
        shapes.mark_under(part, limb, (waist, hem), radii, hips.ahead, SKIN if part == BOTTOM else BOTTOM)


def _cover_legs(shapes: Shapes, posture: Posture, figure: Figure, part: int, length: float) -> None:
    """Cloth that lies on legs which are lifted against it."""
    g = figure.body.girth * figure.body.limbs
    reach = max(length + 0.01, 0.1)
    for name in SIDES:
        hip, knee, ankle = (posture[f"{name}_{joint}"] for joint in ("hip", "knee", "ankle"))
        thigh, shin = knee - hip, ankle - knee
        wide, narrow = 0.090 * g * figure.body.hips**0.4 + 0.012, 0.058 * g + 0.018
        end = hip + min(2 * reach, 1.0) * thigh
        cut = (Cut(end, thigh),) if reach < 0.5 else ()
        shapes.cone(part, CLOTH, (hip, wide, end, wide + min(2 * reach, 1.0) * (narrow - wide)), (0.06, 0.06), (), cut)
        if reach > 0.5:
            end = knee + (2 * reach - 1) * shin
            shapes.cone(part, CLOTH, (knee, narrow, end, 1.1 * narrow), (0.05, 0.06), (), (Cut(end, shin),))


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
        if shoes.style == "sneakers":
            frame = (ankle, foot.left, foot.up, foot.ahead)
            shapes.mark(BAND, ACCESSORY, limb, frame, (0.0, -0.078), (1.0, 0.024), over=SHOES)
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
