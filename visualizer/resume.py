"""Where a show is in its list of cues or songs, kept in a file: one that ended badly goes on from there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from visualizer.errors import UserError
from visualizer.files import read_at_most, write_whole

log = logging.getLogger("visualizer")

LARGEST_FILE = 4096  # bytes


def resume_file(name: str = "show.json") -> Path:
    """Where it lies, whether or not there is one."""
    return Path(platformdirs.user_state_dir("dancing-screen")) / name


def find_mark(cues: Path) -> str:
    """Of a list of cues as it is now: one that was edited begins from the start."""
    return hashlib.sha256(cues.read_bytes()).hexdigest()


class Resume:
    """Keeps the number of the cue that is on, or of the song. It is written whole, on a thread of its own."""

    def __init__(self, mark: str, path: Path | None = None, what: str = "cue") -> None:
        """`mark`: of the list; what was kept of another does not count."""
        self._mark, self._path, self._what = mark, path or resume_file(), what
        self._pool = ThreadPoolExecutor(1, "resume")

    def find(self) -> int:
        """The number that was on when the last show with this list ended badly; 0 if it did not."""
        try:
            kept = json.loads(read_at_most(self._path, LARGEST_FILE))
        except (OSError, UserError, ValueError, RecursionError):
            return 0
        number = kept.get(self._what) if isinstance(kept, dict) and kept.get("mark") == self._mark else 0
        return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else 0

    def keep(self, number: int) -> None:
        """That one begins."""
        self._pool.submit(self._write, number)

    def _write(self, number: int) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with write_whole(self._path) as part:
                part.write_text(json.dumps({"mark": self._mark, self._what: number}), encoding="utf-8")
        except OSError as error:
            log.info("where the show is cannot be kept in %s: %s", self._path, error.strerror or error)

    def close(self, ended: bool) -> None:
        """The show is over; `ended`: well, so that the next begins from the start."""
        self._pool.shutdown(wait=True)
        if ended:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


@contextmanager
def kept_until_the_end(resume: Resume) -> Iterator[None]:
    """A show. Where it ends by an error, what was on stays in the file."""
    ended = False
    try:
        yield
        ended = True
    except KeyboardInterrupt:
        ended = True
        raise
    finally:
        resume.close(ended)


def open_resume(cues: Path, say: Callable[[str], None]) -> Resume | None:
    """For that list; None where it cannot be read any more."""
    try:
        return Resume(find_mark(cues))
    except OSError as error:
        say(f"cues {cues}: cannot be read ({error.strerror or error})")
        return None
