"""What remotes know of the show: what a state says, and that none is made where nothing watches."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from tests.support.live_fakes import make_live
from tests.support.show_fakes import STYLES, FakeDancer
from visualizer.remote.state import Board, State, describe_state
from visualizer.stage.looks import shipped_looks


def state_at(beat: float) -> State:
    live = make_live()
    moment = live.show.step(beat, live.source.hearing(beat / 2))
    return describe_state(live.show, moment, seen=beat / 2, source="a test", recording=False)


def test_nothing_is_made_where_nothing_watches() -> None:
    live = make_live()
    live.draw_frame(0.0)
    assert not live.board.watched
    assert live.board.state is None
    live.board.watched = True
    live.draw_frame(0.1)
    first = live.board.state
    live.draw_frame(0.2)
    assert first is not None
    assert live.board.state is not first


def test_a_state_says_what_is_on_by_the_names_that_commands_take() -> None:
    live = make_live()
    live.board.watched = True
    for name, argument in (("style", "salsa"), ("look", "neon"), ("dance", "cucaracha"), ("troupe", "3"),
                           ("sync", "canon"), ("temperature", "1.6"), ("sensitivity", "2"), ("lock", "on"),
                           ("blackout", "on"), ("auto", "on"), ("record", "")):  # fmt: skip
        live.run_command(name, 0.0, argument)
    live.draw_frame(1.0)
    state = live.board.state
    assert state is not None
    assert (state.style, state.dance, state.asked_dance, state.look) == ("salsa", "cucaracha", "cucaracha", "neon")
    assert (state.troupe, state.sync, state.temperature, state.sensitivity) == (3, "canon", 1.6, 2)
    assert state.locked
    assert state.dark
    assert state.auto
    assert state.recording
    assert state.styles == STYLES
    assert state.dances == FakeDancer.dances
    assert state.looks == tuple((look.name, look.title) for look in shipped_looks())
    assert (state.source, state.bpm, state.confidence) == ("a test", 120, 1)
    assert state.beat == pytest.approx(state.time * 2)


def test_the_dance_that_is_on_is_not_the_one_that_was_asked_for() -> None:
    state = state_at(1.0)
    assert (state.dance, state.asked_dance) == ("basic", None)
    assert not state.by_music
    live = make_live(by_music=True)
    live.board.watched = True
    live.draw_frame(0.0)
    assert live.board.state is not None
    assert live.board.state.by_music


@pytest.mark.parametrize(("beat", "beats", "bars", "phase"), [
    (0.0, 0, 0, 0.0), (3.75, 3, 0, 0.75), (4.0, 4, 1, 0.0), (129.5, 129, 32, 0.5),
])  # fmt: skip
def test_beats_and_bars_are_counted(beat: float, beats: int, bars: int, phase: float) -> None:
    state = replace(state_at(1.0), beat=beat)
    assert (state.beats, state.bars, state.phase) == (beats, bars, phase)


def test_a_state_cannot_be_changed() -> None:
    board, state = Board(), state_at(1.0)
    with pytest.raises(FrozenInstanceError):
        state.style = "polka"  # type: ignore[misc]
    board.state = state
    assert board.state is state
