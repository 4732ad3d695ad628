"""Energy on made music: small in a break, big in the drop, whatever the gain and the noise of the room."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.music.analysis.energy import Energy
from visualizer.music.analysis.features import RATE, FeatureStream, Floats

BEAT = 0.5  # seconds
RNG = np.random.default_rng(4)
TIME = np.arange(round(BEAT * RATE)) / RATE
STROKE = TIME[: RATE // 7]
LAYERS = {  # what sounds in each beat
    "kick": np.sin(2 * np.pi * (50 * STROKE + 3 * (1 - np.exp(-STROKE / 0.03)))) * np.exp(-STROKE / 0.05) * 0.8,
    "hat": np.concatenate([np.zeros(6000), np.diff(RNG.standard_normal(1201)) * np.exp(-np.arange(1200) / 290) * 0.12]),
    "snare": RNG.standard_normal(len(STROKE)) * np.exp(-STROKE / 0.05) * 0.3,
    "lead": 0.15 * np.sign(np.sin(2 * np.pi * 554 * TIME)) * np.exp(-(TIME % 0.125) / 0.08),
    "pad": 0.06 * sum(np.sin(2 * np.pi * f * TIME) for f in (220, 276, 330)),
}
SONG = (("kick hat pad", 24), ("pad", 20), ("kick hat snare lead pad", 24))  # verse, break, drop, in beats


def made_song(noise: float, gain: float) -> Floats:
    pieces = []
    for names, beats in SONG:
        for _ in range(beats):
            piece = RNG.standard_normal(len(TIME)) * noise
            for name in names.split():
                piece[: len(LAYERS[name])] += LAYERS[name]
            pieces.append(piece)
    return (gain * np.concatenate(pieces)).astype(np.float32)


def energies(sound: Floats, block: int = 2400) -> np.ndarray:
    """One for each tenth of a second."""
    stream, energy = FeatureStream(), Energy()
    return np.array([energy.push(stream.push(sound[k : k + block])) for k in range(0, len(sound), block)])


@pytest.mark.parametrize(("noise", "gain"), [(1e-4, 0.5), (1e-4, 0.03), (0.02, 0.5)])
def test_energy_is_small_in_a_break_and_big_in_the_drop(noise: float, gain: float) -> None:
    curve = energies(made_song(noise, gain))
    verse, quiet, drop = (curve[a * 5 : b * 5] for a, b in ((12, 24), (28, 44), (48, 68)))
    assert quiet.mean() < 0.3
    assert quiet[:40].mean() < 0.25
    assert 0.4 < verse.mean() < 0.7
    assert drop.mean() > 0.75
    assert drop.std() < 0.06  # evenly loud is evenly danced
    assert verse.std() < 0.06


def test_energy_does_not_mind_the_blocks() -> None:
    sound = made_song(1e-3, 0.5)[: 6 * RATE]
    coarse, fine = energies(sound, 4800), energies(sound, 160)
    np.testing.assert_allclose(fine[29::30], coarse, atol=0.01)


def test_when_nobody_plays_the_dance_calms_down() -> None:
    sound = made_song(1e-3, 0.5)[: 12 * RATE]
    hush = np.random.default_rng(0).standard_normal(8 * RATE).astype(np.float32) * np.float32(1e-4)
    assert energies(np.concatenate([sound, hush]))[-1] < 0.15
