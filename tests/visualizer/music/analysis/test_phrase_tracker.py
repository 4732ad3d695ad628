"""Phrases are found where energy changes, and nothing is found where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.music.analysis.phrase_tracker import PhraseTracker

LAG = 2.0  # beats by which energy is behind the music


def hear(tracker: PhraseTracker, parts: list[tuple[float, float]], noise: float = 0.0, seed: int = 0) -> list[int]:
    """Offset at each quarter of a beat; parts are (beat at which it begins, energy)."""
    random = np.random.default_rng(seed)
    begins, energies = np.array(parts).T
    offsets, level = [], energies[0]
    for k in range(round(4 * (begins[-1] + 64))):
        beat = k / 4
        target = energies[np.searchsorted(begins, beat, "right") - 1]
        level += (target - level) * (1 - np.exp(-0.25 / (LAG / 2)))
        offsets.append(tracker.push(beat, float(np.clip(level + noise * random.standard_normal(), 0, 1))))
    return offsets


@pytest.mark.parametrize("place", [0, 4, 12, 20, 28])
def test_phrases_are_counted_from_where_the_music_changes(place: int) -> None:
    energies = [0.3, 0.8, 0.5, 0.9, 0.2, 0.7]
    parts = [(0.0, 0.3), *((place + 32.0 * (k + 1), energy) for k, energy in enumerate(energies[1:]))]
    offset = hear(PhraseTracker(), parts, noise=0.02)[-1]
    assert (place + offset) % 32 == 0


def test_one_drop_is_enough() -> None:
    offsets = hear(PhraseTracker(), [(0.0, 0.15), (44.0, 0.95)])
    assert (44 + offsets[-1]) % 32 == 0
    assert not any(offsets[: 4 * 44])


@pytest.mark.parametrize("seed", range(5))
def test_music_that_does_not_change_leaves_the_count_alone(seed: int) -> None:
    assert not any(hear(PhraseTracker(), [(0.0, 0.5), (800.0, 0.5)], noise=0.03, seed=seed))


def test_the_next_song_has_its_own_count() -> None:
    first = [(32.0 * k, (0.2, 0.8)[k % 2]) for k in range(8)]
    second = [(8 * 32 + 12 + 32.0 * k, (0.3, 0.9)[k % 2]) for k in range(8)]
    offset = hear(PhraseTracker(), first + second)[-1]
    assert (12 + offset) % 32 == 0


def test_a_leap_of_musical_time_is_no_change_of_the_music() -> None:
    tracker = PhraseTracker()
    for beat in (0.0, 4.0, 8.0, 50.0, 54.0):
        tracker.push(beat, 0.2 if beat < 40 else 0.9)
    assert tracker.offset == 0
