"""Pop songs are read with their beats, chords and parts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import mido
import numpy as np
import pytest

from tests.support.made_scores import make_pop909
from training.synth.pop909 import Pop909, _seconds_of
from visualizer.errors import UserError


def test_notes_lie_on_the_beats_of_the_song(tmp_path: Path) -> None:
    pop = Pop909(make_pop909(tmp_path / "pop909.zip", bpm=70.0))
    song = pop.read("001")
    assert song is not None
    assert song.bpm == pytest.approx(70)
    assert song.beats[0] == 0.5
    starts = np.array([note.beat for note in song.notes])
    np.testing.assert_allclose(starts, np.round(starts), atol=0.01)
    assert {note.part for note in song.notes} == {"chords"}
    assert [root for _, root in song.roots[:4]] == [0, 6, 10, -1]
    np.testing.assert_allclose([beat for beat, _ in song.roots[:4]], [0, 4, 8, 12], atol=0.01)


def test_songs_that_are_not_in_four_are_none(tmp_path: Path) -> None:
    pop = Pop909(make_pop909(tmp_path / "pop909.zip"))
    assert pop.numbers == ["001", "002"]
    assert pop.read("002") is None


def test_tempo_changes_within_a_file_are_followed() -> None:
    head = mido.MidiTrack([
        mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("set_tempo", tempo=1_000_000, time=960),
    ])  # fmt: skip
    track = mido.MidiTrack([
        mido.Message("note_on", note=60, velocity=80, time=480), mido.Message("note_off", note=60, time=960),
    ])  # fmt: skip
    ((start, stop, pitch, _),) = _seconds_of(track, mido.MidiFile(ticks_per_beat=480, tracks=[head, track]))
    assert (start, stop, pitch) == (0.5, 2.0, 60)


def test_what_is_no_pop909_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"nothing")
    with pytest.raises(UserError, match="is no POP909"):
        Pop909(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("README", "")
    with pytest.raises(UserError, match="is no POP909"):
        Pop909(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("POP909/001/beat_midi.txt", "0.5 one two")
        archive.writestr("POP909/001/chord_midi.txt", "")
        out = io.BytesIO()
        mido.MidiFile().save(file=out)
        archive.writestr("POP909/001/001.mid", out.getvalue())
    with pytest.raises(UserError, match="song 001 cannot be read"):
        Pop909(tmp_path / "c.zip").read("001")
