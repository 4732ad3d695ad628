"""Makes films for bench.film, one for each line it is given: width, height, look, seconds, and the folder for it.

Answers with one line of JSON each: seconds that the film took, and of the processor. It imports nothing of this folder,
so that it can run the program of another checkout, the first on PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
import time
from fractions import Fraction
from pathlib import Path

import visualizer.environment  # noqa: F401 first: libraries read it when they are imported
from visualizer import paths
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.film.render import make_film
from visualizer.music.analysis.song import hear_song
from visualizer.options import FilmOptions

FPS = 30


def main() -> None:
    """Serve until the input ends."""
    pack = load_pack(find_pack(sys.argv[1] if len(sys.argv) > 1 else None), "cpu")
    song = paths.assets() / "own_music.ogg"
    hear_song(song)  # listening ahead is not part of the figure
    for line in sys.stdin:
        width, height, look, seconds, folder = line.split(maxsplit=4)
        options = FilmOptions(
            out=str(Path(folder.strip()) / "film.mp4"), size=(int(width), int(height)), fps=Fraction(FPS),
            seconds=float(seconds), look=look, force=True,
        )  # fmt: skip
        began, busy = time.perf_counter(), time.process_time()
        make_film(song, pack, options, progress=False)
        took = {"seconds": time.perf_counter() - began, "busy": time.process_time() - busy}
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
