"""Which cameras there are, and which one is meant by a number, a name or a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from visualizer.errors import UserError
from visualizer.media import path_of

FOLDER = Path("/sys/class/video4linux")
ASKING = 5.0  # seconds that a system may take to name its cameras
LARGEST_NUMBER = 63


@dataclass(frozen=True)
class CameraDevice:
    """A camera: the `number` by which the system knows it; `trouble`: why it cannot be used, as far as that is seen."""

    number: int
    name: str
    trouble: str = ""


def list_cameras(folder: Path = FOLDER) -> list[CameraDevice] | None:
    """All cameras, by number; None where this system does not name them before they are opened."""
    if sys.platform.startswith("linux"):
        return _list_linux(folder)
    if sys.platform == "darwin":
        return _list_mac()
    return None


def _list_linux(folder: Path) -> list[CameraDevice]:
    """Of a camera's several files the first gives pictures; others say when they were taken."""
    found = []
    for place in folder.glob("video*"):
        number = place.name.removeprefix("video")
        if not number.isdigit() or _read(place / "index") not in ("", "0"):
            continue
        device = Path("/dev") / place.name
        allowed = not device.exists() or os.access(device, os.R_OK | os.W_OK)
        trouble = "" if allowed else f"{device} may not be opened: add yourself to the group video"
        found.append(CameraDevice(int(number), _read(place / "name") or place.name, trouble))
    return sorted(found, key=lambda each: each.number)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:80]
    except OSError:
        return ""


def _list_mac() -> list[CameraDevice] | None:
    command = ["/usr/sbin/system_profiler", "-json", "SPCameraDataType"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=ASKING, check=True)
        listed = json.loads(done.stdout)["SPCameraDataType"]
        return [CameraDevice(number, str(each["_name"])[:80]) for number, each in enumerate(listed)]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def find_camera(wanted: str, folder: Path = FOLDER) -> int | Path:
    """The number of a camera, or a film that stands in for one. UserError where nothing is called so."""
    text = wanted.strip()
    if text.isascii() and text.isdigit():
        if int(text) > LARGEST_NUMBER:
            raise UserError(f"no camera has the number {text[:20]}")
        return int(text)
    if text.startswith("/dev/video") and text.removeprefix("/dev/video").isdigit():
        return find_camera(text.removeprefix("/dev/video"))
    path = path_of(text)
    if path.is_file():
        return path
    there = list_cameras(folder)
    for camera in there or ():
        if text and text.casefold() in camera.name.casefold():
            return camera.number
    if there is None:
        raise UserError(f"no camera '{text}': here a camera is asked for by its number, such as 0, or a file")
    names = ", ".join(f"{camera.number} {camera.name}" for camera in there) or "none"
    raise UserError(f"no camera or file is called '{text}'; cameras: {names}")
