"""Films by keyword, for tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from visualizer.dancer.pack import Pack
from visualizer.film.render import FilmReport, OnFrame, make_film
from visualizer.options import FilmOptions


def film(
    song: Path | None, out: Path, *, pack: Pack, progress: bool = True, on_frame: OnFrame | None = None, **options: Any
) -> FilmReport:
    """`make_film` with the options of a film as keywords; `fps` may be a number."""
    if options.get("fps") is not None:
        options["fps"] = Fraction(options["fps"])
    name = str(out) if out.suffix else f"{out}/"  # a folder for numbered pictures
    return make_film(song, pack, FilmOptions(out=name, **options), progress=progress, on_frame=on_frame)
