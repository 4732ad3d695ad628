"""Sound in, beats out: the whole chain, with a network that is made here and without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_sound import beat_track
from visualizer.errors import UserError
from visualizer.music.analysis.beat_pipeline import BeatEstimate, BeatNetwork, BeatPipeline, analyse_beats, find_model
from visualizer.music.analysis.features import HOP, MELS, RATE, FeatureStream, Floats

BLOCK = 2 * HOP

LISTENS = """
import sys
import numpy as np
from visualizer.music.analysis.beat_pipeline import BeatPipeline, analyse_beats, find_model
pipeline = BeatPipeline(find_model())
sound = np.random.default_rng(0).normal(size=3 * 24_000).astype(np.float32)
assert pipeline.push(sound) is not None
assert len(analyse_beats([sound], find_model()).onset) > 200
print(sorted({"numba", "llvmlite", "librosa", "scipy"} & set(sys.modules)))
"""


def write_network(path: Path, mels: int = 2 * MELS, state: int = MELS, left_out: str = "") -> Path:
    """A network that takes a rise of the mel bands for a beat, and any sound for music. Its state is the last row."""
    onnx = pytest.importorskip("onnx", reason="skipped: onnx missing")
    from onnx import TensorProto, helper, numpy_helper

    def number(name: str, value: list[float] | list[int]) -> TensorProto:
        kind = np.int64 if isinstance(value[0], int) else np.float32
        return numpy_helper.from_array(np.array(value, kind), name)

    numbers = [
        number("0", [0]), number("64", [MELS]), number("128", [2 * MELS]), number("axis", [1]),
        number("slope", [12.0]), number("usual", [-0.6]), number("silent", [-20.5]), number("repeat", [1, 4]),
    ]  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Slice", ["mel", "0", "64", "axis"], ["first"]),
        node("Slice", ["mel", "64", "128", "axis"], ["state_out"]),
        node("Concat", ["state", "first"], ["before"], axis=1),
        node("Sub", ["mel", "before"], ["change"]),
        node("Relu", ["change"], ["rise"]),
        node("Slice", ["rise", "0", "64", "axis"], ["rise_1"]),
        node("Slice", ["rise", "64", "128", "axis"], ["rise_2"]),
        node("ReduceMean", ["rise_1", "axis"], ["mean_1"]),
        node("ReduceMean", ["rise_2", "axis"], ["mean_2"]),
        node("Concat", ["mean_1", "mean_2"], ["means"], axis=1),
        node("Add", ["means", "usual"], ["shifted"]),
        node("Mul", ["shifted", "slope"], ["logits"]),
        node("Sigmoid", ["logits"], ["beat"]),
        node("Mul", ["beat", "beat"], ["downbeat"]),
        node("ReduceMean", ["state_out", "axis"], ["loud"]),
        node("Sub", ["loud", "silent"], ["above"]),
        node("Sigmoid", ["above"], ["music"]),
        node("Tile", ["music", "repeat"], ["phase"]),
    ]
    sizes = {"beat": 2, "downbeat": 2, "music": 1, "phase": 4, "state_out": MELS}
    graph = helper.make_graph(
        nodes,
        "ear",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in (("mel", mels), ("state", state))],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in sizes.items() if n != left_out],
        numbers,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("ear") / "ear.onnx")


def hear(samples: Floats, ear: BeatPipeline, cuts: list[int] | None = None) -> tuple[list[float], BeatEstimate | None]:
    """Beats called in all of the blocks, and what was heard last."""
    beats, last = [], None
    for block in np.split(samples, cuts if cuts is not None else range(BLOCK, len(samples), BLOCK)):
        last = ear.push(block)
        beats += ear.beats
    return beats, last


@pytest.mark.parametrize("with_network", [True, False])
def test_beats_are_called_when_they_sound_not_after(network: Path, with_network: bool) -> None:
    samples, times = beat_track(100, 14)
    ear = BeatPipeline(network if with_network else None)
    beats, heard = [], None
    for start in range(0, len(samples), BLOCK):
        heard = ear.push(samples[start : start + BLOCK])
        now = (start + BLOCK) / RATE
        assert all(now <= beat < now + BLOCK / RATE for beat in ear.beats)  # told before it sounds
        beats += ear.beats
    assert heard is not None
    assert heard.steady
    assert heard.bpm == pytest.approx(100, rel=0.02)
    inside = times[(times > 5) & (times < 13.5)]
    assert np.abs(np.array(beats)[:, None] - inside).min(axis=0).max() < 0.02
    assert len([beat for beat in beats if 5 < beat < 13.5]) == len(inside)


def test_beat_is_true_of_the_newest_sample(network: Path) -> None:
    samples, times = beat_track(120, 10.003)
    _, heard = hear(samples, BeatPipeline(network))
    assert heard is not None
    assert heard.time == len(samples) / RATE
    assert abs((heard.beat - (heard.time - times[0]) * 2 + 0.5) % 1.0 - 0.5) < 0.05


def test_the_future_changes_nothing_in_the_past(network: Path) -> None:
    samples, _ = beat_track(126, 12)
    other = samples.copy()
    other[8 * RATE :] = np.random.default_rng(5).standard_normal(4 * RATE).astype(np.float32)
    for model in (network, None):
        ours, theirs = BeatPipeline(model), BeatPipeline(model)
        heard = same = None
        for start in range(0, len(samples), BLOCK):
            heard, same = (ear.push(s[start : start + BLOCK]) for ear, s in ((ours, samples), (theirs, other)))
            if start + BLOCK <= 8 * RATE:
                assert heard == same
                assert ours.beats == theirs.beats
        assert heard != same


NOISY, _ = beat_track(140, 4)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, len(NOISY)), max_size=30))
def test_the_same_for_any_blocks(cuts: list[int]) -> None:
    whole, cut = BeatPipeline(None), BeatPipeline(None)
    _, expected = hear(NOISY, whole, [])
    _, heard = hear(NOISY, cut, sorted(cuts))
    assert heard is not None
    assert expected is not None
    assert (heard.bpm, heard.beat) == pytest.approx((expected.bpm, expected.beat), abs=1e-2)
    assert heard.confidence == pytest.approx(expected.confidence, abs=1e-2)
    assert heard.levels == pytest.approx(expected.levels, abs=1e-3)


def test_nothing_is_known_before_the_first_rows() -> None:
    ear = BeatPipeline(None)
    assert ear.push(np.zeros(0, np.float32)) is None
    assert ear.push(np.zeros(BLOCK - 1, np.float32)) is None
    assert ear.push(np.zeros(1, np.float32)) is not None


def test_broken_samples_are_silence(network: Path) -> None:
    samples, _ = beat_track(120, 8)
    broken = samples.copy()
    broken[RATE : 2 * RATE] = np.nan
    broken[3 * RATE] = np.inf
    broken[4 * RATE] = 1e30
    ear = BeatPipeline(network)
    _, heard = hear(broken, ear)
    assert heard is not None
    assert all(np.isfinite(value) for value in (heard.bpm, heard.beat, heard.confidence, heard.music, *heard.levels))


def test_reset_forgets(network: Path) -> None:
    samples, _ = beat_track(150, 6)
    ear = BeatPipeline(network)
    first = hear(samples, ear)
    ear.reset()
    again = hear(samples, ear)
    assert again[0] == first[0]
    assert again[1] is not None
    assert first[1] is not None
    assert again[1].time == first[1].time
    assert again[1].beat == first[1].beat


def test_silence_has_no_beat(network: Path) -> None:
    for model in (network, None):
        beats, heard = hear(np.zeros(20 * RATE, np.float32), BeatPipeline(model))
        assert beats == []
        assert heard is not None
        assert not heard.steady


def test_whole_song(network: Path) -> None:
    samples, times = beat_track(90, 15)
    for model in (network, None):
        heard = analyse_beats(np.array_split(samples, 7), model)
        assert heard.seconds == pytest.approx(15)
        assert heard.peak == pytest.approx(float(np.abs(samples).max()))
        inside = times[1:-1]
        assert np.abs(heard.beats.beats[:, None] - inside).min(axis=0).max() < 0.03
        assert len(heard.features.mel) // 2 * 2 == len(heard.activations.beat) == len(heard.onset)


def test_the_network_is_asked_in_pairs(network: Path) -> None:
    mel = FeatureStream().push(NOISY).mel
    whole, cut = BeatNetwork(network), BeatNetwork(network)
    expected = whole.push(mel)
    parts = [cut.push(part) for part in np.split(mel, [1, 2, 5, 100])]
    assert [len(part.beat) for part in parts[:4]] == [0, 2, 2, 96]
    np.testing.assert_array_equal(np.concatenate([part.beat for part in parts]), expected.beat)


@pytest.mark.parametrize("wrong", [{"mels": 64}, {"left_out": "music"}])
def test_another_network_is_refused(wrong: dict, tmp_path: Path) -> None:
    path = write_network(tmp_path / "other.onnx", **wrong)
    with pytest.raises(UserError, match=r"other\.onnx: (is no ear network|not a usable network)"):
        BeatNetwork(path)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ear.onnx"
    with pytest.raises(UserError, match="cannot be read"):
        BeatPipeline(path)
    path.write_bytes(b"no network")
    with pytest.raises(UserError, match="not a usable network"):
        BeatPipeline(path)


def test_where_the_network_ships() -> None:
    assert find_model().parts[-3:] == ("models", "ear", "ear.onnx")


def test_who_hears_loads_no_compiler() -> None:
    """It would hold up the picture for tens of milliseconds while it is loaded, and takes 100 MB."""
    done = subprocess.run([sys.executable, "-c", LISTENS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
