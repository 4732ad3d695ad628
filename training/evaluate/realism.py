"""Rows of how real a dance is: Fréchet distances and two-sample tests of auto mode and of dances by name, beside what
real takes reach. Definitions: metrics.py and two_sample.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluate import metrics as mt
from training.evaluate.matched import Pool, Wanted
from training.evaluate.material import Excerpts, Material, match
from training.evaluate.metrics import PHRASE, Floats
from training.evaluate.real import Real, windows_of
from training.evaluate.tables import Row
from training.evaluate.two_sample import (
    FOLDS,
    WINDOW,
    TwoSample,
    all_features,
    features_without_bones_and_feet,
    two_sample_test,
)


def measure_realism(material: Material) -> list[Row]:
    """Fréchet distances and two-sample tests."""
    return measure_distances(material) + measure_two_samples(material)


def measure_distances(material: Material) -> list[Row]:
    """Fréchet distances from the training data, of 8-beat windows of auto mode and of named dances, each beside real
    takes of the dances that were danced, as many as those, in the picture."""
    train = windows_of(material.seen).features()
    pool = Pool(material.even_takes + [t for t in material.seen if t.captured], PHRASE)
    auto = material.auto.danced.joints
    starts = spread(material.auto.starts(PHRASE), material.effort.compared)
    pairs = [match(auto[starts[:, None] + np.arange(PHRASE)], material.wanted(starts, PHRASE), pool, material.seed)]
    cut, wanted = material.wanted_by_name(list(material.named), PHRASE)
    kept = spread(np.arange(len(cut)), material.effort.compared)
    pairs.append(match(cut[kept][..., :2], [wanted[k] for k in kept], pool, material.seed))
    rows = []
    for k, (name, goal) in enumerate((("kinetic", 5.0), ("geometric", 2.5))):
        features = (mt.kinetic_features, mt.geometric_features)[k]
        mean, std = mt.scale_of(train[k])
        base = (train[k] - mean) / std
        for pair, steady in zip(pairs, (False, True), strict=True):
            ours, real = (mt.frechet_distance((features(x) - mean) / std, base) for x in (pair.ours, pair.real))
            title = (
                "  steady" if steady else f"FID, {name} features, {len(pair.real)} windows (real: mix of takes), auto"
            )
            rows.append(Row(title, f"≤ {goal:g}", ours, real, None, ours <= goal))
    return rows


def spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


@dataclass(frozen=True)
class Trial:
    """A two-sample test: what is told apart, and the control, in which both sides are real."""

    name: str
    ours: Excerpts
    control: Excerpts


def set_up_trials(material: Material) -> list[Trial]:
    """Auto mode against real takes of what it danced; written dances by name against new takes of them; captured ones
    against the takes they were learned from.

    Controls: other real takes against the same ones; takes that training has seen against new ones; other parts of the
    takes against the same ones. Ours and real are matched window by window, see matched.py.
    """
    captured = [t for t in material.seen if t.captured]
    written = [t for t in material.seen if not t.captured]
    auto = material.auto.danced.body(material.axes)
    starts = spread(material.auto.starts(WINDOW), material.effort.tested)
    cut = auto[starts[:, None] + np.arange(WINDOW)]
    trials = [_try("auto", material, cut, material.wanted(starts, WINDOW), material.even_takes + captured)]
    for name, takes, control in (("written dances by name", material.even_takes, (written, material.fresh)),
                                 ("captured dances by name", captured, None)):  # fmt: skip
        names = [n for n in material.named if (n in material.captured_names) == (takes is captured)]
        if names and takes:
            cut, wanted = material.wanted_by_name(names, WINDOW)
            kept = spread(np.arange(len(cut)), material.effort.tested)
            trials.append(_try(name, material, cut[kept], [wanted[k] for k in kept], takes, control))
    return trials


def _try(
    name: str, material: Material, ours: NDArray[np.float32], wanted: list[Wanted], takes: list[Real],
    control: tuple[list[Real], list[Real]] | None = None,
) -> Trial:  # fmt: skip
    """Ours beside `takes`, and as a control the two sets of takes against each other; None: `takes` against other
    windows of themselves."""
    pool = Pool(takes, WINDOW)
    pair = match(ours, wanted, pool, material.seed)
    if control is None:
        rows = pool.match([*wanted, *wanted], material.seed)  # the second time round those that were not taken yet
        one, other = pool, pool
        first, second = rows[: len(wanted)], rows[len(wanted) :]
    else:
        one, other = (Pool(side, WINDOW) for side in control)
        first, second = one.match(wanted, material.seed), other.match(wanted, material.seed)
    both = [k for k in range(len(wanted)) if first[k] >= 0 and second[k] >= 0]
    group = np.array([wanted[k].dance or wanted[k].style for k in both])
    axes = material.axes
    real = Excerpts(one.bodies([first[k] for k in both], axes), other.bodies([second[k] for k in both], axes), group)
    return Trial(name, pair, real)


Features = Callable[[NDArray[np.float32]], Floats]


def tell_apart(pair: Excerpts, features: Features, seed: int) -> TwoSample | None:
    """The two-sample test of a pair; None where there are too few dances."""
    if len(np.unique(pair.group)) < FOLDS:
        return None
    return two_sample_test(features(pair.ours), features(pair.real), pair.group, pair.group, seed)


def measure_two_samples(material: Material) -> list[Row]:
    """How well a classifier tells ours from real, beside how well it tells real from real."""
    rows: list[Row] = []
    kinds: Sequence[tuple[str, Features, float]] = (
        ("all features", all_features, 0.85),
        ("without bones and feet", features_without_bones_and_feet, 0.75),
    )
    for trial in set_up_trials(material):
        for kind, features, goal in kinds:
            found, real = (tell_apart(pair, features, material.seed) for pair in (trial.ours, trial.control))
            if found is None or real is None:
                continue
            name = f"{trial.name}, {kind}"
            name = f"  {name}" if rows else f"two-sample test (0.5: cannot be told apart), {name}"
            rows.append(Row(name, f"≤ {goal:g}", found.area, real.area, None, found.area <= goal))
            if trial.name == "auto":
                rows.append(Row(f"    accuracy, {kind}", "", found.accuracy, real.accuracy))
    return rows
