"""Files read with a bound, and files written whole or not at all, past whatever somebody has planted beside them."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visualizer.errors import UserError


def read_at_most(path: Path, most: int) -> bytes:
    """The bytes of a file, no more than `most`.

    OSError where it cannot be opened. UserError if it is larger, or no file: a pipe would be waited for, and a device
    such as /dev/zero has no end.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UserError(f"{path}: not a file")
        data = file.read(most + 1)  # what it says of its size may be wrong by the time that it is read
    if len(data) > most:
        raise UserError(f"{path}: too large, more than {most} bytes")
    return data


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yields the name of a new, empty file beside `path`; what is written there takes the place of `path` at the end.

    Its name cannot be guessed and was not there before, so nobody can have put a link in its place. If the block is
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
    """Who may read a file: whoever could before; of a new one, whoever the user lets read new files."""
    with contextlib.suppress(OSError):
        old = path.lstat().st_mode
        if stat.S_ISREG(old):
            return stat.S_IMODE(old)
    mask = os.umask(0)  # there is no other way to ask
    os.umask(mask)
    return 0o666 & ~mask
