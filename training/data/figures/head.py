"""Head and face: an egg with a small nose and ears; eyes and mouth are painted on, so they keep their shape."""

from __future__ import annotations

from training.data.figures.body import FACE, HAIR, SKIN
from training.data.figures.figure import Figure
from training.data.figures.posture import Posture
from training.data.figures.shapes import HEAD, OVAL, SMILE, Floats, Shapes

TALL = 0.282  # metres from chin to crown, of an average figure


def find_skull(posture: Posture, figure: Figure) -> tuple[Floats, float]:
    """The middle of the skull (N, 3), and how tall the head is in metres: other lengths are shares of that."""
    tall = TALL * figure.body.head
    return posture.head.at(posture["head"], up=-0.44 * tall, ahead=0.02 * tall), tall


def add_head(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Skull, jaw, nose and ears."""
    skull, h = find_skull(posture, figure)
    head = posture.head
    shapes.cone(
        SKIN, HEAD, (skull, 0.43 * h, head.at(skull, up=-0.06 * h, ahead=0.01 * h), 0.42 * h), (0.012, 0.012),
        ((head.left, 1.06), (head.ahead, 1.02)),
    )  # fmt: skip
    jaw = (
        head.at(skull, up=-0.16 * h, ahead=0.05 * h),
        0.36 * h,
        head.at(skull, up=-0.34 * h, ahead=0.12 * h),
        0.20 * h,
    )
    shapes.cone(SKIN, HEAD, jaw, (0.06, 0.05), ((head.left, 1.02),))
    nose = (
        head.at(skull, up=-0.10 * h, ahead=0.42 * h),
        0.028 * h,
        head.at(skull, up=-0.17 * h, ahead=0.46 * h),
        0.045 * h,
    )
    shapes.cone(SKIN, HEAD, nose, (0.02, 0.012))
    for sign in (1, -1):
        ear = head.at(skull, 0.41 * h * sign, -0.10 * h, -0.02 * h)
        shapes.cone(
            SKIN, HEAD, (ear, 0.085 * h, head.at(ear, up=-0.06 * h), 0.06 * h), (0.01, 0.01), ((head.left, 1.8),)
        )


def add_face(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """Eyes, brows and mouth."""
    skull, h = find_skull(posture, figure)
    head = posture.head
    frame = (skull, head.left, head.up, head.ahead)
    face = figure.face
    for sign in (1, -1):
        shapes.mark(
            OVAL,
            FACE,
            HEAD,
            frame,
            (0.165 * h * sign, -0.075 * h),
            (0.058 * h * face.eyes, 0.092 * h * face.eyes),
            over=SKIN,
        )
        shapes.mark(SMILE, HAIR, HEAD, frame, (0.17 * h * sign, 0.095 * h), (0.095 * h, 0.022 * h), -1.6, over=SKIN)
    if face.mouth == "grin":
        shapes.mark(SMILE, FACE, HEAD, frame, (0, -0.34 * h), (0.135 * h, 0.062 * h), 0.55, over=SKIN)
    else:
        thin, bend = (0.040 * h, 1.1) if face.mouth == "smile" else (0.034 * h, 0.3)
        shapes.mark(SMILE, FACE, HEAD, frame, (0, -0.33 * h), (0.12 * h, thin), bend, over=SKIN)
