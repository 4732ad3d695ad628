"""What the program takes on the disk and in the download, package by package, and what each is for.

    python -m bench.size [--compress] [--extra NAME ...]

Counts the files of each package that the program needs, as this Python has them installed. `--compress` also packs
them as a wheel is packed, which is what a download takes within a few per cent. Extras are left out unless named.
"""

from __future__ import annotations

import argparse
import re
import tomllib
import zlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from visualizer import paths

ROOT = Path(__file__).parents[1]
SMALL = 1e6  # bytes: below this a package is not worth a row


@dataclass
class Part:
    """A package, bytes of its files and of their zip (0 if not packed), and who asks for it."""

    name: str
    installed: int
    packed: int
    wanted_by: str


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _applies(requirement: str, extras: tuple[str, ...]) -> bool:
    """Whether a requirement's marker holds on this machine."""
    from packaging.requirements import Requirement

    marker = Requirement(requirement).marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def needed(extras: tuple[str, ...]) -> dict[str, str]:
    """Names of all packages that the program stands on, and for whom each is there: "" for those it names itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [r for r in project["dependencies"] if _applies(r, ())]
    named += [r for extra in extras for r in project["optional-dependencies"][extra]]
    found = {_name(requirement): "" for requirement in named}
    waiting = list(found)
    while waiting:
        name = waiting.pop(0)
        for requirement in metadata.requires(name) or []:
            if _applies(requirement, ()) and _name(requirement) not in found:
                found[_name(requirement)] = name
                waiting.append(_name(requirement))
    return found


def weigh(files: list[Path], compress: bool) -> tuple[int, int]:
    """(bytes, bytes packed) of files."""
    installed = packed = 0
    for path in files:
        installed += path.stat().st_size
        if compress:
            packer = zlib.compressobj(6)
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    packed += len(packer.compress(block))
            packed += len(packer.flush())
    return installed, packed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compress", action="store_true", help="also what a download takes; needs a minute")
    parser.add_argument("--extra", action="append", default=[])
    asked = parser.parse_args()
    parts: list[Part] = []
    for name, wanted_by in needed(tuple(asked.extra)).items():
        files = [Path(str(f.locate())) for f in metadata.files(name) or [] if not str(f).endswith(".pyc")]
        there = [path for path in files if path.is_file() and ".." not in path.parts]
        parts.append(Part(name, *weigh(there, asked.compress), wanted_by))
    own = [ROOT / "visualizer", ROOT / "training", paths.models(), ROOT / "assets"]
    files = [p for folder in own for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    parts.append(Part("the program itself, its dancer and its ear", *weigh(files, asked.compress), ""))
    parts.sort(key=lambda part: part.installed, reverse=True)
    table = Table("package", "MB", "MB to download", "for", box=None)
    for part in parts:
        if part.installed >= SMALL:
            packed = f"{part.packed / 1e6:.0f}" if asked.compress else ""
            table.add_row(part.name, f"{part.installed / 1e6:.0f}", packed, part.wanted_by or "the program")
    small = [part for part in parts if part.installed < SMALL]
    rows = ((f"{len(small)} smaller ones", small), ("all", parts))
    for label, these in rows:
        packed = f"{sum(part.packed for part in these) / 1e6:.0f}" if asked.compress else ""
        table.add_row(label, f"{sum(part.installed for part in these) / 1e6:.0f}", packed, "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
