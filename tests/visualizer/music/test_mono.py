"""One channel out of several: loud where they are loud, and without a click on the way."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.fake_sound import FakePortAudio, Time, device
from visualizer.music.mono import LiveMix
from visualizer.music.sources.capture import PortAudioCapture

RATE = 48_000


def music(seconds: float, seed: int = 0) -> np.ndarray:
    """(n,) of a few slow tones: a click would stand out of it."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * np.array([[110], [163], [220]]) * t + seed).sum(axis=0)).astype(np.float32)


def mixed(samples: np.ndarray, block: int) -> np.ndarray:
    mix = LiveMix(RATE, samples.shape[1])
    return np.concatenate([mix.push(samples[i : i + block]) for i in range(0, len(samples), block)])


@pytest.mark.parametrize("block", [1, 100, 720, 5000])
def test_opposite_phases_are_heard(block: int) -> None:
    one = music(0.5)
    mono = mixed(np.stack([one, -one], axis=1), block)
    late = round(0.05 * RATE)
    assert np.abs(mono[late:]).std() == pytest.approx(np.abs(one[late:]).std(), rel=1e-3)
    assert np.allclose(np.abs(mono[late:]), np.abs(one[late:]), atol=1e-6)


@pytest.mark.parametrize("right", [1.0, 0.0, -0.2, 0.6])
@pytest.mark.parametrize("block", [100, 720])
def test_ordinary_stereo_is_the_mean_to_the_bit(right: float, block: int) -> None:
    one = music(1.0)
    samples = np.stack([one, right * one + 0.3 * music(1.0, 2)], axis=1).astype(np.float32)
    expected = np.concatenate([samples[i : i + block].mean(axis=1) for i in range(0, len(samples), block)])
    assert np.array_equal(mixed(samples, block), expected)


@pytest.mark.parametrize("block", [64, 720, 4800])
def test_the_way_there_and_back_does_not_click(block: int) -> None:
    """Two seconds in phase, two out of phase, two in phase: no step larger than the tones themselves make."""
    one = music(6.0)
    phase = np.ones(len(one), np.float32)
    turns = np.cos(np.linspace(0, np.pi, RATE // 2, dtype=np.float32))  # the phase turns within half a second
    phase[2 * RATE : 2 * RATE + len(turns)], phase[2 * RATE + len(turns) : 4 * RATE] = turns, -1
    phase[4 * RATE : 4 * RATE + len(turns)] = -turns
    mono = mixed(np.stack([one, phase * one], axis=1), block)
    assert np.abs(np.diff(mono)).max() < 2 * np.abs(np.diff(one)).max()
    for begin in (0.5, 3.2, 5.2):
        part = slice(round(begin * RATE), round((begin + 0.5) * RATE))
        assert mono[part].std() == pytest.approx(one[part].std(), rel=0.01)


def test_nonsense_of_a_driver_is_forgotten() -> None:
    one = music(1.0)
    samples = np.stack([one, -one], axis=1)
    samples[:100] = np.nan
    assert mixed(samples, 100)[RATE // 2 :].std() == pytest.approx(one[RATE // 2 :].std(), rel=1e-3)


@pytest.mark.parametrize("inputs", [1, 2])
def test_a_microphone_of_opposite_phases_is_heard(inputs: int) -> None:
    time = Time()
    sd = FakePortAudio(time)
    line = PortAudioCapture(sd, device("Interface", inputs, RATE), time)
    one = music(0.4)
    heard = []
    for i in range(0, len(one), 480):
        sd.streams[-1].come_in(np.stack([one, -one], axis=1)[i : i + 480, :inputs])
        heard.append(line.read())
    sound = np.concatenate(heard)
    assert sound[4800:].std() == pytest.approx(one[4800:].std(), rel=1e-3)
