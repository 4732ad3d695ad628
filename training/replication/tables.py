"""The three tables of the replication."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from training.replication.dreams import Danced
from training.replication.judge import Blur, Judged
from visualizer.errors import UserError
from visualizer.support.console import Console


def _said(value: float | int | None, digits: int = 3) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def tables(rows: Sequence[Judged], blurs: Sequence[Blur], dances: Sequence[Danced]) -> list[list[list[str]]]:
    """All three tables in words; the first line of each has the heads."""
    first = [["network", "taught", "parameters", "code", "held-out loss", "IoU", "IoU at 128", "variety kept",
              "IoU half-way"]]  # fmt: skip
    for r in rows:
        first.append([r.network, r.taught, _said(r.parameters), _said(r.code),
                      r.note or _said(r.loss, 4), _said(r.iou), _said(r.iou_128), _said(r.variety),
                      _said(r.between)])  # fmt: skip
    second = [["network", "what was done", "loss before", "after", "mean grey", "spread of the dots", "variety kept",
               "code alive"]]  # fmt: skip
    for b in blurs:
        second.append([b.network, b.mistake, _said(b.before, 4), _said(b.after, 4), _said(b.grey), _said(b.spread),
                       _said(b.variety), _percent(b.alive)])  # fmt: skip
    third = [["dancer", "dots that change", "over real", "frozen seconds", "danced again", "IoU with the nearest known",
              "in pieces", "variety over real"]]  # fmt: skip
    for d in dances:
        third.append([d.dancer, _percent(d.energy), _said(d.energy / max(dances[0].energy, 1e-9), 2),
                      _percent(d.frozen), _percent(d.again), _said(d.known), _percent(d.pieces),
                      _said(d.spread / max(dances[0].spread, 1e-9), 2)])  # fmt: skip
    return [first, second, third]


TITLES = (
    "What is given back of held-out frames",
    "What the loss says",
    "Dances in dots, sixteen pictures a second",
)


def write_tables(made: Sequence[list[list[str]]], path: Path) -> None:
    """The tables as Markdown."""
    parts = []
    for title, (heads, *rows) in zip(TITLES, made, strict=True):
        lines = [f"## {title}", "", *("| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows))]
        parts.append("\n".join(lines) + "\n")
    try:
        path.write_text("\n".join(parts), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def print_tables(made: Sequence[list[list[str]]], console: Console) -> None:
    for title, (heads, *rows) in zip(TITLES, made, strict=True):
        table = Table(*heads, title=title)
        for row in rows:
            table.add_row(*row)
        console.print(table)
