"""Looks: how a frame is painted. One small TOML file each in this folder; an optional .glsl file of the same name.

A look is four layers, and since each of them is a table of colours that is looked up, painter and shader show the
same picture:

- the backdrop: a map of small numbers, made once (backdrop.py), and 256 colours that move with the music;
- the effects: light or shadow about the dancer, 0..1, on a coarse canvas (effects.py), and a ramp that gives their
  colour and how much they cover;
- the figure ramp, over the signed distance from the outline: colour and cover;
- sprites: confetti (sprites.py).

    picture = over(figure_ramp[distance], over(effects_ramp[effects], palette[map]))

A .glsl file may add `vec3 finish(vec3 colour, vec2 stage)` for the shader stage.
"""

from visualizer.stage.looks.colour_tables import LEVELS, ColorTables, make_color_tables, make_ramp
from visualizer.stage.looks.look import (
    BAND,
    PLACES,
    SURE,
    Backdrop,
    Confetti,
    Effects,
    Figure,
    InsideLook,
    Look,
    Motion,
    Shading,
    Stops,
    TitleLook,
)
from visualizer.stage.looks.read import FOLDER, load_look, load_looks
from visualizer.stage.looks.store import LookStore, find_look, shipped_looks

__all__ = [
    "BAND", "FOLDER", "LEVELS", "PLACES", "SURE", "Backdrop", "ColorTables", "Confetti", "Effects", "Figure",
    "InsideLook", "Look", "LookStore", "Motion", "Shading", "Stops", "TitleLook", "find_look", "load_look",
    "load_looks", "make_color_tables", "make_ramp", "shipped_looks",
]  # fmt: skip
