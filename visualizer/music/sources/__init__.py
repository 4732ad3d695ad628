"""Where the music comes from: the room, the computer, a song, a Link session, or nowhere. One protocol, `MusicSource`,
for all.

A source works in a thread of its own. What it hears it publishes as one immutable object, replaced whole; the thread
that draws asks `musical_time` and `hearing`, which only read and reckon. Whatever fails, the dance goes on.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from visualizer.errors import UserError
from visualizer.media import PIPE, path_of
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.clock import Hearing, MusicClock
from visualizer.music.sources.tape import Sounds
from visualizer.options import NO_SONGS, SOURCES, Settings, check_value


class MusicSource(Protocol):
    """Something that gives musical time and the feel of the music. For use from one thread."""

    steps: MusicClock  # what the dance goes by; keys may tap, scale and nudge it

    @property
    def name(self) -> str: ...  # for the screen: "microphone", "song.mp3", "own tempo"
    def hearing(self, now: float) -> Hearing: ...  # never blocks
    def musical_time(self, now: float) -> float: ...  # never runs backwards, nor does it jump
    def find_silence(self, now: float) -> float: ...  # seconds in which what should be heard gave no sound at all
    def sounds(self, begins: float) -> Sounds | None: ...  # what is heard from that moment on, for a video
    def close(self) -> None: ...


def is_song(audio: str) -> bool:
    """Whether `--audio` names a file."""
    return audio not in SOURCES and not audio.startswith("mic:")


def open_source(audio: str, *, bpm: float, clock: Clock, notify: Notify) -> MusicSource:
    """`audio`: one of SOURCES, "mic:NAME" (part of a device's name), or the path of a song.

    `auto` is the microphone as soon as there is one, own tempo as long as there is none. `bpm` is danced until
    something else is known; outside 80-160 it is halved or doubled. `notify` is told what changes, from any thread.
    UserError for a song that cannot be played, a
    tempo that is none, and a source that this system does not have.
    """
    # Each kind of source is imported where it is wanted: some take their time.
    check_value(Settings, "bpm", bpm)
    if audio == "none":
        from visualizer.music.sources.free_run import FreeRun

        return FreeRun(bpm, clock)
    if is_song(audio):
        from visualizer.music.song_file import check_song
        from visualizer.music.sources.song_player import SongSource

        if audio == PIPE:
            raise UserError("--audio -: a song from a pipe can be filmed (visualizer film - -o dance.mp4), not played")
        path = path_of(audio)
        if not path.suffix and not path.exists():  # meant as a word
            raise UserError(f"--audio {audio}: no such song; {NO_SONGS}")
        check_song(path)
        return SongSource(path, bpm, clock, notify)
    from visualizer.music.sources.capture_thread import loopback, microphone

    if audio == "link":
        from visualizer.music.sources.link import LinkSource

        return LinkSource(bpm, clock, partial(microphone, "", clock, notify), notify)
    from visualizer.music.sources.live import LiveSource

    if audio == "loopback":
        from visualizer.music.sources.loopback import check_loopback

        check_loopback()
        return LiveSource(bpm, clock, partial(loopback, clock, notify), notify)
    name = audio.removeprefix("mic:").strip() if ":" in audio else ""
    return LiveSource(bpm, clock, partial(microphone, name, clock, notify), notify)
