"""Human drumming is read with its bars and without what is measured."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_scores import make_groove
from training.synth.groove import Groove
from visualizer.errors import UserError


def test_bars_lie_on_the_beat_and_early_strokes_in_their_own(tmp_path: Path) -> None:
    groove = Groove(make_groove(tmp_path / "groove.zip"))
    player = groove.read(groove.listed[0])
    assert (player.style, player.bpm) == ("funk-fast", 100)
    assert len(player.bars) == 7  # the eighth may be cut off
    for bar in player.bars:
        assert [stroke.beat for stroke in bar if stroke.key == 36] == [0, 2]
        np.testing.assert_allclose([stroke.beat for stroke in bar if stroke.key == 38], [0.97, 2.97], atol=0.01)
        assert sum(stroke.key == 42 for stroke in bar) == 8  # the edge of the hat is a hat


def test_other_metres_and_fills_are_left_out(tmp_path: Path) -> None:
    groove = Groove(make_groove(tmp_path / "groove.zip"))
    assert {(one.drummer, one.style) for one in groove.listed} == {("drummer1", "funk-fast"), ("drummer2", "reggae")}


def test_what_is_measured_is_not_learned(tmp_path: Path) -> None:
    path = make_groove(tmp_path / "groove.zip")
    clips = ["groove_gm_drummer2_7_reggae_75_beat_4-4.flac", "some_song_0.flac"]
    assert {one.drummer for one in Groove(path, clips).listed} == {"drummer1"}
    with pytest.raises(UserError, match="no performance is left"):
        Groove(path, [*clips, "groove_gm_drummer1_1_funk-fast_100_beat_4-4.flac"])


def test_the_nearest_tempi_are_drawn(tmp_path: Path) -> None:
    with zipfile.ZipFile(make_groove(tmp_path / "groove.zip")) as archive:
        taken = archive.read("groove/drummer1/session1/1_funk-fast_100_beat_4-4.mid")
    lines = ["drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split"]
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for bpm in range(60, 180, 2):
            archive.writestr(f"groove/{bpm}_rock_{bpm}_beat_4-4.mid", taken)
            lines.append(f"drummer1,s,i,rock,{bpm},beat,4-4,{bpm}_rock_{bpm}_beat_4-4.mid,,60,train")
        archive.writestr("groove/info.csv", "\n".join(lines) + "\n")
    groove, rng = Groove(tmp_path / "many.zip"), np.random.default_rng(0)
    assert all(85 <= groove.draw(rng, 95, 100).bpm <= 110 for _ in range(10))


@pytest.mark.parametrize("kind", ["missing", "no zip", "another zip"])
def test_what_is_no_groove_is_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "groove.zip"
    if kind == "no zip":
        path.write_bytes(b"nothing")
    if kind == "another zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("other.txt", "")
    with pytest.raises(UserError, match="is no Groove MIDI Dataset"):
        Groove(path)
