"""The live ear, with a listener that the test holds in its hands: follow, run free, say so, calm down."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.support.fake_sound import FakeCaptureThread, FakeEstimate
from tests.support.said import Said
from visualizer.music.sources.live import CALM, FOUND, LOST, SELDOM, BeatNews, LiveSource


@pytest.fixture
def listener() -> FakeCaptureThread:
    return FakeCaptureThread()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def ear(listener: FakeCaptureThread, said: Said) -> LiveSource:
    return LiveSource(120, lambda: 0.0, lambda _: listener, said)  # type: ignore[arg-type,return-value]


def play(
    ear: LiveSource, listener: FakeCaptureThread, begin: float, end: float, bpm: float, delay: float = 0.06, **more
) -> None:
    """Music whose beats fall on multiples of 60 / bpm, heard `delay` late; frames at 50 a second, 1/60 s ahead."""
    beats = []
    for now in np.arange(begin, end, 0.02).tolist():
        heard_at = now - delay
        listener.hear(heard_at, FakeEstimate(bpm, heard_at * bpm / 60, **more))
        ear.hearing(now)
        beats.append(ear.musical_time(now + 1 / 60))
    pace = np.diff(beats) / 0.02
    assert np.all(pace >= 0)


def off(ear: LiveSource, at: float, bpm: float) -> float:
    """Seconds by which the dance is behind the beat at `at`."""
    place = ear.musical_time(at)
    return (round(place - at * bpm / 60) - (place - at * bpm / 60)) * 60 / bpm


def test_it_locks_onto_the_beat_whatever_the_delay(ear: LiveSource, listener: FakeCaptureThread) -> None:
    play(ear, listener, 0.3, 12, bpm=131, delay=0.08)
    assert ear.steps.bpm == pytest.approx(131)
    assert off(ear, 12, 131) == pytest.approx(0, abs=0.002)
    hearing = ear.hearing(12)
    assert (hearing.confidence, hearing.loudness, hearing.treble) == (0.9, 0.8, 0.4)
    assert hearing.mix == (("house", 1.0),)
    assert ear.name == "microphone"


@pytest.mark.parametrize(("bpm", "pace"), [(65, 130), (174, 87)])
def test_slow_and_fast_music_is_folded(ear: LiveSource, listener: FakeCaptureThread, bpm: float, pace: float) -> None:
    play(ear, listener, 0.0, 12, bpm=bpm)
    assert ear.steps.bpm == pytest.approx(pace)
    assert off(ear, 12, pace) == pytest.approx(0, abs=0.002)


def test_unsure_it_keeps_tempo_and_phase_and_claims_nothing(
    ear: LiveSource, listener: FakeCaptureThread, said: Said
) -> None:
    play(ear, listener, 0.0, 10, bpm=131)
    play(ear, listener, 10, 25, bpm=77, steady=False, confidence=0.2)
    assert ear.steps.bpm == pytest.approx(131)
    assert off(ear, 25, 131) == pytest.approx(0, abs=0.005)
    assert ear.hearing(25).confidence == 0
    assert ear.hearing(25).loudness == 0.8
    assert said == ["on the beat, 131 BPM"]


def test_without_a_device_it_dances_on_its_own(ear: LiveSource, listener: FakeCaptureThread, said: Said) -> None:
    play(ear, listener, 0.0, 10, bpm=131)
    listener.latest = None
    assert ear.name == "own tempo"
    assert ear.hearing(11).confidence == 0
    assert ear.hearing(11).energy > 0.2
    begin = ear.musical_time(12)
    assert ear.musical_time(72) - begin == pytest.approx(131, abs=0.1)
    assert said == ["on the beat, 131 BPM"]  # that a microphone is lost is said by its thread
    ear.close()
    assert listener.closed


def test_where_people_only_talk_the_dance_is_calm(ear: LiveSource, listener: FakeCaptureThread) -> None:
    play(ear, listener, 0.0, 5, bpm=120)
    assert ear.hearing(5).energy == pytest.approx(0.9, abs=0.01)
    play(ear, listener, 5, 15, bpm=120, steady=False, music=0.05)
    assert ear.hearing(15).energy == pytest.approx(CALM, abs=0.02)
    play(ear, listener, 15, 20, bpm=120)
    assert ear.hearing(20).energy == pytest.approx(0.9, abs=0.01)


def test_taps_and_other_keys_outdo_the_ear(ear: LiveSource, listener: FakeCaptureThread, said: Said) -> None:
    play(ear, listener, 0.0, 5, bpm=120)
    said.take()
    for at in np.arange(5, 9, 0.6):  # 100 BPM
        ear.musical_time(at)
        ear.steps.tap(at)
    assert ear.steps.bpm == pytest.approx(100, abs=0.5)
    play(ear, listener, 9, 12, bpm=120)
    assert ear.steps.bpm == pytest.approx(100, abs=0.5)
    play(ear, listener, 12, 20, bpm=120, steady=False)
    assert said == []  # that the ear is lost is no news while somebody taps
    ear.steps.release()
    play(ear, listener, 20, 30, bpm=120)
    assert ear.steps.bpm == pytest.approx(120)
    ear.steps.scale(0.5)
    play(ear, listener, 30, 40, bpm=120)
    assert ear.steps.bpm == pytest.approx(60)


def test_news_are_seldom() -> None:
    """A beat that comes and goes all evening: few words, and found is said after lost only."""
    news, said = BeatNews(), []
    for now in np.arange(0, 600, 0.1).tolist():
        if text := news.push(now, now % 30 < 15, 124):
            said.append((now, text))
    assert said[0] == (pytest.approx(FOUND, abs=0.11), "on the beat, 124 BPM")
    kinds = [text.split(",")[0].split(":")[0] for _, text in said]
    assert kinds == (["on the beat", "no beat to be heard"] * len(said))[: len(said)]
    assert 6 <= len(said) <= 18
    lost = [now for now, text in said if text.startswith("no")]
    assert lost[0] > SELDOM
    assert min(after - before for before, after in itertools.pairwise(lost)) > SELDOM
    assert all(now % 30 > 15 + LOST - 0.2 for now in lost)


def test_the_time_without_a_device_is_not_time_without_a_beat() -> None:
    news = BeatNews()
    for now in np.arange(0, 100, 0.1).tolist():
        news.push(now, True, 124)
    assert {news.push(now, False, 124) for now in np.arange(200, 200 + LOST - 0.2, 0.1).tolist()} == {None}


def test_a_beat_that_does_not_last_is_no_news() -> None:
    news = BeatNews()
    said = [news.push(now, now % 3 < FOUND - 0.2, 124) for now in np.arange(0, 60, 0.1).tolist()]
    assert set(said) == {None}
