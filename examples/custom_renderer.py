#!/usr/bin/env python3
"""A renderer of one's own: two dancers as letters in a terminal, in time with a steady 120 beats a minute."""

import argparse
import time

import numpy as np

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.film.score import OwnScore
from visualizer.moment import Moment
from visualizer.show import Show, ShowPlan
from visualizer.stage.renderer import Renderer


class TextRenderer(Renderer):
    size = (48, 24)  # letters for each dancer

    def resize(self, size: tuple[int, int]) -> None:
        self.size = size

    def draw(self, moment: Moment) -> None:
        x, y = (np.arange(n) * 128 // n for n in self.size)  # of the 128 x 128 distances to the outline: inside below 0
        dancers = [np.where(field[0][np.ix_(y, x)] < 0, "#", " ") for field in moment.bodies.frames]
        print("\033[H", *("".join(row) for row in np.hstack(dancers)), sep="\n", flush=True)

    def release(self) -> None: ...


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seconds", type=float, default=20, help="how long they dance (default: %(default)s)")
end = parser.parse_args().seconds
show = Show(Dancer(load_pack(find_pack("default")), seed=1, troupe=2), ShowPlan())
renderer, music, start = TextRenderer(), OwnScore(120), time.monotonic()
while (now := time.monotonic() - start) < end:
    renderer.draw(show.step(music.musical_time(now), music.hearing(now)))
    time.sleep(1 / 30)
