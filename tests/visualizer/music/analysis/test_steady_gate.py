"""A beat is believed when it has been sure for some time, and one that was right for long is not given up at once."""

from __future__ import annotations

from visualizer.music.analysis.steady_gate import STEADY_OFF, STEADY_ON, SURE, TRUSTED, TRUSTED_OFF, SteadyGate

STEP = 0.02


def push(gate: SteadyGate, confidence: float, seconds: float) -> list[bool]:
    return [gate.push(confidence, STEP) for _ in range(round(seconds / STEP))]


def test_a_moment_of_certainty_is_no_beat() -> None:
    gate = SteadyGate()
    for _ in range(10):
        assert not any(push(gate, 0.95, 0.9 * SURE))
        assert not any(push(gate, STEADY_ON - 0.01, STEP))
    said = push(gate, 0.95, 1.1 * SURE)
    assert said[-1]
    assert abs(said.index(True) * STEP - SURE) <= 2 * STEP


def test_a_new_beat_is_given_up_early_and_an_old_one_late() -> None:
    between = (STEADY_OFF + TRUSTED_OFF) / 2
    gate = SteadyGate()
    push(gate, 0.9, SURE + 0.5 * TRUSTED)
    assert gate.steady
    assert not gate.push(between, STEP)
    push(gate, 0.9, SURE + 1.5 * TRUSTED)
    assert all(push(gate, between, 30.0))
    assert not gate.push(TRUSTED_OFF / 2, STEP)


def test_what_was_given_up_has_to_be_earned_again() -> None:
    gate = SteadyGate()
    push(gate, 0.9, SURE + 1.5 * TRUSTED)
    gate.push(0.0, STEP)
    assert not any(push(gate, 0.9, 0.9 * SURE))
    push(gate, 0.9, 0.2 * SURE)
    assert gate.steady
    assert not gate.push(0.15, STEP)
