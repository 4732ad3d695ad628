"""All pictures of the pages that come of the dancers and looks that ship, made again by one command.

    python -m bench.pages [--into docs/pictures] [--only looks|people|loops|networks|banner]…

`looks`: a picture of each look, the sheets of all (`bench.gallery`); `people`: twelve figures of the
pack; `loops`: a small loop of each look for the gallery page; `networks`: what each network sees (`how.md`); `banner`:
the loop at the top of the first page. To be run when the pack, a look or the painter has changed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from bench.network_pictures import draw_networks
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.film.encoder import Encoder
from visualizer.film.reel import make_reel, make_show
from visualizer.options import FilmOptions
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.looks import find_look, shipped_looks
from visualizer.stage.shots import pixels_of
from visualizer.support.console import Console

LOOP_SIZE, LOOP_BEATS, LOOP_FPS = (240, 136), 4, 12
BANNER = (
    "film --beats 8 --look toon --style hype --troupe 3 --sync unison --seed 3 --figure mira,jules,tom "
    "--size 560x315 --fps 20 --force"
)
SEED, STYLE = 5, "disco"
WITH_INSIDE = "toon"  # a look for which dancers are made with what is inside of them


def make_looks(folder: Path) -> None:
    """A picture of each look and sheets of all."""
    _run("bench.gallery", str(folder))


def make_people(folder: Path) -> None:
    """Twelve people in six looks."""
    _run("bench.gallery", str(folder), "--people")


def make_banner(folder: Path) -> None:
    """The loop of the first page."""
    _run("visualizer", *BANNER.split(), "-o", str(folder / "dance.webp"))


def make_loops(folder: Path, looks: tuple[str, ...] = ()) -> dict[str, int]:
    """`loop-NAME.webp` for each look, or for `looks`; their sizes in bytes.

    The loop is danced once, as that of a film is, and painted in each look.
    """
    pack, sizes = load_pack(find_pack(None), "cpu"), {}
    options = FilmOptions(
        out="loop.webp", look=WITH_INSIDE, beats=LOOP_BEATS, size=LOOP_SIZE, fps=Fraction(LOOP_FPS), seed=SEED,
        style=STYLE if STYLE in pack.styles else None,
    )  # fmt: skip
    reel = make_reel(None, make_show(pack, options, LOOP_SIZE), options, Fraction(LOOP_FPS), Console(quiet=True))
    frames = list(reel.frames)
    for look in [find_look(name) for name in looks] or shipped_looks():
        path = folder / f"loop-{look.name}.webp"
        encoder = Encoder(path, LOOP_SIZE, reel.rate)
        painter, guarded, shown = Painter(LOOP_SIZE), GuardedFrames(LOOP_SIZE, False), 0
        painter.mood.loop = reel.loop_beats
        for frame in frames:
            bodies = frame.moment.bodies if look.wants_inside else replace(frame.moment.bodies, insides=None)
            pixels = pixels_of(painter.paint(replace(frame.moment, look=look, bodies=bodies)))
            if frame.shown:
                guarded.show(pixels, shown / float(reel.rate))
                encoder.put(pixels)
                shown += 1
        encoder.finish()
        sizes[path.name] = path.stat().st_size
    return sizes


def _run(module: str, *words: str) -> None:
    """A program of ours, in a process of its own. RuntimeError if it fails."""
    done = subprocess.run([sys.executable, "-m", module, *words], check=False)
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(words)} failed")


MAKERS: dict[str, Callable[[Path], dict[str, int] | None]] = {
    "looks": make_looks, "people": make_people, "loops": make_loops, "networks": draw_networks, "banner": make_banner,
}  # fmt: skip


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=Path(__file__).parents[1] / "docs" / "pictures")
    parser.add_argument("--only", action="append", choices=list(MAKERS), help="this kind; may be given again")
    chosen = parser.parse_args()
    console = Console()
    for kind in chosen.only or MAKERS:
        for name, size in (MAKERS[kind](chosen.into) or {}).items():
            console.say(f"{name}: {size / 1000:.0f} kB")
    total = sum(path.stat().st_size for path in chosen.into.iterdir())
    console.say(f"all pictures: {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
