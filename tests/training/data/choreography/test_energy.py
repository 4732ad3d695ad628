"""The energy of a dance: computed from how it moves, and what a planner ranks dances by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.data.choreography import DANCES, Dance
from training.data.choreography.energy import measure_energy, rank_energy

SWAY = Dance("sway", "club", "Ls1+Rs1 . . .", body="leanL*.4 . leanR*.4 .", groove="")
STEP = Dance("step", "club", "L2 Rt0 R2 Lt0", body="leanL - leanR -", arms="ready lowout ready lowout")
LEAP = Dance("leap", "club", "Lj4+Rj4 Lj0+Rj0 Lj4+Rj4 Lj0+Rj0", arms="vee! low vee! low", groove="")


def test_a_sway_has_less_energy_than_a_step_and_a_step_less_than_a_leap() -> None:
    assert rank_energy([LEAP, SWAY, STEP]) == {"sway": 0.0, "step": 0.5, "leap": 1.0}
    assert rank_energy([STEP, LEAP, SWAY]) == rank_energy([SWAY, STEP, LEAP])


def test_the_same_dance_danced_larger_has_more_of_both() -> None:
    small, large = measure_energy(STEP, 0.1), measure_energy(STEP, 0.9)
    assert small.speed < large.speed
    assert small.size < large.size
    assert small.energy < large.energy


def test_twice_as_fast_is_faster_but_not_larger() -> None:
    slow = Dance("slow", "club", "L2 . R2 .", arms="lowout . vee .", groove="")
    fast = replace(slow, legs="2: (L2 . R2 .)2", arms="2: (lowout . vee .)2")
    assert measure_energy(fast).speed > 1.3 * measure_energy(slow).speed
    assert measure_energy(fast).size < 1.2 * measure_energy(slow).size


def test_who_stands_still_has_none() -> None:
    assert measure_energy(Dance("still", "club", "Ls1+Rs1 . . .", groove="")).energy < 0.02


def test_equals_share_a_rank_and_one_dance_is_in_the_middle() -> None:
    ranks = rank_energy([SWAY, replace(SWAY, name="again"), LEAP])
    assert ranks["sway"] == ranks["again"] < ranks["leap"]
    assert rank_energy([STEP]) == {"step": 0.5}


def test_the_repertoire_has_quiet_and_large_dances() -> None:
    figures = {d.name: measure_energy(d) for d in DANCES}
    speeds = sorted(f.speed for f in figures.values())
    assert speeds[-len(speeds) // 10] > 2 * speeds[len(speeds) // 10]
    ranks = rank_energy(DANCES)
    assert max(ranks[n] for n in ("slow dance alone", "cloud hands", "shoulder breath")) < 0.25
    assert min(ranks[n] for n in ("star jumps", "krump arm swings")) > 0.75
    assert min(ranks.values()) == pytest.approx(0.0)
    assert max(ranks.values()) == pytest.approx(1.0)
