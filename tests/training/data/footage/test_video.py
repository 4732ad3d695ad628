"""Videos as cameras write them: pixels that are not square, sizes that change, several tracks, unknown codecs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from training.data.footage.video import find_videos, pictures, probe, samples, view_of
from visualizer.errors import UserError
from visualizer.media import url_of

RATE = 25


def square(size: tuple[int, int], aspect: Fraction, grey: int = 255) -> np.ndarray:
    """A picture of `size` on which a figure twice as high as wide is seen in pixels of that aspect."""
    width, height = size
    high = height // 2
    wide = round(high / 2 / aspect)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[height // 4 : height // 4 + high, (width - wide) // 2 : (width - wide) // 2 + wide] = grey
    return picture


def write_video(
    path: Path, size: tuple[int, int], aspect: Fraction | None, codec: str, turned: int = 0,
    stretch: Fraction | None = None, first: int = 0, count: int = RATE,
) -> Path:  # fmt: skip
    """`count` pictures of a figure from number `first` on. `aspect` is what the file says of its pixels, `stretch` what
    they are."""
    with av.open(url_of(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned:
            stream.set_display_rotation(turned)
        for number in range(first, first + count):
            frame = av.VideoFrame.from_ndarray(square(size, stretch or aspect or Fraction(1)), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def proportion(picture: np.ndarray) -> float:
    """Height over width of what is bright."""
    bright = picture[:, :, 0] > 128
    return bright.any(axis=1).sum() / bright.any(axis=0).sum()


CAMERAS = {
    "HDV": ("hdv.ts", (1440, 1080), Fraction(4, 3), "mpeg2video", (1920, 1080)),
    "DV of PAL": ("pal.dv", (720, 576), Fraction(16, 15), "dvvideo", (768, 576)),
    "DV of NTSC": ("ntsc.avi", (720, 480), Fraction(8, 9), "mpeg4", (640, 480)),
    "wide PAL": ("wide.mkv", (720, 576), Fraction(64, 45), "mpeg4", (1024, 576)),
    "anamorphic": ("ana.mp4", (640, 360), Fraction(16, 9), "libx264", (1138, 360)),
    "high pixels": ("high.mp4", (720, 360), Fraction(1, 2), "libx264", (360, 360)),
    "square": ("square.mp4", (640, 360), None, "libx264", (640, 360)),
}


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_figure_has_its_proportions_whatever_the_pixels_are(camera: str, tmp_path: Path) -> None:
    name, size, aspect, codec, seen = CAMERAS[camera]
    video = probe(write_video(tmp_path / name, size, aspect, codec))
    assert (video.width, video.height) == seen
    assert video.fps == RATE
    view = view_of(video, None)
    found = [p for _, p in pictures(video, view, 0.0, 9.0)] + [p for _, p in samples(video, view, 0.0, 1.0, 3)]
    assert len(found) > RATE
    for picture in found:
        assert proportion(picture) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_pixels_are_stretched_before_the_picture_is_turned(turned: int, tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mov", (640, 480), Fraction(4, 3), "libx264", turned)
    video = probe(path)
    upright = turned % 180 == 0
    assert (video.width, video.height) == ((853, 480) if upright else (480, 853))
    for _, picture in pictures(video, view_of(video, None), 0.0, 9.0):
        assert proportion(picture) == pytest.approx(2.0 if upright else 0.5, rel=0.02)


@pytest.mark.parametrize("said", [Fraction(1, 40), Fraction(1000, 1)])
def test_an_aspect_that_no_camera_has_is_a_fault_of_the_file(said: Fraction, tmp_path: Path) -> None:
    video = probe(write_video(tmp_path / "a.mp4", (640, 360), said, "libx264", stretch=Fraction(1)))
    assert (video.width, video.height) == (640, 360)


@pytest.mark.parametrize("second", [(360, 640), (320, 180), (640, 480)])
def test_a_size_that_changes_in_the_middle_squeezes_nobody(second: tuple[int, int], tmp_path: Path) -> None:
    """A recorder of broadcasts that goes on writing when the programme changes."""
    parts = [write_video(tmp_path / f"{k}.ts", size, None, "mpeg2video", first=k * RATE).read_bytes()
             for k, size in enumerate(((640, 360), second))]  # fmt: skip
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    video = probe(path)
    assert (video.width, video.height) == (640, 360)
    found = [p for _, p in pictures(video, view_of(video, None), 0.0, 9.0, 1000.0)]
    assert len(found) > 1.8 * RATE
    assert {p.shape for p in found} == {(360, 640, 3)}
    for picture in found:
        assert proportion(picture) == pytest.approx(2.0, rel=0.04)


@pytest.mark.parametrize("name", ["both.ts", "both.mpg"])
def test_nothing_of_two_videos_in_one_file_is_lost(name: str, tmp_path: Path) -> None:
    """The second begins at 0 again, has another size, and is filmed to its end all the same."""
    parts = [write_video(tmp_path / f"{k}{Path(name).suffix}", size, None, "mpeg2video", count=2 * RATE).read_bytes()
             for k, size in enumerate(((640, 360), (360, 640)))]  # fmt: skip
    path = tmp_path / name
    path.write_bytes(b"".join(parts))
    video = probe(path)
    assert video.seconds == pytest.approx(4.0, abs=0.15)
    found = list(pictures(video, view_of(video, None), 0.0, 9.0))
    assert len(found) >= 4 * RATE - 2
    assert (np.diff([now for now, _ in found]) > 0).all()
    assert found[-1][0] == pytest.approx(4.0, abs=0.15)
    later = list(pictures(video, view_of(video, None), 3.0, 9.0))
    assert [now for now, _ in later] == [now for now, _ in found if now >= 3.0]


@pytest.mark.parametrize("default", [0, 1])
def test_of_several_tracks_the_files_own_choice_is_seen(default: int, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(url_of(path), "w") as file:
        streams: list[Any] = [file.add_stream("libx264", rate=RATE) for _ in range(2)]
        for number, stream in enumerate(streams):
            stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
            stream.disposition = Disposition.default if number == default else Disposition(0)
        for _ in range(5):
            for stream, grey in zip(streams, (150, 240), strict=True):
                picture = square((320, 180), Fraction(1), grey)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        for stream in streams:
            file.mux(stream.encode(None))
    video = probe(path)
    _, picture = next(pictures(video, view_of(video, None), 0.0, 9.0))
    assert picture[90, 160, 0] == pytest.approx((150, 240)[default], abs=8)


def test_a_codec_that_is_not_known_is_a_line(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", (320, 180), None, "libx264")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zz9z"))
    with pytest.raises(UserError, match="its pictures cannot be decoded") as caught:
        probe(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["Live: Berlin.mp4", "pipe:0", "%03d.mp4", "concat:a|b.mp4"])
def test_a_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("plain.mp4"), (320, 180), None, "libx264").rename(name)
    video = probe(Path(name))
    assert len(list(pictures(video, view_of(video, None), 0.0, 9.0))) == RATE
    assert find_videos([Path(path) for path in ((tmp_path / name).as_uri(), name)]) == [tmp_path / name, Path(name)]


def test_a_list_of_videos_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("ffconcat version 1.0\nfile 'other.mp4'\n")
    with pytest.raises(UserError, match="is a list of videos; name one"):
        probe(path)


# --- light and lines -------------------------------------------------------------------------------------------------


def write_light(path: Path, transfer: int, levels: list[int]) -> Path:
    """Pictures of 10 bits, grey patches of these levels side by side, in colours of BT.2020."""
    with av.open(url_of(path), "w") as file:
        stream: Any = file.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 32 * len(levels), 32, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, 9, 9, 1
        for number in range(3):
            frame = av.VideoFrame(32 * len(levels), 32, "yuv420p10le")
            for plane, values in zip(frame.planes, (levels, [512] * len(levels), [512] * len(levels)), strict=True):
                row = np.repeat(np.array(values, np.uint16), plane.width // len(levels))
                data = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                data[:, : plane.width] = row
                plane.update(data.tobytes())
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = transfer, 9, 9, 1
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("transfer", "grey", "white"), [(16, 397, 573), (18, 397, 721)], ids=["PQ", "HLG"]
)  # levels of a grey card and of white paper, 26 and 203 cd/m², by ITU-R BT.2408
def test_pictures_of_high_dynamic_range_look_as_others_do(tmp_path: Path, transfer: int, grey: int, white: int) -> None:
    video = probe(write_light(tmp_path / "hdr.mkv", transfer, [64, grey, white, 940]))
    _, picture = next(iter(pictures(video, view_of(video, None), 0.0, 1.0)))
    black, middle, paper, sun = (int(picture[16, 16 + 32 * k].mean()) for k in range(4))
    assert black < 4
    assert abs(middle - 101) < 8  # sRGB of 26/203
    assert 225 < paper < sun <= 255
    assert np.ptp(picture[16].astype(int), axis=-1).max() <= 2  # grey is grey


def test_pictures_of_two_moments_are_made_whole(tmp_path: Path) -> None:
    """A bar moves by 24 pixels between the lines of one picture: as filmed, its edges are combs of two bars."""
    path = tmp_path / "interlaced.ts"
    with av.open(url_of(path), "w") as file:
        stream: Any = file.add_stream("mpeg2video", rate=RATE)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 720, 576, "yuv420p", 8_000_000
        stream.options = {"flags": "+ildct+ilme", "top": "1"}
        for number in range(12):
            picture = np.zeros((576, 720, 3), np.uint8)
            for odd in (0, 1):
                left = 24 * (2 * number + odd)
                picture[odd::2, left : left + 60] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with av.open(url_of(path)) as file:
        assert all(frame.interlaced_frame for frame in file.decode(video=0))
    video = probe(path)
    seen = list(pictures(video, view_of(video, None), 0.0, 9.0))
    assert [round(t * RATE) for t, _ in seen] == list(range(12))
    for _, picture in seen[2:-2]:
        bright = (picture[:, :, 0] > 128).sum(axis=1)[40:-40]
        assert np.abs(bright - 60).max() <= 14
