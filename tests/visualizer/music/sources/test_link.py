"""Ableton Link between two peers in one process, on whatever network there is; and without the extra."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bench.waiting import wait_for
from tests.support.fake_sound import FakeCaptureThread, FakeEstimate
from tests.support.needs import needs
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.music.sources import open_source
from visualizer.music.sources.link import LinkSource, link_module


@pytest.fixture
def dj(link_alone: None) -> Iterator[Any]:
    """Another program that takes part, at 126 BPM."""
    try:
        module = link_module()
    except UserError:
        needs(None, "the extra 'link'")
        raise
    peer = module.Link(126.0)
    peer.enabled = True
    yield peer
    peer.enabled = False


def beat_of(peer: Any) -> float:
    """Musical time of a session now."""
    return peer.captureAppSessionState().beatAtTime(peer.clock().micros(), 4)


def set_tempo(peer: Any, bpm: float) -> None:
    state = peer.captureAppSessionState()
    state.setTempo(bpm, peer.clock().micros())
    peer.commitAppSessionState(state)


def off(ear: LinkSource, peer: Any) -> float:
    """Beats by which the dance is off the bar of the session."""
    return math.remainder(ear.musical_time(time.monotonic()) - beat_of(peer), 4)


def test_tempo_and_bar_of_the_session_are_danced(dj: Any) -> None:
    listener, said = FakeCaptureThread(), Said()
    ear = LinkSource(98, time.monotonic, lambda _: listener, said)  # type: ignore[arg-type,return-value]
    try:
        wait_for(lambda: ear.name == "Ableton Link")
        set_tempo(dj, 126)  # of two that come together either may have taken the other's tempo
        wait_for(lambda: abs(ear.hearing(time.monotonic()).bpm - 126) < 0.01)
        wait_for(lambda: abs(off(ear, dj)) < 0.02)
        alone, together = said.take()
        assert alone == "Ableton Link: no one else yet; those who join take 98 BPM"
        assert re.fullmatch(r"Ableton Link: 1 other, \d+ BPM", together)
        assert ear.hearing(time.monotonic()).confidence == 1
        listener.hear(time.monotonic(), FakeEstimate(100, 3.3))  # of the microphone only the feel counts
        hearing = ear.hearing(time.monotonic())
        assert (hearing.loudness, hearing.energy) == (0.8, 0.9)
        listener.hear(time.monotonic(), FakeEstimate(100, 3.3, music=0.0))
        wait_for(lambda: ear.hearing(time.monotonic()).energy < 0.3)  # where people only talk, it sways

        set_tempo(dj, 140)
        wait_for(lambda: abs(ear.hearing(time.monotonic()).bpm - 140) < 0.01)
        wait_for(lambda: abs(off(ear, dj)) < 0.02)

        dj.enabled = False  # and goes home
        wait_for(lambda: ear.name == "Ableton Link, alone")
        assert ear.hearing(time.monotonic()).bpm == pytest.approx(140, abs=0.01)
        assert said[-1] == "Ableton Link: no one else, 140 BPM"
        assert ear.hearing(time.monotonic()).confidence == 0
    finally:
        ear.close()
    assert listener.closed


def test_two_screens_dance_alike(dj: Any) -> None:
    """Each on its own at first; then one tempo and one bar, also when somebody changes the tempo."""
    said = Said(), Said()
    screens = [
        LinkSource(bpm, time.monotonic, lambda _: FakeCaptureThread(), heard)  # type: ignore[arg-type,return-value]
        for bpm, heard in zip((98, 150), said, strict=True)
    ]
    try:
        for bpm in (128, 91):
            wait_for(lambda: all("2 others" in "".join(heard) for heard in said))
            set_tempo(dj, bpm)
            wait_for(lambda bpm=bpm: all(abs(s.hearing(time.monotonic()).bpm - bpm) < 0.01 for s in screens))
            wait_for(lambda: all(abs(off(s, dj)) < 0.01 for s in screens))  # then they are within 0.02 of each other
            now = time.monotonic()
            one, other = (s.musical_time(now) for s in screens)
            assert abs(math.remainder(one - other, 4)) < 0.02
    finally:
        for screen in screens:
            screen.close()


def test_without_the_extra_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(UserError, match=r"--audio link needs the extra 'link': pip install 'dancing-screen\[link\]'"):
        open_source("link", bpm=120, clock=time.monotonic, notify=Said())
