#!/usr/bin/env python3
"""Print each beat that is heard, by its place in the bar, until Ctrl-C."""

import argparse
import time

from visualizer.music.clock import BEATS_PER_BAR
from visualizer.music.sources import open_source

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("audio", nargs="?", default="mic", help="mic, mic:NAME, loopback, link or a song (default: mic)")
args = parser.parse_args()

source = open_source(args.audio, bpm=120, clock=time.monotonic, notify=lambda text, *_: print(text, flush=True))
last = -1
try:
    while True:
        now = time.monotonic()
        beat = int(source.musical_time(now))
        if beat != last:
            bar, place = divmod(beat, BEATS_PER_BAR)
            hearing = source.hearing(now)
            heard = f"{hearing.confidence:.0%} sure" if hearing.confidence else "no beat heard"
            print(f"{source.name}: bar {bar + 1}, beat {place + 1}, {hearing.bpm:.0f} BPM, {heard}", flush=True)
            last = beat
        time.sleep(0.005)
except KeyboardInterrupt:
    source.close()
