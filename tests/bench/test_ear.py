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
from visualizer.music.analysis.beat_pipeline import BeatPipeline, analyse_beats, find_model
from visualizer.music.analysis.features import RATE, FeatureStream

pytest.importorskip("mir_eval", reason="skipped: mir_eval missing")
from bench.ear_clips import Clip, clip_front, read_clips
from bench.ear_marks import HEADINGS, STATES, Called, find_shares, mark, row, time_to_lock
from bench.ear_party import OTHER, PARTY, PLAIN, Voices, at_another_party, beatless, recipe_version, shoebox
from bench.ear_rivals import rival
from bench.ear_tracking import call_live, call_whole

BEATS = np.arange(0.0, 40.0, 0.5)
SILENCE = np.zeros(RATE, np.float32)
CLIP = Clip(Path("made_0.wav"), "made", BEATS, BEATS[::4])


def called(beats: np.ndarray, downbeats: np.ndarray | None = None) -> Called:
    return Called(beats, downbeats, None, 0.0)


def test_marks_of_a_perfect_ear() -> None:
    marks = mark(CLIP, called(BEATS + 0.01, BEATS[::4] + 0.01))
    assert (marks.f, marks.forgiven, marks.cmlt, marks.amlt, marks.downbeat_f) == (1, 1, 1, 1, 1)
    assert marks.off == pytest.approx(0.01)
    assert marks.shift == pytest.approx(0.01)
    assert marks.shares[STATES.index("right")] == 1
    assert mark(CLIP, called(BEATS - 0.02)).shift == pytest.approx(-0.02)
    assert marks.lock == pytest.approx(1.51)


def test_marks_of_half_the_tempo_and_of_nothing() -> None:
    marks = mark(CLIP, called(BEATS[::2]))
    assert (marks.cmlt, marks.amlt) == (0, 1)
    assert marks.f == pytest.approx(2 / 3, abs=0.02)
    assert marks.forgiven == 1
    assert math.isnan(marks.downbeat_f)
    assert math.isfinite(marks.lock)
    assert mark(CLIP, called(np.zeros(0), np.zeros(0)))[:5] == (0, 0, 0, 0, 0)


MIDDLES = (BEATS[1:] + BEATS[:-1]) / 2


@pytest.mark.parametrize(
    ("state", "beats"),
    [
        ("right", BEATS), ("double", np.sort(np.concatenate([BEATS, MIDDLES]))), ("half", BEATS[::2]),
        ("half", BEATS[1::2]), ("off-beat", MIDDLES), ("silent", np.zeros(0)), ("astray", BEATS + 0.13),
    ],
)  # fmt: skip
def test_how_it_was_danced(state: str, beats: np.ndarray) -> None:
    shares: dict[str, float] = dict(zip(STATES, find_shares(BEATS, beats), strict=True))
    assert shares[state] > 0.94
    assert sum(shares.values()) == pytest.approx(1)


def test_a_beat_that_was_missed_is_not_half_the_tempo() -> None:
    shares = dict(zip(STATES, find_shares(BEATS, np.delete(BEATS, 20)), strict=True))
    assert shares["half"] == 0
    assert shares["astray"] + shares["silent"] == pytest.approx(1 / 79)


def test_off_beats_are_never_locked() -> None:
    assert math.isinf(time_to_lock(BEATS, BEATS[2:20] + 0.15))


def test_the_warm_up_is_not_judged_but_for_the_lock() -> None:
    late = BEATS[BEATS >= 4.0]
    marks = mark(CLIP, called(np.concatenate([[0.2, 0.9, 1.3], late])))
    assert marks.f == 1
    assert marks.lock == pytest.approx(5.5)


def test_parts_of_one_song_are_of_one_half() -> None:
    halves = {Clip(Path(f"song_{k}.flac"), "", BEATS, BEATS).chooses for k in range(10)}
    assert len(halves) == 1
    assert len({Clip(Path(f"song{k}.flac"), "", BEATS, BEATS).chooses for k in range(10)}) == 2
    assert Clip(Path("groove_gm_drummer1_10_rock_90_beat_4-4.flac"), "", BEATS, BEATS).of_groove


def test_a_row_has_all_its_figures() -> None:
    words = row("ours", [CLIP], [called(BEATS, BEATS[::4])])
    assert words[:7] == ["ours", "1", *["1.000"] * 5]
    assert len(words) == len(HEADINGS)


def test_a_rival_that_is_not_there_is_said() -> None:
    assert "does not start" in str(rival("aubio", "/nowhere/python", [SILENCE]))
    assert "Error" in str(rival("nobody", sys.executable, [SILENCE]))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, listed = tmp_path_factory.mktemp("clips"), []
    for name, bpm in (("one.wav", 100.0), ("two.wav", 140.0)):
        samples, times = beat_track(bpm, 12)
        soundfile.write(folder / name, samples, RATE)
        listed.append({"file": name, "genre": "kicks", "beats": times.tolist(), "downbeats": times[::4].tolist()})
    (folder / "index.json").write_text(json.dumps({"clips": listed}))
    return folder


def test_what_is_kept_calls_the_same_beats(clips: Path, tmp_path: Path) -> None:
    """As `BeatPipeline` and `analyse_beats` on the sound itself, whether it was kept or not."""
    clip, model, ear = read_clips(clips)[0], find_model(), BeatPipeline(find_model())
    beats: list[float] = []
    for start in range(0, len(clip.samples), 480):
        ear.push(clip.samples[start : start + 480])
        beats += ear.beats
    assert len(beats) > 8
    made, front = (clip_front(clip, PLAIN, model, Voices(), tmp_path) for _ in range(2))
    assert call_live(made).beats.tolist() == call_live(front).beats.tolist()
    np.testing.assert_allclose(call_live(front).beats, beats, atol=1e-6)  # sums of other lengths round otherwise
    assert len(list(tmp_path.iterdir())) == 1
    whole = analyse_beats([clip.samples], model).beats
    np.testing.assert_allclose(call_whole(front).beats, whole.beats, atol=1e-6)


def test_another_network_or_scene_is_kept_apart(clips: Path, tmp_path: Path) -> None:
    clip = read_clips(clips)[0]
    for model in (None, find_model()):
        clip_front(clip, PLAIN, model, Voices(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert len({recipe_version(scene) for scene in (PLAIN, PARTY, OTHER)}) == 3


def test_a_room_begins_with_the_direct_sound() -> None:
    for seed in range(5):
        response = shoebox(np.random.default_rng(seed), 1.5, 5.0)
        assert response[0] == pytest.approx(1.0, abs=0.01)
        assert 0.1 < float((response[1:] ** 2).sum()) < 30


def test_the_other_party_keeps_the_beats_and_spoils_the_rest(tmp_path: Path) -> None:
    needs_program("ffmpeg")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "said.wav", 0.1 * rng.standard_normal(8000 * 13), 8000)
    samples, times = beat_track(110.0, 12)
    spoiled = at_another_party(samples, 3, Voices(tmp_path))
    assert spoiled.shape == samples.shape
    assert 1e-3 < np.abs(spoiled).max() < 0.5
    onset = FeatureStream().push(spoiled).onset
    rows = np.round(times[2:-2] * 100 + 1).astype(int)
    shifts = [float(onset[rows + k].mean()) for k in range(-8, 9)]
    assert abs(int(np.argmax(shifts)) - 8) <= 2
    np.testing.assert_array_equal(spoiled, at_another_party(samples, 3, Voices(tmp_path)))
    sounds = beatless(Voices(tmp_path), 3.0)
    assert {"1 voice", "3 voices", "babble", "1 voice, room", "clicks", "hiss", "silence"} <= set(sounds)
    assert all(len(sound) == 3 * RATE for sound in sounds.values())


@pytest.mark.parametrize("index", ["", "[]", '{"clips": []}', '{"clips": [{"file": "a.wav"}]}'])
def test_a_bad_index_is_one_line(tmp_path: Path, index: str) -> None:
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(tmp_path)
    (tmp_path / "index.json").write_text(index)
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE, np.float32), RATE)
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(tmp_path)


def bench(*words: str | Path) -> str:
    command = [sys.executable, "-m", "bench.ear", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_command_prints_its_tables(clips: Path) -> None:
    needs_program("espeak-ng", "ffmpeg")
    said = bench(clips, "--model", "none", "--beatless", "4", "--each", "--rival", "aubio=/nowhere/python")
    assert said.count("the half that chooses") + said.count("the half that reports") >= 3
    assert "90 to 120 BPM" in said
    assert "at another party" in said
    assert "does not run: /nowhere/python does not start" in said
    assert "beats called a minute" in said
    assert "two.wav" in said


@pytest.mark.slow
def test_the_command_draws(clips: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="skipped: matplotlib missing")
    bench(clips, "--model", "none", "--plot", tmp_path, "one")
    assert (tmp_path / "one.png").stat().st_size > 10_000
    assert not (tmp_path / "two.png").exists()
