"""A list of songs: those of a folder, or of an M3U file, which may name only what lies in its folder or below it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from visualizer.errors import UserError
from visualizer.files import find_inside, read_at_most
from visualizer.support.privacy import hide

SUFFIXES = (
    ".mp3", ".flac", ".wav", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".ape", ".wv", ".mka",
    ".mp4", ".m4v", ".mkv", ".mov", ".webm",
)  # fmt: skip
LISTS = (".m3u", ".m3u8")
LARGEST_FILE = 1 << 20  # bytes
MOST_SONGS = 5000
MOST_LOOKED_AT = 50_000  # entries of a folder


@dataclass(frozen=True)
class Playlist:
    """At least one song, in their order. `left_out`: what to say of names that cannot be played, "" where all can."""

    songs: tuple[Path, ...]
    left_out: str = ""

    @property
    def mark(self) -> str:
        """Of these songs in this order: another list begins from its start."""
        names = "\0".join(map(str, self.songs))
        return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()


def load_playlist(path: Path) -> Playlist:
    """The songs of a folder and those below it, by name, or those that an M3U file names, in its order.

    UserError if there is no such folder or file, or no song in it. Songs are not opened here.
    """
    playlist = _read_folder(path) if path.is_dir() else _read_list(path)
    for song in playlist.songs:
        hide(str(song))
    return playlist


def _read_folder(folder: Path) -> Playlist:
    songs: list[Path] = []
    try:
        for k, path in enumerate(folder.rglob("*")):
            if k >= MOST_LOOKED_AT:
                raise UserError(f"playlist {folder}: more than {MOST_LOOKED_AT} files; name a smaller folder")
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
                songs.append(path)
    except OSError as error:
        raise UserError(f"playlist {folder}: cannot be read ({error.strerror or error})") from error
    songs.sort(key=lambda path: _natural(path.relative_to(folder)))
    return _make(folder, songs, 0, "")


def _natural(path: Path) -> list[list[tuple[int, int, str]]]:
    """The order of people: 2 before 10, folder by folder."""
    parts = ([part for part in re.split(r"(\d{1,9})", name.casefold()) if part] for name in path.parts)
    return [[(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in name] for name in parts]


def _read_list(path: Path) -> Playlist:
    if path.suffix.lower() not in LISTS:
        raise UserError(f"playlist {path}: must be a folder or a file that ends in {' or '.join(LISTS)}")
    try:
        data = read_at_most(path, LARGEST_FILE)
    except OSError as error:
        raise UserError(f"playlist {path}: cannot be read ({error.strerror or error})") from error
    songs: list[Path] = []
    missing, why = 0, ""
    for line in _decode(data).splitlines():
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        try:
            songs.append(_find_song(path.parent, name))
        except UserError as error:
            missing, why = missing + 1, why or str(error)
    return _make(path, songs, missing, why)


def _decode(data: bytes) -> str:
    """UTF-8 as M3U8 has it, also with a mark in front; else the Latin letters of old lists."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _find_song(folder: Path, name: str) -> Path:
    """The song that a line names. UserError if it leads out of the folder, by a link too, or is not there."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name):  # an address, or `file:`; a drive's letter leads out by itself
        raise UserError(f"{name[:80]}: only names of files are read")
    song = find_inside(folder, name, "song")
    try:
        there = song.is_file()
    except (OSError, ValueError):
        there = False
    if not there and "\\" in name:  # as Windows writes it
        return _find_song(folder, name.replace("\\", "/"))
    if not there:
        raise UserError(f"{name[:80]}: is not there")
    return song


def _make(path: Path, songs: list[Path], missing: int, why: str) -> Playlist:
    """UserError if there is nothing to play, or far too much."""
    if not songs:
        raise UserError(f"playlist {path}: no song in it{f' ({why})' if why else ''}")
    if len(songs) > MOST_SONGS:
        raise UserError(f"playlist {path}: {len(songs)} songs; up to {MOST_SONGS} are taken")
    more = f" and {missing - 1} more" if missing > 1 else ""
    return Playlist(tuple(songs), f"playlist: {why}{more}; left out" if missing else "")
