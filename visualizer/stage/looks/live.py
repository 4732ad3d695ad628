"""Looks that are edited while the show goes on: what changes on disk is read again, and what is wrong is said."""

from __future__ import annotations

import logging
from pathlib import Path

from visualizer.errors import UserError
from visualizer.stage.looks import FOLDER, LookStore, load_look

PAUSE = 0.4  # seconds between two looks at the folder

log = logging.getLogger("visualizer")


class Reloader:
    """Watches a folder of looks. `poll` brings a store up to date; a broken file leaves its last good look in place."""

    def __init__(self, store: LookStore, folder: Path = FOLDER) -> None:
        self._store, self._folder = store, folder
        self._due = -float("inf")
        self._seen = self._stamps()

    def _stamps(self) -> dict[str, tuple[int, ...]]:
        """For each look, when its files were changed and how long they are."""
        stamps: dict[str, tuple[int, ...]] = {}
        for path in sorted(self._folder.glob("*.toml")) + sorted(self._folder.glob("*.glsl")):
            try:
                stat = path.stat()
            except FileNotFoundError:  # an editor that writes a new file in place of the old one
                continue
            stamps[path.stem] = (*stamps.get(path.stem, ()), stat.st_mtime_ns, stat.st_size)
        return {name: stamp for name, stamp in stamps.items() if (self._folder / f"{name}.toml").exists()}

    def poll(self, now: float) -> list[str]:
        """What there is to say of files that changed since the last call; `now` is seconds on any clock."""
        if now < self._due:
            return []
        self._due = now + PAUSE
        stamps = self._stamps()
        changed = [name for name, stamp in stamps.items() if self._seen.get(name) != stamp]
        self._seen |= stamps  # a file that is gone keeps its look, and is new if it comes back
        return [self._read(name) for name in changed]

    def _read(self, name: str) -> str:
        path = self._folder / f"{name}.toml"
        try:
            fresh = load_look(path)
        except UserError as error:
            return str(error).replace(str(path), path.name)
        return f"look {name}: {'new' if self._store.put(fresh) else 'read again'}"
