"""A list of songs that is played: by a clock that the test holds in its hands, with and without a device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.waiting import wait_for
from tests.support.fake_sound import FakePortAudio, Time, device
from tests.support.made_songs import make_heard
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.music.playlist import Playlist
from visualizer.music.sources import playlist_player, song_mix
from visualizer.music.sources.ahead import HeardAhead, Hearer
from visualizer.music.sources.devices import NoSound
from visualizer.music.sources.playlist_player import PlaylistPlan, PlaylistSource
from visualizer.music.sources.song_mix import SongMix

NAMES = ("a", "b", "c", "d")


class FakeHearer(Hearer):
    """Hears at once, but for songs that are `held`; those that are `broken` cannot be played."""

    def __init__(self, seconds: float = 12.0) -> None:
        self.held: set[str] = set()
        self.broken: set[str] = set()
        self.asked: set[str] = set()
        self.seconds, self.closed = seconds, False

    def ask(self, path: Path) -> Future[HeardAhead]:
        self.asked.add(path.stem)
        future: Future[HeardAhead] = Future()
        if path.stem in self.broken:
            future.set_exception(UserError(f"{path.name}: is broken"))
        elif path.stem not in self.held:
            bpm = 100 + 10 * NAMES.index(path.stem)
            future.set_result(make_heard(path.stem, self.seconds, bpm))
        return future

    def keep_only(self, paths: set[Path]) -> None: ...

    def close(self) -> None:
        self.closed = True


class Party:
    """A list without a device, and what was said and begun."""

    def __init__(self, hearer: FakeHearer, **plan: Any) -> None:
        self.clock, self.said, self.begun = Time(), Said(), list[int]()
        songs = Playlist(tuple(Path(f"{name}.flac") for name in NAMES))
        self.hearer = hearer
        self.source = PlaylistSource(
            PlaylistPlan(songs, **{"crossfade": 2.0, "begun": self.begun.append, **plan}), self.clock, self.said, hearer
        )

    def dance(self, seconds: float, until: Callable[[], object] = lambda: False) -> list[tuple[float, float, float]]:
        """Draw picture after picture; rows of seconds, musical time and tempo."""
        rows = []
        for _ in range(round(seconds * 25)):
            self.clock.now += 0.04
            hearing = self.source.hearing(self.clock.now)
            rows.append((self.clock.now, hearing.beat, hearing.bpm))
            if until():
                break
            time.sleep(0.001)  # for the thread that plays, which looks every 50 ms: 2.5 s of this clock
        return rows


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(look_again: bool = False) -> Any:
        raise NoSound("PortAudio is not installed", for_good=True)

    monkeypatch.setattr(playlist_player, "portaudio", fail)
    monkeypatch.setattr(playlist_player, "LOOK", 0.001)


@pytest.fixture
def party(no_device: None) -> Iterator[Party]:
    party = Party(FakeHearer())
    yield party
    party.source.close()
    assert party.hearer.closed


def test_songs_follow_and_the_dance_never_jumps(party: Party) -> None:
    wait_for(lambda: party.source._ready)
    rows = np.array(party.dance(100, lambda: party.begun[-3:] == [3, 0, 1]))
    assert party.begun == [0, 1, 2, 3, 0, 1]  # round and round
    passed, moved = np.diff(rows[:, 0]), np.diff(rows[:, 1])
    assert np.all(moved >= 0)
    assert np.all(moved <= np.maximum(rows[1:, 2], rows[:-1, 2]) / 60 * 1.08 * passed + 1e-6)
    assert party.said[:2] == ["playlist: 4 songs", "no sound output: PortAudio is not installed. Dancing in silence"]
    assert [text for text in party.said if text.startswith("song 2")] == ["song 2 of 4: b"] * 2
    assert party.source.playing == party.source.name == "b"


def test_the_beat_is_that_of_the_song_that_plays(party: Party) -> None:
    wait_for(lambda: party.source._ready)
    party.dance(30, lambda: party.begun == [0, 1])
    party.dance(4)
    now = party.clock.now
    led = party.source._led
    place = party.source._place(now)
    assert led is not None
    assert place is not None
    assert math.remainder(party.source.musical_time(now) - led.musical_time(place), 4) == pytest.approx(0, abs=0.05)
    hearing = party.source.hearing(now)
    assert (round(hearing.bpm), hearing.confidence, hearing.phrases_known) == (110, 0.9, True)


def test_next_and_previous(party: Party) -> None:
    wait_for(lambda: party.source._ready)
    party.dance(5)
    assert party.source.step(1) == "the next song"
    party.dance(8, lambda: party.begun == [0, 1])
    party.source.step(1)
    party.source.step(1)
    party.dance(8, lambda: party.begun[-1] == 3)
    assert party.source.step(-1) == "the song before"
    party.dance(8, lambda: party.begun[-1] == 2)
    assert party.begun == [0, 1, 3, 2]
    party.dance(30, lambda: len(party.begun) == 5)
    assert party.begun[-1] == 3  # and on from there


def test_broken_songs_are_said_and_left_out(no_device: None) -> None:
    hearer = FakeHearer()
    hearer.broken = {"b", "a"}
    party = Party(hearer)
    try:
        wait_for(lambda: party.source._ready)
        party.dance(60, lambda: party.begun == [2, 3, 2])
        assert party.begun == [2, 3, 2]
        party.source.step(-1)
        party.dance(10, lambda: party.begun == [2, 3, 2, 3])
        assert party.begun == [2, 3, 2, 3]
        assert [text for text in party.said if "left out" in text] == [f"{n}.flac: is broken; left out" for n in "ab"]
    finally:
        party.source.close()


def test_a_list_of_broken_songs_is_danced_at_our_own_tempo(no_device: None) -> None:
    hearer = FakeHearer()
    hearer.broken = set(NAMES)
    party = Party(hearer, bpm=100.0)
    try:
        wait_for(lambda: any("No song of the list can be played: dancing at 100 BPM" in text for text in party.said))
        party.source.step(1)
        rows = party.dance(3)
        assert rows[-1][1] - rows[0][1] == pytest.approx(100 / 60 * (rows[-1][0] - rows[0][0]))
        assert party.source.hearing(party.clock.now).confidence == 0
        assert party.source.name == "playlist"
    finally:
        party.source.close()


def test_a_song_that_is_not_heard_yet_is_waited_for(no_device: None) -> None:
    hearer = FakeHearer()
    hearer.held = {"b"}
    party = Party(hearer)
    try:
        wait_for(lambda: party.source._ready)
        party.source.step(1)
        party.dance(3)
        wait_for(lambda: "listening ahead to b.flac" in party.said)
        assert party.begun == [0]  # it goes on
        assert party.source.hearing(party.clock.now).confidence == 0.9
        party.dance(25)
        assert party.source.hearing(party.clock.now).confidence == 0  # over; our own tempo meanwhile
        hearer.held = set()
        party.dance(8, lambda: party.begun == [0, 1])
        assert party.begun == [0, 1]
        assert party.said.count("listening ahead to b.flac") == 1
    finally:
        party.source.close()


def test_a_resumed_set_begins_with_its_song(no_device: None) -> None:
    party = Party(FakeHearer(), start=2)
    try:
        wait_for(lambda: party.source._ready)
        party.dance(8, lambda: party.begun)
        assert party.begun == [2]
        party.dance(8, lambda: party.hearer.asked >= {"b", "c", "d"})
        assert {"b", "c", "d"} <= party.hearer.asked  # its neighbours are heard before anybody asks
    finally:
        party.source.close()


# --- with a device


class Out:
    """An output whose callback the test calls."""

    def __init__(self, sd: FakeOut, **asked: Any) -> None:
        self.sd, self.asked, self.active, self.latency = sd, asked, True, 0.1

    def __enter__(self) -> Out:
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False

    def call(self, frames: int = 160) -> np.ndarray:
        out = np.full((frames, self.asked["channels"]), 9, np.float32)
        times = SimpleNamespace(outputBufferDacTime=7.1, currentTime=7.0)
        self.asked["callback"](out, frames, times, None)
        self.sd.clock.now += frames / self.asked["samplerate"]
        return out


class FakeOut(FakePortAudio):
    def OutputStream(self, **asked: Any) -> Out:
        self.outs.append(Out(self, **asked))
        return self.outs[-1]

    outs: list[Out]


def test_what_the_device_plays_is_what_is_danced_to(monkeypatch: pytest.MonkeyPatch) -> None:
    party_sd: list[FakeOut] = []

    def open_audio(look_again: bool = False) -> Any:
        return party_sd[0]

    def counted(path: Path, rate: int, channels: int) -> Iterator[np.ndarray]:
        yield np.arange(20 * rate, dtype=np.float32)[:, None] / 1e6 * np.ones((1, channels), np.float32)

    monkeypatch.setattr(playlist_player, "portaudio", open_audio)
    monkeypatch.setattr(playlist_player, "LOOK", 0.001)
    monkeypatch.setattr(playlist_player, "RETRY", 0.05)
    monkeypatch.setattr(playlist_player, "SongMix", lambda line, rate, channels: SongMix(line, rate, channels, counted))
    assert song_mix.read_song is not counted
    clock = Time()
    sd = FakeOut(clock, [device("speakers", inputs=0)])
    sd.outs = []
    party_sd.append(sd)
    said = Said()
    source = PlaylistSource(PlaylistPlan(Playlist((Path("a.flac"),)), 0.0), clock, said, FakeHearer())
    try:
        wait_for(lambda: source._ready)
        assert not sd.outs[0].call().any()  # not before it is counted in
        source.musical_time(clock.now)
        heard: list[np.ndarray] = []

        def play() -> bool:
            heard.append(sd.outs[0].call())
            time.sleep(0.001)  # for the thread that mixes
            return sum(map(np.any, heard)) > 100

        wait_for(play)
        sound = np.concatenate(heard)[:, 0]
        played = np.flatnonzero(sound)
        np.testing.assert_allclose(np.diff(sound[played[0] : played[-1]]), 1e-6, atol=1e-7)  # nothing left out
        place = source._place(clock.now)
        assert place is not None
        # What is called for now is heard a tenth of a second later.
        assert sound[-1] * 1e6 / 16_000 == pytest.approx(place + 0.1, abs=2e-3)
        sd.outs[0].active = False
        wait_for(lambda: "sound output lost. Dancing in silence" in said)
        clock.now += 1.0
        wait_for(lambda: len(sd.outs) == 2)  # and looked for again
        assert source.hearing(clock.now).confidence == 0.9
    finally:
        source.close()
