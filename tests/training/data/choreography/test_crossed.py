"""Legs of one dance under arms of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.data.choreography import DANCES, Dance, crossed, perform
from training.data.choreography.crossed import cross_dances, fits
from training.data.motion.skeleton import INDEX

STEP = Dance("step", "club", "L2 Rt0 R2 Lt0", body="leanL - leanR -", arms="ready lowout ready lowout")
WAVE = Dance(
    "wave", "club", "Ls1+Rs1 . . .", body="leanL*.4 . leanR*.4 .", arms="vee up vee up", head="nod look nod look"
)
OTHER = replace(WAVE, name="other", style="disco", arms="out up out up")  # fmt: skip


def test_legs_are_of_the_one_and_arms_of_the_other() -> None:
    named = {d.name: d for d in cross_dances((STEP, WAVE, OTHER), 3)}
    made = named["step under wave"]
    assert (made.legs, made.body, made.style) == (STEP.legs, STEP.body, "club")
    assert (made.arms, made.head) == (WAVE.arms, WAVE.head)
    feet = [INDEX["left_ankle"], INDEX["right_ankle"]]
    step, own = perform(STEP).positions[:, feet], perform(made).positions[:, feet]
    assert np.abs(own - step).max() < 0.02
    assert perform(made).positions[:, INDEX["left_hand"], 1].max() > 1.6  # arms up, as only the wave has them


def test_styles_are_not_crossed() -> None:
    assert not any("other" in d.name for d in cross_dances((STEP, WAVE, OTHER), 3))


def test_a_line_that_does_not_fit_is_passed_over() -> None:
    five = replace(WAVE, name="five", arms="vee up vee up vee")
    assert not fits(replace(STEP, arms=five.arms))
    assert [d.name for d in cross_dances((STEP, WAVE, five), 3)][:1] == ["step under wave"]


def test_a_hand_that_would_rest_before_the_crotch_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits(STEP)
    one_in_thirty = lambda joints, _: np.arange(2 * len(joints)).reshape(-1, 2) % 30 == 0  # noqa: E731
    monkeypatch.setattr(crossed, "rests_before_crotch", one_in_thirty)
    assert not fits(STEP)


def test_nearly_every_dance_finds_a_partner_and_the_seed_decides_whom() -> None:
    one, two = (cross_dances(DANCES[::4], seed) for seed in (1, 2))
    assert len(one) > 0.8 * len(DANCES[::4])
    assert one == cross_dances(DANCES[::4], 1) != two
