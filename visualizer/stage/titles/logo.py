"""A logo out of a PNG file: read with a bound, its size looked at before it is decoded."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pygame

from visualizer.errors import UserError
from visualizer.files import read_at_most
from visualizer.moment import Logo

LARGEST_FILE = 8 << 20  # bytes
MOST_PIXELS = 4096  # each way
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def load_logo(path: Path, what: str = "logo") -> Logo:
    """The picture in a PNG file. UserError, in one line, if it cannot be used; `what` it is, for that."""
    try:
        data = read_at_most(path, LARGEST_FILE)
    except OSError as error:
        raise UserError(f"{what} {path}: cannot be read ({error.strerror or error})") from error
    if data[:8] != SIGNATURE or data[12:16] != b"IHDR":
        raise UserError(f"{what} {path}: not a PNG file")
    width, height = struct.unpack(">II", data[16:24].ljust(8, b"\0"))
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise UserError(f"{what} {path}: {width}x{height} pixels; up to {MOST_PIXELS} each way are taken")
    try:
        pixels = np.frombuffer(pygame.image.tobytes(pygame.image.load(BytesIO(data), "logo.png"), "RGBA"), np.uint8)
    except (pygame.error, ValueError) as error:
        raise UserError(f"{what} {path}: a broken PNG file ({error})") from error
    return Logo(path.name, pixels.reshape(height, width, 4))
