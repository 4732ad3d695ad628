"""A song heard whole, from real files of several kinds."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import logging
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support import standins
from tests.support.films import film
from tests.support.made_sound import OWN, beat_track, write_song
from tests.support.needs import needs_program
from visualizer.errors import UserError
from visualizer.film import reel
from visualizer.music.analysis import analysis_cache, beat_pipeline
from visualizer.music.analysis import song as song_module
from visualizer.music.analysis.features import RATE
from visualizer.music.analysis.genre import MEASURES
from visualizer.music.analysis.phrases import find_first_bar, find_opening
from visualizer.music.analysis.song import SongAnalysis, hear_song
from visualizer.music.song_file import check_song, read_song


@pytest.fixture(autouse=True)
def own_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty shelf for each test, and nothing in the program's own memory."""
    folder = tmp_path / "shelf"
    monkeypatch.setattr(analysis_cache, "folder", lambda: folder)
    song_module._hear.cache_clear()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [70, 93, 120, 133, 180])
def test_known_beats_are_found(bpm: float, tmp_path: Path) -> None:
    samples, times = beat_track(bpm, 24)
    song = hear_song(write_song(tmp_path / "beat.flac", samples))
    found = song.beats[(song.beats > times[0] - 0.2) & (song.beats < times[-1] + 0.2)]
    error = np.abs(found[:, None] - times).min(axis=1)
    assert np.mean(error < 0.035) > 0.9
    assert abs(len(found) - len(times)) <= 2
    assert song.bpm == pytest.approx(bpm, rel=0.02)
    assert 80 <= song.pace(10.0) <= 160
    assert song.confidence > 0.5


def test_our_own_music_is_heard_right() -> None:
    song = hear_song(OWN)
    assert song.seconds == pytest.approx(32, abs=0.01)
    assert song.bpm == pytest.approx(120, rel=0.005)
    inside = song.beats[(song.beats > 0.3) & (song.beats < 31)]
    assert np.mean(np.abs((inside + 0.25) % 0.5 - 0.25) < 0.035) > 0.95
    calm, full = song.energy[200:700].mean(), song.energy[1700:2300].mean()
    assert full > calm + 0.05  # hats and tune come in at 16 s


def test_musical_time_runs_on_from_before_to_after_the_song(tmp_path: Path) -> None:
    samples, _ = beat_track(70, 20)
    song = hear_song(write_song(tmp_path / "slow.flac", samples))
    times = [song.musical_time(t) for t in np.arange(-2, 30, 0.05)]
    steps = np.diff(times)
    assert np.all(steps > 0)
    np.testing.assert_allclose(steps, 140 / 60 * 0.05, rtol=0.08)  # danced at the double
    assert song.musical_time(0.0) >= 0
    assert song.hearing(25.0).loudness == 0  # after the end
    for name in ("loudness", "bass", "mid", "treble", "energy"):
        curve = getattr(song, name)
        assert curve.min() >= 0
        assert curve.max() <= 1


def test_the_bar_begins_where_the_bass_and_the_harmony_say(tmp_path: Path) -> None:
    samples, times = beat_track(120, 24)
    t = np.arange(int(0.1 * RATE)) / RATE
    snare = np.random.default_rng(2).standard_normal(len(t)) * np.exp(-t / 0.03) * 0.4
    for i, time in enumerate(times):
        k = round(time * RATE)
        if i % 2:  # the third kick from the start opens the bars
            samples[k : k + len(snare)] += snare.astype(np.float32)
        note = np.sin(2 * np.pi * (110 if (i - 2) // 4 % 2 else 147) * np.arange(RATE // 2) / RATE) * 0.1
        samples[k : k + len(note)] += note[: len(samples) - k].astype(np.float32)
    song = hear_song(write_song(tmp_path / "bars.flac", samples))
    assert math.remainder(song.musical_time(float(times[2])), 4) == pytest.approx(0, abs=0.1)


def test_a_step_of_the_tempo_is_danced_where_it_is(tmp_path: Path) -> None:
    slow, early = beat_track(100, 12)
    fast, late = beat_track(135, 12, first=0.1)
    truth = np.concatenate([early, late + 12])
    song = hear_song(write_song(tmp_path / "step.flac", np.concatenate([slow, fast])))
    error = np.abs(song.beats[:, None] - truth[2:-2]).min(axis=0)
    assert np.mean(error < 0.035) > 0.9
    assert error.max() < 0.1  # the beats on both sides of the step too
    assert song.pace(6.0) == pytest.approx(100, rel=0.02)
    assert song.pace(20.0) == pytest.approx(135, rel=0.02)


def test_smoothing_calms_a_drummer_and_keeps_a_ramp() -> None:
    rng = np.random.default_rng(0)
    even = np.arange(60) * 0.5
    jitter = even + rng.normal(0, 0.012, len(even))
    assert song_module._steps(jitter) == []
    assert np.abs(song_module._smooth(jitter) - even)[3:-3].max() < 0.6 * np.abs(jitter - even).max()
    ramp = np.cumsum(np.linspace(0.6, 0.5, 60))
    np.testing.assert_allclose(song_module._smooth(ramp), ramp, atol=0.03)
    step = np.cumsum([0.6] * 20 + [0.42] * 20)
    assert len(song_module._steps(step)) == 1
    np.testing.assert_allclose(song_module._smooth(step), step, atol=0.002)


def test_no_beat_is_danced_at_the_tempo_given(tmp_path: Path) -> None:
    bang = 0.3 * np.random.default_rng(0).standard_normal(RATE // 2)  # too short to hold a beat
    song = hear_song(write_song(tmp_path / "bang.flac", bang), bpm=100)
    assert song.confidence == 0
    assert song.musical_time(3.0) - song.musical_time(0.0) == pytest.approx(5)


def test_hiss_has_no_beat_to_dance_to(tmp_path: Path) -> None:
    hiss = 0.1 * np.random.default_rng(0).standard_normal(10 * RATE)
    song = hear_song(write_song(tmp_path / "hiss.flac", hiss), bpm=97)
    assert song.confidence == 0
    assert song.pace(5.0) == pytest.approx(97)
    assert len(song.downbeats) == 0


@pytest.mark.parametrize(
    ("suffix", "codec", "rate"),
    [("mp3", "libmp3lame", 44100), ("wav", "pcm_s16le", 48000), ("m4a", "aac", 44100), ("opus", "libopus", 48000)],
)
def test_formats_are_read_in_time(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE * 2) * 0.1
    click = round(1.0 * RATE)
    noise[click : click + 200] += 0.8
    up = np.interp(np.arange(2 * rate) / rate, np.arange(2 * RATE) / RATE, noise)
    path = write_song(tmp_path / f"song.{suffix}", np.stack([up, up], axis=1), rate, codec)
    mono = np.concatenate([block[:, 0] for block in read_song(path, RATE, 1)])
    smooth = np.convolve(np.abs(mono), np.ones(200), "valid")
    assert abs(int(np.argmax(smooth)) - click) < 0.005 * RATE


def error_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        hear_song(path)
    with pytest.raises(UserError) as also:
        check_song(path)
    assert str(caught.value) == str(also.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_songs_are_told_in_one_line(tmp_path: Path) -> None:
    assert "no such song" in error_of(tmp_path / "none.mp3")
    assert "not a file" in error_of(tmp_path)
    text = tmp_path / "text.mp3"
    text.write_text("this is no music " * 500)
    assert "cannot be read as sound" in error_of(text)
    empty = tmp_path / "empty.ogg"
    empty.touch()
    assert "cannot be read as sound" in error_of(empty)
    assert "silent" in error_of(write_song(tmp_path / "silent.flac", np.zeros(RATE)))


def test_a_film_without_sound_is_no_song(tmp_path: Path) -> None:
    needs_program("ffmpeg")
    path = tmp_path / "mute.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1", str(path)], check=True)
    assert "holds no sound" in error_of(path)


def test_a_scratched_song_plays_on(tmp_path: Path) -> None:
    samples, _ = beat_track(120, 30)
    path = write_song(tmp_path / "scratched.mp3", samples, codec="libmp3lame")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(range(250)) * 12
    path.write_bytes(bytes(data))
    song = hear_song(path)
    assert 29 < song.seconds < 30.5
    assert song.bpm == pytest.approx(120, rel=0.03)


def test_a_song_cut_short_is_danced_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.ogg"
    path.write_bytes(OWN.read_bytes()[:120_000])
    assert 5 < hear_song(path).seconds < 30


def test_heard_once_is_remembered(tmp_path: Path) -> None:
    samples, _ = beat_track(120, 5)
    path = write_song(tmp_path / "a.flac", samples)
    first = hear_song(path)
    assert hear_song(path) is first
    write_song(path, beat_track(120, 6)[0])
    assert hear_song(path).seconds == pytest.approx(6)


# --- the shelf -------------------------------------------------------------------------------------------------------


def same(a: SongAnalysis, b: SongAnalysis) -> bool:
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(SongAnalysis)]
    return all(np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y for x, y in pairs)


def again(path: Path) -> SongAnalysis:
    """As a program does that was started anew."""
    song_module._hear.cache_clear()
    return hear_song(path)


def nobody_listens(*_: object) -> None:
    raise AssertionError("it was heard anew")


@pytest.fixture
def short_song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "a.flac", beat_track(120, 12)[0])


def test_what_is_kept_is_what_was_heard(
    short_song: Path, own_shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = hear_song(short_song)
    assert len(list(own_shelf.glob("*"))) == 1
    with monkeypatch.context() as patch:
        patch.setattr(song_module, "_listen", nobody_listens)
        assert same(again(short_song), heard)
        moved = short_song.rename(tmp_path / "b.flac")  # the same bytes
        assert same(again(moved), dataclasses.replace(heard, name="b.flac"))
    next(own_shelf.glob("*")).unlink()
    assert same(again(moved), dataclasses.replace(heard, name="b.flac"))


def test_another_song_under_the_same_name_is_heard_anew(short_song: Path, own_shelf: Path) -> None:
    hear_song(short_song)
    write_song(short_song, beat_track(100, 12)[0])
    assert again(short_song).bpm == pytest.approx(100, rel=0.03)
    assert len(list(own_shelf.glob("*"))) == 2


def test_another_network_hears_anew(short_song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hear_song(short_song)
    other = tmp_path / "ear.onnx"
    other.write_bytes(b"no network at all")
    monkeypatch.setattr(beat_pipeline, "find_model", lambda: other)
    with pytest.raises(UserError, match=r"ear\.onnx"):  # it was asked, and not the shelf
        again(short_song)


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    with np.load(io.BytesIO(data[analysis_cache.SEAL :])) as kept:
        arrays = dict(kept)

    def seal(changed: dict[str, np.ndarray]) -> None:
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=True, **(arrays | changed))
        path.write_bytes(hashlib.sha256(packed.getvalue()).digest() + packed.getvalue())

    match how:
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case "noise":
            path.write_bytes(np.random.default_rng(0).bytes(len(data)))
        case "code":
            seal({"beats": np.array([print], dtype=object)})
        case "other song":
            seal({"key": np.array("0" * 64)})
        case "missing":
            del arrays["levels"]
            seal({})
        case "order":
            seal({"beats": arrays["beats"][::-1]})
        case "shape":
            seal({"levels": arrays["levels"][:4]})
        case "range":
            seal({"opening": np.array(-5)})
        case "nan":
            seal({"confidence": np.array(np.nan)})


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", ["cut", "empty", "noise", "code", "other song", "missing", "order", "shape", "range", "nan"]
)
def test_what_is_damaged_is_heard_anew_and_said(
    how: str, short_song: Path, own_shelf: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = hear_song(short_song)
    (kept,) = own_shelf.glob("*")
    damage(kept, how)
    with caplog.at_level(logging.INFO, logger="visualizer"):
        assert same(again(short_song), heard)
    said = [r.getMessage() for r in caplog.records if "damaged" in r.getMessage()]
    assert len(said) == 1
    assert kept.name in said[0]
    assert "\n" not in said[0]
    monkeypatch.setattr(song_module, "_listen", nobody_listens)
    assert same(again(short_song), heard)  # and what is kept now is whole


def test_a_flipped_bit_anywhere_is_noticed(own_shelf: Path) -> None:
    arrays = {"a": np.arange(300), "b": np.random.default_rng(0).random(50)}
    analysis_cache.keep("0" * 64, arrays)
    (kept,) = own_shelf.glob("*")
    data, asked = kept.read_bytes(), []
    for byte in range(len(data)):
        kept.write_bytes(data[:byte] + bytes([data[byte] ^ 1 << byte % 8]) + data[byte + 1 :])
        assert analysis_cache.recall("0" * 64, lambda found: asked.append(found)) is None
        assert not kept.exists()
    assert not asked
    kept.write_bytes(data)
    found = analysis_cache.recall("0" * 64, lambda found: {name: found[name] for name in arrays})
    assert found is not None
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


def test_without_a_place_for_the_shelf_songs_are_heard_all_the_same(
    short_song: Path, own_shelf: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_shelf.write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO, logger="visualizer"):
        assert hear_song(short_song).bpm == pytest.approx(120, rel=0.03)
    assert any("cannot be kept" in r.getMessage() for r in caplog.records)


def test_the_shelf_does_not_grow_for_ever(own_shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis_cache, "MOST", 3)
    for k in range(5):
        analysis_cache.keep(f"{k:064}", {"a": np.arange(3)})
        os.utime(own_shelf / f"{k:064}.heard", (k, k))
    analysis_cache.keep("9" * 64, {"a": np.arange(3)})
    assert sorted(p.stem[-1] for p in own_shelf.glob("*")) == ["3", "4", "9"]


def test_a_film_is_the_same_with_and_without_the_shelf(short_song: Path, tmp_path: Path) -> None:
    hashes = []
    for k in range(2):
        song_module._hear.cache_clear()
        frames = hashlib.sha256()
        film(
            short_song, tmp_path / f"{k}.mp4", pack=standins.pack(), size=(64, 64), fps=10, seconds=6, style="auto",
            progress=False, on_frame=lambda _, pixels, frames=frames: frames.update(pixels),
        )  # fmt: skip
        hashes.append(frames.hexdigest())
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("genre", ["house", "disco"])
def test_a_film_by_the_music_is_danced_in_a_style_that_suits_it(
    genre: str, short_song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = dataclasses.replace(hear_song(short_song), moments=np.array([4.0]), mixes=(((genre, 1.0),),))
    monkeypatch.setattr(reel, "hear_song", lambda *_: heard)
    for k in range(2):  # whatever the seed begins with
        film(short_song, tmp_path / f"{k}.mp4", pack=standins.pack(), size=(64, 64), fps=5, seconds=1,
                       style="auto", seed=k)  # fmt: skip
        assert f"style {genre}, by the music" in capsys.readouterr().err


# --- phrases and long songs ------------------------------------------------------------------------------------------


def test_phrases_of_the_dance_begin_with_those_of_the_music() -> None:
    rng = np.random.default_rng(3)
    beats = np.arange(0.2, 200, 0.5)
    colours = rng.standard_normal((3, MEASURES))
    values = np.zeros((20_100, MEASURES), np.float16)
    starts = [0, *range(2 * 4 + 1, len(beats), 32)]  # one beat and two bars to begin with, then parts of eight bars
    for k, start in enumerate(starts):
        row = 0 if k == 0 else round(beats[start] * 100)
        values[row:] = colours[k % 3]
    values += rng.normal(0, 0.3, values.shape).astype(np.float16)
    opening = find_opening(values, np.full(len(values), 0.1, np.float32), beats, 1, 4)
    assert opening % 32 == 9


def test_the_dance_counts_from_the_opening(short_song: Path) -> None:
    heard = hear_song(short_song)
    whole = song_module._Whole(
        12.0, 0.9, 4, 6, heard.beats, np.zeros((5, 1300), np.uint8), np.zeros(0), np.zeros((0, 0), np.float32), (),
    )  # fmt: skip
    danced = song_module._danced("a", whole, 120.0)
    assert danced.musical_time(float(heard.beats[6])) % 32 == pytest.approx(0, abs=1e-6)
    assert danced.musical_time(0.0) >= 0
    np.testing.assert_array_equal(danced.downbeats, heard.beats[2::4])


def test_a_long_song_in_pieces_has_the_beats_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros(9000, np.float32)
    truth = np.arange(0.4, 89.5, 60 / 112)
    for shift, strength in ((0, 0.9), (1, 0.6), (-1, 0.4)):
        rows[np.round(truth * 100).astype(int) + 1 + shift] = strength
    bars = np.zeros_like(rows)
    bars[np.round(truth[::4] * 100).astype(int) + 1] = 0.9
    heard = [rows, bars, np.ones_like(rows), np.zeros((len(rows), 2), np.float32)]
    heard.append(np.zeros((len(rows), 0), np.float32))  # a network that does not tell the tempo
    whole = song_module._beats(heard, rows)
    monkeypatch.setattr(song_module, "PIECE", 2500)
    monkeypatch.setattr(song_module, "OVERLAP", 800)
    pieces = song_module._beats(heard, rows)
    for found, error in ((whole, 0.012), (pieces, 0.012)):
        inside = truth[(truth > 2) & (truth < 88)]
        assert np.abs(found[0][:, None] - inside).min(axis=0).max() < error
        assert abs(len(found[0]) - len(truth)) <= 2
        assert np.diff(found[0]).min() > 0.4
    nothing = np.zeros((len(rows), 4), np.float16)
    bar_opens = [
        found[0][find_first_bar(nothing, np.zeros((len(rows), 3), np.float32), bars, found[0], found[1]) :: 4]
        for found in (whole, pieces)
    ]
    for opens in bar_opens:
        assert np.abs(truth[::4, None] - opens[1:-1]).min(axis=0).max() < 0.05
