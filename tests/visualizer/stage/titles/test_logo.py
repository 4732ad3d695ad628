"""A logo's file is checked before it is decoded."""

from __future__ import annotations

import struct
from pathlib import Path

import pygame
import pytest

from visualizer.errors import UserError
from visualizer.stage.titles.logo import load_logo


def test_a_png_with_alpha_is_read(tmp_path: Path) -> None:
    surface = pygame.Surface((3, 2), pygame.SRCALPHA, 32)
    surface.set_at((1, 0), (10, 20, 30, 40))
    pygame.image.save(surface, str(tmp_path / "logo.png"))
    logo = load_logo(tmp_path / "logo.png")
    assert logo.pixels.shape == (2, 3, 4)
    assert tuple(logo.pixels[0, 1]) == (10, 20, 30, 40)


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\0\0\0"


@pytest.mark.parametrize(
    ("data", "wrong"),
    [(b"", "not a PNG"), (b"GIF89a" + bytes(99), "not a PNG"), (png_header(100_000, 100_000), "up to 4096"),
     (png_header(0, 5), "up to 4096"), (png_header(8, 8) + bytes(50), "broken PNG")],
)  # fmt: skip
def test_what_is_no_logo_is_refused_in_a_line(tmp_path: Path, data: bytes, wrong: str) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(data)
    with pytest.raises(UserError, match=wrong) as refused:
        load_logo(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.png: cannot be read"):
        load_logo(tmp_path / "none.png")
