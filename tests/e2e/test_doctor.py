"""The doctor listens to a real sound server, and looks at a real screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.pulse import Server
from bench.waiting import wait_for
from tests.support.made_sound import write_song
from tests.support.needs import needs_program
from tests.support.program import PATIENCE, Screen
from visualizer.music.analysis.features import RATE

ROOT = Path(__file__).parents[2]


def look(name: str, env: dict[str, str]) -> dict:
    """What one check finds in a process of its own."""
    command = [sys.executable, "-m", "visualizer.support.doctor", name]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT, check=True)
    return json.loads(done.stdout.splitlines()[-1].partition("answer: ")[2])


def test_levels_are_live(server: Server, tmp_path: Path) -> None:
    server.ask("set-default-source", "party.monitor")
    env = {**server.environment, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    silent = look("microphone", env)
    assert silent["state"] == "worse"
    assert "it gives no sound at all" in silent["found"]
    assert "muted" in silent["remedy"]
    assert look("loopback", env)["found"] == "what the computer plays: nothing plays now"
    for amplitude, state, word in ((0.1, "ok", " dB"), (1.0, "worse", "distorted")):
        wave = amplitude * np.sign(np.sin(2 * np.pi * 440 * np.arange(30 * RATE) / RATE))
        player = server.play(str(write_song(tmp_path / f"{amplitude}.wav", wave.astype(np.float32), codec="pcm_s16le")))
        # One stream keeps the sink awake, the other is the player's.
        wait_for(lambda: len(server.ask("list", "short", "sink-inputs").splitlines()) == 2)
        found = look("microphone", env)
        assert found["state"] == state, found
        assert word in found["found"]
        assert found["details"]["level_db"] == pytest.approx(20 * np.log10(amplitude), abs=1.5)
        if state == "ok":
            found = look("loopback", env)
            assert found["state"] == "ok", found
            assert found["details"]["level_db"] == pytest.approx(20 * np.log10(amplitude), abs=1.5)
        player.kill()
        player.wait()
        wait_for(lambda: len(server.ask("list", "short", "sink-inputs").splitlines()) == 1)


def test_a_sound_server_that_is_gone(server: Server, tmp_path: Path) -> None:
    server.kill()
    env = {**server.environment, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    found = look("microphone", env)
    assert found["state"] == "worse", found
    assert "visualizer devices" in found["remedy"]
    assert look("loopback", env)["state"] == "absent"


@pytest.fixture
def screen() -> Iterator[Screen]:
    needs_program("Xvfb")
    screen = Screen(640, 400)
    yield screen
    screen.close()


def test_a_screen(screen: Screen, tmp_path: Path) -> None:
    env = {**os.environ, **screen.env, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    found = look("display", env)
    assert found["state"] == "ok", found
    assert found["found"].startswith("x11: 0 (")
    assert found["details"]["displays"][0]["size"] == [640, 400]
    found = look("picture", env)
    assert found["state"] in ("ok", "worse"), found
    assert not found["found"].endswith("in memory")
    assert found["details"]["contrast"] > 200
