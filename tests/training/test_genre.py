"""The taste learns from recordings what is there to be learned, and says so if there is too little."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_sound import BACKBEAT, BPM, FOUR, SWUNG, drums
from training import genre as genre_training
from training.synth.dataset import Recording
from visualizer.errors import UserError
from visualizer.music.analysis.features import FeatureStream
from visualizer.music.analysis.genre import DANCES, FLAVOUR, load_weights


def recording(genre: str, pattern: dict, seconds: float = 16.0) -> Recording:
    mel = FeatureStream().push(drums(seconds, pattern)).mel
    beats = np.arange(0, seconds, 60 / BPM) * 100 + 1
    return Recording(genre, mel[None].astype(np.float16), beats, beats[::4])


def save(folder: Path, number: int, made: Recording) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"tune_{number:05d}.npz", genre=np.array(made.genre), mel=made.mel, beats=made.beats,
             downbeats=made.downbeats)  # fmt: skip


def test_each_family_is_a_genre_of_the_program_and_of_the_tunes() -> None:
    from training.synth.genres import GENRES

    assert set(genre_training.FAMILIES) == set(DANCES)
    named = [genre for genres in genre_training.FAMILIES.values() for genre in genres]
    assert len(set(named)) == len(named)
    assert set(named) <= set(GENRES)


def test_flavours_of_a_recording(tmp_path: Path) -> None:
    made = genre_training.flavours(recording("house", FOUR), np.random.default_rng(0))
    assert made.shape[1] == len(FLAVOUR)
    assert 1 <= len(made) <= 4
    assert np.isfinite(made).all()
    short = genre_training.flavours(recording("house", FOUR, 4.0), np.random.default_rng(0))
    assert short.shape == (0, len(FLAVOUR))


def test_what_can_be_learned_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genre_training, "FAMILIES", {"house": ("house",), "rock": ("rock",), "swing": ("jazz",)})
    monkeypatch.setattr(genre_training, "FAMILY", {"house": "house", "rock": "rock", "jazz": "swing"})
    monkeypatch.setattr(genre_training, "FEWEST", 4)
    kinds = (("house", FOUR), ("rock", BACKBEAT), ("jazz", SWUNG))
    for n in range(6):
        save(tmp_path / "recordings", n, recording(*kinds[n % 3]))
    numbers, families, origin = genre_training.gather(tmp_path / "recordings")
    assert len(numbers) == len(families) == len(origin)
    assert set(origin.tolist()) == set(range(6))
    weights = genre_training.learn(numbers, families)
    assert genre_training.agreement(weights, numbers, families) == 1
    path = tmp_path / "genre_training.json"
    path.write_text(json.dumps(weights))
    loaded = load_weights(path)
    right = [loaded.genres[int(k)] for k in loaded.shares(numbers).argmax(axis=1)]
    assert right == families.tolist()


def test_too_few_recordings_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too few recordings"):
        genre_training.gather(tmp_path)
    save(tmp_path, 0, recording("house", FOUR))
    with pytest.raises(UserError, match="too few recordings"):
        genre_training.gather(tmp_path)
