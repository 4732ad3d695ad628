"""One table of colours for each dancer, kept while nothing changes and never another's."""

from __future__ import annotations

import numpy as np

from visualizer.stage.cpu.shade_tables import ShadeTables
from visualizer.stage.looks import find_look
from visualizer.stage.mood import Mood

RED = np.tile(np.array([200, 30, 30], np.uint8), (7, 1))
BLUE = np.tile(np.array([30, 30, 200], np.uint8), (7, 1))
PIXEL = 1 / 400


def test_a_table_is_made_again_only_where_something_changes() -> None:
    tables, toon, mood = ShadeTables(), find_look("toon"), Mood()
    first = tables.find(0, toon, RED, mood, PIXEL)
    assert tables.find(0, toon, RED, mood, PIXEL) is first
    assert tables.find(1, toon, RED, mood, PIXEL) is first  # the same clothes
    kept = first.copy()
    second = tables.find(1, toon, BLUE, mood, PIXEL)
    assert (second != first).any()
    assert (first == kept).all()  # the other's table is left alone
    again = tables.find(1, toon, RED, mood, PIXEL)
    assert (again == kept).all()


def test_colours_are_premultiplied_and_nothing_is_drawn_at_index_0() -> None:
    table = ShadeTables().find(0, find_look("toon"), RED, Mood(), PIXEL)
    alpha = table >> 24
    assert table[0] == 0
    for shift in (16, 8, 0):
        assert ((table >> shift & 255) <= alpha + 1).all()
