"""Songs heard whole before they are needed, in a process of its own that gives way to the show.

Started as `python -m visualizer.music.sources.ahead SONG`, it hears the song and leaves what it heard in the cache; the
show then only reads that. Where there is no room for a cache, the show hears the song itself, on a thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from visualizer.errors import UserError
from visualizer.music.analysis.song import SongAnalysis, hear_song
from visualizer.music.song_tags import read_tags
from visualizer.support.privacy import hide

PRIORITY = 10  # nicer than the show
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class HeardAhead:
    """A song that is ready. `title` is what its own tags say, or its name."""

    path: Path
    title: str
    analysis: SongAnalysis


class Hearer:
    """Hears the songs that are asked for, one after the other, on a thread of its own."""

    def __init__(self, bpm: float, hear: Callable[[Path, float], SongAnalysis] | None = None) -> None:
        """`bpm` is danced where a song has no beat. `hear` is for tests."""
        self._bpm = bpm
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()
        self._hear = hear or self._hear_aside
        self._pool = ThreadPoolExecutor(1, "hears ahead")
        self._songs: dict[Path, Future[HeardAhead]] = {}

    def ask(self, path: Path) -> Future[HeardAhead]:
        """The song, as soon as it is heard; its error is a UserError. From one thread."""
        if path not in self._songs:
            self._songs[path] = self._pool.submit(self._work, path)
        return self._songs[path]

    def keep_only(self, paths: set[Path]) -> None:
        """Forget the others; those that were not begun are not heard."""
        for path in self._songs.keys() - paths:
            self._songs.pop(path).cancel()

    def close(self) -> None:
        """Stop at once."""
        self._closed.set()
        if (process := self._process) is not None:
            with suppress(OSError):
                process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, path: Path) -> HeardAhead:
        title = read_tags(path)
        hide(title)
        return HeardAhead(path, title, self._hear(path, self._bpm))

    def _hear_aside(self, path: Path, bpm: float) -> SongAnalysis:
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(path.resolve())], cwd=_ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
        if self._closed.is_set():
            process.kill()
        process.wait()
        if self._closed.is_set():
            raise UserError(f"{path}: is not needed any more")
        return hear_song(path, bpm)  # out of the cache; what was wrong with it is found again


def main() -> None:
    """Entry point of the process. What goes wrong the show finds itself."""
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    with suppress(UserError):
        hear_song(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
