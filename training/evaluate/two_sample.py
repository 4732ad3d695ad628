"""A two-sample test of dance: can a classifier tell ours from real? Pure functions of arrays.

Classifier two-sample test (Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", 2017): a classifier is trained
to tell windows of one set from windows of another and judged on windows that it has not seen; if both come from one
distribution, no classifier is better than chance. Here windows are two beats, the classifier is boosted trees
(scikit-learn's `HistGradientBoostingClassifier`) on the features below, and all windows of one dance or clip are in the
same fold, so that what is recognised is the way of moving, not the dance. The figure is the area under the ROC curve,
0.5 where the sets cannot be told apart, 1 where always; beside it the accuracy, as in the paper, of sets of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

from training.data.motion.skeleton import INDEX, JOINTS
from training.evaluate.body_metrics import bone_stretch
from training.evaluate.metrics import FOOT_REACH, FOOT_STANDS, FOOT_STILL, STEPS_PER_SECOND, Floats
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT

WINDOW = 2 * STEPS_PER_BEAT  # steps
FOLDS = 5
TREES = 120
FEET = tuple(name for name in JOINTS if name.endswith(("ankle", "toe")))


def _moments(values: Floats) -> list[Floats]:
    """Mean, standard deviation and largest of (N, T, ...) over the steps, each (N, the rest)."""
    flat = values.reshape(len(values), values.shape[1], -1)
    return [flat.mean(axis=1), flat.std(axis=1), flat.max(axis=1)]


def movement_features(bodies: NDArray[np.float32], joints: Sequence[str] = JOINTS) -> Floats:
    """How the joints move: windows (N, T, 21, A), metres, at 120 BPM -> (N, F).

    Of each of `joints`: where it is from the pelvis (of the pelvis: its height) on average, how far it spreads on each
    axis, and mean, standard deviation and largest of its speed, acceleration and jerk. Of all together: the share of
    the acceleration that falls on each eighth of a beat, and mean and spread of the speed.
    """
    whole = bodies.astype(np.float64)
    place = whole - whole[:, :, :1]
    place[:, :, INDEX["pelvis"]] = 0
    place[:, :, INDEX["pelvis"], 1] = whole[:, :, INDEX["pelvis"], 1]
    which = [INDEX[name] for name in joints]
    count = len(whole)
    columns = [place[:, :, which].mean(axis=1).reshape(count, -1), place[:, :, which].std(axis=1).reshape(count, -1)]
    change = whole[:, :, which]
    for order in (1, 2, 3):
        change = np.diff(change, axis=1) * STEPS_PER_SECOND
        size = np.linalg.norm(change, axis=-1)
        columns += _moments(size)
        if order == 1:
            all_joints = size.mean(axis=2)
            columns += [all_joints.mean(axis=1)[:, None], all_joints.std(axis=1)[:, None]]
        if order == 2:
            push = size.mean(axis=2)
            step = (np.arange(push.shape[1]) + 1) % STEPS_PER_BEAT // 2
            parts = np.stack([push[:, step == k].mean(axis=1) for k in range(STEPS_PER_BEAT // 2)], axis=1)
            columns.append(parts / np.maximum(parts.mean(axis=1, keepdims=True), 1e-12))
    return np.concatenate(columns, axis=1)


def bone_features(bodies: NDArray[np.float32]) -> Floats:
    """Of each bone mean, standard deviation and largest of its length over that of the skeleton: -> (N, 60)."""
    return np.concatenate(_moments(bone_stretch(bodies)), axis=1)


def foot_features(bodies: NDArray[np.float32]) -> Floats:
    """Of each foot, the middle of ankle and toe: lowest, mean and highest place above the floor, share of steps in
    which it is planted (as in `metrics.foot_skating`), mean and largest speed along the floor while it is: -> (N, 12).
    """
    columns = []
    for side in ("left", "right"):
        foot = bodies[:, :, [INDEX[f"{side}_ankle"], INDEX[f"{side}_toe"]]].astype(np.float64).mean(axis=2)
        height = FLOOR * FRAME_METRES - foot[..., 1]
        speed = np.diff(foot, axis=1) * STEPS_PER_SECOND
        low = np.maximum(height[:, 1:], height[:, :-1]) < FOOT_STANDS + FOOT_REACH
        planted = low & (np.abs(speed[..., 1]) < FOOT_STILL)
        slide = np.where(planted, np.abs(speed[..., 0]), 0)
        mean_slide = slide.sum(axis=1) / np.maximum(planted.sum(axis=1), 1)
        columns += [height.min(axis=1), height.mean(axis=1), height.max(axis=1), planted.mean(axis=1), mean_slide,
                    slide.max(axis=1)]  # fmt: skip
    return np.stack(columns, axis=1)


def all_features(bodies: NDArray[np.float32]) -> Floats:
    """Movement of all joints, bones and feet: (N, T, 21, A) -> (N, F)."""
    return np.concatenate([movement_features(bodies), bone_features(bodies), foot_features(bodies)], axis=1)


BONES_OF_PELVIS = ("spine", "left_hip", "right_hip")  # where they are from the pelvis says how long a bone is


def features_without_bones_and_feet(bodies: NDArray[np.float32]) -> Floats:
    """Movement alone, and none of ankles and toes, nor of the joints next to the pelvis: what is left once bones and
    feet are right."""
    return movement_features(bodies, [name for name in JOINTS if name not in FEET + BONES_OF_PELVIS])


@dataclass(frozen=True)
class TwoSample:
    """How well two sets are told apart: area under the ROC curve, and accuracy; 0.5: not at all."""

    area: float
    accuracy: float


def assign_folds(groups: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each row (N,), all rows of a group in one: groups in random order, each to the fold that has the
    fewest rows."""
    names, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of, filled = np.zeros(len(names), np.int64), np.zeros(folds)
    for k in np.random.default_rng(seed).permutation(len(names)):
        fold_of[k] = int(filled.argmin())
        filled[fold_of[k]] += sizes[k]
    return fold_of[number]


def two_sample_test(
    one: Floats, other: Floats, one_groups: NDArray[np.str_], other_groups: NDArray[np.str_], seed: int
) -> TwoSample:
    """Tell rows of features (N, F) from rows (M, F). `…_groups`: the dance or clip of each row; cross-validated in
    `FOLDS` folds with all rows of a group, of either set, in one fold. The larger set is cut to the smaller one's size.

    ValueError where there are fewer groups than folds.
    """
    rng = np.random.default_rng(seed)
    count = min(len(one), len(other))
    rows, labels, groups = [], [], []
    for label, (features, names) in enumerate(((one, one_groups), (other, other_groups))):
        kept = np.sort(rng.permutation(len(features))[:count])
        rows.append(features[kept])
        groups.append(names[kept])
        labels.append(np.full(count, label))
    x, y = np.concatenate(rows), np.concatenate(labels)
    fold = assign_folds(np.concatenate(groups), FOLDS, seed)
    if len(np.unique(fold)) < FOLDS:
        raise ValueError(f"a two-sample test needs at least {FOLDS} dances or clips")
    score = np.zeros(len(y))
    for k in range(FOLDS):
        trees = HistGradientBoostingClassifier(
            max_iter=TREES, max_leaf_nodes=15, random_state=seed,
            early_stopping=False,  # pyright: ignore[reportArgumentType] - its hints know words alone
        )  # fmt: skip
        trees.fit(x[fold != k], y[fold != k])
        score[fold == k] = trees.predict_proba(x[fold == k])[:, 1]
    return TwoSample(float(roc_auc_score(y, score)), float(accuracy_score(y, score > 0.5)))
