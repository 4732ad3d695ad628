"""python -m training.data.choreography: list the dances, compare them, or draw them on a contact sheet."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from training.data.choreography import DANCES, Dance
from training.data.choreography.distinct import distinctness
from training.data.choreography.energy import measure_energy, rank_energy
from training.data.choreography.sheet import Layout, draw_sheet
from visualizer.errors import UserError
from visualizer.support.printable import say


def main(
    sheet: Annotated[Path | None, typer.Option(help="Picture to write (png); without it, dances are listed.")] = None,
    dance: Annotated[list[str] | None, typer.Option(help="Only this dance; may be given more than once.")] = None,
    style: Annotated[list[str] | None, typer.Option(help="Only this style; may be given more than once.")] = None,
    energy: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.5,
    yaw: Annotated[float, typer.Option(help="Degrees by which the dancer is turned.")] = 0.0,
    columns: Annotated[int, typer.Option(min=1, help="Figures in a row.")] = 16,
    every: Annotated[float | None, typer.Option(help="Beats between figures; by default a row is one round.")] = None,
    cell: Annotated[int, typer.Option(min=20, help="Size of a figure in pixels.")] = 110,
    seed: Annotated[int | None, typer.Option(help="Seed of a take, in place of the dance as written.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the picture.")] = False,
    distinct: Annotated[bool, typer.Option("--distinct", help="Measure whether all of them differ.")] = False,
    rank: Annotated[bool, typer.Option("--rank", help="Rank them by energy, the quietest first.")] = False,
) -> None:
    """Dances written as code: list them, compare them or draw them."""
    chosen = [d for d in DANCES if (not dance or d.name in dance) and (not style or d.style in style)]
    for asked, known in ((dance, {d.name for d in DANCES}), (style, {d.style for d in DANCES})):
        for name in asked or ():
            if name not in known:
                raise UserError(f"no dance or style named {name!r}")
    if not chosen:
        raise UserError("none of these dances is in this style")
    if distinct:
        compare(chosen)
        return
    if rank:
        list_by_energy(chosen)
        return
    if sheet is None:
        for name, count in Counter(d.style for d in chosen).items():
            say(f"{name} ({count}): " + ", ".join(d.name for d in chosen if d.style == name))
        return
    if sheet.exists() and not force:
        raise UserError(f"{sheet} exists; --force overwrites it")
    if not sheet.parent.is_dir():
        raise UserError(f"{sheet.parent} is not a folder")
    if sheet.suffix.lower() != ".png":
        raise UserError(f"{sheet}: a contact sheet is a .png")
    draw_sheet(chosen, Layout(columns, cell, every), energy, yaw, seed).save(sheet)


def list_by_energy(dances: list[Dance]) -> None:
    """Print rank, speed and size of each dance, the quietest first."""
    say("rank, metres a beat, metres around the middle pose")
    ranks = rank_energy(dances)
    for dance in sorted(dances, key=lambda d: ranks[d.name]):
        figure = measure_energy(dance)
        say(f"{ranks[dance.name]:.2f}  {figure.speed:.2f}  {figure.size:.2f}  {dance.name} ({dance.style})")


def compare(dances: list[Dance], shown: int = 15) -> None:
    """Print the pairs of dances that differ least, and the verdict. UserError if two are the same dance."""
    if len(dances) < 2:
        raise UserError("no two dances to compare")
    found = distinctness(dances)
    say("metres between the dances, between the takes of the one and of the other, margin")
    for i, j in found.nearest(shown):
        say(f"{found.apart[i, j]:.3f}  {found.within[i]:.3f}  {found.within[j]:.3f}  {found.margin[i, j]:.2f}  "
              f"{found.names[i]} / {found.names[j]}")  # fmt: skip
    least, middle, most = (float(q) for q in np.quantile(found.within, (0, 0.5, 1)))
    say(f"the two takes of a dance that differ most are {least:.3f} to {most:.3f} m apart, median {middle:.3f} m; "
          f"the nearest two dances {found.apart.min():.3f} m")  # fmt: skip
    if found.doubles:
        raise UserError("not distinct: " + "; ".join(f"{a} / {b}" for a, b in found.doubles))
    i, j = found.nearest(1)[0]
    styles = len({d.style for d in dances})
    own = set(distinctness(dances, "legs").own) & set(distinctness(dances, "arms").own)
    say(f"{len(own)} share neither their legs nor their arms with any other")
    say(f"{len(dances)} dances in {styles} style{'s' * (styles > 1)} are distinct: even the nearest pair differs "
          f"{found.margin[i, j]:.2f} times as much as any two takes of either")  # fmt: skip


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        say(error, to_stderr=True)
        sys.exit(2)
