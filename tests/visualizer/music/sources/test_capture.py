"""Sound that comes in through PortAudio or soundcard, both played here by stand-ins."""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from time import monotonic
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fake_sound import DEVICE_RATE, FakePortAudio, Stream, Time, device
from visualizer.errors import UserError
from visualizer.music.sources.capture import STAMPS, PortAudioCapture, Stamps
from visualizer.music.sources.devices import STALLED, NoSound, find_device, input_devices, portaudio
from visualizer.music.sources.loopback import MONITOR, NAME, SoundcardCapture, check_loopback, open_loopback
from visualizer.music.sources.meters import open_meters
from visualizer.support.streams import quietly


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sd(time: Time) -> FakePortAudio:
    return FakePortAudio(time)


@settings(deadline=None)
@given(st.floats(-1e4, 1e6), st.integers(0, 2**32 - 1))
def test_stamps_that_come_late_by_chance_do_not_move_the_beginning(began: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    late = chance.uniform(0, 0.004, 2 * STAMPS)
    late[chance.permutation(2 * STAMPS)[: STAMPS // 4]] += 5  # some come very late
    stamps = Stamps()
    assert np.isnan(stamps.time_of(1.0))
    for i, each in enumerate(late.tolist()):
        stamps.add(i * 0.02, began + i * 0.02 + each)
    assert began - 1e-6 <= stamps.time_of(0.0) <= began + 0.004 + 1e-6
    assert stamps.time_of(3.5) - stamps.time_of(0.0) == pytest.approx(3.5)


def test_a_line_gives_mono_and_says_when_it_sounded(sd: FakePortAudio, time: Time) -> None:
    line = PortAudioCapture(sd, sd.devices[0], time)
    assert (line.name, line.rate, line.lost) == ("Room", DEVICE_RATE, False)
    stream = sd.streams[0]
    read = []
    for i in range(30):
        time.now += 0.02
        block = np.full((320, 2), i, np.float32)
        block[:, 1] += 1
        stream.come_in(block, delay=0.05, called=0.003)  # the thread of the reader wakes 3 ms later
        read.append(line.read())
    assert np.array_equal(np.concatenate(read), np.repeat(np.arange(30, dtype=np.float32) + 0.5, 320))
    # The block that came last began to sound 53 ms ago, and 29 came before it.
    assert line.sounded(29 * 0.02) == pytest.approx(time.now - 0.053)
    line.close()
    assert stream.closed


@pytest.mark.parametrize("delay", [None, -0.2, 30.0])
def test_a_device_that_does_not_know_its_delay(sd: FakePortAudio, time: Time, delay: float | None) -> None:
    line = PortAudioCapture(sd, sd.devices[0], time)
    sd.streams[0].come_in(np.zeros((320, 2), np.float32), delay)
    line.read()
    assert line.sounded(0.0) == pytest.approx(time.now - sd.streams[0].latency)


def test_a_device_without_a_clock(sd: FakePortAudio, time: Time) -> None:
    sd.ahead = -time.now  # its clock stands at zero
    line = PortAudioCapture(sd, sd.devices[0], time)
    sd.streams[0].come_in(np.zeros((320, 2), np.float32), None)
    line.read()
    assert line.sounded(0.0) == pytest.approx(time.now - sd.streams[0].latency)


def test_a_reader_that_sleeps_loses_sound_but_not_the_time(sd: FakePortAudio, time: Time) -> None:
    line = PortAudioCapture(sd, sd.devices[0], time)
    for _ in range(200):  # 4 seconds into a ring of one
        time.now += 0.02
        sd.streams[0].come_in(np.zeros((320, 2), np.float32))
    total = 0
    for _ in range(200):
        time.now += 0.02
        sd.streams[0].come_in(np.zeros((320, 2), np.float32))
        total += len(line.read())
    # What is read last began to sound 10 ms ago, whatever got lost before.
    assert line.sounded(total / DEVICE_RATE - 0.02) == pytest.approx(time.now - 0.01, abs=0.001)


def test_lost_when_it_stops_stalls_or_fails(sd: FakePortAudio, time: Time) -> None:
    lines = [PortAudioCapture(sd, sd.devices[0], time) for _ in range(3)]
    for line, stream in zip(lines, sd.streams, strict=True):
        stream.come_in(np.zeros((320, 2), np.float32))
        line.read()
        assert not line.lost
    sd.streams[0].active = False
    lines[0].read()
    assert lines[0].lost
    sd.streams[1].come_in(np.zeros((320, 2), np.float32))
    sd.streams[1].failing = True
    lines[1].read()
    assert lines[1].lost
    time.now += STALLED / 2
    lines[2].read()
    assert not lines[2].lost
    time.now += STALLED
    lines[2].read()
    assert lines[2].lost


def test_what_cannot_be_opened_is_no_sound(sd: FakePortAudio, time: Time) -> None:
    sd.broken = "Device unavailable"
    with pytest.raises(NoSound, match=r"Room cannot be opened \(Device unavailable\)"):
        PortAudioCapture(sd, sd.devices[0], time)


def test_what_cannot_be_started_is_closed(sd: FakePortAudio, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_stream: Stream) -> None:
        os.write(2, b"ALSA lib pcm.c: many words")
        raise sd.PortAudioError("Unanticipated host error")

    monkeypatch.setattr(Stream, "start", start)
    with pytest.raises(NoSound, match=r"Room cannot be opened \(Unanticipated host error\)"):
        PortAudioCapture(sd, sd.devices[0], time)
    assert sd.streams[0].closed


def test_libraries_are_silent_only_while_they_are_asked_to_be(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with quietly():
        os.write(2, b"within ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_a_callback_from_another_thread_never_waits_for_the_reader(sd: FakePortAudio, time: Time) -> None:
    """Sixteen thousand blocks are pushed as fast as may be while another thread reads; none of it raises."""
    line = PortAudioCapture(sd, sd.devices[0], time)
    failed: list[BaseException] = []
    done = threading.Event()

    def push() -> None:
        try:
            for i in range(16_000):
                sd.streams[0].come_in(np.full((32, 2), i, np.float32))
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
        done.set()

    thread = threading.Thread(target=push)
    thread.start()
    last = -1.0
    while not done.is_set():
        got = line.read()
        if len(got):
            assert np.all(np.diff(got) >= 0)
            assert got[0] >= last
            last = got[-1]
    thread.join()
    assert not failed


def test_devices_are_found_by_part_of_a_name(time: Time) -> None:
    sd = FakePortAudio(time, [device("Speakers", inputs=0), device("USB Microphone"), device("USB", hostapi=1)])
    assert find_device(sd, "input")["name"] == "USB Microphone"
    assert find_device(sd, "input", "usb mic")["name"] == "USB Microphone"
    assert [each["name"] for each in input_devices(sd)] == ["USB Microphone"]  # each device once
    with pytest.raises(NoSound, match="no input device is called 'speak'"):
        find_device(sd, "input", "speak")
    with pytest.raises(NoSound, match="no input device"):
        find_device(FakePortAudio(time, []), "input")
    assert input_devices(FakePortAudio(time, [])) == []


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, sd: FakePortAudio):
    """Another operating system, with the fake PortAudio."""
    monkeypatch.setitem(sys.modules, "sounddevice", sd)

    def change(platform: str) -> None:
        monkeypatch.setattr(sys, "platform", platform)

    return change


@pytest.mark.parametrize("before", [None, "a source of my own"])
def test_loopback_is_the_monitor_of_the_default_output(
    on, sd: FakePortAudio, time: Time, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    on("linux")
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    if before:
        monkeypatch.setenv("PULSE_SOURCE", before)
    line = open_loopback(True, time)
    assert sd.restarts == 1
    assert line.name == NAME
    assert sd.streams[0].asked["device"] == sd.devices[1]["index"]
    assert sd.streams[0].source == MONITOR
    sd.broken = "no such source"
    with pytest.raises(NoSound, match="no such source"):
        open_loopback(False, time)
    assert os.environ.get("PULSE_SOURCE") == before
    sd.devices.pop()
    with pytest.raises(NoSound, match="libasound2-plugins"):
        open_loopback(False, time)


def test_loopback_on_macos_is_explained(on) -> None:
    on("linux")
    check_loopback()
    on("darwin")
    with pytest.raises(UserError, match="BlackHole"):
        check_loopback()


class FakeSoundcard(ModuleType):
    """As much of soundcard as we use. Whoever records waits for the next packet."""

    def __init__(self) -> None:
        super().__init__("soundcard")
        self.trouble: Exception | None = None
        self.packets: queue.SimpleQueue[np.ndarray | Exception] = queue.SimpleQueue()
        self.closed = False

    def default_speaker(self) -> SimpleNamespace:
        if self.trouble:
            raise self.trouble
        return SimpleNamespace(id="{speaker}")

    def get_microphone(self, which: str, include_loopback: bool) -> FakeSoundcard:
        assert (which, include_loopback) == ("{speaker}", True)
        return self

    def recorder(self, samplerate: int, channels: int, blocksize: int) -> FakeSoundcard:
        assert (samplerate, channels) == (48_000, 2)
        assert blocksize > 480
        return self

    def __enter__(self) -> FakeSoundcard:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True
        if self.trouble:
            raise self.trouble

    def record(self, numframes: int | None) -> np.ndarray:
        assert numframes is None
        packet = self.packets.get(timeout=10)
        if isinstance(packet, Exception):
            raise packet
        return packet


@pytest.fixture
def soundcard(on, monkeypatch: pytest.MonkeyPatch) -> FakeSoundcard:
    """Windows, with soundcard installed."""
    on("win32")
    fake = FakeSoundcard()
    monkeypatch.setitem(sys.modules, "soundcard", fake)
    return fake


def read_all(line: SoundcardCapture, wanted: int) -> np.ndarray:
    """Read until that many samples have come."""
    end, got = monotonic() + 10, np.zeros(0, np.float32)
    while len(got) < wanted and monotonic() < end:
        got = np.concatenate([got, line.read()])
    return got


def test_loopback_on_windows_is_soundcards(soundcard: FakeSoundcard, time: Time) -> None:
    line = open_loopback(False, time)
    assert isinstance(line, SoundcardCapture)
    for i in range(3):
        time.now += 0.01
        soundcard.packets.put(np.tile(np.array([i, i + 0.5], np.float32), (480, 1)))
        assert np.array_equal(read_all(line, 480), np.full(480, i + 0.25, np.float32))
    assert line.sounded(0.03) == pytest.approx(time.now - 0.01)
    assert not line.lost
    soundcard.trouble = RuntimeError("Error 0x88890004")
    soundcard.packets.put(soundcard.trouble)
    line._thread.join(10)
    assert line.lost
    assert len(line.read()) == 0
    line.close()
    assert soundcard.closed
    with pytest.raises(NoSound, match="0x88890004"):
        open_loopback(False, time)


def test_packets_that_wait_for_a_busy_reader_are_all_there(soundcard: FakeSoundcard, time: Time) -> None:
    """Ten packets to a read: who reads seldom does not fall behind."""
    line = open_loopback(False, time)
    assert isinstance(line, SoundcardCapture)
    for i in range(10):
        soundcard.packets.put(np.full((480, 2), i, np.float32))
    assert np.array_equal(read_all(line, 4800), np.repeat(np.arange(10, dtype=np.float32), 480))
    soundcard.packets.put(RuntimeError("over"))
    line.close()
    assert soundcard.closed


def test_a_loopback_whose_packets_never_come_is_lost_and_can_be_closed(soundcard: FakeSoundcard, time: Time) -> None:
    """Whoever waits in the sound system may wait for ever when that has gone, without any error."""
    line = open_loopback(False, time)
    assert isinstance(line, SoundcardCapture)
    soundcard.packets.put(np.zeros((480, 2), np.float32))
    read_all(line, 480)
    time.now += STALLED - 0.1
    line.read()
    assert not line.lost
    time.now += 0.2
    line.read()
    assert line.lost
    line.close()
    assert not soundcard.closed  # its stream is in use by who waits
    soundcard.packets.put(RuntimeError("over"))
    line._thread.join(10)


@pytest.mark.parametrize("trouble", [RuntimeError("no output"), IndexError("no device"), AssertionError("a format")])
def test_an_output_that_windows_does_not_give(soundcard: FakeSoundcard, time: Time, trouble: Exception) -> None:
    soundcard.trouble = trouble
    with pytest.raises(NoSound, match=str(trouble)):
        open_loopback(False, time)


def test_a_portaudio_that_does_not_start_again_is_asked_again(on, sd: FakePortAudio) -> None:
    on("linux")
    sd.refused = "Internal error"
    for _ in range(2):
        with pytest.raises(NoSound, match=r"PortAudio does not start \(Internal error\)") as caught:
            portaudio(look_again=True)
        assert not caught.value.for_good
    sd.refused = None
    assert portaudio(look_again=True) is sd


def test_no_portaudio_is_no_sound_for_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, time: Time) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NoSound, match="PortAudio is not installed") as caught:
        open_loopback(False, time)
    assert caught.value.for_good


def test_portaudio_is_not_restarted_while_all_devices_are_listed(sd: FakePortAudio, on: Any, time: Time) -> None:
    """A restart would close the streams under those who read their levels; the list itself ends as it began."""
    on("linux")
    with open_meters(time) as meters:
        assert [meter.audio for meter in meters] == ["mic", "mic:pulse", "loopback"]
        portaudio(look_again=True)
        assert sd.restarts == 0
        assert not any(stream.closed for stream in sd.streams)
    assert all(stream.closed for stream in sd.streams)
    portaudio(look_again=True)
    assert sd.restarts == 1
