"""Packs that travel: added from a zip file or a folder, shown, handed on, removed.

A pack from a stranger is data, and so is the zip around it. Nothing is unpacked before the whole table of contents has
been judged; what is unpacked goes into a folder of its own beside the shelf, is checked there as any pack
is, and only then moved into its place in one step. Whatever goes wrong on the way leaves
nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from visualizer import paths
from visualizer.dancer.pack import LARGEST_INFO, find_pack, known_packs, read_info, ships
from visualizer.errors import UserError, clean
from visualizer.files import check_plain_zip, open_plain, read_at_most, write_whole
from visualizer.networks.contract import FIGURES, NETWORKS, networks_of
from visualizer.networks.sandbox import pass_trial
from visualizer.networks.session import LARGEST_FILE, seal_network

LARGEST_NOTICE = 1024 * 1024
# All that a pack may hold, and how many bytes of it. Each of them must be there.
MAY_LACK = f"{FIGURES}.onnx"  # a pack without figures has none
FILES = {
    "pack.json": LARGEST_INFO, "NOTICE": LARGEST_NOTICE,
    **{f"{n}.onnx": LARGEST_FILE for n in (*NETWORKS, FIGURES)},
}  # fmt: skip
LARGEST_PACK = 128 * 1024 * 1024  # bytes of all of them; ours has 23 MB
HIGHEST_RATIO = 100  # bytes out of each byte in; trained weights shrink by a tenth, text by a few times
MOST_ENTRIES = 40  # of a zip file, with what file managers leave in it
LARGEST_CONTENTS = 64 * 1024  # bytes of the table of contents
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave about; never unpacked
UNUSED = (*LITTER, "decoder.npz")  # and what only a training reads (training/models/decoder_weights.py)
RESERVED = ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)))  # on Windows
LONGEST_NAME = 40


# --- names -----------------------------------------------------------------------------------------------------------


def check_name(name: str) -> str:
    """The name, if it can be one of a pack. UserError if not."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or len(name) > LONGEST_NAME or name in RESERVED:
        raise UserError(
            f"{clean(repr(name))} cannot be the name of a pack: up to {LONGEST_NAME} of a-z, 0-9, - and _, "
            "a letter or figure first"
        )
    return name


def _name_of(info: dict[str, Any]) -> str:
    """A name for a pack out of what it calls itself. UserError if there is nothing to make one of."""
    own = re.sub(r"[^a-z0-9]+", "-", str(info.get("name") or "").lower()).strip("-")[:LONGEST_NAME].strip("-")
    if not own or own in RESERVED:
        raise UserError("the pack does not say what it is called: give it a name with --name")
    return own


# --- out of a zip file -----------------------------------------------------------------------------------------------


def _check_path(name: str, path: Path) -> tuple[str, ...]:
    """The parts of a name in a zip file. UserError for any that could lead out of the folder or hide."""
    shown = clean(repr(name))
    if not name or len(name) > 200 or not name.isascii() or not name.isprintable():
        raise UserError(f"{path}: holds a file of an odd name, {shown}")
    if name.startswith("/") or "\\" in name or ":" in name:
        raise UserError(f"{path}: holds a file that would lie elsewhere, {shown}")
    parts = tuple(name.rstrip("/").split("/"))
    if any(part in ("", ".", "..") or part != part.strip() or part.endswith(".") for part in parts):
        raise UserError(f"{path}: holds a file that would lie elsewhere, {shown}")
    return parts


def _judge(entries: list[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    """Which entry is which file of a pack. UserError for whatever does not belong into one."""
    size = path.stat().st_size
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    folders: set[tuple[str, ...]] = set()
    for entry in entries:
        if entry.orig_filename != entry.filename:  # cut at a zero byte, or turned about
            raise UserError(f"{path}: holds a file of an odd name, {clean(repr(entry.orig_filename))}")
        parts = _check_path(entry.filename, path)
        shown = clean(entry.filename)
        if "/".join(parts).casefold() in seen:
            raise UserError(f"{path}: holds {shown} twice")
        seen.add("/".join(parts).casefold())
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
            raise UserError(f"{path}: {shown} is a link or another thing that is no file")
        if entry.flag_bits & 0x41:
            raise UserError(f"{path}: {shown} is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UserError(f"{path}: {shown} is packed in a way that is not taken")
        if entry.is_dir():
            if parts[0] != "__MACOSX":
                folders.add(parts)
            continue
        if parts[0] == "__MACOSX" or parts[-1] in UNUSED:
            continue
        name = parts[-1]
        if name not in FILES or len(parts) > 2:
            raise UserError(f"{path}: {shown} does not belong into a pack, which holds {', '.join(FILES)}")
        if entry.file_size > FILES[name]:
            raise UserError(f"{path}: {shown} would have {entry.file_size} bytes, up to {FILES[name]} are taken")
        if entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1) or entry.compress_size > size:
            raise UserError(f"{path}: {shown} would grow from {entry.compress_size} bytes to {entry.file_size}")
        folders.add(parts[:-1])
        if name in found:
            raise UserError(f"{path}: holds {name} twice")
        found[name] = entry
    if len({folder for folder in folders if folder}) > 1 or (() in folders and len(folders) > 1):
        raise UserError(f"{path}: holds more than one folder")
    missing = [name for name in FILES if name not in found and name != MAY_LACK]
    if missing:
        raise UserError(f"{path}: {', '.join(missing)} missing, so not a pack")
    if sum(entry.file_size for entry in found.values()) > LARGEST_PACK:
        raise UserError(f"{path}: larger than {LARGEST_PACK >> 20} MB once unpacked")
    if sum(entry.compress_size for entry in entries) > size:
        raise UserError(f"{path}: its files lie on top of one another")
    return found


# What zipfile and zlib raise for a damaged file; they agree on no common class.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, struct.error)


def _unpack_zip(path: Path, into: Path) -> None:
    """Unpack the files of a pack. UserError for anything odd; `into` may then hold a part."""
    try:
        with open_plain(path) as file:
            check_plain_zip(file, path, MOST_ENTRIES, LARGEST_CONTENTS)
            with zipfile.ZipFile(file) as bundle:
                entries = bundle.infolist()
                for name, entry in _judge(entries, path).items():
                    with bundle.open(entry) as source:
                        _copy(source, into / name, entry.file_size, f"{path}: {name}")
    except _BROKEN as error:
        raise UserError(f"{path}: damaged ({clean(str(error), 100) or type(error).__name__})") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _copy(source: IO[bytes], target: Path, size: int, what: str) -> None:
    """Write exactly `size` bytes of `source`. UserError if there are fewer or more."""
    left = size
    with target.open("xb") as out:
        while block := source.read(min(left + 1, 1 << 20)):
            left -= len(block)
            if left < 0:
                raise UserError(f"{what} is larger than it says")
            out.write(block)
    if left:
        raise UserError(f"{what} is smaller than it says")


def _unreadable(path: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"{paths.added_packs()}: no room left for it ({error.strerror})")
    return UserError(f"{path}: cannot be read, or not be copied ({error.strerror or clean(str(error))})")


# --- out of a folder -------------------------------------------------------------------------------------------------


def _copy_folder(path: Path, into: Path) -> None:
    """Copy the files of a pack out of a folder, and nothing else that lies there or that it points to."""
    try:
        entries = {entry.name: entry for entry in os.scandir(path) if entry.name not in UNUSED}
        strange = [name for name in entries if name not in FILES]
        if strange:
            raise UserError(
                f"{path}: {clean(repr(strange[0]))} does not belong into a pack, which holds {', '.join(FILES)}"
            )
        missing = [name for name in FILES if name not in entries and name != MAY_LACK]
        if missing:
            raise UserError(f"{path}: {', '.join(missing)} missing, so not a pack")
        total = 0
        for name, entry in entries.items():
            if not entry.is_file(follow_symlinks=False):
                raise UserError(f"{path}: {name} is a link or another thing that is no file")
            size = entry.stat(follow_symlinks=False).st_size
            total += size
            if size > FILES[name] or total > LARGEST_PACK:
                raise UserError(f"{path}: {name} has {size} bytes, which is too large for a pack")
            with (path / name).open("rb") as source:
                _copy(source, into / name, size, f"{path}: {name}")
    except OSError as error:
        raise _unreadable(path, error) from error


# --- adding, removing, handing on ------------------------------------------------------------------------------------


@contextmanager
def _beside(shelf: Path) -> Iterator[Path]:
    """A folder of its own on the same disk as the shelf; gone at the end, with all that is still in it."""
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        holder = tempfile.TemporaryDirectory(prefix=".part-", dir=shelf, ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f"{shelf}: cannot be written ({error.strerror})") from error
    with holder as name:
        yield Path(name)


def _check_hashes(folder: Path, info: dict[str, Any]) -> None:
    """UserError where pack.json names another hash of a network than it has: torn, or put together of two packs."""
    hashes = info.get("sha256")
    if hashes is None:
        return
    if not isinstance(hashes, dict):
        raise UserError(f"{folder / 'pack.json'}: sha256 must name files and their hashes")
    for network in networks_of(info):
        named = hashes.get(f"{network}.onnx")
        found = seal_network(folder / f"{network}.onnx")
        if named is not None and named != found:
            raise UserError(f"{folder / f'{network}.onnx'}: not the network that pack.json speaks of")


def add_pack(path: Path, name: str | None = None, force: bool = False) -> Path:
    """Check the pack in a zip file or folder and put a copy on the shelf. Where it lies then.

    UserError with the reason if it is refused, or if there is a pack of that name and `force` is not set.
    """
    if name is not None:
        check_name(name)
    shelf = paths.added_packs()
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    with _beside(shelf) as beside:
        # The pack is called by its origin while it is checked, so that what is said of it means something.
        part = beside / (clean(path.name).strip(". ") or "pack").replace("/", "-")
        part.mkdir()
        try:
            _copy_folder(path, part) if path.is_dir() else _unpack_zip(path, part)
            info = read_info(part)
            target = shelf / (name or _name_of(info))
            if (paths.models() / target.name).exists():
                raise UserError(f"{target.name} came with the program: choose another name with --name")
            if target.exists() and not force:
                raise UserError(
                    f"there is a pack called {target.name}: choose another name with --name, or replace it with --force"
                )
            _check_hashes(part, info)
            pass_trial(part, info)
        except UserError as reason:  # where it was unpacked for a moment is no place that anyone knows
            raise UserError(str(reason).replace(str(part), str(path))) from reason
        try:
            if target.exists():
                target.rename(beside / "old")
            os.replace(part, target)
        except OSError as error:
            with contextlib.suppress(OSError):  # the old one, if it was moved away and nothing came in its place
                (beside / "old").rename(target)
            raise UserError(f"{target}: cannot be written ({error.strerror})") from error
    return target


def remove_pack(name: str) -> None:
    """Take a pack off the shelf. UserError if there is none of that name, or it came with the program."""
    folder = known_packs().get(name)
    if folder is None:
        raise UserError(f"no pack is called {clean(repr(name))}; there are: {', '.join(known_packs())}")
    if ships(folder):
        raise UserError(f"{name} came with the program and cannot be removed")
    with _beside(folder.parent) as beside:  # in one step out of the way, then away
        try:
            folder.rename(beside / "old")
        except OSError as error:
            raise UserError(f"{folder}: cannot be removed ({error.strerror})") from error


def zip_pack(name: str, out: Path, force: bool = False) -> None:
    """Write a pack as one zip file to hand on. UserError if there is none, or `out` exists and `force` is not set."""
    folder = find_pack(name)
    read_info(folder)
    if out.suffix.lower() != ".zip":
        raise UserError(f"{out}: a pack to hand on is a .zip")
    if os.path.lexists(out) and not force:
        raise UserError(f"{out} exists; --force overwrites it")
    missing = [n for n in FILES if not (folder / n).is_file() and n != MAY_LACK]
    if missing:
        raise UserError(f"{folder}: {', '.join(missing)} missing, so it could not be added")
    inside = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-")[:LONGEST_NAME] or "pack"
    try:
        with (
            write_whole(out) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle,
        ):
            for file in filter(lambda n: (folder / n).is_file(), FILES):  # the same pack makes the same zip file
                entry = zipfile.ZipInfo(f"{inside}/{file}")
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                bundle.writestr(entry, read_at_most(folder / file, FILES[file]))
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error


# --- showing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """One line of the list of packs. `trouble`: what is wrong with it, if anything."""

    name: str
    folder: Path
    shipped: bool
    styles: int = 0
    dances: int = 0
    trouble: str = ""


def list_packs() -> list[Listed]:
    """Every pack that has a name, those that ship first."""
    found = []
    for name, folder in known_packs().items():
        try:
            info = read_info(folder)
            found.append(Listed(name, folder, ships(folder), len(info["styles"]), len(info["dances"])))
        except UserError as reason:
            found.append(Listed(name, folder, ships(folder), trouble=str(reason)))
    return found


def describe_pack(name: str) -> list[tuple[str, str]]:
    """What there is to know of a pack, as (heading, text); a stranger's words are cleaned."""
    folder = find_pack(name)
    info = read_info(folder)
    here = [(f, (folder / f).stat().st_size) for f in FILES if (folder / f).is_file()]
    styles = ", ".join(
        f"{style} ({sum(d['style'] == number for d in info['dances'])})" for number, style in enumerate(info["styles"])
    )
    lines = [
        ("pack", clean(info.get("name") or folder.name)),
        ("folder", str(folder)),
        ("styles (dances)", styles),
        ("latent", f"{info['latent_size']} numbers, {info['letters']} letters, {len(info['seeds'])} poses to start"),
        ("files", ", ".join(f"{file} {size / 1e6:.1f} MB" for file, size in here)),
    ]
    training = info.get("training")
    if isinstance(training, dict):
        plain = [f"{k} {v}" for k, v in training.items() if isinstance(v, str | int | float)]
        lines += [("training", clean(text, 200)) for text in plain[:20]]
    credits = info.get("credits")
    lines += [("credit", clean(str(text), 300)) for text in (credits if isinstance(credits, list) else [])[:50]]
    return lines
