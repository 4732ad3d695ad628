"""Files read with a bound, and files written whole or not at all, past whatever somebody has planted beside them."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

from visualizer.errors import UserError


def open_plain(path: Path) -> BufferedReader:
    """Open a file to read. OSError where that is not possible; UserError where it is a pipe, a device or a folder."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UserError(f"{path}: not a file")
    return file


def read_at_most(path: Path, most: int) -> bytes:
    """The bytes of a file, no more than `most`.

    OSError where it cannot be opened. UserError if it is larger, or no file: a pipe would be waited for, and a device
    such as /dev/zero has no end.
    """
    with open_plain(path) as file:
        data = file.read(most + 1)  # what it says of its size may be wrong by the time that it is read
    if len(data) > most:
        raise UserError(f"{path}: too large, more than {most} bytes")
    return data


def find_inside(folder: Path, name: str, what: str) -> Path:
    """The file called `name` in `folder` or below it. UserError for a name that leads out of it, by a link too.

    `what` it is, for the message.
    """
    try:
        path, root = (folder / name).resolve(), folder.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in it, links in a circle
        raise UserError(f"{what} {name[:80]!r}: no name of a file") from error
    if path == root or not path.is_relative_to(root):
        raise UserError(f"{what} {name}: must be a file in {folder if folder.name else root} or below it")
    return path


def check_plain_zip(file: IO[bytes], path: Path, most_entries: int, largest_contents: int) -> None:
    """UserError unless the file is one plain zip from its first byte to its last, with a short table of contents.

    The table is read whole when a zip file is opened, so its size is looked at before. Nothing may come before the
    zip or after it: then all who read it find the same table.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 22))
    end = file.read(22)
    if len(end) < 22 or end[:4] != b"PK\5\6":
        raise UserError(f"{path}: not a zip file, or cut off, or with something after its end")
    disk, first_disk, here, count, length, start, comment = struct.unpack("<4H2LH", end[4:])
    if disk or first_disk or here != count or comment:
        raise UserError(f"{path}: not a zip file in one plain piece")
    if count > most_entries or length > largest_contents:
        raise UserError(f"{path}: holds {count} files, up to {most_entries} are taken")
    if start + length + 22 != size:
        raise UserError(f"{path}: there is something before or between the parts of the zip file")
    file.seek(0)


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yields the name of a new, empty file beside `path`; what is written there takes the place of `path` at the end.

    Its name cannot be guessed and was not there before, so no one can have put a link in its place. If the block is
    left by an error, by Ctrl-C too, `path` is as it was, and nothing is left beside it. OSError where that cannot be
    written.
    """
    handle, name = tempfile.mkstemp(prefix=".part-", suffix=path.suffix, dir=path.parent)  # exclusive, no links
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_mode_for(path))
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _mode_for(path: Path) -> int:
    """Who may read a file: those who could before; of a new one, those whom the user lets read new files."""
    with contextlib.suppress(OSError):
        old = path.lstat().st_mode
        if stat.S_ISREG(old):
            return stat.S_IMODE(old)
    mask = os.umask(0)  # there is no other way to ask
    os.umask(mask)
    return 0o666 & ~mask
