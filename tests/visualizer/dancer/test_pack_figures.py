"""Figures in a pack.json: what is there is read, and anything else is refused in one line."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.made_figures_pack import COLOURS, figures_contents, figures_info
from tests.support.made_pack import write_folder, write_zip
from visualizer import paths
from visualizer.dancer.pack import load_pack, read_info
from visualizer.dancer.pack_figures import read_figures
from visualizer.dancer.pack_store import add_pack, zip_pack
from visualizer.errors import UserError


def test_figures_are_read() -> None:
    figures = read_figures(figures_info())
    assert figures.names == ("flat", "ann", "bob")
    assert [person.flat for person in figures.people] == [True, False, False]
    assert bytes(figures.people[0].colours[1]).hex() == COLOURS[1][1:]
    assert figures.people[1].margin == pytest.approx((0.05, 0.05, 0.02))
    assert figures.hands.dtype == np.float32


SPOILED: list[tuple[str, Any, str]] = [
    ("format", 2, "format 3"),
    ("parts", ["skin"], "parts must be"),
    ("figures", [], "list of 1"),
    ("figures", [7], "must have a name"),
    ("hands", [[0, 0, 0, 0]], "hands must be"),
    ("hands", "none", "hands must be"),
    ("figures.name", "", "name must be"),
    ("figures.name", "two\nlines", "name must be"),
    ("figures.name", "ANN", "distinct"),
    ("figures.height", -1, "height must be"),
    ("figures.height", True, "height must be"),
    ("figures.margin", [0, 0], "margin must be"),
    ("figures.margin", [0, 0, 9], "margin must be"),
    ("figures.flat", 1, "flat must be"),
    ("figures.colours", {"skin": "#000000"}, "colours must be"),
    ("figures.colours", "#000000", "colours must be"),
]


@pytest.mark.parametrize(("key", "value", "said"), SPOILED, ids=[f"{k}={v!r}"[:40] for k, v, _ in SPOILED])
def test_anything_else_is_refused(key: str, value: Any, said: str) -> None:
    info = copy.deepcopy(figures_info())
    whole, _, inner = key.partition(".")
    if inner:
        info[whole][0][inner] = value
    else:
        info[whole] = value
    with pytest.raises(ValueError, match=said):
        read_figures(info)


def test_hands_are_numbers_from_0_to_1() -> None:
    info = figures_info()
    info["hands"][0][0] = float("nan")
    with pytest.raises(ValueError, match="hands must be"):
        read_figures(info)


def test_a_colour_that_is_none_is_refused(tmp_path: Path) -> None:
    files = figures_contents()
    info = json.loads(files["pack.json"])
    info["figures"][1]["colours"]["hair"] = "red"
    folder = write_folder(tmp_path / "made", {**files, "pack.json": json.dumps(info).encode()})
    with pytest.raises(UserError, match=r"pack\.json: a figure's colours"):
        read_info(folder)


def test_a_pack_with_figures_needs_the_network_that_draws_them(tmp_path: Path) -> None:
    files = figures_contents()
    del files["figures.onnx"]
    with pytest.raises(UserError, match=r"figures\.onnx"):
        load_pack(write_folder(tmp_path / "made", files), "cpu")


def test_it_is_added_and_handed_on_with_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "added_packs", lambda: tmp_path / "shelf")
    folder = add_pack(write_zip(tmp_path / "made.zip", figures_contents()), "made")
    assert (folder / "figures.onnx").is_file()
    zip_pack("made", tmp_path / "again.zip")
    with zipfile.ZipFile(tmp_path / "again.zip") as bundle:
        assert "made/figures.onnx" in bundle.namelist()
