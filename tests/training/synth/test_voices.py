"""Recorded speech is found by speaker and joined; recordings of silence are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.synth.voices import STRETCH, find_speakers, read_stretches
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE


def test_each_speaker_says_something_and_nobody_is_silent(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, loud in (("one", 0.1), ("two", 0.5)):
        for part in ("greetings", "silence"):
            (tmp_path / name / part).mkdir(parents=True)
            for k in range(3):
                sound = rng.uniform(-loud, loud, 8000) * (part == "greetings")
                soundfile.write(tmp_path / name / part / f"{k}.wav", sound, 8000)
    groups = find_speakers(tmp_path)
    assert [len(some) for some in groups] == [6, 6]
    stretches = read_stretches(groups, 4, np.random.default_rng(1))
    assert len(stretches) == 4
    for stretch in stretches:
        assert len(stretch) > 0.8 * STRETCH * RATE
        assert np.abs(stretch).max() == pytest.approx(1)


def test_a_folder_without_speech_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no sound files"):
        find_speakers(tmp_path)
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(UserError, match="nothing is said"):
        read_stretches(find_speakers(tmp_path), 1, np.random.default_rng(0))
