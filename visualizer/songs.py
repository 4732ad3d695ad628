"""The playlist of a show: which songs, and where the last show with them ended if it ended badly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from visualizer.errors import UserError
from visualizer.media import path_of
from visualizer.messages import Notify
from visualizer.resume import Resume, resume_file

if TYPE_CHECKING:
    from visualizer.music import Clock
    from visualizer.music.playlist import Playlist
    from visualizer.music.sources.playlist_player import PlaylistSource
    from visualizer.options import Settings


@dataclass
class SongSet:
    """What `--playlist` asks for. `notes` are for the screen; `source` is there once it is open."""

    playlist: Playlist
    crossfade: float
    bpm: float
    resume: Resume
    notes: list[str] = field(default_factory=list)
    source: PlaylistSource | None = None

    def open(self, clock: Clock, notify: Notify) -> PlaylistSource:
        """Begin to play, from where the last show ended if that ended badly."""
        from visualizer.music.sources.playlist_player import PlaylistPlan, PlaylistSource

        start = self.resume.find()
        if start:
            self.notes.append(f"going on where the last show ended, with song {start + 1}; Shift+J goes back")
        plan = PlaylistPlan(self.playlist, self.crossfade, self.bpm, start, self.resume.keep)
        self.source = PlaylistSource(plan, clock, notify)
        return self.source


def load_songs(settings: Settings) -> SongSet | None:
    """The playlist that is asked for; None: none is. UserError if it cannot be played, or a source is named too."""
    if settings.playlist is None:
        return None
    if "audio" in settings.from_cli:
        raise UserError("--playlist and --audio: one of them is enough")
    from visualizer.music.playlist import load_playlist

    playlist = load_playlist(path_of(settings.playlist))
    resume = Resume(playlist.mark, resume_file("playlist.json"), "song")
    notes = [playlist.left_out] if playlist.left_out else []
    return SongSet(playlist, settings.crossfade, settings.bpm, resume, notes)
