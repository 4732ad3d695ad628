"""The decoder of figures in onnxruntime: any number of dancers in any box, taken by the check of strangers' files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_figures import made_takes
from training.data.figures.figure import load_people
from training.figure_export import TOLERANCE, FigureContents, describe_figures, export_figures
from training.figure_recipe import FigureRecipe, begin_decoder, choose_people
from training.models.pose_basis import pose_basis
from visualizer.dancer.pack_figures import read_figures
from visualizer.networks.contract import FIGURES, check_contract
from visualizer.networks.session import open_session

pytestmark = pytest.mark.slow  # a network is exported first


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> FigureContents:
    recipe = FigureRecipe(tiny=True, poses=40, channels=8)
    figures = choose_people(recipe)
    bodies = np.random.default_rng(0).normal(0, 0.3, (200, 21, 3)).astype(np.float32)
    takes = made_takes(tmp_path_factory.mktemp("takes"))
    decoder = begin_decoder(recipe, figures, takes, pose_basis(bodies, 63))
    return FigureContents(decoder, figures, np.zeros((5, 4), np.float32), np.full((len(figures), 3), 0.05, np.float32))


def test_onnxruntime_draws_what_torch_draws(contents: FigureContents, tmp_path: Path) -> None:
    path = tmp_path / f"{FIGURES}.onnx"
    assert export_figures(contents.decoder, path) <= TOLERANCE
    session, _ = open_session(path, "cpu")
    info = {"latent_size": 63, "figures": [{}] * len(contents.figures), "letters": 5, "styles": ["a"], "dances": [],
            "choreographer_state": [1], "dancer_state": [1], "format": 3}  # fmt: skip
    for dancers in (1, 2, 9):
        check_contract(session, FIGURES, info, path, dancers)


def test_what_a_pack_says_of_its_figures_is_what_a_show_reads(contents: FigureContents) -> None:
    info = json.loads(json.dumps({"format": 3, "letters": 5, **describe_figures(contents)}))
    read = read_figures(info)
    assert read.names == tuple(figure.name for figure in contents.figures)
    assert read.people[0].flat
    assert read.hands.shape == (5, 4)
    colours = contents.figures[-1].colours
    assert bytes(read.people[-1].colours[0]).hex() == colours["skin"].lstrip("#").lower()


def test_a_decoder_that_differs_is_not_written_as_if_it_did_not(
    contents: FigureContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.onnx"
    monkeypatch.setattr("training.figure_export.export_network", lambda *_: path.write_bytes(b"slow to make"))
    monkeypatch.setattr("training.figure_export.check_network", lambda *_: None)
    monkeypatch.setattr("training.figure_export.difference", lambda *_: float("nan"))
    with pytest.raises(ArithmeticError, match="differs from torch"):
        export_figures(contents.decoder, path)


def test_the_silhouette_comes_first() -> None:
    everybody = choose_people(FigureRecipe())
    assert len(everybody) == len(load_people())
    assert everybody[0].flat
    assert [f.name for f in choose_people(FigureRecipe(people=(everybody[1].name,)))] == [everybody[1].name]
