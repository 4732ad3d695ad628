"""The clock of other machines, with the tremble of a cable, and ours for them."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace

import pytest

from tests.support.phones import PATIENCE, make_state
from visualizer.remote.midi.midi_clock import LATE, TICKS, Beat, ClockIn, ClockOut, find_ticks, find_wait
from visualizer.remote.state import Board

STATE = make_state(beat=16.0)


def tick_on(clock: ClockIn, bpm: float, beats: float, start: float = 0.0, tremble: float = 0.0) -> list[Beat]:
    chance = random.Random(1)
    ticks = (start + k * 60 / (bpm * TICKS) + chance.uniform(0, tremble) for k in range(round(beats * TICKS)))
    return [beat for at in ticks if (beat := clock.tick(at)) is not None]


@pytest.mark.parametrize("bpm", [60.0, 98.6, 124.0, 174.0])
def test_a_tempo_is_read_from_ticks(bpm: float) -> None:
    clock = ClockIn()
    clock.start()
    beats = tick_on(clock, bpm, 8)
    assert [beat.count for beat in beats] == [1, 2, 3, 4, 5, 6, 7]
    for beat in beats:
        assert beat.bpm == pytest.approx(bpm)
        assert beat.count is not None
        assert beat.time == pytest.approx(beat.count * 60 / bpm)


def test_a_cable_that_trembles_moves_the_beat_little() -> None:
    clock = ClockIn()
    clock.start()
    beats = tick_on(clock, 124.0, 16, tremble=0.004)[2:]
    assert max(abs(beat.bpm - 124) for beat in beats) < 1
    assert max(abs(beat.time - (beat.count or 0) * 60 / 124 - 0.002) for beat in beats) < 0.002


def test_without_a_start_only_the_tempo_is_known() -> None:
    beats = tick_on(ClockIn(), 120.0, 4)
    assert beats
    assert {beat.count for beat in beats} == {None}


def test_a_pause_loses_the_place_and_a_start_finds_it_again() -> None:
    clock = ClockIn()
    clock.start()
    tick_on(clock, 120.0, 4)
    assert {beat.count for beat in tick_on(clock, 120.0, 4, start=100.0)} == {None}
    clock.stop()
    clock.start()
    assert [beat.count for beat in tick_on(clock, 120.0, 3, start=200.0)] == [1, 2]


def test_ticks_that_race_are_no_tempo() -> None:
    assert tick_on(ClockIn(), 2000.0, 20) == []
    assert [beat for _ in range(200) if (beat := ClockIn().tick(1.0))] == []


def test_ticks_are_due_as_the_dance_goes_on() -> None:
    at = STATE.time
    assert find_ticks(STATE, at, 16 * TICKS - 1) == range(16 * TICKS, 16 * TICKS + 1)
    assert find_ticks(STATE, at + 0.5, 16 * TICKS) == range(16 * TICKS + 1, 17 * TICKS + 1)  # a beat at 120 BPM
    assert len(find_ticks(STATE, at - 1.0, 16 * TICKS)) == 0  # time does not run back
    assert find_wait(STATE, at) == pytest.approx(0.5 / TICKS)


def test_a_leap_keeps_the_place_in_the_bar() -> None:
    due = find_ticks(replace(STATE, beat=1000.25), STATE.time, 16 * TICKS)
    assert len(due) <= LATE + 1
    assert due[-1] == 1000 * TICKS + TICKS // 4


def test_other_machines_are_told_of_each_beat() -> None:
    sent: list[tuple[float, str]] = []
    enough = threading.Event()

    def send(kind: str) -> None:
        sent.append((time.perf_counter(), kind))
        if len(sent) > 3 * TICKS:
            enough.set()

    board = Board()
    out = ClockOut(send, board)
    board.state = replace(STATE, time=time.perf_counter(), beat=15.9, bpm=240.0)
    assert board.watched
    assert enough.wait(PATIENCE)
    out.close()
    kinds = [kind for _, kind in sent]
    assert kinds[:2] == ["start", "clock"]
    assert kinds[-1] == "stop"
    assert set(kinds[1:-1]) == {"clock"}
    assert not board.watched
