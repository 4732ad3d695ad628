"""A figure beside its goal, real motion and the baseline: a row, and the table of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from visualizer.support.console import Console


@dataclass(frozen=True)
class Row:
    """A line of the table. Values are numbers or words; None where there is nothing to measure."""

    name: str
    goal: str
    ours: float | str | None
    real: float | str | None = None
    baseline: float | str | None = None
    met: bool | None = None


def row_of_three(name: str, goal: str, values: Sequence[float | str], met: bool | None = None) -> Row:
    """A line whose values are ours, real and the baseline's."""
    ours, real, baseline = values
    return Row(name, goal, ours, real, baseline, met)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return value if isinstance(value, str) else f"{value:.4g}"


def as_json(value: Any) -> Any:
    """A value as `pack.json` keeps it: JSON knows no infinity."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value


def print_table(console: Console, title: str, rows: list[Row]) -> None:
    """Print rows; the baseline only where one was measured."""
    baseline = any(row.baseline is not None for row in rows)
    table = Table(title=title)
    for head in ("measure", "goal", "ours", "real held-out", *(["baseline"] if baseline else []), "met?"):
        table.add_column(head)
    for row in rows:
        rivals = (row.real, row.baseline) if baseline else (row.real,)
        table.add_row(row.name, row.goal, *map(_text, (row.ours, *rivals, row.met)))
    console.print(table)
