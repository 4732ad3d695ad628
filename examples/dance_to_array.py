#!/usr/bin/env python3
"""Dance into a NumPy array, without a window, a sound device or a graphics card."""

import argparse

import numpy as np

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.film.score import OwnScore
from visualizer.show import Show, ShowPlan
from visualizer.stage.cpu.array_renderer import ArrayRenderer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--frames", type=int, default=60, help="how many pictures, 30 a second (default: %(default)s)")
parser.add_argument("--look", default="neon", help="how it is painted (default: %(default)s)")
parser.add_argument("--save", metavar="FILE.npy", help="where to save the array")
args = parser.parse_args()

dancer = Dancer(load_pack(find_pack("default")), seed=1, troupe=3)
show = Show(dancer, ShowPlan(look=args.look))
renderer = ArrayRenderer((640, 360))
music = OwnScore(120)  # no music: a steady 120 beats a minute

pictures = []
for k in range(args.frames):
    seconds = k / 30
    renderer.draw(show.step(music.musical_time(seconds), music.hearing(seconds)))
    pictures.append(renderer.read())
renderer.release()

dance = np.stack(pictures)
print(f"{dance.shape} {dance.dtype}, mean {dance.mean():.1f}")
if args.save:
    np.save(args.save, dance)
