"""What a song's file says of itself: artist and title."""

from __future__ import annotations

from pathlib import Path

from visualizer.media import open_media
from visualizer.support.printable import make_printable

LONGEST_TAG = 80  # characters


def read_tags(path: Path) -> str:
    """ "Artist – Title" out of the file's own tags, of the container or of its sound; without a title the file's name.

    UserError if it cannot be read.
    """
    import av.error

    try:
        with open_media(path, "song") as media:
            tags = {key.lower(): value for stream in media.streams.audio for key, value in stream.metadata.items()}
            tags |= {key.lower(): value for key, value in media.metadata.items()}
    except (av.error.FFmpegError, ValueError):
        tags = {}
    title, artist = (make_printable(tags.get(key, ""), LONGEST_TAG).strip() for key in ("title", "artist"))
    if not title:
        return make_printable(path.stem, LONGEST_TAG)
    return f"{artist} – {title}" if artist else title
