"""Videos and pictures of a show: real time, real files, nothing overwritten, nobody held up."""

from __future__ import annotations

import datetime
import io
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import av.error
import numpy as np
import pygame
import pytest

from bench.waiting import wait_for
from tests.support.fake_sound import FakeChain, FakeLine
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.film import encoder, recorder
from visualizer.film.recorder import FPS, HELD, LARGEST, Recorder, Takes, fit, fitted, new_file, save_picture
from visualizer.music.sources.capture_thread import CaptureThread
from visualizer.music.sources.tape import RATE, NoSounds, Tape
from visualizer.stage.shots import Camera, Shot

SIZE = (96, 64)


class SlowTime:
    """A clock that the test moves on."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def grey(time: float, level: int, size: tuple[int, int] = SIZE) -> Shot:
    return Shot(time, np.full((size[1], size[0], 4), level, np.uint8))


def levels(path: Path) -> tuple[list[float], float]:
    """Mean grey of each frame, and seconds."""
    with av.open(str(path)) as file:
        frames = [float(frame.to_ndarray(format="gray").mean()) for frame in file.decode(video=0)]
        assert file.duration is not None
        return frames, file.duration / 1e6


def sound_of(path: Path) -> np.ndarray:
    """(n, 2) at RATE."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        assert stream.rate == RATE
        return np.concatenate([frame.to_ndarray() for frame in file.decode(stream)], axis=1).T


def messages(recorder: Recorder) -> list[str]:
    assert isinstance(recorder._notify, Said)
    return recorder._notify


def record(path: Path, clock: SlowTime, shots: list[Shot], seconds: float, sound=None) -> Recorder:
    """All of `shots` at once, then a jump to the end."""
    taken = Recorder(path, SIZE, 50.0, sound or NoSounds(), clock, Said())
    for shot in shots:
        assert taken.due(shot.time)
        taken.offer(shot)
    wait_for(taken._queue.empty)
    taken.stop(50.0 + seconds)
    clock.now = 60.0
    taken.finish()
    return taken


def test_a_video_keeps_real_time_and_repeats_what_was_left_out(tmp_path: Path) -> None:
    clock = SlowTime()
    shots = [grey(50.0, 40), grey(50.5, 120), grey(50.6, 200)]
    taken = record(tmp_path / "a.mkv", clock, shots, 2.0)
    frames, seconds = levels(tmp_path / "a.mkv")
    assert len(frames) == 2 * FPS
    assert seconds == pytest.approx(2.0, abs=0.05)
    wanted = [40] * 15 + [120] * 3 + [200] * 42
    assert np.abs(np.array(frames) - wanted).max() < 6
    assert messages(taken) == [f"recorded: {tmp_path / 'a.mkv'} (2 s)"]
    assert not taken.writing


def test_no_more_pictures_are_asked_for_than_there_is_room_in_the_video(tmp_path: Path) -> None:
    clock = SlowTime()
    taken = Recorder(tmp_path / "a.mkv", SIZE, 50.0, NoSounds(), clock, Said())
    asked = 0
    for k in range(60):  # two seconds at thirty would be sixty, at a hundred a second they are eighteen
        if taken.due(50.0 + k / 100):
            taken.offer(grey(50.0 + k / 100, 99))
            asked += 1
            wait_for(taken._queue.empty)
    assert asked == 18
    taken.stop(50.6)
    assert not taken.due(51.0)
    clock.now = 60.0
    taken.finish()
    assert len(levels(tmp_path / "a.mkv")[0]) == 18


def test_the_sound_lies_where_it_was_heard(tmp_path: Path) -> None:
    clock, tape = SlowTime(), Tape(50.0)
    click = np.zeros(RATE * 2, np.float32)
    click[RATE : RATE + 2400] = 0.5 * np.sin(np.arange(2400) * 0.3)
    for k in range(0, len(click), 4800):
        tape.write(click[k : k + 4800], RATE, 50.0 + (k + 4800) / RATE)
    record(tmp_path / "a.mkv", clock, [grey(50.0, 90)], 2.0, tape)
    sound = np.abs(sound_of(tmp_path / "a.mkv")[:, 0])
    assert np.argmax(sound > 0.2) / RATE == pytest.approx(1.0, abs=0.03)
    assert sound[: RATE // 2].max() < 0.02
    assert tape.closed


def test_an_encoder_that_is_behind_holds_nobody_up_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    class Stuck(encoder.Encoder):
        def put_converted(self, picture) -> None:
            assert gate.wait(60)
            super().put_converted(picture)

    monkeypatch.setattr(encoder, "Encoder", Stuck)
    clock = SlowTime()
    taken = Recorder(tmp_path / "a.mkv", SIZE, 50.0, NoSounds(), clock, Said())
    for k in range(90):
        clock.now = 50.0 + k / 30
        taken.offer(grey(clock.now, 2 * k))  # never waits, or the test would not end
    assert taken.dropped > 0
    taken.stop(53.0)
    clock.now = 60.0
    gate.set()
    taken.finish()
    said = [text for text in messages(taken) if "left out" in text]
    assert len(said) == 1
    assert len(levels(tmp_path / "a.mkv")[0]) == 90


def test_a_machine_that_never_catches_up_ends_the_video_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BEHIND", 1.0)
    put = threading.Event()

    class Noted(encoder.Encoder):
        def put_converted(self, picture) -> None:
            super().put_converted(picture)
            put.set()

    monkeypatch.setattr(encoder, "Encoder", Noted)
    clock = SlowTime()
    taken = Recorder(tmp_path / "a.mkv", SIZE, 50.0, NoSounds(), clock, Said())
    taken.offer(grey(50.0, 90))
    taken.offer(grey(50.1, 90))
    clock.now = 50.45  # the second one's time has come, and the third one's not
    assert put.wait(60)
    taken.offer(grey(50.3, 90))
    clock.now = 60.0
    taken.finish()
    assert taken.over
    assert "too slow" in messages(taken)[-1]
    assert str(tmp_path / "a.mkv") in messages(taken)[-1]
    assert 1 <= len(levels(tmp_path / "a.mkv")[0]) <= 10


def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    taken = Recorder(tmp_path / "gone" / "a.mkv", SIZE, 50.0, NoSounds(), SlowTime(), Said())
    taken.finish()
    assert taken.over
    assert messages(taken)[0].startswith(f"recording ended: {tmp_path / 'gone'}")


def test_nonsense_from_a_driver_is_silence_in_the_video(tmp_path: Path) -> None:
    """As it is for the ear; an encoder of sound refuses it."""
    path, clock = tmp_path / "a.mkv", SlowTime()
    blocks = [np.full(480, 0.1, np.float32)] * 50
    blocks[20:30] = [np.full(480, np.nan, np.float32), np.full(480, np.inf, np.float32)] * 5
    line, waits = FakeLine([], rate=48_000), threading.Event()
    hearing = CaptureThread("microphone", lambda *_: line, clock, lambda: "", Said(), lambda: (FakeChain(), None))  # type: ignore
    hearing._tape = tape = Tape(100.0)
    line.blocks, line.empty = blocks, waits.set
    assert waits.wait(60)
    hearing.close()
    clock.now = 100.0  # the recorder waits for a picture's time in real seconds
    taken = Recorder(path, SIZE, 100.0, tape, clock, Said())
    taken.offer(grey(100.0, 50))
    wait_for(taken._queue.empty)
    taken.stop(100.5)
    clock.now = 110.0
    taken.finish()
    assert messages(taken)[-1].startswith("recorded: ")
    sound = sound_of(path)
    assert np.abs(sound[12_000:12_400]).max() < 0.02
    assert np.abs(sound[4_000:8_000]).mean() > 0.05


def test_a_failure_of_our_own_is_said_on_the_screen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", logged.append)
    monkeypatch.setitem(sys.modules, "visualizer.film.encoder", None)  # as where PyAV cannot be loaded
    path = tmp_path / "a.mkv"
    path.touch()
    sound = Tape(50.0)
    taken = Recorder(path, SIZE, 50.0, sound, SlowTime(), Said())
    taken.finish()
    assert taken.over
    (said,) = messages(taken)
    assert said.startswith("recording ended: ModuleNotFoundError: import of visualizer.film.encoder")
    assert not path.exists()
    assert sound.closed
    assert [each.exc_type for each in logged] == [ModuleNotFoundError]


FULL = """
import resource, sys, time
from pathlib import Path
import numpy as np
from visualizer.music.sources.tape import NoSounds
from visualizer.film.recorder import Recorder
from visualizer.stage.shots import Shot
random = np.random.default_rng(0)
taken = Recorder(Path(sys.argv[1]), (320, 240), 0.0, NoSounds(), lambda: 1e3, lambda text, *_: print(text, flush=True))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))  # as a disk that is full by then
import visualizer.film.recorder
visualizer.film.recorder.BEHIND = 1e9
k = 0
while not taken.over:
    if taken._queue.qsize() < 5:
        taken.offer(Shot(k / 30, random.integers(0, 256, (240, 320, 4)).astype(np.uint8)))
        k += 1
    time.sleep(0.001)
taken.finish()
"""


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_video_so_far_plays(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=120,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "recording ended" in done.stdout
    assert f"what there is is kept in {path}" in done.stdout
    with av.open(str(path)) as file:
        frames = 0
        try:
            for _ in file.decode(video=0):
                frames += 1
        except av.error.InvalidDataError:
            pass  # the last one is torn
    assert frames > 5


@pytest.mark.parametrize(
    ("window", "video"),
    [((1280, 720), (1280, 720)), ((641, 401), (640, 400)), ((3840, 2160), LARGEST), ((1080, 1920), (1080, 1920)),
     ((2160, 3840), (1080, 1920)), ((3440, 1440), (1920, 802)), ((1, 1), (2, 2))],
)  # fmt: skip
def test_sizes_of_videos(window: tuple[int, int], video: tuple[int, int]) -> None:
    assert fitted(window) == video


def test_pictures_of_another_shape_are_fitted_and_faded() -> None:
    wide = np.zeros((40, 160, 4), np.uint8)
    wide[:, :, 0], wide[:, :, 3] = 200, 255  # blue
    out = fit(Shot(0.0, wide), (80, 80), 0.0)
    assert out.shape == (80, 80, 4)
    assert (out[:29, :, :3] == 0).all()
    assert (out[32:48, :, 0] > 190).all()
    upside = wide.copy()
    upside[:10, :, :3] = (7, 8, 9)  # GL: red, green, blue, and the lowest rows first
    out = fit(Shot(0.0, upside, gl=True), (160, 40), 0.0)
    np.testing.assert_array_equal(out[35, 5, :3], (9, 8, 7))
    assert (fit(grey(0.0, 100), SIZE, 0.25) == 75).all()
    assert not fit(grey(0.0, 100), SIZE, 1.0).any()
    assert fit(grey(0.0, 100, (97, 65)), SIZE, 0.0).shape == (64, 96, 4)


def test_new_files_have_the_date_and_never_the_name_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pictures").mkdir()
    made = [new_file(tmp_path / "Pictures", ".png") for _ in range(5)]
    assert len(set(made)) == 5
    for path in made:
        assert path.parent == tmp_path / "Pictures"
        datetime.datetime.strptime(path.stem[6:21], "%Y%m%d-%H%M%S")
    assert new_file(tmp_path / "none", ".mkv").parent == tmp_path
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    with pytest.raises(UserError, match=r"cannot be written into .Read-only file system"):
        new_file(tmp_path / "Pictures", ".png")


def test_a_picture_is_the_clean_frame_and_dark_where_the_stage_is(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:, :, 0], pixels[:, :, 2], pixels[:10, :, 1] = 10, 200, 90  # BGRX
    for black, scale in ((0.0, 1.0), (0.5, 0.5)):
        path = new_file(tmp_path, ".png")
        assert save_picture(Shot(0.0, pixels), path, black) == f"picture: {path}"
        seen = pygame.surfarray.array3d(pygame.image.load(path))
        assert seen.shape == (30, 20, 3)
        assert np.abs(seen[3, 3] - scale * np.array((200, 90, 10))).max() <= 1
        assert np.abs(seen[3, 15] - scale * np.array((200, 0, 10))).max() <= 1


def test_a_picture_that_does_not_fit_on_the_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_file(tmp_path, ".png")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert save_picture(grey(0.0, 9), path) == "the picture cannot be saved: No space left on device"
    assert not path.exists()


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Takes:
    for name in ("pictures", "videos"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(f"platformdirs.user_{name}_dir", lambda name=name: str(tmp_path / name))
    return Takes(Camera(), time.perf_counter, Said())


def show_some(takes: Takes, frames: int, started: float) -> float:
    """Frames as a show draws them, at sixty a second; when the last is seen."""
    for k in range(frames):
        wait = started + k / 60 - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        seen = time.perf_counter()
        takes.aim(seen)
        surface = pygame.Surface((96, 64), 0, 32)
        surface.fill((2 * k, 2 * k, 2 * k))
        takes._camera.of_surface(surface)
        takes.develop(0.0)
    return time.perf_counter()


def test_a_show_takes_pictures_and_videos_side_by_side(takes: Takes, tmp_path: Path) -> None:
    started = time.perf_counter()
    said = takes.record(started, (96, 64), lambda begins: None)
    assert said.endswith(".mkv, without sound: nothing is heard")
    assert takes.recording
    show_some(takes, 30, started)
    takes.picture()
    seen = show_some(takes, 60, started + 0.5)
    assert takes.record(seen, (96, 64), lambda begins: None).startswith("recording ends: ")
    assert not takes.recording
    takes.picture()
    takes.aim(seen)
    takes._camera.of_surface(pygame.Surface((96, 64), 0, 32))
    takes.finish(seen)  # also what is not developed yet
    assert isinstance(takes._notify, Said)
    said = takes._notify
    assert len([text for text in said if text.startswith("picture: ")]) == 2
    assert len([text for text in said if text.startswith("recorded: ")]) == 1
    pictures, videos = sorted((tmp_path / "pictures").iterdir()), list((tmp_path / "videos").iterdir())
    assert (len(pictures), len(videos)) == (2, 1)
    frames, seconds = levels(videos[0])
    assert seconds == pytest.approx(seen - started, abs=0.15)
    assert len({round(level) for level in frames}) > 10


def test_a_show_that_ends_while_it_records_finishes_the_video(takes: Takes, tmp_path: Path) -> None:
    started = time.perf_counter()
    takes.record(started, (96, 64), lambda begins: NoSounds())
    seen = show_some(takes, 40, started)
    takes.finish(seen)
    (video,) = (tmp_path / "videos").iterdir()
    assert levels(video)[1] == pytest.approx(seen - started, abs=0.1)


def test_a_second_signal_while_the_video_is_finished_leaves_one_that_plays(
    takes: Takes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Recorder.finish

    def finish(taken: Recorder, timeout: float | None = None) -> None:
        if timeout is None:
            raise KeyboardInterrupt  # as the second Ctrl-C does while the main thread waits
        whole(taken, timeout)

    monkeypatch.setattr(Recorder, "finish", finish)
    monkeypatch.setattr(recorder, "HASTE", 60.0)  # of a busy machine
    started = time.perf_counter()
    takes.record(started, (96, 64), lambda begins: NoSounds())
    seen = show_some(takes, 20, started)
    with pytest.raises(KeyboardInterrupt):
        takes.finish(seen)
    (video,) = (tmp_path / "videos").iterdir()
    assert levels(video)[1] == pytest.approx(seen - started, abs=0.1)


def test_a_video_that_is_cut_off_plays_nearly_to_its_end(tmp_path: Path) -> None:
    film = encoder.Encoder(tmp_path / "a.mkv", SIZE, FPS)
    chance = np.random.default_rng(4)
    for _ in range(3 * FPS):
        film.put(chance.integers(0, 255, (SIZE[1], SIZE[0], 4), np.uint8))
    wait_for(lambda: film._written == 3 * FPS)
    (tmp_path / "cut.mkv").write_bytes((tmp_path / "a.mkv").read_bytes())  # as a killed process leaves it
    film.finish()
    with av.open(str(tmp_path / "cut.mkv")) as file:
        assert len(list(file.decode(video=0))) >= FPS


def test_png_of_a_shot_round_trips_through_memory() -> None:
    shot = Shot(0.0, np.arange(4 * 6 * 4, dtype=np.uint8).reshape(4, 6, 4), gl=True)
    file = io.BytesIO()
    pygame.image.save(shot.surface(), file, "x.png")
    file.seek(0)
    seen = pygame.surfarray.array3d(pygame.image.load(file)).transpose(1, 0, 2)
    np.testing.assert_array_equal(seen, shot.pixels[::-1, :, :3])


def test_few_pictures_are_in_memory_while_the_encoder_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    permits, waits, taken, put = threading.Semaphore(0), threading.Event(), [], []

    class Slow:
        def __init__(self, *_: object) -> None: ...

        def convert(self, pixels: np.ndarray) -> np.ndarray:
            return pixels

        def put_converted(self, _: object) -> None:
            waits.set()
            permits.acquire()
            waits.clear()
            put.append(1)

        def finish(self) -> None: ...

    def fit_one(shot: Shot, *_: object) -> np.ndarray:
        taken.append(shot.time)
        return shot.pixels.copy()

    monkeypatch.setattr(encoder, "Encoder", Slow)
    monkeypatch.setattr(recorder, "fit", fit_one)
    clock = SlowTime()
    one = Recorder(tmp_path / "slow.mkv", SIZE, 50.0, NoSounds(), clock, Said())
    for k in range(150):
        clock.now = 50.0 + k / FPS
        one.offer(grey(clock.now, k))
        if k % 3 == 0:
            permits.release()
        wait_for(lambda: one._queue.empty() or waits.is_set())
        assert len(taken) - len(put) <= HELD + 1
    permits.release(1000)
    one.stop(clock.now)
    clock.now += 1
    one.finish()
