"""What passes from the show to whatever draws it: everything one picture needs, immutable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from visualizer.music.clock import Hearing
    from visualizer.stage.looks import Look

FIGURE = 0.8  # frame widths that a dancer needs: hardly any pose spreads farther

# Of a figure; "face" is the ink of its features.
PARTS = ("skin", "hair", "top", "bottom", "shoes", "accessory", "face")


@dataclass(frozen=True)
class Inside:
    """What is seen within one dancer's outline, in a box of the frame; outside of the box nothing is seen.

    `row`, `column`: of the box's upper left cell among the frame's 128 x 128; all arrays are as large as the box, whose
    cells are the frame's. `normal` (2, h, w): of the surface that is in front, x right, y down, no longer than 1;
    `crease` (h, w): pixels of the frame to the nearest inner contour, measured on its farther side, 0 to 3;
    `parts` (7, h, w): how much of a cell each of `PARTS` has, 0..1, together 1; `colours` (7, 3): theirs, sRGB 0..255.
    """

    row: int
    column: int
    normal: NDArray[np.float32]
    crease: NDArray[np.float32]
    parts: NDArray[np.float32]
    colours: NDArray[np.uint8]


@dataclass(frozen=True)
class Bodies:
    """The dancers as one picture shows them.

    `frames` (N, 1, 128, 128) signed fields in frame widths, negative inside, row 0 at the top; `joints` (N, 21, 2)
    frame coordinates, x right, y down, 0..1, or None where the pack has none; `place` (N,) sideways place of each
    dancer on the stage in frame widths, 0 in the middle; `span`: frame widths about the middle that must be seen.

    Of a troupe in rows `depth` (N,) says how many rows behind the first each stands, `deep` the most of it, and `rise`
    how much higher a row stands than the one before, frame widths. Those farther back are smaller; see stage/layout.py.
    `near` (N,): frame widths that each has come towards the viewer from there; None: nobody has.
    `insides`: of each dancer, where the pack has figures and the look shows them (`Look.wants_inside`).
    """

    frames: NDArray[np.float32]
    joints: NDArray[np.float32] | None
    place: NDArray[np.float32]
    span: float = FIGURE
    depth: NDArray[np.floating] | None = None
    rise: float = 0.0
    deep: float = 0.0
    near: NDArray[np.float32] | None = None
    insides: tuple[Inside, ...] | None = None


@dataclass(frozen=True)
class Code:
    """A QR code: rows of bytes, 1 dark and 0 light, without a border; `caption` is written below it, a line each."""

    rows: tuple[bytes, ...]
    caption: tuple[str, ...] = ()


@dataclass(frozen=True)
class PanelRow:
    """One line of a panel: what to press, what it is about, how loud that is in twelfths (None: not said), and whether
    it is the one that is chosen."""

    label: str
    text: str
    level: int | None = None
    chosen: bool = False


@dataclass(frozen=True)
class Panel:
    """What is shown in the middle of the picture to be chosen from or to be compared. `foot` are lines below the rows;
    with `lamp` the lamp of `Text` is drawn large beside the title."""

    title: str
    rows: tuple[PanelRow, ...] = ()
    foot: tuple[str, ...] = ()
    lamp: bool = False


@dataclass(frozen=True)
class Text:
    """What is written over a picture. `toasts` are the messages to show now, oldest first; `help` shows the keys with
    `status` (what is heard) and `on_now` (what is danced) below them and a `lamp`: 0 dark, 1 on a beat, 2 on the first
    of a bar. `recording` shows a red dot, `camera` a green one: a camera is on. `black` is how far the picture below
    the text is faded out, 0..1. `code` is to be scanned by phones. `hint` says what to press, one line below all;
    `panel` is shown in place of the help.
    """

    toasts: tuple[str, ...] = ()
    help: bool = False
    status: str = ""
    on_now: str = ""
    lamp: int = 0
    recording: bool = False
    camera: bool = False
    black: float = 0.0
    code: Code | None = None
    hint: str = ""
    panel: Panel | None = None


@dataclass(frozen=True, eq=False)
class Logo:
    """A picture with alpha: `pixels` (height, width, 4) straight red, green, blue, alpha."""

    name: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Titles:
    """Words and pictures that are a part of the picture, so that films and recordings have them too.

    `text` has a line each; `counter` is what a countdown says, `small` one line of time and song, `qr` what a code that
    phones read says. `cover`, 0..1: how much of all that is seen.
    """

    text: str = ""
    counter: str = ""
    small: str = ""
    logo: Logo | None = None
    qr: str = ""
    cover: float = 1.0

    def __bool__(self) -> bool:
        """Whether there is anything to see."""
        return self.cover > 0 and bool(self.text or self.counter or self.small or self.logo or self.qr)


@dataclass(frozen=True)
class Moment:
    """Everything a renderer needs for one picture. `musical_time`: beats since the start of the show."""

    bodies: Bodies
    look: Look
    hearing: Hearing
    musical_time: float
    text: Text = field(default_factory=Text)
    titles: Titles = field(default_factory=Titles)
