"""Every look as the live show has it, beside its picture in the gallery: they should look the same.

    python -m bench.live_gallery SHEET.jpg [--seconds 30] [--look NAME]… [--size WxH] [--song FILE]

Runs `visualizer` with a microphone (see `bench.frames`) for each look and takes what is seen at the end. The poses
differ; light, backdrop, grain and colours should not. What the show said of rate and effects stands below its picture.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pygame

from bench.frames import TOAST, has_pulse, surroundings
from bench.gallery import RUN_UP, dance, last, save, sheet, small
from visualizer.stage.looks import find_look, shipped_looks
from visualizer.values import parse_size

BEAT, SEED = 24.25, 11  # of the gallery's picture
SHOWN = 560  # pixels of width on the sheet


def shoot(look: str, size: str, seconds: float, audio: str, env: dict[str, str]) -> tuple[pygame.Surface, list[str]]:
    """What a live show of `look` has on the screen after `seconds`, and what it said. RuntimeError if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        words = ["--window", size, "--look", look, "--stage", "painter", "--audio", audio, "--device", "cpu"]
        words += ["--seed", str(SEED), "--seconds", f"{seconds:g}", "--screenshot", str(path), "--no-remember"]
        done = subprocess.run([sys.executable, "-m", "visualizer", *words], capture_output=True, text=True, env=env)
        if done.returncode or not path.exists():
            raise RuntimeError(done.stdout + done.stderr)
        return pygame.image.load(path), list(dict.fromkeys(TOAST.findall(done.stdout + done.stderr)))


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--look", action="append", help="only these")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--song", type=Path)
    wanted = parser.parse_args()
    looks = [find_look(name) for name in wanted.look] if wanted.look else shipped_looks()
    audio = "mic" if has_pulse() else "none"
    moments = dance(SEED, BEAT, 1, None, RUN_UP)
    pairs = []
    with surroundings(audio, wanted.song, "window") as env:
        for look in looks:
            picture, said = shoot(look.name, wanted.size, wanted.seconds, audio, env)
            both = [small(picture, SHOWN), small(last(look, moments, parse_size(wanted.size)), SHOWN)]
            pairs += [(f"{look.title}, live, {'; '.join(said) or 'all effects at full rate'}", both[0])]
            pairs += [(f"{look.title}, gallery", both[1])]
    save(sheet(pairs, 4), wanted.sheet, 10**7)
    print(f"{wanted.sheet}: {len(looks)} looks after {wanted.seconds:g} s, audio {audio}")


if __name__ == "__main__":
    main()
