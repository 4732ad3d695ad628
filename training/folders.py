"""The folders that a command writes into: checked before the work begins, and marked with what is made there."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from visualizer import files
from visualizer.dancer.pack import clean
from visualizer.errors import UserError

LONGEST_NAME = 240  # bytes; disks allow 255, and unfinished files have a slightly longer name than finished ones


def check_folder(path: Path) -> None:
    """UserError where `path` neither is a folder to write into nor can become one. Nothing is made: this is checked
    before hours of work, and before the rest of the command is."""
    for part in path.parts:
        if len(os.fsencode(part)) > LONGEST_NAME:
            raise UserError(f"{clean(part)}: too long for a name, {LONGEST_NAME} bytes are taken")
    place = next(p for p in (path, *path.parents) if os.path.lexists(p))  # the root, or this folder, at the last
    if not place.is_dir():
        raise UserError(f"{path}: cannot be written ({place} is no folder)")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{path}: cannot be written ({place} may not be written)")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, whenever it is stopped."""
    with files.write_whole(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def claimed(work: Path, note: str, mine: dict[str, Any]) -> Iterator[None]:
    """Write into the file `note` of the working folder what is made there. UserError if something else was begun
    there: its checkpoints would be taken for finished stages of this run.

    If nothing has been made there when an error or Ctrl-C ends the block, note and folder are removed: a mistake must
    not stand in the way of the corrected command.
    """
    check_folder(work)
    made = [place for place in (work, *work.parents) if not place.exists()]
    path = work / note
    mine = json.loads(json.dumps(mine, default=str))
    before = {p.name for p in work.iterdir()} - {note} if work.exists() else set()
    goes_on = bool(before) and path.exists()
    try:
        if goes_on and json.loads(path.read_text(encoding="utf-8")) != mine:
            raise UserError(f"{work}: a run with other settings was begun there; give another --work, or remove it")
        work.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(mine, indent=1))
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    except ValueError as error:
        raise UserError(f"{path}: broken ({' '.join(str(error).split())[:100]}); remove {work}") from error
    try:
        yield
    finally:
        if not goes_on and {p.name for p in work.iterdir()} == before | {note}:
            path.unlink()
            with contextlib.suppress(OSError):  # something else was put there: it stays
                for place in made:
                    place.rmdir()
