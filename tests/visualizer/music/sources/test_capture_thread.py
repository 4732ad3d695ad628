"""The hearing thread, with lines that the test feeds and a chain that notes what it is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fake_sound import PATIENCE, FakeLine, Stage
from tests.support.said import Said
from visualizer.music.analysis.features import RATE
from visualizer.music.sources import capture_thread as module
from visualizer.music.sources import devices
from visualizer.music.sources.capture_thread import MUTE, CaptureThread
from visualizer.music.sources.devices import NoSound
from visualizer.music.sources.tape import Tape


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch, said: Said) -> Iterator[Callable[..., CaptureThread]]:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "RETRY", 0.0)
    listeners: list[CaptureThread] = []

    def start(stage: Stage, chain: Callable[[], Any] | None = None, reopen: bool = False) -> CaptureThread:
        make = chain or (lambda: (stage.chain, None))
        listeners.append(
            CaptureThread("microphone", stage.open, lambda: 0.0, lambda: "Dancing on", said, make, reopen)  # type: ignore[arg-type]
        )
        return listeners[-1]

    yield start
    for each in listeners:
        each.close()


def test_each_device_and_each_failure_is_said_once(listen: Callable[..., CaptureThread], said: Said) -> None:
    first, second = FakeLine([np.ones(100)], name="Room"), FakeLine([np.ones(100)], name="Room")
    first.empty, second.empty = first.lose, second.lose
    busy = NoSound("Room cannot be opened (busy)")
    stage = Stage(NoSound("no input device"), NoSound("no input device"), busy, first, busy, second)
    listener = listen(stage)
    assert stage.over.wait(PATIENCE)
    assert said.take() == [
        "no microphone: no input device. Dancing on, looking again",
        "no microphone: Room cannot be opened (busy). Dancing on, looking again",
        "listening to Room",
        "microphone lost. Dancing on, looking again",
        "listening to Room",
        "microphone lost. Dancing on, looking again",
    ]
    assert said.take() == []
    assert stage.looked_again[:7] == [False] + [True] * 6
    assert first.closed
    assert second.closed
    assert stage.chain.resets == 2
    assert listener.latest is None


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """PortAudio as it is where it does not return until this is set."""
    returns = threading.Event()
    monkeypatch.setattr(devices, "_stuck", threading.Event())
    monkeypatch.setattr(devices, "CLOSES", 0.1)
    yield returns
    returns.set()


def test_a_device_that_does_not_close_is_said_to_be_lost_and_left(
    listen: Callable[..., CaptureThread], said: Said, stuck: threading.Event
) -> None:
    """As where a sound server dies at the wrong moment: PortAudio waits for what never comes."""
    line = FakeLine([np.ones(100)], name="Room")
    line.empty = line.lose
    line.close = lambda: devices.close_in_time(Mock(close=stuck.wait))
    stage = Stage(line)
    open_line = stage.open

    def opened(look_again: bool, clock: Any) -> FakeLine:
        if look_again:
            devices.portaudio(look_again)
        return open_line(look_again, clock)

    stage.open = opened  # type: ignore[method-assign]
    listener = listen(stage)
    listener._thread.join(PATIENCE)
    assert not listener._thread.is_alive()
    assert said == [
        "listening to Room",
        "microphone lost. Dancing on, looking again",
        f"no microphone: {devices.GONE}. Dancing on",
    ]


def test_that_a_device_is_lost_is_said_before_it_is_closed(
    listen: Callable[..., CaptureThread], said: Said, stuck: threading.Event
) -> None:
    line, closing = FakeLine([np.ones(100)], name="Room"), threading.Event()
    line.empty = line.lose

    def close() -> None:
        closing.set()
        stuck.wait()

    line.close = close
    listener = listen(Stage(line))
    assert closing.wait(PATIENCE)
    assert said[-1] == "microphone lost. Dancing on, looking again"
    assert listener.latest is None
    stuck.set()


def test_a_device_that_does_not_answer_is_said_to_be_lost(
    listen: Callable[..., CaptureThread], said: Said, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PortAudio asks a sound server that has died what time it is, and waits for ever."""
    monkeypatch.setattr(module, "STALLED", 0.05)
    line, asked, read = FakeLine([np.ones(RATE // 4)], name="Room"), threading.Event(), FakeLine.read

    def wait() -> np.ndarray:
        if not line.blocks:
            asked.set()
            stuck.wait()
        return read(line)

    line.read = wait
    listener = listen(Stage(line))
    assert asked.wait(PATIENCE)
    begun = time.monotonic()
    while not any("lost" in text for text in said):
        assert time.monotonic() < begun + PATIENCE
        listener.notice_stall()
    assert said == ["listening to Room", f"microphone lost: {devices.GONE}. Dancing on"]
    assert listener.latest is None
    for _ in range(100):
        listener.notice_stall()
    assert len(said) == 2
    with pytest.raises(NoSound, match="does not answer any more"):
        devices.portaudio(True)
    stuck.set()


@pytest.mark.usefixtures("stuck")
def test_what_closes_is_no_reason_to_give_up() -> None:
    closed = threading.Event()
    devices.close_in_time(Mock(close=closed.set))
    assert closed.is_set()
    with pytest.raises(OSError, match="busy"):
        devices.close_in_time(Mock(close=Mock(side_effect=OSError("busy"))))
    assert not devices._stuck.is_set()


def test_what_is_heard_is_published_with_its_time(listen: Callable[..., CaptureThread], said: Said) -> None:
    line, empty = FakeLine([np.ones(RATE // 4)] * 3), threading.Event()
    line.empty = empty.set
    listener = listen(Stage(line))
    assert empty.wait(PATIENCE)
    assert listener.latest is not None
    assert listener.latest.time == pytest.approx(100.75)
    assert listener.latest.heard.time == pytest.approx(0.75)
    listener.close()
    assert line.closed
    assert listener.latest is None
    assert said.take() == ["listening to a line"]  # that we stopped is no news


def test_the_tape_of_a_second_video_is_not_thrown_away_with_that_of_the_first(
    listen: Callable[..., CaptureThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R ends one video and begins the next while a block is on its way to the first."""
    line, fed, tapes, write = FakeLine([], rate=48_000), threading.Event(), [], Tape.write
    line.empty = lambda: line.blocks.extend([np.ones(480)] * 2)  # it goes on for ever
    listener = listen(Stage(line))

    def written(tape: Tape, *block: Any) -> None:
        write(tape, *block)
        if len(tapes) == 1:
            tape.close()
            tapes.append(listener.sounds(100.0))
        elif len(tapes) > 1 and tape is tapes[1]:
            fed.set()

    monkeypatch.setattr(Tape, "write", written)
    begun = time.monotonic()
    while not tapes:
        assert time.monotonic() < begun + PATIENCE
        tapes.extend(filter(None, [listener.sounds(100.0)]))
    assert fed.wait(PATIENCE)
    listener.close()


def test_without_hope_it_does_not_look_again(listen: Callable[..., CaptureThread], said: Said) -> None:
    stage = Stage(NoSound("PortAudio is not installed", for_good=True), FakeLine([]))
    listener = listen(stage)
    listener._thread.join(PATIENCE)
    assert said.take() == ["no microphone: PortAudio is not installed. Dancing on"]
    assert len(stage.acts) == 1


@pytest.mark.usefixtures("listen")
def test_what_is_missing_of_the_ear_is_said_and_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Said
) -> None:
    monkeypatch.setattr("visualizer.music.analysis.beat_pipeline.find_model", lambda: tmp_path / "ear.onnx")
    monkeypatch.setattr("visualizer.music.analysis.genre.weights_file", lambda: tmp_path / "taste.json")
    line, empty = FakeLine([np.ones(RATE // 4)]), threading.Event()
    line.empty = empty.set
    listener = CaptureThread("microphone", Stage(line).open, lambda: 0.0, lambda: "Dancing on", said)
    try:
        assert empty.wait(PATIENCE)
        assert listener.latest is not None
        assert listener.latest.heard.levels.loudness > 0
        waking, onsets, style, listening = said
        assert waking == "waking the ear"
        assert onsets.startswith("listening for onsets alone: ")
        assert "ear.onnx" in onsets
        assert style.startswith("the music's style cannot be told: ")
        assert "taste.json" in style
        assert listening == "listening to a line"
    finally:
        listener.close()


def test_a_microphone_of_nothing_but_zeros_is_said_once(listen: Callable[..., CaptureThread], said: Said) -> None:
    line, empty = FakeLine([np.zeros(RATE)] * int(3 * MUTE)), threading.Event()
    line.empty = empty.set
    listen(Stage(line))
    assert empty.wait(PATIENCE)
    assert said.take() == [
        "listening to a line",
        "a line gives no sound at all: is it muted, or not permitted?",
    ]


def test_silence_of_the_computer_opens_the_output_that_is_in_use_by_then(
    listen: Callable[..., CaptureThread], said: Said
) -> None:
    quiet = FakeLine([np.zeros(RATE)] * int(MUTE + 2), name="what the computer plays")
    music, empty = FakeLine([np.ones(RATE)], name="what the computer plays"), threading.Event()
    music.empty = empty.set
    stage = Stage(quiet, NoSound("no output"), music)
    listener = listen(stage, reopen=True)
    assert empty.wait(PATIENCE)
    assert quiet.closed
    assert stage.looked_again == [False, False, True]
    assert said.take() == [
        "listening to what the computer plays",
        "no microphone: no output. Dancing on, looking again",
    ]
    assert listener.latest is not None


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([8000, 16_000, 22_050, 44_100, 48_000, 96_000]), st.integers(200, 4000), st.floats(0.3, 0.7))
def test_a_click_is_heard_when_it_sounded_at_any_rate_and_block_size(rate: int, block: int, at: float) -> None:
    """The chain finds the click at the same second of the sound that the line had it."""
    sound = np.zeros(2 * rate)
    sound[round(at * rate) : round(at * rate) + rate // 1000] = 1
    line, empty = FakeLine(np.array_split(sound, np.arange(block, len(sound), block)), rate), threading.Event()
    line.empty = empty.set
    stage = Stage(line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAUSE", 0.0)
        listener = CaptureThread("microphone", stage.open, lambda: 0.0, str, Said(), lambda: (stage.chain, None))  # type: ignore[arg-type]
        assert empty.wait(PATIENCE)
        listener.close()
    heard = stage.chain.sound
    assert len(heard) > RATE
    assert int(np.argmax(heard > 0.5)) / RATE == pytest.approx(round(at * rate) / rate, abs=0.001)
