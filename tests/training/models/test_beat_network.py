"""The ear's network: labels lie on the sound, nothing comes from the future, what is exported is what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.nn import functional

from tests.support.made_scores import make_groove, make_pop909
from tests.support.needs import needs, needs_program
from tests.support.training_run import run_training
from training.beat_recipe import f_measure, measure_beats, pick, read_clips
from training.models.beat_network import (
    CALLS_A_SECOND,
    OUTPUTS,
    TEMPI,
    BeatNetwork,
    BeatNetworkConfig,
    Step,
    export_beat_network,
    listen,
)
from training.synth.dataset import (
    QUIET,
    Piece,
    Recording,
    Session,
    batches,
    cut,
    load,
    over,
    record_all,
    rows_of,
    targets,
)
from training.synth.render import SOUNDFONTS
from visualizer.errors import UserError
from visualizer.music.analysis.beat_pipeline import BeatNetwork as BeatPipelineNetwork
from visualizer.music.analysis.beat_pipeline import find_model
from visualizer.music.analysis.beats import salience_tempi
from visualizer.music.analysis.features import MELS, RATE, FeatureStream, row_time
from visualizer.networks.session import open_session

SMALL = BeatNetworkConfig(first=4, second=4, dense=16, hidden=16)


@pytest.fixture(scope="module")
def ear() -> BeatNetwork:
    torch.manual_seed(1)
    return BeatNetwork(SMALL).eval()


def sound(calls: int, n: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, calls, 2 * MELS, generator=torch.Generator().manual_seed(seed)) * 2 - 9


def beats_in_noise(times: np.ndarray, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    out = 1e-3 * rng.standard_normal(int(seconds * RATE))
    for time in times:
        start = round(time * RATE)
        out[start : start + 1200] += 0.4 * rng.standard_normal(1200) * np.exp(-np.arange(1200) / 300)
    return out.astype(np.float32)


# --- labels ---


def test_targets_lie_on_the_sound() -> None:
    times = 0.5 + np.arange(10) * 0.4637
    heard = FeatureStream().push(beats_in_noise(times, 6))
    piece = Piece(heard.mel, rows_of(times), rows_of(times[::4]), True)
    wanted = targets(piece, len(heard.mel))
    for time in times:
        near = slice(round(time * 100) - 8, round(time * 100) + 9)
        assert abs(int(heard.onset[near].argmax()) - int(wanted["beat"][near].argmax())) <= 1
    np.testing.assert_allclose(pick(wanted["beat"], 0.4), times, atol=0.006)
    np.testing.assert_allclose(pick(wanted["downbeat"], 0.4), times[::4], atol=0.006)
    assert wanted["beat"].sum() == pytest.approx(2 * len(times), abs=0.1)
    np.testing.assert_allclose(row_time(rows_of(times)), times)


def test_phase_turns_once_a_beat() -> None:
    beats = rows_of(np.arange(1, 6) * 0.5)
    piece = Piece(np.zeros((300, MELS), np.float32), beats, beats[::2], True)
    wanted = targets(piece, 300)
    on, half = round(beats[1]), round(beats[1]) + 25
    np.testing.assert_allclose(wanted["phase"][on, :2], [0, 1], atol=0.15)
    np.testing.assert_allclose(wanted["phase"][half, :2], [0, -1], atol=0.15)
    np.testing.assert_allclose(wanted["phase"][on, 2:], [0, -1], atol=0.15)
    assert wanted["known"][:40].max() == 0
    assert wanted["known"][120] == 1


def test_the_tempo_is_that_of_the_beats_about() -> None:
    beats = rows_of(np.concatenate([np.arange(1, 9) * 0.5, 4.5 + np.arange(8) * 0.8]))
    wanted = targets(Piece(np.zeros((1000, MELS), np.float32), beats, beats[::4], True), 1000)
    assert wanted["tempo"][200] == pytest.approx(120, rel=0.01)
    assert wanted["tempo"][800] == pytest.approx(75, rel=0.01)


def test_half_the_tempo_is_as_wrong_as_any_other(ear: BeatNetwork) -> None:
    tempi = salience_tempi(TEMPI)
    bpm = torch.tensor([[[tempi[20]]]], dtype=torch.float32)
    losses = [
        float(ear.tempo_loss(20.0 * functional.one_hot(torch.tensor([[k]]), TEMPI).float(), bpm))
        for k in (20, 2, 38, 28)
    ]
    assert losses[0] < 0.7 * min(losses[1:])
    assert losses[1] == pytest.approx(losses[3], rel=0.01)
    assert losses[2] == pytest.approx(losses[3], rel=0.01)


def test_another_tempo_keeps_the_labels_on_the_sound() -> None:
    times = 0.5 + np.arange(28) * 0.5
    heard = FeatureStream().push(beats_in_noise(times, 15))
    recording = Recording("clicks", heard.mel[None].astype(np.float16), rows_of(times), rows_of(times[::4]))
    paces = set()
    for seed in range(12):
        piece = cut(recording, 800, np.random.default_rng(seed))
        rise = np.maximum(piece.mel[2:] - piece.mel[:-2], 0).mean(axis=1)
        inside = piece.beats[(piece.beats > 10) & (piece.beats < 780)]
        away = [int(np.argmax(rise[round(b) - 8 : round(b) + 9])) - 6 for b in inside]
        assert np.abs(np.median(away)) <= 1
        paces.add(round(float(np.diff(inside).mean()), 1))
    assert len(paces) > 3


def test_a_crowd_over_music_adds_power() -> None:
    loud, quiet = np.zeros((5, MELS), np.float32), np.full((5, MELS), -10, np.float32)
    np.testing.assert_allclose(over(loud, quiet, 0.0), np.log(2), atol=1e-3)
    np.testing.assert_allclose(over(loud, quiet, 60.0), 0, atol=1e-3)


# --- the network ---


def test_the_future_changes_nothing(ear: BeatNetwork) -> None:
    mel = sound(120)
    other = mel.clone()
    other[:, 70:] = sound(50, seed=5) + 4
    with torch.no_grad():
        ours, theirs = ear(mel), ear(other)
    torch.testing.assert_close(ours[:, :70], theirs[:, :70], rtol=1e-4, atol=1e-4)
    assert (ours[:, 70:] - theirs[:, 70:]).abs().max() > 1e-2


def test_call_by_call_is_the_whole_piece(ear: BeatNetwork) -> None:
    mel = sound(90)
    step, state, parts = Step(ear), torch.zeros(2, ear.state_size), []
    with torch.no_grad():
        for k in range(90):
            *said, state = step(mel[:, k], state)
            parts.append(torch.cat(said, dim=1))
        raw = ear(mel)
    told = (torch.sigmoid(raw[..., :5]), torch.tanh(raw[..., 5:9]), torch.softmax(raw[..., 9:], dim=-1))
    whole = torch.cat(told, dim=-1)
    torch.testing.assert_close(torch.stack(parts, dim=1), whole, rtol=1e-3, atol=1e-4)


def test_volume_and_tone_do_not_matter(ear: BeatNetwork) -> None:
    mel = sound(100)
    curve = torch.linspace(-0.5, 0.5, MELS).repeat(2)
    with torch.no_grad():
        plain, quiet, coloured = ear(mel), ear(mel - 4.0), ear(mel + curve)
    torch.testing.assert_close(plain, quiet, rtol=1e-3, atol=1e-3)
    assert (coloured - plain).abs().mean() < 0.1 * plain.std()


def test_silence_is_a_number(ear: BeatNetwork) -> None:
    with torch.no_grad():
        assert torch.isfinite(ear(torch.full((1, 50, 2 * MELS), QUIET))).all()


@pytest.mark.slow
def test_what_is_exported_is_what_was_trained(ear: BeatNetwork, tmp_path: Path) -> None:
    path = tmp_path / "ear.onnx"
    assert export_beat_network([ear], path) < 1e-4
    session, _ = open_session(path)
    BeatPipelineNetwork(path)  # the live program takes it
    assert {i.name: i.shape[1] for i in session.get_inputs()} == {"mel": 2 * MELS, "state": ear.state_size}
    assert [o.name for o in session.get_outputs()] == list(OUTPUTS)
    mel = sound(60)
    rows = mel[0].reshape(-1, MELS).numpy()
    said = listen(session, rows)
    with torch.no_grad():
        raw = ear(mel)
    np.testing.assert_allclose(said["beat"], torch.sigmoid(raw[0, :, :2]).flatten(), atol=1e-4)
    np.testing.assert_allclose(said["music"], torch.sigmoid(raw[0, :, 4]), atol=1e-4)
    # N pieces at once are N pieces.
    state, beat = np.zeros((2, ear.state_size), np.float32), None
    for k in range(60):
        beat, *_, state = session.run(list(OUTPUTS), {"mel": mel[:, k].numpy(), "state": state})
    np.testing.assert_allclose(np.asarray(beat)[0], said["beat"][-2:], atol=1e-4)


@pytest.mark.slow
def test_it_learns_clicks() -> None:
    """A few dozen steps on clicks alone must find them: what would not learn this learns nothing."""
    times = 0.5 + np.arange(38) * 0.5
    heard = FeatureStream().push(beats_in_noise(times, 20))
    clicks = Recording("clicks", heard.mel[None].astype(np.float16), rows_of(times), rows_of(times[::4]))
    torch.manual_seed(0)
    network = BeatNetwork(BeatNetworkConfig(first=4, second=8, dense=32, hidden=32, layers=1))
    adam = torch.optim.Adam(network.parameters(), 5e-3)
    stream = batches([clicks], 200, 8, 3)(0)
    for _ in range(60):
        loss = network.loss(next(stream))["total"]
        adam.zero_grad()
        loss.backward()
        adam.step()
    network.eval()
    mel = torch.from_numpy(heard.mel[: len(heard.mel) // 2 * 2].reshape(1, -1, 2 * MELS))
    with torch.no_grad():
        beat = torch.sigmoid(network(mel)[0, :, :2]).flatten().numpy()
    assert f_measure(pick(beat), times) > 0.9


# --- measures ---


def test_measures_know_good_from_bad() -> None:
    times = np.arange(1, 40) * 0.5
    assert f_measure(times, times) == 1
    assert f_measure(times + 0.2, times) == 0
    assert f_measure(times[::2], times) == pytest.approx(2 / 3, abs=0.03)
    assert f_measure(np.zeros(0), times) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exported", "shipped"])
def test_a_file_says_nothing_of_the_machine_that_wrote_it(kind: str, ear: BeatNetwork, tmp_path: Path) -> None:
    path = tmp_path / "ear.onnx" if kind == "exported" else find_model()
    if kind == "exported":
        export_beat_network([ear], path)
    written = path.read_bytes()
    # as the exporter's stack traces have them
    for word in ("site-packages", "training/ear.py", "training/models/beat_network.py", "File "):
        assert word.encode() not in written


@pytest.mark.slow
def test_a_piece_without_beats_counts_as_none(ear: BeatNetwork, tmp_path: Path) -> None:
    export_beat_network([ear], tmp_path / "ear.onnx")
    rows = np.random.default_rng(0).standard_normal((800, MELS)).astype(np.float32)
    got = measure_beats(open_session(tmp_path / "ear.onnx")[0], [(rows, np.zeros(0), np.zeros(0))])
    assert "music heard where there is none" in got
    assert "beat F" not in got


def test_clips_that_are_none_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({"clips": [{"file": "a.wav", "beats": [1], "downbeats": [1]}]}))
    with pytest.raises(UserError, match=r"a\.wav"):
        read_clips(tmp_path)


# --- all of it ---


def needs_players() -> None:
    needs_program("fluidsynth", "espeak-ng")
    needs(SOUNDFONTS[0].is_file(), str(SOUNDFONTS[0]))


def test_recordings_are_kept_and_remade_alike(tmp_path: Path) -> None:
    needs_players()
    paths = record_all(tmp_path, Session(3, 1, 1, 6.0, 1, SOUNDFONTS[:1]))
    first = [load(p) for p in paths]
    stamp = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    again = [load(p) for p in record_all(tmp_path, Session(3, 1, 1, 6.0, 1, SOUNDFONTS[:1]))]
    assert paths[0].stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first[1].mel, again[1].mel)
    assert first[0].genre == "nothing"
    assert len(first[1].beats) > 4
    with pytest.raises(UserError, match="other settings"):
        record_all(tmp_path, Session(4, 1, 1, 6.0, 1, SOUNDFONTS[:1]))
    paths[1].write_bytes(b"no recording")
    with pytest.raises(UserError, match="broken recording"):
        load(paths[1])


@pytest.mark.slow
def test_the_whole_command(tmp_path: Path) -> None:
    needs_players()
    out, work = tmp_path / "ear", tmp_path / "work"
    scores, voices = tmp_path / "scores", tmp_path / "voices"
    for folder in (scores, voices):
        folder.mkdir()
    make_groove(scores / "groove.zip")
    make_pop909(scores / "pop909.zip")
    soundfile.write(voices / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 16_000), 8000)
    words = ("--scores", scores, "--voices", voices, "--workers", "2")
    done = run_training("ear", "--out", out, "--work", work, "--tiny", "--precision", "32-true", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name.split("_")[0] for path in (work / "recordings").glob("*_*.npz")} == {
        "tune",
        "cover",
        "jam",
        "empty",
    }
    about = json.loads((out / "ear.json").read_text())
    assert "CC BY 4.0" in about["licence"]
    assert about["recipe"]["tiny"] is True
    assert about["command"].startswith("python -m training ear")
    assert "held-out tunes" in about["figures"]
    said = listen(open_session(out / "ear.onnx")[0], np.zeros((100, MELS), np.float32))
    assert len(said["music"]) == 100 / 100 * CALLS_A_SECOND
    again = run_training("ear", "--out", out, "--work", work, "--tiny")
    assert again.returncode == 2
    assert "--force" in again.stderr


@pytest.mark.slow
def test_the_ear_is_the_mean_of_its_networks(tmp_path: Path) -> None:
    ears = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        ears.append(BeatNetwork(SMALL).eval())
    export_beat_network(ears, tmp_path / "both.onnx")
    mel = sound(40, n=1)[0].reshape(-1, MELS).numpy()
    alone = []
    for k, one in enumerate(ears):
        export_beat_network([one], tmp_path / f"{k}.onnx")
        alone.append(listen(open_session(tmp_path / f"{k}.onnx")[0], mel))
    both = listen(open_session(tmp_path / "both.onnx")[0], mel)
    for name, heard in both.items():
        assert np.abs(alone[0][name] - alone[1][name]).max() > 1e-3
        np.testing.assert_allclose(heard, (alone[0][name] + alone[1][name]) / 2, atol=1e-5)
