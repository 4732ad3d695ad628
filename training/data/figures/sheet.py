"""A sheet of figures in a few poses, painted as cartoons, to be judged by eye: `python -m training figure`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.data.choreography import DANCES, perform
from training.data.figures.figure import PEOPLE, Figure, load_people, read_figure
from training.data.figures.render import draw_truths
from training.data.figures.reshape import find_height
from training.data.figures.toon import paint_toon
from training.data.motion.skeleton import turn
from visualizer.dancer.sway import trace_sway
from visualizer.errors import UserError
from visualizer.files import write_whole

COLUMNS = 4
SECONDS = 1 / 32  # a step, at 120 BPM
_GROUNDS = ((250, 221, 168), (183, 224, 242), (248, 196, 190), (206, 236, 202))
_TEXT = (52, 40, 60)
# What of a frame a cell shows: from left, top, right, bottom, shares of its width.
_CROP = (0.14, 0.04, 0.86, 0.97)


@dataclass(frozen=True)
class View:
    """A moment of a written dance, seen by a camera `yaw` degrees to the side."""

    dance: str
    step: int
    yaw: float = 0.0


VIEWS = (
    View("two-step sway", 20), View("high clap sides", 40), View("saturday cross point", 20), View("chest knock", 12),
    View("both arms up bounce", 12, 50), View("chorus line kick", 20, -25), View("finger to the sky", 10, 150),
    View("pique turn", 36),
)  # fmt: skip


def draw_sheet(names: Sequence[str], out: Path, size: int = 512) -> list[Figure]:
    """Draw figures into a picture file: one alone in eight poses, several a pose each.

    `names` are TOML files, or names of people who come with the program; all of these if there are none. `size` of a
    frame in pixels. UserError where a figure is not one, or the picture cannot be written.
    """
    figures = [find_figure(name) for name in names] or list(load_people())
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"{out}: a sheet is a .png, .jpg or .webp")
    if len(figures) == 1:
        cells = [(figures[0], view) for view in VIEWS]
    else:
        cells = [(figure, replace(VIEWS[number % len(VIEWS)], yaw=0)) for number, figure in enumerate(figures)]
    with ThreadPoolExecutor() as threads:  # compiled code lets go of the interpreter
        pictures = list(threads.map(lambda cell: paint_view(cell[0], cell[1], size), cells))
    image = _lay_out(pictures, [figure for figure, _ in cells], size)
    try:
        with write_whole(out) as part:
            image.save(part, format=_format(out))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}") from error
    return figures


def find_figure(name: str) -> Figure:
    """The figure of a TOML file, or one who comes with the program. UserError if there is none."""
    own = PEOPLE / f"{name}.toml"
    if Path(name).suffix != ".toml" and own.is_file():
        return read_figure(own)
    if Path(name).suffix != ".toml" and not Path(name).exists():
        known = ", ".join(sorted(path.stem for path in PEOPLE.glob("*.toml")))
        raise UserError(f"no figure {name!r}: give a TOML file, or one of {known}")
    return read_figure(Path(name))


def paint_view(figure: Figure, view: View, size: int) -> NDArray[np.float32]:
    """One moment of a figure's dance in its frame (size, size, 4), alpha times colour."""
    dance = next(dance for dance in DANCES if dance.name == view.dance)
    performance = perform(dance, 0.9)
    bodies = turn(performance.positions, view.yaw)
    now = slice(view.step, view.step + 1)
    sway = trace_sway(bodies, SECONDS, loop=True)[now]
    hands = performance.hands[now].reshape(1, 4)
    truth = draw_truths(figure, bodies[now], bodies[now, 0, 0], sway, hands, size)[0]
    painted = paint_toon(truth, figure.colours, size)
    frame = np.zeros((size, size, 4), np.float32)
    height, width = painted.shape[:2]
    frame[truth.top : truth.top + height, truth.left : truth.left + width] = painted
    return frame


def describe(figure: Figure) -> str:
    """A line about a figure."""
    return f"{figure.name}: {figure.title}, {find_height(figure):.2f} m"


def _lay_out(pictures: list[NDArray[np.float32]], figures: list[Figure], size: int) -> Image.Image:
    """The frames in rows on coloured grounds, each with its figure's name."""
    left, top, right, bottom = (round(share * size) for share in _CROP)
    wide, high = right - left, bottom - top
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    gap = max(2, size // 128)
    sheet = np.full((rows * (high + gap) + gap, columns * (wide + gap) + gap, 3), 250, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        cut = picture[top:bottom, left:right]
        ground = np.array(_GROUNDS[(number + row) % len(_GROUNDS)]) / 255
        colour = cut[..., :3] + (1 - cut[..., 3:]) * ground
        y, x = gap + row * (high + gap), gap + column * (wide + gap)
        sheet[y : y + high, x : x + wide] = np.rint(255 * colour.clip(0, 1))
    image = Image.fromarray(sheet)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(8, size // 24))
    for number, figure in enumerate(figures):
        row, column = divmod(number, columns)
        draw.text((3 * gap + column * (wide + gap), 2 * gap + row * (high + gap)), figure.name, _TEXT, font)
    return image


def _format(path: Path) -> str:
    return {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower(), "JPEG")
