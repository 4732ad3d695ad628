"""How fast films are made: seconds of film a second of work, by size and look.

python -m bench.film [--seconds 8]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the program does, before numpy

SIZES = ((1280, 720), (1920, 1080))


def main() -> None:
    from visualizer import paths
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.film import make_film
    from visualizer.music.song import hear_song
    from visualizer.stage.looks import LOOKS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--pack", default=None)
    seconds = parser.parse_args().seconds
    pack = load_pack(find_pack(parser.parse_args().pack), "cpu")
    song = paths.assets() / "own_music.ogg"
    hear_song(song)  # listening ahead is not part of the figure
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; networks on {pack.provider}")
    print(f"{'size':>10}  {'look':<10} {'fps':>6}  x real time at 30 fps")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            for look in LOOKS:
                out = Path(folder) / f"{size[1]}-{look.name}.mp4"
                report = make_film(song, out, pack=pack, size=size, seconds=seconds, look=look.name, progress=False)
                rate = report.frames / report.wall_seconds
                print(f"{size[0]:>5}x{size[1]:<4}  {look.name:<10} {rate:>6.1f}  {report.speed:.2f}")


if __name__ == "__main__":
    main()
