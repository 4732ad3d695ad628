"""Arrays out of an `.npz`, which is a zip file: a small one may say of itself that it holds terabytes.

numpy reserves what a file claims. Here the table of contents, the sizes, and what each array says of itself are looked
at first, and nothing is unpacked that is larger than what was asked for.
"""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.files import check_plain_zip, open_plain

MOST_ARRAYS = 10_000
LARGEST_CONTENTS = 2 * 1024 * 1024  # bytes of the table of contents
LARGEST_HEADER = 10_000  # bytes in which an array says what it is

# What numpy and zipfile raise for a damaged file; they agree on no common class.
_BROKEN = (
    TypeError, EOFError, OverflowError, MemoryError, SyntaxError, RuntimeError, RecursionError, struct.error,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error, UserError,
)  # fmt: skip


def read_arrays(source: Path | bytes, most: int, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` by name, all or those of `names`, no more than `most` bytes together.

    ValueError for a file that is damaged, too large, or holds objects; KeyError where a name is missing; OSError where
    it cannot be read.
    """
    try:
        if isinstance(source, bytes):
            return _read(io.BytesIO(source), Path("it"), most, names)
        with open_plain(source) as file:
            return _read(file, source, most, names)
    except _BROKEN as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _read(file: IO[bytes], path: Path, most: int, names: Collection[str] | None) -> dict[str, NDArray[Any]]:
    check_plain_zip(file, path, MOST_ARRAYS, LARGEST_CONTENTS)
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as bundle:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in bundle.infolist()}
        for name in entries if names is None else names:
            entry = entries[name]
            if entry.file_size > most:
                raise ValueError(f"{name!r} and what is before it have more bytes than are taken")
            with bundle.open(entry) as packed:
                data = packed.read(entry.file_size + 1)
            if len(data) != entry.file_size:
                raise ValueError(f"{name!r} is not as large as it says")
            most -= len(data)
            found[name] = _array(data, name)
    return found


def _array(data: bytes, name: str) -> NDArray[Any]:
    """What is in an `.npy`."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"{name!r} is of an unknown version")
    shape, _, dtype = read(stream, max_header_size=LARGEST_HEADER)
    if dtype.hasobject:
        raise ValueError(f"{name!r} holds objects, no numbers")
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"{name!r} is not as large as it says")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False, max_header_size=LARGEST_HEADER)
