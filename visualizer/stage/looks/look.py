"""What a look is made of: the settings of its file, each with its meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BAND = 3 / 128  # frame widths about the outline in which the field is a true distance
SURE = 0.8 * BAND  # how far out a network's field can be trusted; no ramp reaches beyond it

Stops = NDArray[np.float64]  # (K, 6): at, R, G, B, cover, light; `at` rises


@dataclass(frozen=True)
class Figure:
    """The dancer."""

    stops: Stops  # `at` in frame widths from the outline, negative inside
    grain: float = 0.0  # frame widths by which fixed noise shifts the outline
    grain_size: float = 0.004  # frame widths that a grain is wide
    grain_long: float = 1.0  # how much longer than wide


@dataclass(frozen=True)
class Effects:
    """Light and shadow about the dancer. Strengths are shares of the ramp, 1 = its end; what has none is left out."""

    stops: Stops  # `at` in 0..1
    rows: int = 64  # cells of the canvas that a frame is high; 128 for what must be crisp
    pulse: float = 0.0  # how much of glow, fill, floor and spots comes and goes with the beat, 0..1
    glow: float = 0.0  # the blurred outline
    glow_width: float = 0.05  # its Gaussian spread, frame widths
    fill: float = 0.0  # the blurred body
    fill_width: float = 0.02
    fill_x: float = 0.0  # frame widths that it falls to the right of the body
    fill_y: float = 0.0  # and below
    fill_is_cast: bool = False  # it falls on what is behind or below; a picture without a stage leaves it out
    trail: float = 0.0  # what the outline leaves behind
    trail_beats: float = 0.5  # half-life, beats
    trail_zoom: float = 1.0  # growth a beat
    trail_rise: float = 0.0  # frame widths a beat, upwards
    trail_spread: float = 0.0  # frame widths by which it spreads in a beat
    trail_body: bool = False  # the whole body leaves it, not just the outline
    floor: float = 0.0  # pool about the place where the dancer stands
    contact: float = 0.0  # where feet and hands touch the floor
    contact_width: float = 0.02
    wet: float = 0.0  # share of all this that the floor throws back
    echo: float = 0.0  # of the newest copy of the dancer; older ones step evenly down to 0
    echo_copies: int = 4
    echo_beats: float = 0.5  # from copy to copy
    rings: float = 0.0  # falls off with the distance from the body
    ring_range: float = 0.9  # frame widths in which it falls to 0
    ring_step: float = 0.09  # frame widths from ring to ring
    ring_beats: float = 2.0  # in which a ring moves on to the next one's place
    ring_depth: float = 0.0  # how much darker it is between the rings
    spots: float = 0.0  # of a mirror ball
    spot_size: float = 0.016  # Gaussian spread, frame widths
    spot_beats: float = 1.6  # in which a spot moves on to the next one's place
    bones: float = 0.0  # the skeleton, where the pack knows its joints
    bone_width: float = 0.008


FIELDS = (
    "lamp", "rim", "facing", "sky", "side", "lines", "heat", "veins", "dots", "weave", "stitches",
)  # fmt: skip
PATTERNS = ("dots", "weave", "stitches")  # fields that lie still in a dancer's frame, whatever the body does
BLENDS = ("over", "light")


@dataclass(frozen=True)
class Shading:
    """Colours over one number that is known all over a body, 0..1; see stage/inside.py for what each `of` means."""

    of: str  # one of FIELDS
    stops: Stops  # `at` in 0..1
    blend: str = "over"  # laid over what is below; "light": as much more of the clothes' own colour
    x: float = -0.48  # where the lamp is, or the rim's light comes from: right,
    y: float = -0.62  # down
    z: float = 0.62  # and towards the viewer
    turn: float = 0.0  # degrees that it swings about the body
    turn_beats: float = 16.0  # in which it swings to and fro
    beat: float = 0.0  # how much the number rises on each beat
    energy: float = 0.0  # and with the energy of the music
    scale: float = 0.02  # frame widths of a line, dot, vein or stitch
    bend: float = 0.0  # how far the surface bends lines and veins, in lengths of `scale`; tilts the sky
    move_beats: float = 0.0  # beats in which lines go on by one; 0: they stand still
    against: bool = False  # only of the second: looked up with what it exceeds the first by, 0.5 for nothing


@dataclass(frozen=True)
class InsideLook:
    """What is seen inside the outline, of packs that have figures. `at` of outline and creases is in frame widths."""

    outline: Stops | None = None  # over the distance from the outline, on top of all; None: the figure's own
    creases: Stops | None = None  # over the distance from an inner contour, below the outline
    seams: float = 0.0  # how much the borders of clothes are contours too, 0..1
    cover: float = 1.0  # of what lies below outline and creases
    edge: float = 0.0  # how far out that goes, frame widths
    clothes: float = 1.0  # share of the figure's own colours
    colours: Stops | None = None  # what the rest is, one for each part or one for all; white
    vivid: float = 1.0  # saturation of the figure's own colours
    lift: float = 0.0  # share of the way to white for them: dark clothes stay readable on a dark stage
    ambient: Stops | None = None  # colour of the light that is everywhere; white
    lamps: Stops | None = None  # colours of the light that each dancer stands in, in turn
    first: Shading | None = None
    second: Shading | None = None
    mirror: float = 0.0  # how much of the dancer the floor throws back
    beam: float = 0.0  # how bright the light is seen in the air that falls on a dancer, in the colour of the lamp
    crumple: float = 0.0  # frame widths by which noise shifts creases and seams: a hand's line is not quite even


@dataclass(frozen=True)
class Backdrop:
    """What is behind the dancer; see backdrop.py for the kinds."""

    stops: Stops  # `at` in 0..1: what that means depends on the kind
    kind: str = "plain"
    ground: Stops | None = None  # of the floor, where there is one: from below the dancer outwards
    line: float = 0.80  # height of the far end of the floor, frame widths from the frame's top
    horizon: float = 0.60  # height of the eye, where lines of the floor meet
    tile: float = 0.30  # frame widths of a tile
    grain: float = 0.0  # noise, share of the stops' range
    grain_size: float = 0.004
    rays: int = 12
    spin_beats: float = 64.0  # in which rays move on by one
    glint_beats: float = 8.0  # from one glint of a mirror ball's facet to the next
    lit: Stops | None = None  # colours of tiles that are lit, evenly spaced


@dataclass(frozen=True)
class Confetti:
    """Pieces thrown from the hands on strong beats."""

    stops: Stops  # their colours
    pieces: int = 26  # thrown by a hand on the strongest beat
    size: float = 0.016  # frame widths
    beats: float = 10.0  # until the last of them is gone
    speed: float = 0.36  # frame widths a beat
    weight: float = 0.16  # frame widths a beat²


@dataclass(frozen=True)
class Motion:
    """What moves with the music."""

    hue_beats: float = 0.0  # beats in which all hues swing to and fro once; 0: they stand still
    hue_from: float = 0.0  # degrees
    hue_to: float = 0.0
    hue_energy: float = 0.0  # degrees that full energy adds
    round_beats: float = 0.0  # beats in which the backdrop's hues go once round; lightness stays
    backdrop: float = 0.0  # share of the swing of hues that the backdrop joins in
    bright: float = 0.0  # how much louder music brightens the figure
    breathe: float = 0.0  # how much louder music brightens the backdrop
    sway: float = 0.0  # how much of the backdrop's brightness comes and goes with the bar


PLACES = (
    "top left", "top", "top right", "left", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TitleLook:
    """Letters of titles, and where they stand. What is not colour is in heights of a line, if nothing else is said."""

    place: str = "bottom"  # one of PLACES
    size: float = 0.115  # height of a line, share of the picture's shorter side
    upper: bool = False  # capitals only
    spacing: float = 0.0  # between letters, of scripts whose letters stand apart
    leading: float = 1.0  # from line to line
    tilt: float = 0.0  # degrees, anticlockwise
    colours: Stops | None = None  # of the letters, from their top, 0, to their foot, 1; cover 0: hollow; white
    small: Stops | None = None  # colour of the small line; None: the last of the letters that covers
    rule: Stops | None = None  # colour of a line between the large and the small
    outline: Stops | None = None  # about the letters
    outline_width: float = 0.05
    shadow: Stops | None = None  # behind them, with the outline
    shadow_x: float = 0.05
    shadow_y: float = 0.05
    shadow_blur: float = 0.0
    glow: Stops | None = None  # about them; more than one colour: from the letters outwards
    glow_width: float = 0.2
    plate: Stops | None = None  # a card behind all
    plate_round: float = 0.15  # radius of its corners
    grain: float = 0.0  # how much noise takes away of the letters, 0..1
    lines: float = 0.0  # how much darker every other line of the picture is, 0..1


# White with a dark edge and a soft shadow can be read on anything.
DEFAULT_TITLES = TitleLook(
    outline=np.array([[0.0, 0.06, 0.06, 0.08, 0.85, 0.85]]), outline_width=0.04,
    shadow=np.array([[0.0, 0.0, 0.0, 0.0, 0.6, 0.6]]), shadow_x=0.0, shadow_blur=0.12,
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """One way of painting; the settings of its TOML file. Not compared by value: what is read again is a new look."""

    name: str
    title: str
    figure: Figure
    backdrop: Backdrop
    effects: Effects | None = None
    confetti: Confetti | None = None
    motion: Motion = Motion()
    inside: InsideLook | None = None
    titles: TitleLook = DEFAULT_TITLES
    colour_blind_safe: bool = False  # told apart by lightness and line, or by blue against yellow, not by red and green
    for_figures: bool = False  # made for what is inside: plain where dancers are flat, so auto leaves it out there
    glsl: str | None = None

    @property
    def wants_inside(self) -> bool:
        """Whether it shows what is inside the outline; of a look that does not, nobody need work it out."""
        return self.inside is not None

    __eq__ = object.__eq__
    __hash__ = object.__hash__
