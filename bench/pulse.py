"""A sound server of our own with a null sink, whose monitor is a microphone: for machines without sound."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.waiting import wait_for


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
        default = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
        pulse = 'pcm.pulse { type pulse hint { show on description "PulseAudio Sound Server" } }\n'
        (folder / "asound.conf").write_text(default + pulse)
        self.children: list[subprocess.Popen[bytes]] = []
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self, rate: int | None = 44_100) -> None:
        """With a sink `party` at that rate, or without any sink."""
        command = ["pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"]
        command += ["-L", f"module-native-protocol-unix socket={self.folder}/socket auth-anonymous=1"]
        self.daemon = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        wait_for(lambda: subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode == 0)
        if rate is not None:
            self.plug_in("party", rate)

    def plug_in(self, name: str, rate: int = 44_100) -> str:
        """A new sink; the number of its module."""
        module = self.ask("load-module", "module-null-sink", f"sink_name={name}", f"rate={rate}")
        # A silent stream keeps the sink awake, else the first blocks come late.
        silence = ["pacat", "--playback", "--raw", "--latency-msec=20", f"--device={name}", "/dev/zero"]
        self.children.append(self.run(silence))
        return module

    def unplug(self, module: str) -> None:
        self.ask("unload-module", module)

    def ask(self, *words: str) -> str:
        """What pactl answers."""
        done = subprocess.run(["pactl", *words], env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def play(self, song: str, sink: str = "party") -> subprocess.Popen[bytes]:
        self.children.append(self.run(["paplay", f"--device={sink}", song]))
        return self.children[-1]

    def stream(self, samples: Callable[[int, int], NDArray[np.float32]], rate: int, sink: str = "party") -> None:
        """Play what `samples(first, count)` gives, float32 mono -1..1, until this server is killed."""
        player = subprocess.Popen(
            ["pacat", "--playback", f"--device={sink}", "--raw", "--format=s16le", f"--rate={rate}", "--channels=1",
             "--latency-msec=200"],
            env=self.environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.children.append(player)
        pipe, block = player.stdin, rate // 10
        assert pipe is not None

        def play() -> None:
            at = 0
            try:
                while True:
                    pipe.write((samples(at, block) * 30_000).clip(-32768, 32767).astype("<i2").tobytes())
                    at += block
            except (BrokenPipeError, ValueError):  # the player was killed, and its pipe closed
                pass

        threading.Thread(target=play, name="song", daemon=True).start()

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
