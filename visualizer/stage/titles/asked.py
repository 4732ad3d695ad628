"""The titles that options ask for, with what they need of files: a logo's picture, a song's tags."""

from __future__ import annotations

from pathlib import Path

from visualizer.errors import UserError
from visualizer.media import path_of
from visualizer.music.song_tags import read_tags
from visualizer.options import SharedOptions
from visualizer.titles import TitleBoard


def open_titles(options: SharedOptions, song: Path | None) -> TitleBoard:
    """What is seen over the dance to `song`. UserError for a title, address or logo that cannot be used."""
    logo = None
    path = None if options.logo is None else path_of(options.logo)
    if path is not None:
        from visualizer.stage.titles.logo import load_logo

        logo = load_logo(path)
    titles = TitleBoard(text=options.title or "", logo=logo, qr=options.qr or "", countdown=options.countdown)
    titles.folder = Path() if path is None else path.parent
    if song is not None:
        try:
            titles.song = read_tags(song)
        except UserError:  # who plays the song says what is wrong with it
            titles.song = ""
    titles.shows_song = options.now_playing
    return titles
