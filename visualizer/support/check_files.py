"""What the doctor tries of films, settings, folders and packages. Each may raise, which is then what was found."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.support.finding import OK, REINSTALL, WORSE, Finding
from visualizer.support.log import log_folder, versions


def films() -> Finding:
    """Which kinds of films PyAV can write here."""
    import av
    import av.codec

    from visualizer.film.video import FILMS, TRANSPARENT

    able: dict[str, str] = {}
    unable: dict[str, str] = {}
    for kind, wanted in (*FILMS.items(), *((f"{name} transparent", each) for name, each in TRANSPARENT.items())):
        here = [name for name in wanted.video if _has_encoder(name)]
        sound = wanted.sound is None or _has_encoder(wanted.sound)
        if here and sound:
            able[kind] = here[0]
        else:
            unable[kind] = f"{' or '.join(wanted.video)} and {wanted.sound}"
    libraries = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    details = {"encoders": able, "lacking": unable, "ffmpeg": libraries}
    if unable:
        found = f"not here: {', '.join(unable)}" if able else "none can be written"
        return Finding(WORSE, found, "pip install --force-reinstall av, whose wheels have all encoders", details)
    return Finding(OK, f"{', '.join(FILMS)} by {', '.join(dict.fromkeys(able.values()))}", details=details)


def _has_encoder(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, "w")
    except UnknownCodecError:
        return False
    return True


def settings() -> Finding:
    """Reads the settings file as a show would, and leaves it where it is."""
    from visualizer.settings import read_settings, settings_file

    path = settings_file()
    details: dict[str, Any] = {"path": str(path)}
    try:
        read, note = read_settings(path)
    except FileNotFoundError:
        trouble = _unwritable(path.parent)
        if trouble:
            return Finding(
                WORSE, f"{path}: none, and none can be written", f"make its folder writable: {trouble}", details
            )
        return Finding(OK, f"{path}: none, so all is as it comes", details=details)
    except (OSError, UnicodeDecodeError) as error:
        return Finding(WORSE, f"{path} cannot be read ({error})", "make it a readable text file, or remove it", details)
    except UserError as error:
        remedy = "put that line right or remove it; the next show keeps the file aside and begins with defaults"
        return Finding(WORSE, str(error), remedy, details)
    details["keys"] = sorted(read.from_file)
    if note:
        return Finding(WORSE, f"{path}: {note}", "change that line", details)
    return Finding(OK, f"{path}: {', '.join(details['keys']) or 'empty'}", details=details)


def folders() -> Finding:
    """Whether the log and what was heard of songs can be kept."""
    from visualizer.music.analysis.analysis_cache import folder

    places = {"log": log_folder(), "cache": folder()}
    details = {name: str(path) for name, path in places.items()}
    trouble = {name: why for name, path in places.items() if (why := _unwritable(path))}
    if trouble:
        found = "; ".join(f"{name} in {places[name]} cannot be written" for name in trouble)
        return Finding(
            WORSE, found, f"it works without; else make this writable: {', '.join(trouble.values())}", details
        )
    return Finding(OK, f"log in {places['log']}, cache in {places['cache']}", details=details)


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there, "" if it can; a folder that is not there yet is not made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} ({error.strerror or error})"


def packages() -> Finding:
    """Versions of all that the program stands on."""
    import pygame

    found = versions()
    found["SDL"] = ".".join(map(str, pygame.version.SDL))
    needed = ["numpy", "pygame-ce", "sounddevice", "soxr", "av", "rich"]
    lacking = [name for name in needed if name not in found]
    builds = {"onnxruntime", "onnxruntime-gpu"} & set(found)
    lacking += [] if builds else ["onnxruntime"]
    main = ("visualizer", "python", "SDL", "pygame-ce", "moderngl", "onnxruntime", "onnxruntime-gpu", "av", "system")
    line = ", ".join(f"{name} {found[name]}" for name in main if name in found)
    if lacking:
        return Finding(WORSE, f"not installed: {', '.join(lacking)}", REINSTALL, found)
    if len(builds) > 1:  # both fill one folder, and what was installed last has overwritten half of the other
        remedy = "remove both packages, then install the program again, or dancing-screen-gpu for an NVIDIA card"
        return Finding(WORSE, "onnxruntime and onnxruntime-gpu side by side break each other", remedy, found)
    return Finding(OK, line, details=found)
