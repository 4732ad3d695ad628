"""Manual pages of all commands, made from what `--help` says: python packaging/man.py FOLDER"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from visualizer import __version__
from visualizer.cli import app
from visualizer.manual import helps

WIDTH = 78  # columns of a terminal


def escape(text: str) -> str:
    """Lines as roff takes them: no line is a request, no backslash an escape, and a dash is the dash of an option."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def write_page(name: str, text: str) -> str:
    """The manual page of one command out of its `--help`: usage, purpose, then blocks that have titles."""
    usage, purpose, rest = text.split("\n\n", 2)
    purpose = " ".join(purpose.split())
    first = purpose.partition(". ")[0].rstrip(".")
    page = [
        f'.TH {name.replace(" ", "-").upper()} 1 "" "visualizer {__version__}" "The Dancing Screen"',
        ".SH NAME", f"{escape(name.replace(' ', '-'))} \\- {escape(first)}",
        ".SH SYNOPSIS", escape(usage.partition(": ")[2]),
        ".SH DESCRIPTION", escape(purpose),
    ]  # fmt: skip
    for block in rest.split("\n\n"):
        title, _, body = block.partition(":\n")
        if body:
            page += [f".SH {title.upper()}", ".nf", escape(body.rstrip()), ".fi"]
        else:
            page += [".PP", escape(" ".join(block.split()))]
    return "\n".join(page) + "\n"


def write_pages(folder: Path) -> list[Path]:
    """One file a command below `folder`/man1."""
    (folder / "man1").mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in helps(app, "visualizer", WIDTH).items():
        path = folder / "man1" / f"{name.replace(' ', '-')}.1"
        path.write_text(write_page(name, text), encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
