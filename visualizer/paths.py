"""Where the packs and assets lie: beside the package in a checkout, inside it once installed; the user's packs with
the user's data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from visualizer.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


def models() -> Path:
    """Folder of the packs that ship with the program."""
    return _folder("models")


def assets() -> Path:
    """Folder of fonts, icon and the program's own music."""
    return _folder("assets")


def added_packs() -> Path:
    """Folder of the packs that the user has added, whether or not there is one."""
    return Path(platformdirs.user_data_dir("dancing-screen")) / "packs"


def person_models() -> Path:
    """Folder of the networks that see people, which the user has fetched, whether or not there is one."""
    return Path(platformdirs.user_data_dir("dancing-screen")) / "person"


def unused(path: Path) -> Path:
    """`path`, or with -2, -3 … before its suffix, so that nothing is overwritten."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def must_be_a_file(path: Path, kind: str) -> None:
    """UserError unless there is such a `kind` of file, and it may be read."""
    if not path.exists():
        raise UserError(f"{path}: no such {kind}")
    if not path.is_file():
        raise UserError(f"{path}: not a file")
    if not os.access(path, os.R_OK):
        raise UserError(f"{path}: may not be read")
