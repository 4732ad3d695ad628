"""The ear on a real sound server: a PulseAudio of our own with a null sink, reached by PortAudio through ALSA."""

from __future__ import annotations

import ctypes.util
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs, needs_program
from tests.visualizer.test_features import beat_track
from tests.visualizer.test_song import write_song
from visualizer.music.features import RATE

# Runs in a process of its own: PortAudio reads the sound configuration from the environment when it starts.
LISTENER = """
import json, sys, time
from visualizer.music.sources import open_ear
ear = open_ear(sys.argv[1], bpm=120, clock=time.monotonic)
while True:
    now = time.monotonic()
    beat = ear.musical_time(now)
    hearing = ear.hearing(now)
    print(json.dumps({"time": now, "beat": beat, "bpm": hearing.bpm, "loudness": hearing.loudness,
                      "energy": hearing.energy, "confidence": hearing.confidence, "name": ear.name,
                      "toasts": ear.toasts()}), flush=True)
    time.sleep(0.01)
"""


class Server:
    """A private PulseAudio that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "XDG_RUNTIME_DIR": str(folder),
            "HOME": str(folder),
            "PULSE_SERVER": f"unix:{folder}/socket",
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        (folder / "asound.conf").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self.children: list[subprocess.Popen[bytes]] = []
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"]
        for module in (f"module-native-protocol-unix socket={self.folder}/socket auth-anonymous=1",
                       "module-null-sink sink_name=party"):  # fmt: skip
            command += ["-L", module]
        self.daemon = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        wait_for(lambda: subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode == 0)
        # A silent stream keeps the sink awake, else the first blocks come late.
        self.children.append(self.run(["pacat", "--playback", "--raw", "/dev/zero"]))

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None
        for child in self.children:
            child.kill()
            child.wait()
        self.children.clear()


class Listener:
    """The listening process, and all that it has said."""

    def __init__(self, server: Server, audio: str) -> None:
        self.rows: list[dict] = []
        self.errors = (server.folder / "listener.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LISTENER, audio], env=server.environment, stdout=subprocess.PIPE, stderr=self.errors
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.rows.append(json.loads(line))

    @property
    def now(self) -> dict:
        return self.rows[-1] if self.rows else {"loudness": 0.0, "name": ""}

    @property
    def said(self) -> list[str]:
        return [text for row in self.rows for text in row["toasts"]]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.errors.close()


def wait_for(happened: Callable[[], object], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    needs_program("pulseaudio", "paplay", "pacat", "pactl")
    needs(ctypes.util.find_library("portaudio") or importlib.util.find_spec("_sounddevice_data"), "PortAudio")
    needs(list(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so")), "ALSA's pulse plugin")
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def listen(server: Server) -> Iterator[Callable[[str], Listener]]:
    listeners: list[Listener] = []

    def start(audio: str) -> Listener:
        listeners.append(Listener(server, audio))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.end()


def assert_dance_goes_on(rows: list[dict]) -> None:
    """From row to row at 80-160 BPM, and never more than 8% off it."""
    for before, after in itertools.pairwise(rows):
        passed, moved = after["time"] - before["time"], after["beat"] - before["beat"]
        assert 0 <= moved <= max(before["bpm"], after["bpm"]) / 60 * 1.08 * passed + 1e-6
    total, beats = rows[-1]["time"] - rows[0]["time"], rows[-1]["beat"] - rows[0]["beat"]
    assert 80 / 60 * 0.92 <= beats / total <= 160 / 60 * 1.08


def test_microphone_hears_is_lost_and_comes_back(
    server: Server, listen: Callable[[str], Listener], tmp_path: Path
) -> None:
    samples, _ = beat_track(120, 60)
    song = str(write_song(tmp_path / "song.wav", samples, codec="pcm_s16le"))
    ear = listen("mic")
    wait_for(lambda: ear.now["name"] == "microphone")
    quiet = ear.now["loudness"]
    assert quiet < 0.1

    player = server.run(["paplay", song])
    server.children.append(player)
    wait_for(lambda: ear.now["loudness"] > 0.7)
    assert ear.said == ["listening to default"]

    server.kill()
    wait_for(lambda: len(ear.said) == 2)
    assert ear.said[1] == "microphone lost. Dancing on at 120 BPM, looking again"
    wait_for(lambda: ear.now["name"] == "own tempo" and ear.now["energy"] > 0.2)

    server.start()
    wait_for(lambda: ear.now["name"] == "microphone")
    server.children.append(server.run(["paplay", song]))
    wait_for(lambda: ear.now["loudness"] > 0.7)
    assert ear.said[2:] == ["listening to default"]
    assert_dance_goes_on(ear.rows)


def test_microphone_that_is_not_there(listen: Callable[[str], Listener]) -> None:
    ear = listen("mic:Golden Ear")
    wait_for(lambda: ear.said)
    assert ear.said == ["no microphone: no input device is called 'Golden Ear'. Dancing on at 120 BPM, looking again"]
    seen = len(ear.rows)
    wait_for(lambda: ear.rows[-1]["time"] - ear.rows[seen - 1]["time"] > 4)  # it looks again, and says it no more
    assert len(ear.said) == 1
    assert_dance_goes_on(ear.rows)


def test_a_song_is_played_and_danced_in_time(server: Server, listen: Callable[[str], Listener], tmp_path: Path) -> None:
    """Record what the loudspeaker gets, and compare its kicks with the beats of the dance at those moments."""
    samples, times = beat_track(110, 8)
    recorder = subprocess.Popen(
        ["parec", "-d", "party.monitor", "--raw", "--format=s16le", "--rate=24000", "--channels=1",
         "--latency-msec=10"],
        env=server.environment, stdout=subprocess.PIPE,
    )  # fmt: skip
    server.children.append(recorder)
    pieces: list[tuple[float, bytes]] = []

    def record() -> None:
        assert recorder.stdout is not None
        while piece := os.read(recorder.stdout.fileno(), 65536):
            pieces.append((time.monotonic(), piece))

    thread = threading.Thread(target=record, daemon=True)
    thread.start()
    ear = listen(str(write_song(tmp_path / "song.flac", samples)))
    wait_for(lambda: len(ear.said) == 2, 60)
    assert ear.said == ["listening ahead to song.flac", "song.flac is over. Dancing on at 110 BPM"]
    recorder.kill()
    recorder.wait()
    thread.join()
    sound = np.frombuffer(b"".join(piece for _, piece in pieces), np.int16).astype(float) / 32768
    # Sample n was recorded at start + n / RATE. Pieces arrive late, never early: the earliest is the truest.
    ends = np.cumsum([len(piece) // 2 for _, piece in pieces])
    start = float(np.min([at - end / RATE for (at, _), end in zip(pieces, ends, strict=True)]))
    assert np.abs(sound).max() > 0.2
    first_kick = int(np.argmax(np.abs(sound) > 0.1))
    heard_at = start + first_kick / RATE + (times - times[0])
    assert len(sound) > first_kick + 7 * RATE
    rows = np.array([(row["time"], row["beat"]) for row in ear.rows])
    beats = np.interp(heard_at, rows[:, 0], rows[:, 1])
    off = (beats + 0.5) % 1 - 0.5
    assert np.median(np.abs(off)) * 60 / 110 < 0.08  # seconds; most of it the recorder's own delay
    assert_dance_goes_on(ear.rows)


def test_a_song_outlives_its_sound_card(server: Server, listen: Callable[[str], Listener], tmp_path: Path) -> None:
    samples, _ = beat_track(120, 14)
    ear = listen(str(write_song(tmp_path / "song.flac", samples)))
    wait_for(lambda: ear.now.get("confidence", 0) > 0)
    playing = ear.rows[-1]["time"]
    wait_for(lambda: ear.rows[-1]["time"] > playing + 2)
    server.kill()
    wait_for(lambda: len(ear.said) == 3)
    assert ear.said == [
        "listening ahead to song.flac",
        "sound output lost. Dancing to song.flac in silence",
        "song.flac is over. Dancing on at 120 BPM",
    ]
    in_song = [row["time"] for row in ear.rows if row["confidence"] > 0]
    assert in_song[-1] - in_song[0] > 13  # to its end
    assert_dance_goes_on(ear.rows)
