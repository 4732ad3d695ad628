"""The governor on loads that are made up: first the rate, then effects; and at rest where nothing changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.stage.governor import EVEN, LEAST, START, Governor, find_rates

Change = tuple[float, float, int]  # when, and the rate and detail from then on


def run(
    work: Callable[[float, float, int], float], seconds: float, rate: float = 60.0, refresh: float | None = None,
    scene: Callable[[float], Hashable] = lambda now: "look",
) -> list[Change]:  # fmt: skip
    """When rate and detail changed, and to what; `work` (now, rate, detail) -> seconds. Late frames come late."""
    governor, now, changes = Governor(rate, refresh), 0.0, []
    while now < seconds:
        before = governor.rate, governor.detail
        took = work(now, *before)
        now += max(took, 1 / governor.rate)
        if governor.frame(now, took, scene(now)):
            assert (governor.rate, governor.detail) != before
            changes.append((now, governor.rate, governor.detail))
        else:
            assert (governor.rate, governor.detail) == before
    return changes


def steps(changes: list[Change]) -> list[tuple[float, int]]:
    return [(rate, detail) for _, rate, detail in changes]


def of_detail(*seconds: float) -> Callable[[float, float, int], float]:
    """The work of each detail."""
    return lambda now, rate, detail: seconds[detail]


@pytest.mark.parametrize(
    ("most", "refresh", "rates"),
    [
        (60, 60, (60, 30, 20, 15, 12)),
        (60, 120, (60, 40, 30, 24, 20)),
        (72, 144, (72, 48, 36, 28.8, 24)),
        (75, 75, (75, 37.5, 25, 18.75, 15)),
        (50, 60, (50, 30, 20, 15, 12)),
        (5, 60, (5,)),
    ],
)
def test_rates_are_whole_parts_of_what_the_display_shows(most: float, refresh: float, rates: tuple) -> None:
    assert find_rates(most, refresh)[: len(rates)] == pytest.approx(rates)


def test_a_quick_machine_keeps_rate_and_effects() -> None:
    assert run(of_detail(0.013, 0.011, 0.010), 120) == []


def test_the_rate_goes_first_and_effects_stay() -> None:
    changes = run(of_detail(0.022, 0.012, 0.006), 300)
    assert steps(changes) == [(30, 0)]
    assert changes[0][0] < START + 5


def test_where_the_display_has_a_rate_between_it_is_taken() -> None:
    assert steps(run(of_detail(0.022, 0.012, 0.006), 60, 60, 120)) == [(40, 0)]


def test_effects_become_coarser_only_at_the_least_even_rate() -> None:
    changes = run(of_detail(0.045, 0.025, 0.010), 100)
    assert steps(changes) == [(30, 0), (30, 1)]


def test_at_last_the_rate_goes_below_that_but_is_even() -> None:
    changes = run(of_detail(0.09, 0.07, 0.06), 100)
    assert steps(changes)[-1] == (15, LEAST)


def test_steps_of_detail_that_save_nothing_are_not_kept() -> None:
    """The first saves 4%, the second nothing more: the rate goes on down instead, with all effects."""
    changes = run(of_detail(0.045, 0.043, 0.043), 200)
    assert steps(changes)[-1] == (20, 0)
    tried = [now for now, _, detail in changes if detail]
    assert len(tried) <= LEAST  # and it is known for the look from then on


def test_the_first_seconds_do_not_count() -> None:
    assert run(lambda now, *_: 0.05 if now < START else 0.01, 60) == []


def test_single_spikes_change_nothing() -> None:
    frames = iter(range(10**6))
    assert run(lambda *_: 0.2 if next(frames) % 20 == 0 else 0.010, 60) == []


def test_a_stall_and_a_short_burst_of_another_program_change_nothing() -> None:
    assert run(lambda now, *_: 0.4 if 20 < now < 20.1 else 0.010, 40) == []
    assert run(lambda now, *_: 0.035 if 20 < now < 21.5 else 0.010, 40) == []


def test_every_other_frame_late_is_no_single_spike() -> None:
    frames = iter(range(10**6))
    changes = run(lambda *_: 0.030 if next(frames) % 2 else 0.004, 20)
    assert steps(changes) == [(30, 0)]


def test_rate_and_effects_are_back_within_ten_seconds_of_spare_time() -> None:
    changes = run(lambda now, rate, detail: (0.3 if now < 60 else 0.01) * (1, 0.6, 0.4)[detail], 200)
    assert max(detail for _, _, detail in changes) == LEAST
    assert steps(changes)[-1] == (60, 0)
    assert changes[-1][0] < 70


def test_they_are_back_even_if_the_load_went_just_as_a_step_was_measured() -> None:
    """Then the step seems to save very much, and what is above it to be very much work."""
    first = run(lambda now, rate, detail: (0.045, 0.040, 0.038)[detail], 60)
    coarser = next(now for now, _, detail in first if detail)
    changes = run(lambda now, rate, detail: 0.045 if now <= coarser else (0.012, 0.010, 0.009)[detail], 200)
    assert max(detail for _, _, detail in changes) > 0
    assert steps(changes)[-1] == (60, 0)
    assert changes[-1][0] < coarser + 15


def test_what_is_predicted_to_be_too_much_is_hardly_ever_tried() -> None:
    changes = run(of_detail(0.060, 0.020, 0.018), 3600)
    tries = [now for now, _, detail in changes if detail == 0]
    assert len(tries) <= 2 + 3600 / 300


def test_a_look_is_begun_at_the_step_at_which_it_was_left() -> None:
    def scene(now: float) -> Hashable:
        return "heavy" if now % 40 < 20 else "light"

    changes = run(lambda now, *_: 0.025 if scene(now) == "heavy" else 0.008, 200, scene=scene)
    late = [(round(now % 40), rate) for now, rate, _ in changes if now > 60]
    assert set(late) == {(0, 30), (20, 60)}


def overload(governor: Governor, now: float, seconds: float, scene: str, details: tuple[int, ...]) -> float:
    """Far too much work in a scene, whatever is left out; the time afterwards."""
    for _ in range(round(seconds * 20)):
        now += 0.05
        governor.frame(now, 0.09 * 0.8**governor.detail, scene, details)
        assert governor.detail in details
    return now


def test_details_that_save_nothing_in_a_scene_are_not_taken() -> None:
    for details, worst in (((0,), 0), ((0, 1), 1), ((0, 2), 2)):
        governor = Governor(60, 60)
        overload(governor, 0.0, 60, "look", details)
        assert governor.detail == worst
        assert governor.rate < 30


def test_a_scene_that_has_not_the_detail_of_the_last_one_is_begun_at_the_one_above() -> None:
    governor = Governor(60, 60)
    now = overload(governor, 0.0, 60, "spots", (0, 2))
    assert governor.detail == 2
    assert governor.frame(now, 0.09, "trails", (0, 1))
    assert governor.detail == 1
    assert governor.frame(now + 0.1, 0.09, "plain", (0,))
    assert governor.detail == 0


def test_another_display_has_other_rates_and_keeps_the_detail() -> None:
    governor, now = Governor(60, 60), 0.0
    while governor.detail == 0:
        now += 0.05
        governor.frame(now, (0.045, 0.020, 0.010)[governor.detail])
    governor.fit(75, 75)
    assert (governor.rate, governor.detail) == (75, 1)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.floats(0.001, 0.1), min_size=LEAST + 1, max_size=LEAST + 1), st.floats(0, 0.3),
    st.sampled_from([30.0, 60.0]), st.integers(0, 10**6),
)  # fmt: skip
def test_on_a_constant_load_it_comes_to_rest(works: list[float], noise: float, rate: float, seed: int) -> None:
    """Whatever the details cost, as long as less costs no more, and with the noise of a busy machine."""
    works = sorted(works, reverse=True)
    chance = np.random.default_rng(seed)
    changes = run(lambda now, rate, detail: works[detail] * (1 + noise * chance.random()), 240, rate)
    order = [(-rate, 0), *((-rate, detail) for _, rate, detail in changes)]
    back = [c[0] for a, b, c in zip(order, order[1:], changes, strict=False) if b < a]
    assert len([now for now in back if now > 60]) <= 4
    if works[0] * (1 + noise) < 0.8 / rate:
        assert changes == []
    if works[0] * (1 + noise) < 0.9 / EVEN / 1.1:  # there is an even rate at which all effects fit
        assert all(detail == 0 for _, _, detail in changes)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(st.floats(1, 20), st.floats(0.002, 0.08)), min_size=1, max_size=8))
def test_whatever_happened_all_is_back_soon_after(loads: list[tuple[float, float]]) -> None:
    ends = list(itertools.accumulate(seconds for seconds, _ in loads))

    def work(now: float, rate: float, detail: int) -> float:
        load = next((load for end, (_, load) in zip(ends, loads, strict=True) if now < end), 0.008)
        return load * (1, 0.7, 0.5)[detail]

    changes = run(work, ends[-1] + 120)
    assert not changes or steps(changes)[-1] == (60, 0)


@pytest.mark.parametrize("rate", [0.5, 1000.0])
def test_any_rate_will_do(rate: float) -> None:
    run(lambda *_: 0.1 / rate, 20 / rate, rate)
