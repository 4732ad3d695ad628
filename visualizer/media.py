"""The one place where a song or a video is opened: by what it holds, and nothing but the file that was named.

FFmpeg takes a name such as `Live: Berlin.mp3` for a protocol and a text of other files' names for a song. So a file is
given to it as an absolute `file:` URL, no other protocol is allowed, and only kinds of file that hold their sound and
pictures themselves are read: a list of songs is said to be one.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from visualizer.errors import UserError
from visualizer.paths import must_be_a_file

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

# FFmpeg's names of what is read (`ffmpeg -demuxers`): none of them opens a second file.
# Left out are playlists (hls, dash, concat, sdp …), devices (lavfi, alsa, x11grab …), still pictures and raw data.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,kux,mpeg,mpegts,mpegvideo,m4v,h261,h263,h264,hevc,vvc,av1,obu,ivf,"
    "vc1,asf,asf_o,rm,ogg,nut,nuv,mxf,gxf,dv,wtv,dhav,amv,swf,gif,apng,mjpeg,yuv4mpegpipe,lxf,pva,nsv,mtv,r3d,cine,"
    "mp3,aac,flac,wav,w64,aiff,caf,au,ac3,eac3,ac4,dts,dtshd,truehd,mlp,amr,amrnb,amrwb,ape,wv,tta,tak,mpc,mpc8,oma,dsf,"
    "iff,shn,voc,xwma,qoa,loas,latm,iamf,osq,bonk,rka,wavarc,vqf,aa,aea,aix,adx,sox,ircam,pvf,nistsphere,avr,rso,"
    "sln,lc3,codec2,g729,gsm,qcp,act,epaf,paf,sds,hcom,spdif,aptx,sbc"
)
OPENING, READING = 20.0, 30.0  # seconds after which a file that gives nothing is given up
HEAD = 4096  # bytes in which a list is told
LISTS = (".m3u", ".m3u8", ".pls", ".cue", ".xspf", ".asx", ".wax", ".wvx", ".wpl", ".zpl", ".b4s", ".smil", ".mpd",
         ".ffconcat", ".ffcat", ".sdp")  # fmt: skip
_LIST = re.compile(
    r"\s*(#EXTM3U|\[playlist\]|\[reference\]|ffconcat\s+version|<\?wpl|<\?zpl|v=0\r?\no=)", re.IGNORECASE
)
_XML_LIST = re.compile(r"<(\w+:)?(playlist|asx|smil|MPD|WinampXML)\b", re.IGNORECASE)
_CUE = re.compile(r"^\s*FILE\s.*\s(WAVE|MP3|AIFF|FLAC|BINARY)\s*$", re.IGNORECASE | re.MULTILINE)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"8BPS")
PIPE = "-"  # standard input
MOST_PIPED = 8 * 2**30  # bytes: three hours of WAV are 2 GB


def url_of(path: Path) -> str:
    """What FFmpeg takes for exactly this file, whatever its name looks like. To read and to write."""
    return "file:" + os.path.abspath(path)


def path_of(text: str | Path) -> Path:
    """The path that a user gave, also as a `file:` URL or with `~`. UserError for a URL of another machine."""
    named = str(text)
    if named[:6].lower() == "file:/" and not os.path.exists(named):
        url = urlsplit(named)
        if url.netloc not in ("", "localhost"):
            raise UserError(f"{named}: is on another machine; only files of this one are read")
        place = unquote(url.path, errors="surrogateescape")
        if re.match(r"/[A-Za-z]:", place) and os.name == "nt":
            place = place[1:]
        return Path(place)
    if re.match(r"[a-z][a-z0-9+.-]+://", named, re.IGNORECASE) and not os.path.exists(named):
        raise UserError(f"{named}: is on another machine; only files of this one are read")
    return Path(os.path.expanduser(named))  # pathlib's fails for ~song.mp3, where there is no user of that name


@contextmanager
def open_media(path: Path, kind: str) -> Iterator[InputContainer]:
    """The file's container, to be read from. `kind`, "song" or "video", is what messages call it.

    UserError where there is no such file, it is a list of files, or FFmpeg knows none of its kind; what goes wrong
    later is FFmpeg's error.
    """
    import av  # late: a third of a second
    import av.error

    must_be_a_file(path, kind)
    head = _head(path)
    if is_list(path, head):
        raise UserError(f"{path}: is a list of {kind}s; name one")
    what = "as sound" if kind == "song" else f"as a {kind}"
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        media = av.open(url_of(path), container_options=options, metadata_errors="replace", timeout=(OPENING, READING))
    except av.error.ArgumentError as error:  # so it says of what is not on the list
        why = "it is a picture" if head.startswith(_PICTURES) else "an unknown kind of file"
        raise UserError(f"{path}: cannot be read {what} ({why})") from error
    except av.error.ExitError as error:
        raise UserError(f"{path}: cannot be read {what} (it gave nothing for {OPENING:.0f} s)") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:  # ValueError: a title in no encoding
        raise UserError(f"{path}: cannot be read {what} ({getattr(error, 'strerror', None) or error})") from error
    with media:
        yield media


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def is_list(path: Path, head: bytes) -> bool:
    """Whether a file that begins with `head` is a text that names other files, whatever it is called."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "replace")
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    if "\0" in text:
        return False
    begins = text.lstrip()[:1]
    if _LIST.match(text) or (begins == "<" and _XML_LIST.search(text)) or (begins.isalpha() and _CUE.search(text)):
        return True
    return bool(begins) and path.suffix.lower() in LISTS


def decodable(streams: tuple[Stream, ...], path: Path, what: str) -> list[Stream]:
    """Those of a file's streams of one type that can be decoded, the file's default one first.

    A record's cover is no video. UserError where there are streams and this build decodes none of them; `what` they
    are, "sound" or "pictures".
    """
    from av.stream import Disposition

    wanted = [s for s in streams if not s.disposition & Disposition.attached_pic]
    known = [s for s in wanted if s.codec_context is not None]
    if wanted and not known:
        raise UserError(f"{path}: its {what} cannot be decoded (a codec that this program does not have)")
    # What is meant for those who cannot see or hear, and somebody's talk about it, only where there is nothing else.
    aside = Disposition.comment | Disposition.hearing_impaired | Disposition.visual_impaired | Disposition.descriptions
    return sorted(known, key=lambda s: (not s.disposition & Disposition.default, bool(s.disposition & aside)))


# --- a song from a pipe ---------------------------------------------------------------------------------------


@contextmanager
def song_file(song: str | Path) -> Iterator[Path]:
    """The file of a song that was named: as it lies on disk, or a copy of what comes from a pipe, removed at the end.

    `-` is standard input. UserError where nothing, or more than MOST_PIPED bytes, comes out of the pipe.
    """
    if str(song) == PIPE:
        if sys.stdin is None or sys.stdin.isatty():
            raise UserError("-: is a song from a pipe, and there is none (such as  cat song.mp3 | visualizer film -)")
        with _spooled(sys.stdin.buffer, "standard input") as copy:
            yield copy
        return
    path = path_of(song)
    try:
        piped = stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        piped = False
    if not piped:
        yield path
        return
    try:
        pipe = path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    with pipe, _spooled(pipe, str(path)) as copy:
        yield copy


@contextmanager
def _spooled(pipe: IO[bytes], name: str) -> Iterator[Path]:
    """A file of all that comes from `pipe`. The folder is the user's alone, and goes at the end."""
    with tempfile.TemporaryDirectory(prefix="dancing-screen-") as folder:
        path, count = Path(folder) / "standard input", 0
        try:
            with path.open("wb") as file:
                while block := pipe.read(2**20):
                    count += len(block)
                    if count > MOST_PIPED:
                        raise UserError(f"{name}: more than {MOST_PIPED / 2**30:g} GB came from it; name a file")
                    file.write(block)
        except OSError as error:
            raise UserError(f"{name}: cannot be kept in {folder} ({error.strerror})") from error
        if not count:
            raise UserError(f"{name}: nothing came from it")
        yield path
