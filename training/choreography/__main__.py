"""python -m training.choreography: list the dances, or draw them on a contact sheet."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from training.choreography import DANCES
from training.choreography.sheet import draw_sheet
from visualizer.errors import UserError


def main(
    sheet: Annotated[Path | None, typer.Option(help="Picture to write (png); without it, dances are listed.")] = None,
    dance: Annotated[list[str] | None, typer.Option(help="Only this dance; may be given more than once.")] = None,
    style: Annotated[list[str] | None, typer.Option(help="Only this style; may be given more than once.")] = None,
    energy: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.5,
    yaw: Annotated[float, typer.Option(help="Degrees by which the dancer is turned.")] = 0.0,
    columns: Annotated[int, typer.Option(min=1, help="Figures in a row.")] = 16,
    every: Annotated[float | None, typer.Option(help="Beats between figures; by default a row is one round.")] = None,
    cell: Annotated[int, typer.Option(min=20, help="Size of a figure in pixels.")] = 110,
    seed: Annotated[int | None, typer.Option(help="Somebody's take instead of the dance as written.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the picture.")] = False,
) -> None:
    """Dances written as code: list them or draw them."""
    chosen = [d for d in DANCES if (not dance or d.name in dance) and (not style or d.style in style)]
    for asked, known in ((dance, {d.name for d in DANCES}), (style, {d.style for d in DANCES})):
        for name in asked or ():
            if name not in known:
                raise UserError(f"no dance or style named {name!r}")
    if not chosen:
        raise UserError("none of these dances is in this style")
    if sheet is None:
        for name, count in Counter(d.style for d in chosen).items():
            print(f"{name} ({count}): " + ", ".join(d.name for d in chosen if d.style == name))
        return
    if sheet.exists() and not force:
        raise UserError(f"{sheet} exists; --force overwrites it")
    if not sheet.parent.is_dir():
        raise UserError(f"{sheet.parent} is not a folder")
    if sheet.suffix.lower() != ".png":
        raise UserError(f"{sheet}: a contact sheet is a .png")
    draw_sheet(chosen, columns, cell, energy, yaw, seed, every).save(sheet)


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
