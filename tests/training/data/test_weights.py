"""Longer takes weigh more, and a rare style more than its length."""

from __future__ import annotations

import pytest

from training.data.weights import weigh_takes


def test_styles_weigh_as_the_root_of_their_lengths_and_takes_within_one_as_their_lengths() -> None:
    weights = weigh_takes([10, 30, 60, 4], ["house", "house", "house", "salsa"])
    assert weights[:3].sum() / weights[3] == pytest.approx(5)  # 100 letters against 4
    assert weights[:3] / weights[0] == pytest.approx([1, 3, 6])
