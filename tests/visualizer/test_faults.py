"""What goes wrong at a party, caused for real or in time that the test makes: the dance goes on and it is said."""

from __future__ import annotations

import dataclasses
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import standins
from tests.support.fake_sound import PATIENCE, FakeCaptureThread, FakeEstimate, FakeLine, Stage
from tests.support.fakes import hearing, picture
from tests.support.live_fakes import FakeTakes, FakeTime, FakeWindow
from tests.support.made_sound import OWN, beat_track, write_song
from tests.support.said import Said
from visualizer.auto import Auto
from visualizer.dancer import pack as pack_module
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.dancer.recovery import EMPTY
from visualizer.errors import UserError
from visualizer.live import LiveShow
from visualizer.messages import Toasts
from visualizer.moment import Moment, Text
from visualizer.music.analysis.features import RATE
from visualizer.music.inputs import Inputs
from visualizer.music.song_file import read_song
from visualizer.music.sources import capture_thread as listener_module
from visualizer.music.sources.capture_thread import CLIP_SECONDS, MUTE, CaptureThread, Judge
from visualizer.music.sources.live import LiveSource
from visualizer.networks import session as session_module
from visualizer.networks.session import OnDevice, has_nvidia, open_session
from visualizer.options import Settings
from visualizer.settings import load_settings, remember
from visualizer.show import Show, ShowPlan
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.guarded import GuardedSurface
from visualizer.stage.looks import shipped_looks
from visualizer.stage.overlay import Overlay

JUNK = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12)


def damaged(data: bytes, junk: list[tuple[float, int]], cut: float) -> bytes:
    """Some bytes are others, and all after a point is gone."""
    spoilt = bytearray(data)
    for at, byte in junk:
        spoilt[int(at * len(spoilt))] = byte
    return bytes(spoilt[: max(1, round(cut * len(spoilt)))])


# --- time: stalls, sleep, what nobody waits for


class Window(FakeWindow):
    """Keeps the pictures."""

    def draw(self, moment: Moment) -> None:
        super().draw(moment)
        self.last = moment.bodies


@pytest.mark.parametrize("stall", [3.0, 30.0, 3600.0, 9 * 3600.0], ids=lambda s: f"{s:g} s")
@pytest.mark.parametrize("heard", [True, False], ids=["on the beat", "own tempo"])
def test_a_stall_and_a_sleep_of_hours_are_over_with_the_next_frame(stall: float, heard: bool) -> None:
    """One frame after it the dance is where the music is, with no more steps than a phrase has."""
    time, listener = FakeTime(), FakeCaptureThread()
    toasts = Toasts()
    ear = LiveSource(120, time, lambda _: listener, toasts)  # type: ignore[arg-type,return-value]
    pack = standins.pack()
    dancer = Dancer(pack, 3, troupe=2)
    window = Window()
    plan = ShowPlan("paper", random.Random(3), Auto(random.Random(1), True))
    live = LiveShow(Show(dancer, plan, toasts), toasts, Inputs(ear), window, FakeTakes())

    def frames(count: int) -> None:
        for _ in range(count):
            time.sleep(1 / 50)
            if heard:
                listener.hear(time.now - 0.06, FakeEstimate(126, (time.now - 0.06) * 2.1, bar_confidence=0))
            live.draw_frame(time.now)

    frames(300)
    before = len(pack.dancer.given)
    time.sleep(stall)
    frames(1)
    assert len(pack.dancer.given) - before <= 8 * 16 + 4
    frames(50)
    after = len(pack.dancer.given)
    frames(100)
    assert 40 <= len(pack.dancer.given) - after <= 90  # two seconds at 120 to 126 BPM are 64 to 68 steps
    assert np.isfinite(window.last.frames).all()
    if heard:
        beat = ear.musical_time(time.now)
        assert abs((beat - time.now * 2.1 + 0.5) % 1 - 0.5) < 0.05


def test_only_clocks_that_nobody_sets_decide() -> None:
    """A system clock that jumps (summer time, a server of time) reaches file names and nothing else."""
    found = []
    for path in sorted(Path(pack_module.__file__).parents[1].rglob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if any(word in line for word in ("time.time(", "time.time_ns(", "datetime.now(", "utcnow(", "localtime(")):
                found.append((path.name, number, line.strip()))
    assert all("%Y%m%d-%H%M%S" in line for _, _, line in found), found


# --- the window


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)], ids=str)
@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_the_smallest_window_is_painted_in_each_look(each, size: tuple[int, int]) -> None:
    painter, overlay, screen = Painter(size, patient=False), Overlay(size), pygame.Surface(size, 0, 32)
    guarded = GuardedSurface(FlashGuard(), size)
    surface = screen
    try:
        for step in range(5):
            beat = step / 4
            surface = painter.paint(Moment(picture(beat, (-0.4, 0.35)), each, hearing(beat / 2), beat))
            writing, _ = overlay.render(Text(help=True, toasts=("a word",)))
            guarded.show(surface, painter.dirty, writing, screen, beat / 2)
        assert surface.get_size() == size
    finally:
        painter.release()


# --- networks


class Failing:
    """A session on a device that is lost after some calls."""

    def __init__(self, session: Any, calls: int) -> None:
        self.session, self.calls = session, calls

    def run(self, names: Any, given: Any) -> Any:
        self.calls -= 1
        if self.calls < 0:
            from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore

            raise state.EPFail("CUDA failure 999: unknown error; GPU=0\nin a file of theirs")
        return self.session.run(names, given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


def test_a_device_that_is_lost_in_the_middle_gives_way_to_the_processor_and_it_is_said_once(tiny_pack: Path) -> None:
    pack = dataclasses.replace(load_pack(tiny_pack, "cpu"), figures=None, figure_decoder=None)
    lost: set[str] = set()
    said = Said()
    names = ("decoder", "choreographer", "dancer")
    on_device = {
        name: OnDevice(
            Failing(open_session(tiny_pack / f"{name}.onnx")[0], 20), tiny_pack / f"{name}.onnx", "cuda",
            said, lost,
        )
        for name in names
    }  # fmt: skip
    frail, sound = Dancer(dataclasses.replace(pack, **on_device), 5), Dancer(pack, 5)
    for step in range(300):
        for dancer in (frail, sound):
            dancer.step_to(step / 10)
        np.testing.assert_array_equal(frail.picture(step / 10).frames, sound.picture(step / 10).frames)
    assert all(each._moved for each in on_device.values())
    assert said == ["cuda has failed (CUDA failure 999: unknown error; GPU=0 in a file of theirs): networks on cpu now"]


@pytest.mark.parametrize("card", [True, False])
def test_a_card_that_does_not_run_the_networks_is_told_and_no_card_is_no_news(
    tiny_pack: Path, monkeypatch: pytest.MonkeyPatch, card: bool
) -> None:
    import onnxruntime as ort

    if "CUDAExecutionProvider" in ort.get_available_providers() and has_nvidia():
        pytest.skip("skipped: CUDA may run here")
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(
        ort,
        "InferenceSession",
        lambda data, options, providers: real(data, options, providers=["CPUExecutionProvider"]),
    )
    for module in (pack_module, session_module):
        monkeypatch.setattr(module, "has_nvidia", lambda: card)
    said = Said()
    load_pack(tiny_pack, "auto", said)
    text = "cuda is there but does not run the networks: they run on the cpu; install the extra gpu"
    assert said == ([text] if card else [])


def test_frames_that_are_no_numbers_are_not_shown_and_those_dancers_start_again() -> None:
    def decode(given: standins.Inputs) -> dict[str, np.ndarray]:
        made = standins.decode(given)
        if 20 <= len(decoder.given) < 22:
            made["frame"][1] = np.nan
        return made

    decoder = standins.Network(decode, ("frame", "joints"))
    said = Said()
    dancer = Dancer(standins.pack(decoder=decoder), 3, troupe=3, notify=said)
    before = None
    for step in range(60):
        dancer.step_to(step / 10)
        shown = dancer.picture(step / 10).frames
        assert np.isfinite(shown).all()
        if before is not None and 20 <= len(decoder.given) < 22:
            np.testing.assert_array_equal(shown[1], before[1])
            assert (shown[0] != before[0]).any()
        before = shown
    assert dancer.restarts == 2
    assert said == ["a network fails (decoder: gives numbers that are no pose): dancing on from another pose"]


def test_a_decoder_that_never_gives_a_picture_shows_nobody() -> None:
    nothing = standins.Network(lambda given: {k: a * np.nan for k, a in standins.decode(given).items()}, ("frame",))
    shipped = load_pack(find_pack(None), "cpu")
    said = Said()
    dancer = Dancer(
        dataclasses.replace(shipped, decoder=nothing, figures=None, figure_decoder=None), 3, notify=said
    )  # none takes the place of the one that ships
    for step in range(40):
        dancer.step_to(step / 10)
        assert (dancer.picture(step / 10).frames == EMPTY).all()
    assert 1 <= len(said) <= 8


# --- sound


def heard_by(line: FakeLine, monkeypatch: pytest.MonkeyPatch, chain: Any = None) -> tuple[list[str], Any]:
    """What a listener says until the line is empty, and what it heard last."""
    monkeypatch.setattr(listener_module, "PAUSE", 0.0)
    monkeypatch.setattr(listener_module, "RETRY", 0.0)
    empty = threading.Event()
    line.empty = empty.set
    stage = Stage(line)
    make = chain or (lambda: (stage.chain, None))
    said = Said()
    listener = CaptureThread("microphone", stage.open, lambda: 0.0, lambda: "Dancing on", said, make)  # type: ignore[arg-type]
    assert empty.wait(PATIENCE)
    latest = listener.latest
    listener.close()
    return said, latest


@pytest.mark.parametrize("value", [0.0, 0.3, -1.0, np.nan, np.inf], ids=str)
def test_a_driver_that_is_stuck_is_said_once(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    said, latest = heard_by(FakeLine([np.full(RATE, value)] * int(3 * MUTE)), monkeypatch)
    assert said == ["listening to a line", "a line gives no sound at all: is it muted, or not permitted?"]
    assert latest is not None


def test_nonsense_between_music_neither_breaks_the_ear_nor_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a beat track, a second of NaN and infinities, the other half: at the end it hears its tempo."""
    from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model

    samples, _ = beat_track(120, 24)
    for wild in (np.nan, np.inf, -np.inf, 1e30):
        at = random.Random(str(wild)).randrange(10 * RATE, 11 * RATE)
        samples[at : at + RATE // 8] = wild
    blocks = np.array_split(np.repeat(samples, 2), 400)  # of a device with twice the rate, so that it is resampled
    line = FakeLine(blocks, 2 * RATE)
    said, latest = heard_by(line, monkeypatch, lambda: (BeatPipeline(find_model()), None))
    assert said == ["listening to a line"]
    assert latest is not None
    assert latest.heard.steady
    assert latest.heard.bpm == pytest.approx(120, abs=1)
    assert all(np.isfinite(latest.heard.levels))


def test_clipping_is_said_once_and_loud_music_is_not_clipped() -> None:
    rng = np.random.default_rng(3)
    loud = np.clip(rng.standard_normal(RATE) * 0.25, -1, 1).astype(np.float32)
    judge = Judge("Room", RATE)
    assert [text for _ in range(60) for text in judge.push(loud)] == []
    clipped = np.clip(loud * 12, -1, 1)
    said = [judge.push(clipped) for _ in range(60)]
    assert [text for texts in said for text in texts] == ["Room is overdriven: turn its level down"]
    assert next(k for k, texts in enumerate(said) if texts) <= CLIP_SECONDS + 1


@pytest.mark.slow
def test_an_hour_of_silence_and_the_music_is_found_again() -> None:
    """Hiss for an hour: no beat is called, the tempo is kept; then music, and it is on the beat within seconds."""
    from visualizer.music.analysis.beat_pipeline import BeatPipeline

    chain = BeatPipeline(None)  # the network takes longer to hear an hour; the rest of the ear is all there
    minute = (np.random.default_rng(1).standard_normal(60 * RATE) * 1e-4).astype(np.float32)
    heard = None
    for _ in range(60):
        heard = chain.push(minute)
    assert heard is not None
    assert not heard.steady
    assert heard.levels.energy < 0.3
    music, _ = beat_track(124, 30)
    found = None
    for k in range(0, len(music), RATE // 10):
        heard = chain.push(music[k : k + RATE // 10])
        assert heard is not None
        if heard.steady and abs(heard.bpm - 124) < 1:
            found = k / RATE
            break
    assert found is not None
    assert found < 20


def test_an_ear_that_fails_says_so_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "PAUSE", 0.0)
    monkeypatch.setattr(listener_module, "RETRY", 0.0)
    first, second, empty = FakeLine([np.ones(100)]), FakeLine([np.ones(RATE)]), threading.Event()
    second.empty = empty.set
    stage = Stage(first, second)
    made: list[int] = []

    class Broken:
        def reset(self) -> None: ...

        def push(self, samples: np.ndarray) -> None:
            raise ZeroDivisionError("of our own making")

    def chain() -> tuple[Any, None]:
        made.append(1)
        return (Broken() if len(made) == 1 else stage.chain), None

    said = Said()
    listener = CaptureThread("microphone", stage.open, lambda: 0.0, lambda: "Dancing on", said, chain)
    try:
        assert empty.wait(PATIENCE)
        assert said == [
            "listening to a line",
            "the ear has failed (of our own making). Dancing on, listening again",
            "listening to a line",
        ]
        assert listener.latest is not None
        assert first.closed
    finally:
        listener.close()


# --- files


SETTINGS = """# mine
look = "paper"
display = "HDMI-1"
latency_ms = 40
window = "1280x720"
temperature = "bold"
never_looks = ["neon"]
favourite_dances = ["jack", "hustle"]
auto = true
"""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JUNK, st.floats(0, 1))
def test_any_bytes_of_the_settings_file_are_taken_or_kept_aside(
    tmp_path: Path, junk: list[tuple[float, int]], cut: float
) -> None:
    data, path = damaged(SETTINGS.encode(), junk, cut), tmp_path / "settings.toml"
    path.write_bytes(data)
    loaded, note = load_settings(path)
    assert isinstance(loaded, Settings)
    assert note is None or "\n" not in note
    kept = [each for each in tmp_path.iterdir() if each.read_bytes() == data]
    assert kept  # nothing is lost
    try:
        remember(path, {"look": "neon"})
    except UserError:
        assert path.read_bytes() == data
    else:
        assert load_settings(path)[0].look == "neon"
    for each in tmp_path.iterdir():
        each.unlink()


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "{a=" * 5000, "[" + "a." * 20_000 + "a]"], ids=range(3))
def test_settings_as_deep_as_a_well_are_kept_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UserError):
        remember(path, {"look": "neon"})
    loaded, note = load_settings(path)
    assert loaded == Settings()
    assert note is not None
    assert [each.read_text() for each in tmp_path.iterdir()] == [text]  # there still, under another name


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder, (samples, _) = tmp_path_factory.mktemp("songs"), beat_track(120, 2)
    kinds = {"mp3": "libmp3lame", "flac": "flac", "wav": "pcm_s16le", "m4a": "aac"}
    written = {k: write_song(folder / f"song.{k}", samples, codec=codec).read_bytes() for k, codec in kinds.items()}
    return written | {"ogg": OWN.read_bytes()[:40_000]}


@pytest.mark.parametrize("kind", ["mp3", "ogg", "flac", "wav", "m4a"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JUNK, st.booleans(), st.floats(0, 1))
def test_any_bytes_of_a_song_are_played_or_refused(
    songs: dict[str, bytes], tmp_path: Path, kind: str, junk: list[tuple[float, int]], head: bool, cut: float
) -> None:
    """`head`: the damage is in the first bytes, where a file says what it is."""
    junk = [(at * 0.01 if head else at, byte) for at, byte in junk]
    path = tmp_path / f"song.{kind}"
    path.write_bytes(damaged(songs[kind], junk, cut))
    try:
        count, said = sum(len(block) for block in read_song(path, RATE, 1)), ""
    except UserError as error:
        count, said = 0, str(error)
    assert count > 0 or said.startswith(str(path))
    assert "\n" not in said
