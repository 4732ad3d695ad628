"""Figures: who dances. Body shape, hair, clothes and colours of people, and true pictures of them in any pose.

    from training.data.figures import draw_truths, load_people
    truths = draw_truths(load_people()[0], joints, centre, sway, hands)

figure.py reads people from TOML; body.py, head.py, hands.py and clothes.py turn joints into solid shapes, surface.py
finds the surface that the viewer sees, and render.py makes of it what a decoder learns.
"""

from __future__ import annotations

from training.data.figures.figure import PARTS, Figure, load_people, read_figure
from training.data.figures.render import Truth, draw_truths
from training.data.figures.reshape import reshape

__all__ = ["PARTS", "Figure", "Truth", "draw_truths", "load_people", "read_figure", "reshape"]
