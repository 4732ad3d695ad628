"""The count of the dance: never backwards, phrases where the music has them, half time in breaks and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from visualizer.auto import EARLY
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.pace import Count, Pace

FRAMES = 30  # a beat


def counted(
    beats: float, energy: Callable[[float], float] = lambda _: 0.6, offset: Callable[[float], int] = lambda _: 0
) -> list[tuple[float, Count]]:
    """(musical time, count) frame by frame, at times that never fall on a beat."""
    pace = Pace()
    times = [(k + 0.4) / FRAMES for k in range(round(beats * FRAMES))]
    return [(t, pace.follow(t, energy(t), offset(t))) for t in times]


def assert_goes_on(counts: list[tuple[float, Count]]) -> None:
    """The dance runs at the full or half tempo between leaps, which keep the place in the half beat."""
    for (t, a), (u, b) in itertools.pairwise(counts):
        assert 2 * b.leap == pytest.approx(round(2 * b.leap))
        assert b.leap >= 0
        assert 0 < b.danced - b.leap - a.danced <= u - t + 1e-9


def test_the_dance_is_musical_time_where_nothing_happens() -> None:
    for t, count in counted(100):
        assert count == Count(t, t)


def test_a_break_is_danced_at_half_time_from_a_bar_on_and_its_end_is_not_waited_for() -> None:
    counts = counted(96, lambda t: 0.1 if 32 <= t < 62.3 else 0.7)
    assert_goes_on(counts)
    half = [t for (t, a), (_, b) in itertools.pairwise(counts) if not b.leap and b.danced - a.danced < 0.7 / FRAMES]
    assert half[0] == pytest.approx(36, abs=2 / FRAMES)  # a bar is listened to
    assert half[-1] == pytest.approx(63, abs=2 / FRAMES)
    leaps = [(t, count.leap) for t, count in counts if count.leap]
    assert [leap for _, leap in leaps] == [(63 - 36) / 2]
    assert leaps[0][0] == pytest.approx(63, abs=2 / FRAMES)
    assert counts[-1][1].danced == counts[-1][1].phrases == counts[-1][0]


def test_a_short_hush_is_no_break() -> None:
    assert not any(count.leap for _, count in counted(64, lambda t: 0.1 if 30 <= t < 33.5 else 0.7))


@pytest.mark.parametrize("offset", [4, 12, 28])
def test_another_count_is_taken_over_where_its_phrase_begins(offset: int) -> None:
    counts = counted(64, offset=lambda t: offset if t > 21.3 else 0)
    assert_goes_on(counts)
    ((at, count),) = [(t, count) for t, count in counts if count.leap]
    assert count.leap == offset
    assert (at + offset + EARLY) % PHRASE_BEATS < 2 / FRAMES
    assert counts[-1][1].phrases == counts[-1][0] + offset


def test_another_count_within_a_break_waits_for_its_end() -> None:
    counts = counted(96, lambda t: 0.1 if 16 <= t < 48 else 0.7, lambda t: 12 if t > 30 else 0)
    assert_goes_on(counts)
    assert len([count for _, count in counts if count.leap]) == 1
    assert counts[-1][1].danced == counts[-1][1].phrases == counts[-1][0] + 12
