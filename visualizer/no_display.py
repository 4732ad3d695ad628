"""What there is to see where there is no screen: a film in the current folder."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from visualizer.dancer.pack import find_pack, load_pack
from visualizer.film.render import make_film
from visualizer.media import path_of
from visualizer.music.sources import is_song
from visualizer.options import FilmOptions, Settings
from visualizer.paths import unused
from visualizer.settings import with_fallback
from visualizer.support.log import log
from visualizer.support.printable import say

USUAL_SECONDS = 15.0


def film_instead(settings: Settings, reason: str, note: str | None) -> int:
    """Make a film in the current folder, under a name not yet taken, and say so.

    `reason`: why there is no display; `note`: what there is to say of the settings file. Returns the signal that ended
    it early, or 0.
    """
    seconds = settings.seconds or USUAL_SECONDS
    log.info("no display (%s): making a film of %g seconds instead", reason, seconds)
    if note:
        log.info(note)
    unmet: list[str] = []
    out = unused(Path.cwd() / f"dance-{datetime.datetime.now():%Y%m%d-%H%M%S}.mp4")
    width, height = settings.window or (1280, 720)
    seed = settings.seed if settings.seed is not None else int.from_bytes(os.urandom(4))
    pack = with_fallback(settings, ("pack", "device"), lambda s: load_pack(find_pack(s.pack), s.device), unmet)
    report = with_fallback(
        settings,
        ("style", "dance", "audio"),
        lambda s: make_film(
            path_of(s.audio) if is_song(s.audio) else None,
            pack,
            FilmOptions(
                out=str(out),
                size=(width // 2 * 2, height // 2 * 2),  # a window may be odd, H.264 not
                seconds=seconds,
                seed=seed,
                style=s.style,
                dance=s.dance,
                troupe=s.troupe,
                sync=s.sync,
                temperature=s.temperature,
                look=s.look,
                bpm=s.bpm,
            ),
        ),
        unmet,
    )
    for text in unmet:
        log.info(text)
    say(f"film: {out}")
    return report.stopped_by
