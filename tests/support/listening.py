"""A program that listens on a sound server and says what it hears, and a recorder of what the loudspeaker gets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np

from bench.pulse import Server
from visualizer.music.analysis.features import RATE

# Runs in a process of its own: PortAudio reads the sound configuration from the environment when it starts.
LISTENER = """
import json, sys, time, types
from visualizer.music.sources import capture_thread, loopback
from visualizer.music.sources import open_source
audio = sys.argv[1]
if audio == "loopback of Windows":
    import soundcard
    found = soundcard.default_speaker().id + ".monitor"  # WASAPI has one name for both
    soundcard.default_speaker = lambda: types.SimpleNamespace(id=found)
    loopback.BUFFER = loopback.PERIOD  # which PulseAudio makes its packets of
    capture_thread.open_loopback = lambda look_again, clock: loopback.SoundcardCapture(clock)
    audio = "loopback"
said = []
notify = lambda text, topic="", asked=False: said.append(text)
if audio.startswith("playlist "):
    from pathlib import Path
    from visualizer.music.playlist import load_playlist
    from visualizer.music.sources.playlist_player import PlaylistPlan, PlaylistSource
    plan = PlaylistPlan(load_playlist(Path(audio.removeprefix("playlist "))), crossfade=1.0)
    ear = PlaylistSource(plan, time.monotonic, notify)
else:
    ear = open_source(audio, bpm=120, clock=time.monotonic, notify=notify)
told = 0
while True:
    now = time.monotonic()
    beat = ear.musical_time(now)
    hearing = ear.hearing(now)
    count = len(said)
    print(json.dumps({"time": now, "beat": beat, "bpm": hearing.bpm, "loudness": hearing.loudness,
                      "energy": hearing.energy, "confidence": hearing.confidence, "name": ear.name,
                      "said": said[told:count]}), flush=True)
    told = count
    time.sleep(0.01)
"""


class Recorder:
    """What the loudspeaker gets, recorded from its monitor."""

    def __init__(self, server: Server, sink: str = "party") -> None:
        self._recorder = subprocess.Popen(
            ["parec", "-d", f"{sink}.monitor", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1",
             "--latency-msec=5"],
            env=server.environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        server.children.append(self._recorder)
        self._pieces: list[tuple[float, bytes]] = []
        self._thread = threading.Thread(target=self._record, daemon=True)
        self._thread.start()

    def _record(self) -> None:
        assert self._recorder.stdout is not None
        while piece := os.read(self._recorder.stdout.fileno(), 65536):
            self._pieces.append((time.monotonic(), piece))

    @property
    def loud(self) -> bool:
        """Whether something sounds now."""
        return bool(np.abs(np.frombuffer(b"".join(p for _, p in self._pieces[-100:]), np.int16)).max(initial=0) > 3000)

    def end(self) -> tuple[float, np.ndarray]:
        """When its first sample sounded, and all samples at RATE in -1..1.

        Sample n was recorded at start + n / RATE. Pieces arrive late, never early: the earliest is the truest.
        """
        self._recorder.kill()
        self._recorder.wait()
        self._thread.join()
        ends = np.cumsum([len(piece) // 2 for _, piece in self._pieces])
        start = float(np.min([at - end / RATE for (at, _), end in zip(self._pieces, ends, strict=True)]))
        return start, np.frombuffer(b"".join(piece for _, piece in self._pieces), np.int16).astype(float) / 32768


class ListeningProgram:
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
        texts = [text for row in self.rows for text in row["said"]]
        return [text for text in texts if text != "waking the ear"]  # which comes first, where it listens

    def said_near(self, bpm: int) -> list[str]:
        """What it said, tempi that are heard to 1 BPM as `bpm`."""
        tempo = f"({bpm - 1}|{bpm}|{bpm + 1}) BPM"
        return [re.sub(tempo, f"{bpm} BPM", text) for text in self.said]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.errors.close()
