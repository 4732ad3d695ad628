"""The examples are run as they stand."""

from __future__ import annotations

import ast
import itertools
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.pulse import Server
from tests.support.made_sound import beat_track, write_song
from tests.support.program import PATIENCE, Program
from tests.support.repository import REPOSITORY

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))


def run(name: str, *words: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, f"examples/{name}", *words], capture_output=True, text=True, timeout=PATIENCE, cwd=REPOSITORY
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def begin(name: str, *words: str, env: dict[str, str] | None = None) -> Program:
    return Program(*words, env=env, command=(sys.executable, str(REPOSITORY / "examples" / name)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_says_what_it_does(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 40
    wanted = " ".join((ast.get_docstring(ast.parse(source)) or "").split())
    assert len(wanted) > 20
    assert wanted in " ".join(run(path.name, "--help").split())


def test_a_dance_in_an_array(tmp_path: Path) -> None:
    said = run("dance_to_array.py", "--frames", "8", "--look", "paper", "--save", str(tmp_path / "dance.npy"))
    dance = np.load(tmp_path / "dance.npy")
    assert said.startswith("(8, 360, 640, 3) uint8, mean ")
    assert (dance.shape, dance.dtype) == ((8, 360, 640, 3), np.uint8)
    for before, after in itertools.pairwise(dance):
        assert 0 < (before != after).any(axis=2).mean() < 0.5  # it moves, and most of the picture is paper
    dark = (dance[-1].max(axis=2) < 100).mean()
    assert 0.02 < dark < 0.3  # three bodies


def follow(program: Program, beats: int) -> list[tuple[int, int]]:
    """Bar and place of the next beats that it prints."""
    found = [program.wait_for(r"bar (\d+), beat (\d)") for _ in range(beats)]
    return [(int(match[1]), int(match[2])) for match in found]


def end(program: Program) -> None:
    program.process.send_signal(signal.SIGINT)
    assert program.end() == 0, program.said
    assert not any("Traceback" in line for line in program.said)


def test_beats_are_printed_in_order_until_ctrl_c() -> None:
    with begin("print_beats.py", "none") as program:
        counts = [4 * (bar - 1) + place - 1 for bar, place in follow(program, 6)]
        assert counts == list(range(counts[0], counts[0] + 6))
        end(program)
    assert "own tempo: bar 1, beat 1, 120 BPM, no beat heard" in program.said


def test_beats_of_a_microphone_are_heard(server: Server, tmp_path: Path) -> None:
    song = str(write_song(tmp_path / "song.wav", beat_track(124, 40)[0], codec="pcm_s16le"))
    with begin("print_beats.py", "mic", env=server.environment) as program:
        program.wait_for("bar 1, beat")
        server.play(song)
        program.wait_for(r"12[345] BPM, \d+% sure")
        counts = [4 * bar + place for bar, place in follow(program, 6)]
        assert counts == list(range(counts[0], counts[0] + 6))
        end(program)


def test_dancers_of_letters() -> None:
    said = run("custom_renderer.py", "--seconds", "1.5")
    pictures = [re.findall("^[ #]{96}$", part, flags=re.MULTILINE) for part in said.split("\033[H")[1:]]
    assert {len(rows) for rows in pictures} == {24}
    assert len({"".join(rows) for rows in pictures}) > 3  # it moves
    for rows in pictures:
        for half in (slice(0, 48), slice(48, 96)):
            body = sum(row[half].count("#") for row in rows) / (24 * 48)
            assert 0.02 < body < 0.3, "\n".join(rows)
