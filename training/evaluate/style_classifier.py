"""Tells which style a dance is of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from training.evaluate import metrics as mt
from training.evaluate.real import Real, windows_of


class StyleClassifier:
    """Knows styles by 8-beat windows of real takes. Extremely randomised trees (Geurts et al., 2006) on kinetic and
    geometric features."""

    def __init__(self, seen: list[Real], styles: Sequence[str], seed: int) -> None:
        train = windows_of([t for t in seen if t.style in styles])
        self._trees = ExtraTreesClassifier(300, class_weight="balanced", random_state=seed)
        self._trees.fit(np.concatenate(train.features(), axis=1), train.style)

    def recognise(self, joints: NDArray[np.float32], styles: NDArray[np.str_]) -> NDArray[np.bool_]:
        """Whether windows (N, 128, 21, 2) are taken for the styles (N,) that they are of."""
        features = np.concatenate([mt.kinetic_features(joints), mt.geometric_features(joints)], axis=1)
        return np.asarray(self._trees.predict(features) == styles)
