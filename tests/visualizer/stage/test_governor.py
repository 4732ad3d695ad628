"""The governor on loads that are made up: quick to help, slow to trust, and at rest where nothing changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.stage.governor import LEAST, PATIENCE, Governor

RATE = 60.0


def run(work: Callable[[float, int], float], seconds: float, rate: float = RATE) -> list[tuple[float, int]]:
    """When the detail changed, and to what; `work` (now, detail) -> seconds. Late frames come late."""
    governor, now, changes = Governor(rate), 0.0, []
    while now < seconds:
        took = work(now, governor.detail)
        now += max(took, 1 / rate)
        if (detail := governor.frame(now, took)) is not None:
            assert detail == governor.detail
            changes.append((now, detail))
    return changes


def swings(changes: list[tuple[float, int]]) -> list[float]:
    """Times at which detail came back and then had to go again."""
    return [
        b[0]
        for a, b, before in zip(changes[1:], changes[2:], changes, strict=False)
        if a[1] < before[1] and b[1] > a[1]
    ]


def test_a_quick_machine_keeps_all_effects() -> None:
    assert run(lambda now, detail: 0.010, 120) == []


def test_a_slow_machine_is_helped_within_seconds_and_then_left_alone() -> None:
    changes = run(lambda now, detail: (0.030, 0.022, 0.012, 0.006)[detail], 300)
    assert [detail for _, detail in changes] == [1, 2]
    assert changes[-1][0] < 3


def test_the_slowest_machine_has_the_fewest_effects() -> None:
    changes = run(lambda now, detail: (0.5, 0.4, 0.3, 0.25)[detail], 300)
    assert changes[-1][1] == LEAST
    assert changes[-1][0] < 15


def test_single_spikes_change_nothing() -> None:
    frames = iter(range(10**6))
    assert run(lambda now, detail: 0.2 if next(frames) % 20 == 0 else 0.010, 60) == []


def test_every_other_frame_late_is_no_single_spike() -> None:
    frames = iter(range(10**6))
    changes = run(lambda now, detail: (0.030, 0.008, 0.008, 0.008)[detail] if next(frames) % 2 else 0.004, 10)
    assert [detail for _, detail in changes] == [1]


def test_effects_come_back_one_by_one_once_the_load_is_gone() -> None:
    changes = run(lambda now, detail: 0.030 if now < 10 else 0.005, 200)
    assert [detail for _, detail in changes] == [1, 2, 3, 2, 1, 0]
    back = [now for now, detail in changes[3:]]
    assert back[0] > 10 + PATIENCE
    assert min(np.diff(back)) > PATIENCE


def test_what_is_too_much_each_time_is_tried_ever_more_seldom() -> None:
    changes = run(lambda now, detail: (0.020, 0.005, 0.005, 0.005)[detail], 3600)
    tries = [now for now, detail in changes if detail == 0]
    assert 3 <= len(tries) <= 12
    gaps = np.diff(tries)
    assert (gaps[1:] >= gaps[:-1] - 2).all()
    assert gaps[-1] > 590


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0.001, 0.1), min_size=4, max_size=4), st.floats(0, 0.3), st.sampled_from([30.0, 60.0]),
    st.integers(0, 10**6),
)  # fmt: skip
def test_on_a_constant_load_it_comes_to_rest(works: list[float], noise: float, rate: float, seed: int) -> None:
    """Whatever the details cost, as long as less costs no more, and with the noise of a busy machine."""
    works = sorted(works, reverse=True)
    chance = np.random.default_rng(seed)
    changes = run(lambda now, detail: works[detail] * (1 + noise * chance.random()), 240, rate)
    times = swings(changes)
    assert all(b - a >= 60 for a, b in itertools.pairwise(times))
    if works[LEAST] * (1 + noise) < 0.5 / rate:  # there is a detail at which the rate is kept
        late = [detail for now, detail in changes if now < 20]
        assert works[late[-1] if late else 0] < 1 / rate


@pytest.mark.parametrize("rate", [0.5, 1000.0])
def test_any_rate_will_do(rate: float) -> None:
    assert run(lambda now, detail: 0.1 / rate, 20 / rate, rate) == []
