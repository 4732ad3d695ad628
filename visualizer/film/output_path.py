"""What a film is called and where it lies: checked first, written under another name, put in place when it is whole."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from visualizer.errors import UserError
from visualizer.film.images import numbered, pattern_of
from visualizer.film.video import FILMS, PICTURES, TRANSPARENT, is_sequence, no_such_kind


def check_output(out: Path, transparent: bool, force: bool) -> None:
    """UserError unless a film can be called and lie so."""
    if is_sequence(out):
        folder, names = pattern_of(out)
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is there already, and is no folder")
        if (there := numbered(folder, names)) and not force:
            raise UserError(f"{there[0]}: is there already (--force replaces all of its numbers)")
        out = folder
    else:
        if out.suffix.lower() not in ((*TRANSPARENT, ".webp") if transparent else (*FILMS, *PICTURES)):
            raise no_such_kind(out, transparent)
        if out.is_dir():
            raise UserError(f"{out}: is a folder")
        if os.path.lexists(out) and not force:  # also a link to nothing
            raise UserError(f"{out}: is there already (--force writes over it)")
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")


def find_output(out: str) -> Path:
    """What `-o` names: "dance/" is a folder for numbered pictures. UserError for what is no name of a film."""
    path = Path(os.path.expanduser(out))  # pathlib's fails for ~dance.mp4, where there is no user of that name
    if out == "-":
        raise UserError("-o -: a film cannot be piped; give it a name, such as dance.mp4")
    if out.endswith(("/", os.sep)):  # a folder, whatever it is called
        return path / f"{path.name}_%05d.png"
    if not path.suffix and "%" not in path.name:
        raise UserError(
            f"-o {out}: what kind of film? {out}.mp4 for a film, {out}.gif for a loop, {out}/ for numbered pictures"
        )
    return path


def find_paths(out: Path) -> tuple[Path, Path]:
    """What the film will be called, and what it is called as long as it is not whole."""
    mark = secrets.token_hex(6)  # so that no link can have been laid there
    if is_sequence(out):
        folder, names = pattern_of(out)
        folder = folder.absolute()
        return pattern_of(out)[0], folder.with_name(f".{folder.name}.{mark}.part") / names
    return out, out.with_name(f".{out.stem}.{mark}.part{out.suffix}")


def put_in_place(part: Path, out: Path, force: bool) -> None:
    if not is_sequence(out):
        if os.path.lexists(out) and not force:  # it came while we filmed: keep both
            raise UserError(f"{out}: has come to be meanwhile; the film is in {part}")
        os.replace(part, out)
        return
    folder, names = pattern_of(out)
    if not folder.exists():
        os.replace(part.parent, folder)
        return
    there = numbered(folder, names)
    if there and not force:
        raise UserError(f"{there[0]}: has come to be meanwhile; the film is in {part.parent}")
    for old in there:  # also those of a longer film: an editor would take them for the end of this one
        old.unlink()
    for new in numbered(part.parent, names):
        os.replace(new, folder / new.name)
    shutil.rmtree(part.parent)
