"""Reads packaging/table.toml, and what it leaves to the program itself."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


@dataclass(frozen=True)
class Table:
    """The table, with what pyproject.toml and the package say of the program."""

    program: dict[str, Any]
    bundles: dict[str, dict[str, Any]]
    debian: dict[str, Any]
    flatpak: dict[str, Any]
    version: str
    summary: str
    licence: str

    def files(self, bundle: str) -> list[str]:
        """Names of what is attached for this kind of computer."""
        return [name.format(version=self.version) for name in self.bundles[bundle]["files"]]

    def url(self, file: str) -> str:
        """Where a file of this version will lie."""
        return f"{self.program['home']}/releases/download/v{self.version}/{file}"


def read_table() -> Table:
    """OSError, TOMLDecodeError, KeyError or TypeError where something of it is wrong."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.search(r'^__version__ = "(.+)"$', (ROOT / "visualizer" / "__init__.py").read_text(), re.MULTILINE)
    assert found
    return Table(
        **tomllib.loads((HERE / "table.toml").read_text(encoding="utf-8")),
        version=found[1], summary=project["description"], licence=project["license"],
    )  # fmt: skip
