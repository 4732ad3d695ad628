"""What lamps do: they follow, they go out, and whatever is wanted they do not strobe."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.support.phones import make_state
from visualizer.outputs.lights.fixtures import Fixture, LightMap
from visualizer.outputs.lights.levels import (
    MOST_FLASHES,
    FlashLimit,
    Lamps,
    find_channels,
    find_pulse,
    read_colour,
)
from visualizer.remote.state import State

SWATCHES = {"neon": ["#000000", "#ff0000", "#00ff00"], "paper": ["#ffffff", "#0000ff", "#0000ff"]}
DIMMERS = LightMap(
    tuple(Fixture(f, 0, k + 1, ("dimmer",), f) for k, f in enumerate(("beat", "energy", "steady"))), "sacn"
)
TICK = 1 / 40
FLASH = 0.1  # of full brightness: what counts as one, by the standards
STATE = replace(make_state(), look="neon", time=0.0, beat=0.0, bpm=120.0, energy=0.5, dark=False)


def count_flashes(levels: np.ndarray) -> int:
    """The most that begin within a second; `levels` (ticks, lamps) 0..1. A meter of its own, of all lamps' light."""
    begun, low, high, rises = [], levels[0].copy(), levels[0].copy(), np.zeros(levels.shape[1], bool)
    for tick, row in enumerate(levels):
        low, high = np.where(rises, low, np.minimum(low, row)), np.where(rises, np.maximum(high, row), high)
        starts = ~rises & (row >= low + FLASH)
        falls = rises & (row <= high - FLASH)
        high, low = np.where(starts, row, high), np.where(falls, row, low)
        rises = (rises | starts) & ~falls
        if starts.any() and not (begun and tick - begun[-1] <= 2):  # lamps together are one
            begun.append(tick)
    return max((sum(0 <= b - a < 40 for b in begun) for a in begun), default=0)


def run(lights: LightMap, state_at: Callable[[float], State], seconds: float = 6.0) -> np.ndarray:
    """Channels (ticks, lamps) 0..1 of lamps that have one each."""
    lamps = Lamps(lights, SWATCHES)
    rows = [
        bytes(lamps.step(state_at(k * TICK), k * TICK)[0][: len(lights.fixtures)]) for k in range(round(seconds * 40))
    ]
    return np.array([list(row) for row in rows]) / 255


def test_lamps_follow_the_beat_and_the_energy() -> None:
    beat, energy, steady = run(DIMMERS, lambda now: STATE).T
    on, between = beat[120::20], beat[139::20]  # twice a second from the third second on
    assert on.min() > 0.9
    assert between.max() < 0.2
    assert energy[-1] == pytest.approx(0.5, abs=0.02)
    assert steady[-1] == 1
    assert find_pulse(4.5) > find_pulse(5.5)  # the first of a bar stays longer


def test_a_blackout_turns_all_off_and_back() -> None:
    levels = run(DIMMERS, lambda now: replace(STATE, dark=2 <= now < 4))
    assert levels[round(2.6 * 40) : 4 * 40].max() == 0
    assert levels[-20:, 2].min() == 1


@pytest.mark.parametrize("bpm", [60, 160, 175, 240, 320, 1200])
def test_no_tempo_makes_a_strobe(bpm: float) -> None:
    levels = run(DIMMERS, lambda now: replace(STATE, bpm=bpm))
    assert count_flashes(levels) <= MOST_FLASHES
    if bpm <= 160:
        assert np.sum(np.diff(levels[80:, 0]) > 0.5) == pytest.approx(4 * bpm / 60, abs=1)  # every beat is seen


def test_hammering_keys_makes_no_strobe() -> None:
    rng = random.Random(3)
    for period in (0.05, 0.1, 0.15, 0.3, 0.0):

        def state_at(now: float, period: float = period) -> State:
            dark = rng.random() < 0.5 if not period else int(now / period) % 2 == 1
            return replace(STATE, dark=dark, energy=rng.random(), beat=rng.random() * 8, bpm=rng.choice((60, 320)),
                           look=rng.choice(("neon", "paper")), time=now)  # fmt: skip

        assert count_flashes(run(DIMMERS, state_at)) <= MOST_FLASHES


def test_the_limit_holds_whatever_is_wanted() -> None:
    rng = np.random.default_rng(1)
    strobe = np.tile([[1.0, 0.0], [0.0, 1.0]], (200, 1))
    slow = np.repeat(strobe, 4, axis=0)
    for wanted in (
        strobe,
        slow,
        rng.random((400, 5)),
        rng.random((400, 1)),
        np.repeat(rng.random((100, 3)), 5, axis=0),
    ):
        limit = FlashLimit(wanted.shape[1])
        shown = np.array([limit.pass_on(list(row), k * TICK) for k, row in enumerate(wanted)])
        assert count_flashes(shown) <= MOST_FLASHES
        assert (shown <= wanted).all()
    assert count_flashes(slow) > MOST_FLASHES  # the meter does see them


def test_colours_are_the_looks_and_change_slowly() -> None:
    lights = LightMap((Fixture("a", 7, 3, ("red", "green", "blue", "white", 99), "steady"),), "sacn")
    lamps = Lamps(lights, SWATCHES)
    rows = []
    for k in range(240):
        look = "neon" if k < 60 else "paper" if k < 180 else "a look of one's own"
        rows.append(list(lamps.step(replace(STATE, look=look), k * TICK)[7][2:7]))
    shown = np.array(rows)
    assert shown[59].tolist() == [0, 255, 0, 0, 99]
    assert shown[-1].tolist() == [0, 0, 255, 0, 99]
    assert np.abs(np.diff(shown[60:, :4].astype(int), axis=0)).max() <= 4  # two seconds from end to end
    assert lamps.step(STATE, 100.0)[7][:2] == bytes(2)


def test_a_dimmer_is_the_brightness_alone() -> None:
    orange = read_colour("#ff8000")
    assert orange == pytest.approx((1, 0.252, 0), abs=0.001)
    assert list(find_channels(Fixture("a", 0, 1, ("dimmer", "red", "green")), orange, 0.5)) == [128, 255, 64]
    assert list(find_channels(Fixture("a", 0, 1, ("red", "green", 7)), orange, 0.5)) == [128, 32, 7]
