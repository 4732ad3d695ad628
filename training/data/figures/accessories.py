"""What is worn on top: glasses, hats, scarves, belts and bands."""

from __future__ import annotations

from training.data.figures.body import ACCESSORY, FACE, SIDES, SKIN
from training.data.figures.figure import Figure
from training.data.figures.head import find_skull
from training.data.figures.posture import Posture
from training.data.figures.shapes import BAND, HEAD, LEFT_ARM, OVAL, RIGHT_ARM, TRUNK, Cut, Floats, Shapes


def wear_accessories(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Everything in the figure's list."""
    skull, h = find_skull(posture, figure)
    for name in figure.accessory:
        if name in _ON_HEAD:
            _ON_HEAD[name](shapes, posture, skull, h)
        else:
            _ON_BODY[name](shapes, posture, figure)


def _wear_shades(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    for sign in (1, -1):
        ends = (
            head.at(skull, 0.10 * h * sign, -0.06 * h, 0.38 * h),
            0.115 * h,
            head.at(skull, 0.26 * h * sign, -0.05 * h, 0.30 * h),
            0.115 * h,
        )
        shapes.cone(ACCESSORY, HEAD, ends, (0.004, 0.004), ((head.up, 0.98), (head.ahead, 1.6)))


def _wear_glasses(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    frame = (skull, head.left, head.up, head.ahead)
    for sign in (1, -1):
        shapes.mark(OVAL, ACCESSORY, HEAD, frame, (0.175 * h * sign, -0.075 * h), (0.150 * h, 0.145 * h))
        shapes.mark(OVAL, SKIN, HEAD, frame, (0.175 * h * sign, -0.075 * h), (0.112 * h, 0.107 * h))
        shapes.mark(OVAL, FACE, HEAD, frame, (0.165 * h * sign, -0.075 * h), (0.055 * h, 0.075 * h))


def _wear_cap(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    dome = head.at(skull, up=0.10 * h, ahead=-0.01 * h)
    brim = Cut(head.at(skull, up=0.15 * h), -head.up + 0.12 * head.ahead)
    shapes.cone(
        ACCESSORY, HEAD, (dome, 0.48 * h, head.at(dome, up=0.02 * h), 0.45 * h), (0.004, 0.004), (), (brim,), 0.01
    )
    for left in (0.17, -0.17):
        ends = (
            head.at(skull, left * h, 0.23 * h, 0.32 * h), 0.17 * h,
            head.at(skull, 0.8 * left * h, 0.25 * h, 0.64 * h), 0.15 * h,
        )  # fmt: skip
        shapes.cone(ACCESSORY, HEAD, ends, (0.03, 0.03), ((head.up, 4.0),))


def _wear_beanie(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    edge = Cut(head.at(skull, up=0.12 * h), -head.up + 0.20 * head.ahead)
    dome = head.at(skull, up=0.14 * h, ahead=-0.03 * h)
    shapes.cone(
        ACCESSORY, HEAD, (dome, 0.48 * h, head.at(dome, up=0.10 * h), 0.42 * h), (0.004, 0.004), (), (edge,), 0.02
    )


def _wear_hat(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    base = head.at(skull, up=0.20 * h)
    shapes.tube(
        ACCESSORY, HEAD, (head.at(base, up=0.40 * h), base), (0.36 * h, 0.38 * h, 0.46 * h, 0.48 * h), head.ahead,
        blend=(0.01, 0.004),
    )  # fmt: skip
    shapes.tube(
        ACCESSORY, HEAD, (head.at(base, up=0.07 * h), head.at(base, up=-0.01 * h)),
        (0.68 * h, 0.72 * h, 0.70 * h, 0.74 * h), head.ahead, blend=(0.01, 0.01),
    )  # fmt: skip


def _wear_headscarf(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head, chest = posture.head, posture.chest
    opening = Cut(head.at(skull, up=0.0 * h, ahead=0.30 * h), head.ahead - 0.15 * head.up)
    shapes.cone(
        ACCESSORY, HEAD, (head.at(skull, up=0.03 * h, ahead=-0.03 * h), 0.49 * h,
                          head.at(skull, up=-0.34 * h, ahead=-0.02 * h), 0.36 * h),
        (0.004, 0.02), ((head.left, 1.02),), (opening,), 0.02,
    )  # fmt: skip
    neck = posture["neck"]
    shapes.cone(
        ACCESSORY, TRUNK,
        (head.at(skull, up=-0.46 * h, ahead=-0.02 * h), 0.27 * h, chest.at(neck, up=-0.035, ahead=0.02), 0.115),
        (0.02, 0.02), ((chest.ahead, 1.15),),
    )  # fmt: skip


def _wear_headband(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    up = head.up - 0.2 * head.ahead
    shapes.mark(BAND, ACCESSORY, HEAD, (skull, head.left, up, head.ahead), (0, 0.20 * h), (h, 0.055 * h))


def _wear_headphones(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    for sign in (1, -1):
        ear = head.at(skull, 0.46 * h * sign, -0.08 * h)
        shapes.cone(ACCESSORY, HEAD, (ear, 0.17 * h, ear, 0.17 * h), (0.004, 0.004), ((head.left, 1.6),))
        top = head.at(skull, up=0.52 * h)
        side = head.at(skull, 0.42 * h * sign, 0.30 * h)
        shapes.cone(ACCESSORY, HEAD, (ear, 0.05 * h, side, 0.05 * h), (0.01, 0.02))
        shapes.cone(ACCESSORY, HEAD, (side, 0.05 * h, top, 0.05 * h), (0.03, 0.02))


def _wear_flower(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    head = posture.head
    place = head.at(skull, 0.36 * h, 0.26 * h, 0.16 * h)
    shapes.cone(ACCESSORY, HEAD, (place, 0.14 * h, place, 0.14 * h), (0.004, 0.004), ((head.left, 1.3),))


def _wear_scarf(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    chest, neck = posture.chest, posture["neck"]
    for sign in (1, -1):
        ends = (chest.at(neck, 0.05 * sign, 0.01, -0.05), 0.044, chest.at(neck, 0.035 * sign, -0.005, 0.05), 0.046)
        shapes.cone(ACCESSORY, TRUNK, ends, (0.02, 0.03))
    ends = (
        chest.at(neck, 0.05, -0.03, 0.075),
        0.036,
        chest.at(neck, 0.07, -0.24, 0.12) + 0.5 * posture.sway[:, :3],
        0.042,
    )
    shapes.cone(ACCESSORY, TRUNK, ends, (0.02, 0.01), ((chest.ahead, 1.6),))


def _wear_sash(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """From the left shoulder to the right hip."""
    chest = posture.chest
    slant = chest.up * 0.72 - chest.left * 0.69
    along = chest.left * 0.72 + chest.up * 0.69
    frame = (posture["chest"], along, slant, chest.ahead)
    shapes.mark(BAND, ACCESSORY, TRUNK, frame, (0.0, 0.0), (0.5, 0.05))


def _wear_belt(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    hips = posture.hips
    frame = (posture["spine"], hips.left, hips.up, hips.ahead)
    shapes.mark(BAND, ACCESSORY, TRUNK, frame, (0.0, -0.01), (0.5, 0.032))


def _wear_wristbands(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    g = figure.body.girth * figure.body.limbs
    for side, limb in zip(SIDES, (LEFT_ARM, RIGHT_ARM), strict=True):
        elbow, wrist = posture[f"{side}_elbow"], posture[f"{side}_wrist"]
        start, end = wrist + 0.24 * (elbow - wrist), wrist
        shapes.cone(
            ACCESSORY, limb, (start, 0.041 * g + 0.004, end, 0.036 * g + 0.004), (0.004, 0.004), (),
            (Cut(end, wrist - elbow), Cut(start, elbow - wrist)),
        )  # fmt: skip


_ON_HEAD = {
    "shades": _wear_shades, "glasses": _wear_glasses, "cap": _wear_cap, "beanie": _wear_beanie, "hat": _wear_hat,
    "headscarf": _wear_headscarf, "headband": _wear_headband, "headphones": _wear_headphones, "flower": _wear_flower,
}  # fmt: skip
_ON_BODY = {"scarf": _wear_scarf, "sash": _wear_sash, "belt": _wear_belt, "wristbands": _wear_wristbands}
