"""Bodies in the proportions of figures."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.figures.figure import load_people
from training.data.figures.reshape import find_height, reshape, scale_bones
from training.data.motion.skeleton import BONES, INDEX, LENGTHS, PARENT

PEOPLE = {figure.name: figure for figure in load_people()}
ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]


@pytest.mark.parametrize("name", ["kai", "jules", "rosa"])
def test_bones_are_as_long_as_the_figure_says_and_feet_as_high_as_they_were(name: str) -> None:
    figure = PEOPLE[name]
    bodies = perform(DANCES[11], 0.9).positions[::10]
    found = reshape(bodies, figure)
    lengths = np.linalg.norm(found[:, BONES[:, 1]] - found[:, BONES[:, 0]], axis=-1)
    factors = scale_bones(figure)
    wanted = LENGTHS * [factors[joint.split("_")[-1]] for joint in PARENT]
    assert np.abs(lengths - wanted).max() < 0.003
    assert np.abs(found[:, ANKLES, 1].min(axis=1) - bodies[:, ANKLES, 1].min(axis=1)).max() < 1e-5


def test_a_silhouette_keeps_its_bones() -> None:
    bodies = perform(DANCES[11], 0.9).positions[:3]
    assert np.abs(reshape(bodies, PEOPLE["silhouette"]) - bodies).max() < 1e-5


def test_children_are_smaller_than_the_tall() -> None:
    heights = {name: find_height(figure) for name, figure in PEOPLE.items()}
    assert heights["kai"] < 1.5 < heights["mira"] < heights["jules"] < 2
