"""Pictures of every look, all of the same moment of the same dance.

    python -m bench.gallery docs/pictures [--size 960x540] [--look NAME]… [--review FOLDER]
    python -m bench.gallery docs/pictures --people [--look NAME]…

Writes `look-NAME.jpg` for each, `looks.jpg`, a sheet of all, and `looks-both.jpg`, the painter's picture beside the
shader's (where there is OpenGL). `--review` also writes, for a look at what one picture does not show: eight moments of
four beats, screens of other shapes, and a troupe of five, a sheet a look. `--people` writes `people.jpg`: twelve
figures of the pack, in six looks or in those that are named.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pygame
from rich.console import Console

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.moment import Moment
from visualizer.music.clock import Hearing
from visualizer.paths import assets
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import Look, find_look, shipped_looks
from visualizer.values import parse_size

BPM = 120.0
STEPS = 12  # pictures a beat
LARGEST = 195_000  # bytes of a picture
FULL_COLOUR = 0x111111  # OpenCV's word for JPEG without subsampled colour
RUN_UP = 6  # beats before the moment that is kept, for trails, echoes and confetti
SIX = ("toon", "neon", "chrome", "popart", "clay", "spotlight")
MOST_PEOPLE, ABREAST = 12, 6
SHAPES = ("640x480", "840x360", "270x480", "480x480")


def music(beat: float) -> Hearing:
    """Lively music that swells and falls with the bar."""
    swell = 0.62 + 0.25 * math.cos(2 * math.pi * beat / 8)
    bass = 0.5 + 0.4 * math.exp(-3 * (beat % 1))
    return Hearing(beat * 60 / BPM, BPM, beat, 1.0, swell, bass, 0.5, 0.5, swell)


def dance(
    seed: int, until: float, troupe: int, style: str | None, beats: float, figures: Sequence[str] = ()
) -> list[Moment]:
    """The last `beats` beats of a dance until the given beat, all in the first look; with `figures` in turn."""
    dancer = Dancer(load_pack(find_pack(None), "cpu"), seed, style, troupe)
    dancer.wants_inside = True  # looks that show no inside pass it over
    if figures:
        dancer.set_figures(figures)
    moments = []
    for step in range(round((until - beats) * STEPS), round(until * STEPS) + 1):
        beat = step / STEPS
        dancer.step_to(beat, music(beat).energy)
        moments.append(Moment(dancer.picture(beat), shipped_looks()[0], music(beat), beat))
    return moments


def draw_everybody(looks: Sequence[Look], seed: int, until: float, style: str | None) -> pygame.Surface:
    """Twelve people of the pack, each dancing, one row a look."""
    people = Dancer(load_pack(find_pack(None), "cpu"), seed).people[:MOST_PEOPLE]
    rows = []
    groups = [people[first : first + ABREAST] for first in range(0, len(people), ABREAST)]
    danced = [dance(seed + k, until, len(group), style, 2, group) for k, group in enumerate(groups)]
    for each in looks:
        for k, moments in enumerate(danced):
            rows.append(("" if k else each.title, last(each, moments, (1290, 430))))
    return sheet(rows, 2)


def painted(each: Look, moments: list[Moment], size: tuple[int, int]) -> Iterator[pygame.Surface]:
    """Each moment's picture; the surface is used again."""
    painter = Painter(size)
    for moment in moments:
        yield painter.paint(replace(moment, look=each))


def last(each: Look, moments: list[Moment], size: tuple[int, int]) -> pygame.Surface:
    """The picture of the last moment."""
    *_, surface = painted(each, moments, size)
    return surface.copy()


def shaded(each: Look, moments: list[Moment], size: tuple[int, int]) -> pygame.Surface | None:
    """The shader's picture of the last moment; None where there is no OpenGL."""
    import moderngl

    from visualizer.stage.gpu.shader import Shader

    try:
        gl = moderngl.create_context(standalone=True, require=330, backend="egl")  # pyright: ignore[reportArgumentType]
    except (ImportError, ValueError, moderngl.Error):
        return None
    shader = Shader(gl, size, gl.simple_framebuffer(size))
    for moment in moments:
        shader.follow(replace(moment, look=each))
    shader.draw(replace(moments[-1], look=each))
    surface = shader.read()
    shader.release()
    gl.release()
    return surface


def sheet(pictures: list[tuple[str, pygame.Surface]], columns: int, gap: int = 6) -> pygame.Surface:
    """Pictures in rows, a name below each that has one."""
    pygame.font.init()
    font = pygame.font.Font(str(assets() / "DejaVuSans.ttf"), 15)
    wide = max(picture.get_width() for _, picture in pictures)
    high = max(picture.get_height() for _, picture in pictures)
    label = font.get_linesize() + 2 if any(name for name, _ in pictures) else 0
    rows = -(-len(pictures) // columns)
    out = pygame.Surface((columns * (wide + gap) + gap, rows * (high + label + gap) + gap))
    out.fill((24, 24, 26))
    for k, (name, picture) in enumerate(pictures):
        x, y = gap + k % columns * (wide + gap), gap + k // columns * (high + label + gap)
        out.blit(picture, (x, y))
        if name:
            out.blit(font.render(name, True, (230, 230, 235)), (x + 4, y + high + 1))
    return out


def save(surface: pygame.Surface, path: Path, most: int = LARGEST) -> int:
    """Write a JPEG, which keeps grain and soft light where a PNG of this size would lose them; its size in bytes."""
    import cv2

    pixels = pygame.surfarray.array3d(surface).transpose(1, 0, 2)[:, :, ::-1]
    found = b""
    for quality in range(92, 40, -4):
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FULL_COLOUR]
        found = cv2.imencode(".jpg", pixels, flags)[1].tobytes()
        if len(found) < most:
            break
    path.write_bytes(found)
    return len(found)


def small(surface: pygame.Surface, width: int) -> pygame.Surface:
    """Shrunk to a width."""
    high = round(surface.get_height() * width / surface.get_width())
    return pygame.transform.smoothscale(surface, (width, high))


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=parse_size, default=(960, 540))
    parser.add_argument("--look", action="append", help="only these")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--beat", type=float, default=24.25, help="which moment")
    parser.add_argument("--style")
    parser.add_argument("--review", type=Path, help="folder for sheets in time, of other shapes and of a troupe")
    parser.add_argument("--people", action="store_true", help="twelve people in these looks alone")
    wanted = parser.parse_args()
    console = Console()
    chosen = [find_look(name) for name in wanted.look] if wanted.look else shipped_looks()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    if wanted.people:
        looks = chosen if wanted.look else [find_look(name) for name in SIX]
        save(draw_everybody(looks, wanted.seed, wanted.beat, wanted.style), wanted.folder / "people.jpg", 3 * LARGEST)
        return
    moments = dance(wanted.seed, wanted.beat, 3, wanted.style, RUN_UP)
    alone, both = [], []
    for each in chosen:
        picture = last(each, moments, wanted.size)
        size = save(picture, wanted.folder / f"look-{each.name}.jpg")
        console.print(f"{each.name}: {size / 1000:.0f} kB")
        alone.append((each.title, small(picture, 400)))
        other = shaded(each, moments, wanted.size)
        if other is not None:
            apart = np.abs(pygame.surfarray.array3d(picture).astype(int) - pygame.surfarray.array3d(other))
            name = f"{each.title}: painter, shader; {apart.mean():.1f} of 255 apart"
            both.append((name, sheet([("", small(picture, 400)), ("", small(other, 400))], 2, 0)))
    if not wanted.look:
        save(sheet(alone, 5), wanted.folder / "looks.jpg", 3 * LARGEST)
        if both:
            save(sheet(both, 2), wanted.folder / "looks-both.jpg", 4 * LARGEST)
    if wanted.review:
        wanted.review.mkdir(parents=True, exist_ok=True)
        five = dance(wanted.seed, wanted.beat, 5, wanted.style, RUN_UP)
        for each in chosen:
            strip = [p.copy() for p in painted(each, moments, (480, 270))][-4 * STEPS :: STEPS // 2]
            pygame.image.save(sheet([("", p) for p in strip], 4), wanted.review / f"{each.name}-time.png")
            views = [(name, last(each, moments, parse_size(name))) for name in SHAPES]
            views.append(("five", last(each, five, (840, 473))))
            pygame.image.save(sheet(views, 3), wanted.review / f"{each.name}-shapes.png")


if __name__ == "__main__":
    main()
