"""The marks of the benchmark on calls whose worth is known, and its command on clips that are made here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.made_sound import beat_track
from tests.support.needs import needs_program
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE

pytest.importorskip("mir_eval", reason="skipped: mir_eval missing")
from bench.ear import Called, Clip, mark, read_clips, rival, row, time_to_lock

BEATS = np.arange(0.0, 40.0, 0.5)
CLIP = Clip("made_0.wav", "made", np.zeros(40 * RATE, np.float32), BEATS, BEATS[::4])


def called(beats: np.ndarray, downbeats: np.ndarray | None = None) -> Called:
    return Called(beats, downbeats, None, 0.0)


def test_marks_of_a_perfect_ear() -> None:
    marks = mark(CLIP, called(BEATS + 0.01, BEATS[::4] + 0.01))
    assert (marks.f, marks.cmlt, marks.amlt, marks.downbeat_f) == (1, 1, 1, 1)
    assert marks.off == pytest.approx(0.01)
    assert marks.lock == pytest.approx(1.51)


def test_marks_of_half_the_tempo_and_of_nothing() -> None:
    marks = mark(CLIP, called(BEATS[::2]))
    assert (marks.cmlt, marks.amlt) == (0, 1)
    assert marks.f == pytest.approx(2 / 3, abs=0.02)
    assert math.isnan(marks.downbeat_f)
    assert math.isfinite(marks.lock)
    assert mark(CLIP, called(np.zeros(0), np.zeros(0)))[:4] == (0, 0, 0, 0)


def test_off_beats_are_never_locked() -> None:
    assert math.isinf(time_to_lock(BEATS, BEATS[2:20] + 0.15))


def test_the_warm_up_is_not_judged_but_for_the_lock() -> None:
    late = BEATS[BEATS >= 4.0]
    marks = mark(CLIP, called(np.concatenate([[0.2, 0.9, 1.3], late])))
    assert marks.f == 1
    assert marks.lock == pytest.approx(5.5)


def test_parts_of_one_song_are_of_one_half() -> None:
    halves = {Clip(f"song_{k}.flac", "", CLIP.samples, BEATS, BEATS).tuned for k in range(10)}
    assert len(halves) == 1


def test_a_row_has_all_its_figures() -> None:
    words = row("ours", [CLIP], [called(BEATS, BEATS[::4])])
    assert words[:6] == ["ours", "1", "1.000", "1.000", "1.000", "1.000"]


def test_a_rival_that_is_not_there_is_said() -> None:
    assert "does not start" in str(rival("aubio", "/nowhere/python", [CLIP.samples]))
    assert "Error" in str(rival("nobody", sys.executable, [CLIP.samples[:RATE]]))


@pytest.mark.parametrize("index", ["", "[]", '{"clips": []}', '{"clips": [{"file": "a.wav"}]}'])
def test_a_bad_index_is_one_line(tmp_path: Path, index: str) -> None:
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(tmp_path)
    (tmp_path / "index.json").write_text(index)
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE, np.float32), RATE)
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(tmp_path)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, listed = tmp_path_factory.mktemp("clips"), []
    for name, bpm in (("one.wav", 100.0), ("two.wav", 140.0)):
        samples, times = beat_track(bpm, 12)
        soundfile.write(folder / name, samples, RATE)
        listed.append({"file": name, "genre": "kicks", "beats": times.tolist(), "downbeats": times[::4].tolist()})
    (folder / "index.json").write_text(json.dumps({"clips": listed}))
    return folder


def bench(*words: str | Path) -> str:
    command = [sys.executable, "-m", "bench.ear", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_command_prints_its_tables(clips: Path) -> None:
    needs_program("espeak-ng")
    said = bench(clips, "--model", "none", "--beatless", "4", "--each", "--rival", "aubio=/nowhere/python")
    assert said.count("the half it was tuned on") + said.count("the other half") >= 2
    assert "does not run: /nowhere/python does not start" in said
    assert "beats called a minute" in said
    assert "two.wav" in said


@pytest.mark.slow
def test_the_command_draws(clips: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="skipped: matplotlib missing")
    bench(clips, "--model", "none", "--plot", tmp_path, "one")
    assert (tmp_path / "one.png").stat().st_size > 10_000
    assert not (tmp_path / "two.png").exists()
