"""Songs and videos as strangers name and write them: odd names, lists in disguise, glued files, streams that no decoder
knows, channels that cancel."""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
from av.stream import Disposition

from tests.support.needs import needs_program
from visualizer import media, paths
from visualizer.errors import UserError
from visualizer.film.output_path import find_output
from visualizer.media import CONTAINERS, open_media, path_of, song_file, url_of
from visualizer.messages import discard
from visualizer.music.analysis.features import RATE
from visualizer.music.analysis.song import hear_song
from visualizer.music.song_file import check_song, read_song
from visualizer.music.sources import open_source

OWN = paths.assets() / "own_music.ogg"
NAMES = [
    "Live: Berlin.ogg", "pipe:0", "http:song.ogg", "concat:a|b.ogg", "%03d.ogg", "-dash.ogg", "a*?[b].ogg",
    "file:x.ogg", "subfile,,start,1,end,2,,:x.ogg", "data:audio,x", "crypto:a.ogg", "~song.ogg",
    "två låtar \N{MUSICAL NOTE}.ogg",
]  # fmt: skip

LISTS = {
    "m3u": "#EXTM3U\n#EXTINF:4,song\nsong.ogg\n",
    "m3u8 without an end": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nsong.ogg\n",
    "m3u8 of itself": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{name}\n",
    "m3u8 with a mark before it": "\ufeff#EXTM3U\nsong.ogg\n",
    "pls": "[playlist]\nFile1=song.ogg\nNumberOfEntries=1\n",
    "cue": 'REM made by hand\nTITLE "All"\nFILE "song.ogg" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "ffconcat": "ffconcat version 1.0\nfile 'song.ogg'\n",
    "xspf": '<?xml version="1.0"?>\n<!-- mine -->\n<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList/></playlist>',
    "asx": '<ASX version="3.0"><Entry><Ref href="song.ogg"/></Entry></ASX>',
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=audio 5004 RTP/AVP 0\r\n",
}


@pytest.mark.parametrize("suffix", [".mp3", ".m3u8", ".ogg", ""])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_said_to_be_one_whatever_it_is_called(kind: str, suffix: str, tmp_path: Path) -> None:
    shutil.copy(OWN, tmp_path / "song.ogg")
    path = tmp_path / f"list{suffix}"
    path.write_text(LISTS[kind].format(name=path.name), encoding="utf-8")
    for read in (check_song, hear_song):
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: is a list of songs; name one"


def test_lists_that_are_nothing_but_names_are_known_by_their_suffix(tmp_path: Path) -> None:
    path = tmp_path / "evening.m3u"
    path.write_text("one.mp3\ntwo.mp3\n")
    with pytest.raises(UserError, match="is a list of songs"):
        check_song(path)


def test_no_container_that_is_read_opens_other_files() -> None:
    names = set(CONTAINERS.split(","))
    assert not names & {
        "hls",
        "concat",
        "dash",
        "sdp",
        "rtsp",
        "rtp",
        "image2",
        "lavfi",
        "tty",
        "ffmetadata",
        "imf",
        "vobsub",
    }
    known = {name for entry in av.formats_available for name in entry.split(",")}
    assert names <= known  # a slip of the pen would refuse everybody's files


def test_what_the_words_do_not_give_away_the_list_of_containers_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a list not recognised by its words, FFmpeg would still not follow it."""
    monkeypatch.setattr(media, "is_list", lambda path, head: False)
    shutil.copy(OWN, tmp_path / "song.ogg")
    for kind, suffix in (("m3u8 without an end", ".m3u8"), ("ffconcat", ".mp3"), ("sdp", ".sdp"), ("mpd", ".mpd")):
        path = tmp_path / f"list{suffix}"
        path.write_text(LISTS[kind])
        with pytest.raises(UserError, match="cannot be read as sound"):
            check_song(path)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also relative to the folder that one stands in, where a protocol would begin with it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(OWN, tmp_path / name)
    assert path_of(name) == Path(name)
    assert find_output(f"{name}.mp4") == Path(f"{name}.mp4")
    for path in (Path(name), tmp_path / name):
        assert sum(len(block) for block in read_song(path, RATE, 1)) == pytest.approx(32 * RATE, abs=RATE)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_of_an_old_collection_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xefve.ogg"))
    shutil.copy(OWN, path)
    check_song(path)


@pytest.mark.parametrize("name", ["Live: Berlin.mkv", "pipe:1.mkv", "http:x.mp4"])
def test_a_film_is_written_under_the_name_that_was_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from visualizer.film.encoder import Encoder

    monkeypatch.chdir(tmp_path)
    encoder = Encoder(Path(name), (64, 64), 5)
    encoder.put(np.zeros((64, 64, 4), np.uint8))
    encoder.finish()
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with av.open(url_of(tmp_path / name)) as film:
        assert len(list(film.decode(video=0))) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"), (b"hello " * 200, "cannot be read"), (b"", "cannot be read"),
     (bytes(5000), "cannot be read"), (b"#!/bin/sh\necho\n", "cannot be read")],
)  # fmt: skip
def test_what_is_no_sound_is_refused_in_a_line(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(UserError, match=why) as caught:
        check_song(path)
    assert "\n" not in str(caught.value)


# --- streams --------------------------------------------------------------------------------------------------


def film_of(path: Path, tracks: list[np.ndarray], default: int | None = None, codec: str = "pcm_s16le") -> Path:
    """A .mkv or .mov with sound tracks (n,) at 24 kHz, of which one is the default."""
    with av.open(url_of(path), "w") as out:
        streams = []
        for number in range(len(tracks)):
            stream = out.add_stream(codec, rate=RATE)
            assert isinstance(stream, av.AudioStream)
            stream.layout = "mono"
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        for stream, samples in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("default", [0, 1, 2])
def test_of_several_tracks_the_files_own_choice_is_heard(default: int, tmp_path: Path) -> None:
    tracks = [np.full(RATE, level, np.float64) for level in (0.2, 0.4, 0.6)]
    path = film_of(tmp_path / "film.mkv", tracks, default)
    sound = np.concatenate(list(read_song(path, RATE, 1)))
    assert np.median(sound) == pytest.approx(tracks[default][0], abs=0.01)


def with_a_codec_of_the_future(path: Path) -> Path:
    """The same .mov, its sound in a codec that does not exist."""
    path.write_bytes(path.read_bytes().replace(b"sowt", b"zz9z"))
    return path


def test_a_codec_that_is_not_known_is_a_line(tmp_path: Path) -> None:
    path = with_a_codec_of_the_future(film_of(tmp_path / "film.mov", [np.full(RATE, 0.5)]))
    with pytest.raises(UserError, match="its sound cannot be decoded") as caught:
        check_song(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("parts", [("mono", 44100), ("stereo", 32000), ("stereo", 48000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_all_of_a_glued_song_is_heard(parts: tuple[str, int], channels: int, tmp_path: Path) -> None:
    """Two MP3s in one file, of which the second has other channels, another rate, or both."""
    layout, rate = parts

    def mp3(layout: str, rate: int, hertz: float) -> bytes:
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="mp3") as out:
            stream = out.add_stream("libmp3lame", rate=rate)
            assert isinstance(stream, av.AudioStream)
            stream.layout = layout
            wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(3 * rate) / rate)
            data = np.repeat((wave * 32767).astype(np.int16), 1 if layout == "mono" else 2).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            fifo = av.AudioFifo()
            fifo.write(frame)
            for piece in fifo.read_many(1152, partial=True):
                out.mux(stream.encode(piece))
            out.mux(stream.encode(None))
        return buffer.getvalue()

    path = tmp_path / "glued.mp3"
    path.write_bytes(mp3("mono", 32000, 440) + mp3(layout, rate, 880))
    sound = np.concatenate([block[:, 0] for block in read_song(path, RATE, channels)])
    assert len(sound) / RATE == pytest.approx(6.0, abs=0.15)
    for at, hertz in ((1.5, 440), (4.5, 880)):
        part = sound[round(at * RATE) - 2048 : round(at * RATE) + 2048]
        assert np.argmax(np.abs(np.fft.rfft(part * np.hanning(4096)))) * RATE / 4096 == pytest.approx(hertz, abs=12)


# --- channels -------------------------------------------------------------------------------------------------


def noise(channels: int, sounding: dict[int, float], seconds: float = 2.0, rate: int = 44100) -> np.ndarray:
    """(n, channels): one noise in each of the channels named, times its factor."""
    samples = np.zeros((round(seconds * rate), channels))
    one = 0.2 * np.random.default_rng(channels).standard_normal(len(samples))
    for channel, factor in sounding.items():
        samples[:, channel] = factor * one
    return np.clip(samples, -1, 1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "FLOAT", "DOUBLE"])
def test_opposite_phases_are_heard_in_every_format(subtype: str, tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, noise(2, {0: 1, 1: -1}), 44100, subtype=subtype)
    check_song(path)
    sound = np.concatenate(list(read_song(path, RATE, 1)))[RATE // 10 :]
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.2, rel=0.6)


@pytest.mark.parametrize(
    ("channels", "sounding"),
    [
        (2, {0: 1.0}),
        (2, {1: 1.0}),
        (3, {2: 1.0}),
        (6, {3: 1.0}),
        (8, {0: 1.0, 1: -1.0}),
        (16, {15: 1.0}),
        (32, {17: 1.0}),
    ],
)
@pytest.mark.parametrize("out", [1, 2])
def test_a_loud_channel_is_heard_among_many(
    channels: int, sounding: dict[int, float], out: int, tmp_path: Path
) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, noise(channels, sounding), 44100, subtype="PCM_16")
    check_song(path)
    if out == 1 or channels != 8:
        sound = np.concatenate(list(read_song(path, RATE, out)))[RATE // 10 :]
        assert np.sqrt(np.mean(np.max(np.abs(sound), axis=1) ** 2)) > 0.05


def test_ordinary_stereo_is_mixed_as_ffmpeg_does_to_the_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    middle, side = rng.standard_normal((2, 88200))
    path = tmp_path / "song.flac"
    soundfile.write(path, np.clip(0.1 * np.stack([middle + side, middle - side], axis=1), -1, 1), 44100)
    resampler, plain = av.AudioResampler(format="flt", layout="mono", rate=RATE), []
    with av.open(str(path)) as file:
        for frame in [*file.decode(audio=0), None]:
            plain += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame)]  # type: ignore[arg-type]
    assert np.array_equal(np.concatenate(list(read_song(path, RATE, 1)))[:, 0], np.concatenate(plain))


# --- pipes and URLs -------------------------------------------------------------------------------------------


def test_a_song_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = SimpleNamespace(buffer=io.BytesIO(OWN.read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", piped)
    with song_file("-") as path:
        check_song(path)
        assert path.read_bytes() == OWN.read_bytes()
    assert not path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize(("content", "why"), [(b"", "nothing came"), (bytes(5000), "more than")])
def test_a_pipe_is_neither_empty_nor_endless(content: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_PIPED", 4096)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False))
    with pytest.raises(UserError, match=why), song_file("-"):
        pass


def test_a_terminal_is_no_song(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: True))
    with pytest.raises(UserError, match="from a pipe, and there is none"), song_file("-"):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "song"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(OWN.read_bytes()))
    writer.start()
    with song_file(path) as copy:
        check_song(copy)
    writer.join()


def test_file_urls_are_files(tmp_path: Path) -> None:
    path = tmp_path / "my song #1.ogg"
    shutil.copy(OWN, path)
    for url in (path.as_uri(), path.as_uri().replace("file://", "file://localhost"), path.as_uri().replace("///", "/")):
        assert path_of(url) == path
        with song_file(url) as named:
            check_song(named)
    for url in ("file://elsewhere/song.ogg", "http://elsewhere/song.ogg", "RTSP://elsewhere:1/song"):
        with pytest.raises(UserError, match=f"{url}: is on another machine"):
            path_of(url)


def test_a_pipe_cannot_be_played() -> None:
    with pytest.raises(UserError, match="can be filmed"):
        open_source("-", bpm=120, clock=lambda: 0.0, notify=discard)


def test_a_file_that_gives_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time has run out before it is opened."""
    monkeypatch.setattr(media, "OPENING", 1e-9)
    with pytest.raises(UserError, match="gave nothing"), open_media(OWN, "song"):
        pass


def test_ffmpeg_hears_as_much(tmp_path: Path) -> None:
    needs_program("ffmpeg")
    import subprocess

    path = tmp_path / "song.mp3"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(OWN), "-t", "5", str(path)], check=True)
    path.write_bytes(path.read_bytes() * 2)
    plain = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-ar", str(RATE), "-ac", "1", "-f", "f32le", "-"],
                           check=True, capture_output=True).stdout  # fmt: skip
    assert sum(len(block) for block in read_song(path, RATE, 1)) == pytest.approx(len(plain) / 4, abs=100)
