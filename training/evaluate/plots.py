"""Curves of an evaluation: the spectrum of motion, and how near to real poses the dance stays."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visualizer.errors import UserError

COLOURS = ("#dc2828", "#3c3c3c", "#288cc8")  # ours, real, baseline
SIZE_INCHES, DPI = (9.0, 4.8), 100


def plot_lines(path: Path, title: str, across: str, x: NDArray[np.float64], lines: Mapping[str, NDArray]) -> Path:
    """Draw curves (N,) over `x` (N,) into a PNG, the upright axis from 0. UserError where it cannot be written."""
    figure = Figure(SIZE_INCHES, DPI, layout="constrained")
    axes = figure.subplots()
    for (name, y), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(x, y, color=colour, linewidth=2, label=name)
    axes.set(title=title, xlabel=across, xlim=(float(np.min(x)), float(np.max(x))))
    axes.set_ylim(0, max(float(np.max(y)) for y in lines.values()) * 1.02 or 1.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = BytesIO()
        figure.savefig(drawn, format="png")
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def draw_plots(curves: dict[str, Any], folder: Path) -> list[Path]:
    """The spectrum of motion, and how near to real poses the dance stays through the hours."""
    names = ("ours", "real, held out", "baseline")
    lines = {}
    frequency = np.linspace(0, 4, 257)
    for name, (f, power) in zip(names, curves["spectrum"], strict=True):
        lines[name] = np.interp(frequency, f, power / power.sum()) / f[1]
    near = np.array(curves["tenths"])
    return [
        plot_lines(folder / "spectrum.png", "share of motion power", "cycles a beat", frequency, lines),
        plot_lines(folder / "drift.png", "cm to the nearest training pose", "tenths of the hours danced",
                   np.arange(1.0, len(near) + 1), {"ours": near, "real, held out": np.full(len(near), curves["held"])}),
    ]  # fmt: skip
