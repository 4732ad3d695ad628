"""Sound for a video: each sample at the moment at which it sounded, silence where nothing did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from visualizer.errors import UserError
from visualizer.music.analysis.features import Floats
from visualizer.music.sources.tape import KEEPS, RATE, SEEN, STILL, NoSounds, SongSound, Tape, sounds


def ramp(first: int, n: int) -> np.ndarray:
    return (np.arange(first, first + n) / 1e6).astype(np.float32)


def test_blocks_lie_where_they_sounded_whatever_their_size() -> None:
    tape, at = Tape(10.0), 0
    for n in (480, 1000, 7, 4093, 44_420):
        tape.write(ramp(at, n), RATE, 10.0 + (at + n) / RATE)
        at += n
    out = np.concatenate([tape.read(k) for k in (1024, 976, 48_000)])
    assert out.shape == (50_000, 2)
    assert (out[:, 0] == out[:, 1]).all()
    np.testing.assert_array_equal(out[:, 0], ramp(0, 50_000))


def test_what_sounded_before_is_left_out_and_gaps_are_silent() -> None:
    tape = Tape(10.0)
    tape.write(np.ones(RATE, np.float32), RATE, 10.5)  # half of it came before
    tape.write(np.ones(RATE // 10, np.float32), RATE, 13.0)  # lost for a while
    out = tape.read(3 * RATE)[:, 0]
    assert (out[: RATE // 2] == 1).all()
    assert (out[RATE // 2 : RATE * 29 // 10] == 0).all()
    assert (out[RATE * 29 // 10 :] == 1).all()
    assert (tape.read(100) == 0).all()


def test_small_wavering_of_the_stamps_does_not_tear_the_sound() -> None:
    tape, random = Tape(0.0), np.random.default_rng(0)
    for k in range(50):
        tape.write(ramp(k * 480, 480), RATE, (k + 1) / 100 + random.normal(0, 0.002))
    out = tape.read(20_000)[:, 0]
    steps = np.diff(out[np.flatnonzero(out)])
    np.testing.assert_allclose(steps, 1e-6, rtol=0.2)


@pytest.mark.parametrize("thought_better", [0.05, -0.05])
def test_a_device_that_thinks_better_of_its_delay_does_not_tear_the_sound(thought_better: float) -> None:
    """It is in its new place after a while, and on the way there neither cut nor heard to be out of tune."""
    tape, seconds = Tape(0.0), 20
    sine = np.sin(2 * np.pi * 440 * np.arange(seconds * RATE) / RATE).astype(np.float32)
    for k in range(100 * seconds):
        delay = thought_better if k >= 200 else 0.0
        tape.write(sine[480 * k : 480 * (k + 1)], RATE, (k + 1) / 100 + delay)
    out = tape.read((seconds - 1) * RATE)[:, 0].astype(np.float64)
    assert np.abs(np.diff(out)).max() < 1.1 * 2 * np.pi * 440 / RATE  # what a sine of that pitch does
    crossings = np.flatnonzero((out[1:] >= 0) & (out[:-1] < 0))
    places = crossings + out[crossings] / (out[crossings] - out[crossings + 1])
    pitch = RATE / np.diff(places)
    assert np.abs(np.log2(pitch / 440)).max() < 1 / 12 / 6  # a sixth of a semitone
    late = places / RATE - (np.arange(len(places)) + 1) / 440
    assert np.abs(late[:800]).max() < 1e-4
    assert np.median(late[-400:]) == pytest.approx(thought_better, abs=STILL + 0.001)


@pytest.mark.parametrize("creeps", [0.3, -0.3])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_device_that_still_looks_for_its_delay_moves_no_piece_of_sound(creeps: float, at_once: bool) -> None:
    """In its first second the delay that it reports may change by a third of a second; no sample is lost by that."""
    tape, seconds = Tape(0.0), 10
    sine = np.sin(2 * np.pi * 440 * np.arange(seconds * RATE) / RATE).astype(np.float32)
    for k in range(100 * seconds):
        delay = 0.5 - creeps * (k < 80 if at_once else max(1 - k / 100, 0.0))
        tape.write(sine[480 * k : 480 * (k + 1)], RATE, (k + 1) / 100 + delay)
    out = tape.read((seconds + 1) * RATE)[:, 0].astype(np.float64)
    first, last = np.flatnonzero(out)[[0, -1]]
    assert last / RATE == pytest.approx(seconds + 0.5, abs=SEEN)  # nearer than anybody notices by then
    out = out[first:last]
    assert np.abs(np.diff(out)).max() < 1.1 * 2 * np.pi * 440 / RATE
    crossings = np.flatnonzero((out[1:] >= 0) & (out[:-1] < 0))
    assert np.abs(np.log2(RATE / np.diff(crossings) / 440)).max() < 1 / 12  # a semitone, counted in whole samples


def test_a_card_whose_clock_is_not_ours_is_kept_in_its_place() -> None:
    tape, fast = Tape(0.0), 1.0005
    for k in range(6000):  # a minute
        tape.write(ramp(480 * k, 480), RATE, (k + 1) / 100 / fast)
    out = np.concatenate([tape.read(RATE) for _ in range(20)])[:, 0]
    heard = np.flatnonzero(out)
    np.testing.assert_allclose(out[heard] * 1e6 / fast, heard, atol=(STILL + 0.001) * RATE)
    assert np.abs(np.diff(out[heard]) * 1e6 - 1).max() < 0.1


def test_another_rate_is_resampled() -> None:
    tape, rate = Tape(0.0), 44_100
    sine = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    for k in range(0, rate, 441):
        tape.write(sine[k : k + 441], rate, (k + 441) / rate)
    out = tape.read(RATE // 2)[:, 0][4800:]
    wanted = np.sin(2 * np.pi * 440 * (np.arange(len(out)) + 4800) / RATE)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert np.argmax(spectrum) * RATE / len(out) == pytest.approx(440, abs=3)
    assert np.corrcoef(out, wanted)[0, 1] > 0.999  # and in its place


def test_a_reader_that_is_far_behind_loses_the_newest_only() -> None:
    tape = Tape(0.0)
    seconds = int(KEEPS) + 3
    for k in range(seconds):
        tape.write(np.full(RATE, k + 1, np.float32), RATE, k + 1.0)
    out = np.concatenate([tape.read(RATE)[:1, 0] for _ in range(seconds)])
    assert out.tolist() == [*range(1, int(KEEPS) + 1), 0, 0, 0]


def test_nonsense_is_no_sound() -> None:
    tape = Tape(0.0)
    tape.write(np.ones(10, np.float32), RATE, float("nan"))
    tape.write(np.zeros(0, np.float32), RATE, 0.1)
    assert not tape.read(RATE).any()
    assert not next(sounds(NoSounds())).any()
    assert next(sounds(NoSounds())).shape == (1024, 2)


class Player:
    """A song of ten seconds whose samples are their own numbers."""

    def __init__(self) -> None:
        self.opened = 0
        self.shift = 0.0

    def place(self, t: float) -> float | None:
        return t - 100.0 + self.shift

    def open(self) -> Iterator[Floats]:
        self.opened += 1
        for at in range(0, 10 * RATE, 5000):
            yield np.repeat(np.arange(at, min(at + 5000, 10 * RATE), dtype=np.float32)[:, None], 2, axis=1)


def test_a_song_is_read_from_its_file_from_where_it_is_heard() -> None:
    player = Player()
    song = SongSound(103.0, player.place, player.open)
    out = np.concatenate([song.read(1024) for _ in range(100)])
    np.testing.assert_array_equal(out[:, 0], np.arange(3 * RATE, 3 * RATE + len(out)))
    player.shift = 2.0  # it was moved on
    assert song.read(10)[0, 0] == pytest.approx(5 * RATE + len(out), abs=2)
    player.shift = -2.0
    assert song.read(10)[0, 0] == pytest.approx(RATE + len(out), abs=20)
    assert player.opened == 2  # only to go back


def test_a_song_is_put_in_its_place_before_anybody_sees_that_it_is_late() -> None:
    player = Player()
    song = SongSound(103.0, player.place, player.open)
    song.read(1000)
    player.shift = 0.04
    assert song.read(1000)[0, 0] == 3 * RATE + 1000
    player.shift = 0.08
    assert song.read(1000)[0, 0] == pytest.approx(3.08 * RATE + 2000, abs=2)


def test_before_and_after_a_song_is_silence() -> None:
    player = Player()
    song = SongSound(99.5, player.place, player.open)
    out = song.read(RATE)[:, 0]
    assert not out[: RATE // 2].any()
    np.testing.assert_array_equal(out[RATE // 2 :], np.arange(RATE // 2))
    late = SongSound(109.99, player.place, player.open)
    assert late.read(RATE)[:400, 0].all()
    assert not late.read(RATE).any()

    def broken() -> Iterator[Floats]:
        raise UserError("gone")
        yield

    assert not SongSound(103.0, player.place, broken).read(100).any()
