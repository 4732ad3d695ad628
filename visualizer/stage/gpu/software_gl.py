"""What was found the last time: that OpenGL runs on the processor here. So a start need not find out again.

To open a window with OpenGL, see that the processor would paint in it, and open another without takes up to a second,
at each start. Where there is no graphics card the answer stays the same, so it is kept in the user's cache folder.

A card must never be missed for that, so little is kept and less believed. Nothing but "on the processor" is kept: an
OpenGL that failed may not fail again. It is believed on Linux alone, where the kernel shows each card as a file:
as long as there is none, for a display of this machine, for some starts, and until anything changes that has a say
in who paints: drivers and libraries (their folders' dates), kernel, SDL, this program, display, environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
import pygame

from visualizer import __version__
from visualizer.support.log import aside

FILE = "opengl.json"
LARGEST = 4096  # bytes of that file
LONGEST = 200  # characters of a renderer's name
BELIEVED = 20  # starts, after which OpenGL is asked again
# OpenGL that runs on the processor: correct, but far slower than the painter.
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software", "gdi generic", "basic render")

# Files that are there where a driver of a graphics card runs: all of Linux's own, NVIDIA's, Windows' for Linux inside
# it, and those of small boards that have a way of their own.
CARDS = (
    "dev/dri/renderD*", "dev/nvidia*", "proc/driver/nvidia/version", "dev/dxg", "dev/mali*", "dev/kgsl*", "dev/pvr*",
    "dev/galcore",
)  # fmt: skip
# Where OpenGL and its drivers lie; a folder's date changes when a file in it comes, goes or is replaced.
LIBRARIES = (
    "usr/lib", "usr/lib64", "usr/lib/*-linux-gnu*", "usr/lib/dri", "usr/lib64/dri", "usr/lib/*-linux-gnu*/dri",
    "usr/local/lib", "usr/share/glvnd/egl_vendor.d", "etc/glvnd/egl_vendor.d", "etc/ld.so.cache", "etc/drirc",
    "run/opengl-driver/lib",
)  # fmt: skip
# Beginnings of names in the environment that choose a display, a library or a driver.
TELLING = (
    "DISPLAY", "WAYLAND_", "XDG_SESSION_TYPE", "SDL_", "LIBGL_", "MESA_", "GALLIUM_", "LP_", "DRI_", "EGL_", "__GL",
    "__EGL", "__NV", "__VK", "VK_", "VGL_", "ZINK_", "LD_",
)  # fmt: skip

# Of these, what pygame and the painter's window set themselves.
OWN = ("SDL_VIDEO_X11_WMCLASS", "SDL_FRAMEBUFFER_ACCELERATION")


def on_processor(renderer: str) -> bool:
    """Whether OpenGL of that name runs on the processor."""
    return any(name in renderer.lower() for name in SOFTWARE)


def file() -> Path:
    """Where it is kept, whether or not anything is."""
    return Path(platformdirs.user_cache_dir("dancing-screen")) / FILE


def key(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> str | None:
    """A hash of all that has a say in who paints; None where a card might: then OpenGL has to be asked.

    The video must run. Takes less than a millisecond, and no driver is touched.
    """
    if not sys.platform.startswith("linux") or any(any(root.glob(card)) for card in CARDS):
        return None
    driver = pygame.display.get_driver()
    if driver == "x11" and not environment.get("DISPLAY", "").startswith((":", "unix:", "unix/")):
        return None  # another machine's display, which may have a card
    dates = [f"{path} {path.stat().st_mtime_ns}" for name in LIBRARIES for path in sorted(root.glob(name))]
    told = sorted(f"{k}={v}" for k, v in environment.items() if k.startswith(TELLING) and k not in OWN)
    dri = sorted(path.name for path in root.glob("dev/dri/*"))
    system = os.uname()
    parts = [__version__, pygame.version.ver, str(pygame.version.SDL), driver, system.release, system.machine]
    return hashlib.sha256("\n".join([*parts, *dri, *dates, *told]).encode("utf-8", "surrogateescape")).hexdigest()


def remember(renderer: str) -> None:
    """Keep that OpenGL was this one, which runs on the processor. Where nothing can be written all stays as it is."""
    try:
        now = key()
        if now is not None:
            _write(now, renderer, BELIEVED)
    except OSError as error:
        aside.info("not kept that OpenGL runs on the processor (%s): the next start asks again", error)


def recall() -> str | None:
    """Name of the OpenGL, on the processor, that is here for certain; None if it has to be asked."""
    try:
        with file().open("rb") as kept:
            data = kept.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        aside.info("what OpenGL was here cannot be read (%s): it is asked again", error)
        return None
    found = parse(data)
    if found is None:
        aside.info("%s is damaged: OpenGL is asked again", file())
        return None
    then, renderer, starts = found
    try:
        if starts == 0 or then != key():
            return None
        _write(then, renderer, starts - 1)  # where that cannot be counted it is not believed, or it would be for ever
    except OSError as error:
        aside.info("not believed that OpenGL runs on the processor (%s): it is asked again", error)
        return None
    aside.info("OpenGL not tried: it was on the processor (%s), and nothing has changed since; 'visualizer doctor' "
               "tries it, and so does a start after %d more", renderer, starts - 1)  # fmt: skip
    return renderer


def _write(now: str, renderer: str, starts: int) -> None:
    """OSError where that is not possible."""
    path = file()
    new = path.with_suffix(f".{os.getpid()}")  # two shows may begin at once
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.write_text(json.dumps({"key": now, "renderer": renderer, "starts": starts}), encoding="utf-8")
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def parse(data: bytes) -> tuple[str, str, int] | None:
    """Key, renderer and for how many starts it is believed; None for anything that `remember` does not write."""
    if len(data) > LARGEST:
        return None
    try:
        kept: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(kept, dict) or kept.keys() != {"key", "renderer", "starts"}:
        return None
    then, renderer, starts = kept["key"], kept["renderer"], kept["starts"]
    if not isinstance(then, str) or not re.fullmatch("[0-9a-f]{64}", then):
        return None
    if not isinstance(renderer, str) or len(renderer) > LONGEST or not renderer.isprintable():
        return None
    if not on_processor(renderer) or type(starts) is not int or not 0 <= starts <= BELIEVED:
        return None
    return then, renderer, starts


def forget() -> None:
    """The next start asks OpenGL again."""
    with suppress(OSError):  # none there; or not ours to remove, and then not ours to write either
        file().unlink()
