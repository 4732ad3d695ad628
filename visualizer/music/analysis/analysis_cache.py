"""The analysis of each song, kept on the disk so that it is heard only once.

A file for each song in the user's cache folder, named by what is in it: a hash of the song's bytes and a hash of all
that decides how it is heard. A song that changed, or another network, is thus another file; nothing goes stale.
A kept file begins with the hash of what follows, plain arrays as numpy packs them: nothing that is damaged gets as far
as being unpacked, and the caller holds the arrays against what they should be. A file that is damaged is thrown
away, said in the log, and the song is heard again. Without a place to write, all goes on as before.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import platformdirs
from numpy.typing import NDArray

from visualizer.arrays import read_arrays
from visualizer.errors import UserError
from visualizer.files import read_at_most

LARGEST = 256 * 1024 * 1024  # bytes of one file; a night of twelve hours has about 25 MB
SEAL = hashlib.sha256().digest_size  # bytes of the hash at the beginning
MOST = 500  # songs; the ones that were not asked for longest make room

log = logging.getLogger("visualizer")
T = TypeVar("T")
Arrays = dict[str, NDArray]


def folder() -> Path:
    """This user's cache of songs, whether or not there is one."""
    return Path(platformdirs.user_cache_dir("dancing-screen")) / "songs"


def hash_of_file(path: Path) -> str:
    """SHA-256 of the bytes, in hexadecimal. UserError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def hash_of(*parts: str) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def recall(key: str, restore: Callable[[Mapping[str, NDArray]], T]) -> T | None:
    """What `restore` makes of the arrays kept under `key`; None if there are none, or they are damaged.

    `restore` raises ValueError or KeyError for arrays that are not what they should be.
    """
    path = _place(key)
    try:
        data = read_at_most(path, LARGEST)
        if hashlib.sha256(data[SEAL:]).digest() != data[:SEAL]:
            raise ValueError("it is not what was kept")
        kept = read_arrays(data[SEAL:], LARGEST)
        if kept["key"].item() != key:
            raise ValueError("it is of another song")
        result = restore(kept)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, UserError) as error:
        reason = " ".join(str(error).split())
        log.info("kept hearing %s is damaged (%s): the song is heard again", path, reason or type(error).__name__)
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # it was asked for now
    return result


def keep(key: str, arrays: Arrays) -> None:
    """Keep the arrays, whole or not at all. If that fails it is said in the log."""
    path = _place(key)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, key=np.array(key), **arrays)
    data = packed.getvalue()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        _make_room(path.parent)
    except OSError as error:
        log.info("what was heard cannot be kept in %s (%s)", path.parent, error.strerror)


def _place(key: str) -> Path:
    return folder() / f"{key}.heard"


def _make_room(cache: Path) -> None:
    files = []
    for path in cache.glob("*.heard"):
        with contextlib.suppress(OSError):  # another program was quicker
            files.append((path.stat().st_mtime, path))
    for _, path in sorted(files, reverse=True)[MOST:]:
        with contextlib.suppress(OSError):
            path.unlink()
