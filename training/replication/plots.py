"""Sheets of the replication: what the networks give back, and how they dance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluate.sheets import HAIR, Grey, save_picture, write_text
from training.replication.effort import Dots
from training.replication.judge import Blur, Held, Judged

COLUMNS = 6  # pictures a row of the sheets

GREYS = 16  # in a sheet: what noise is left would fill a megabyte

LABEL = 210  # pixels, left of each row


def sheet(rows: Sequence[tuple[str, NDArray]], zoom: int = 2) -> Grey:
    """Rows of pictures (N, H, W), 0..1 dark on light, with a name at the left of each: dots stay dots."""
    lines = []
    for name, pictures in rows:
        grey = np.round((1 - np.clip(pictures, 0, 1)) * (GREYS - 1)) * (255 / (GREYS - 1))
        large = grey.repeat(zoom, axis=1).repeat(zoom, axis=2)
        cells = np.pad(large, ((0, 0), (0, 1), (0, 1)), constant_values=HAIR)
        line = np.concatenate(list(cells), axis=1).round().astype(np.uint8)
        head = np.full((line.shape[0], LABEL), 255, np.uint8)
        write_text(head, name, (4, 16))
        lines.append(np.concatenate([head, line], axis=1))
    width = max(line.shape[1] for line in lines)
    return np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1])), constant_values=255) for line in lines])


def _row_name(network: str, taught: str) -> str:
    return f"{network}\n{taught}".replace(", light", "\nlight").replace("×", "x")


def draw_autoencoders(rows: Sequence[Judged], blurs: Sequence[Blur], held: Held, out: Path) -> list[Path]:
    """The same held-out frames as each network gives them back; and what each mistake makes of four of them."""
    pick = np.linspace(0, len(held.dots) - 1, COLUMNS).astype(int)
    shown = [(_row_name(r.network, r.taught), r.pictures[pick]) for r in rows if r.pictures is not None]
    lines: list[tuple[str, NDArray]] = [("held-out frames, in dots", held.dots[pick]), *shown]
    blurred: list[tuple[str, NDArray]] = [("held-out frames, in dots", held.dots[pick])]
    blurred += [(_row_name(b.network, b.mistake), b.pictures[pick]) for b in blurs]
    return [
        save_picture(out / "history_autoencoders.png", sheet(lines)),
        save_picture(out / "history_blur.png", sheet(blurred, zoom=1)),
    ]


def draw_dreams(films: Sequence[tuple[str, Dots]], out: Path, columns: int = 16, every: int = 4) -> Path:
    """Two rows of pictures of each film (T, 51, 47), half a beat from one to the next."""
    rows = []
    for name, film in films:
        shown = film[::every]
        rows.append((name.replace(", ", "\n", 1), shown[:columns]))
        if len(shown) > columns:
            rows.append(("", shown[columns : 2 * columns]))
    return save_picture(out / "history_dreams.png", sheet(rows, zoom=1))
