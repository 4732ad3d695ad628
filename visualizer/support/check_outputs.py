"""What the doctor tries of outputs to other programs. Each may raise, which is then what was found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from visualizer.errors import ExtraMissing, UserError
from visualizer.support.finding import ABSENT, OK, Finding

if TYPE_CHECKING:
    from visualizer.outputs.sender import Format, Sender

SIZE, FPS = (1280, 720), Fraction(30)


def virtual_camera() -> Finding:
    """Opens the first virtual camera there is."""
    from visualizer.outputs.virtual_camera import VirtualCamera

    return _open(lambda form: VirtualCamera("", form), "camera")


def ndi() -> Finding:
    """Announces an NDI source for a moment."""
    from visualizer.outputs.ndi import Ndi

    return _open(Ndi, "ndi")


def spout_or_syphon() -> Finding:
    """Opens the way to other programs that this system has."""
    if sys.platform == "win32":
        from visualizer.outputs.spout import Spout

        return _open(Spout, "spout")
    if sys.platform == "darwin":
        from visualizer.outputs.syphon import Syphon

        return _open(Syphon, "syphon")
    return Finding(ABSENT, "Windows has Spout, macOS Syphon, this system neither")


def ffmpeg() -> Finding:
    """Asks the command ffmpeg for its version."""
    path = shutil.which("ffmpeg")
    if path is None:
        return Finding(ABSENT, "not installed", "for --output 'pipe:ffmpeg …': install FFmpeg")
    done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=5, check=False)
    return Finding(
        OK, (done.stdout or done.stderr).partition("\n")[0].partition(" Copyright")[0], details={"path": path}
    )


def _open(make: Callable[[Format], Sender], name: str) -> Finding:
    from visualizer.outputs.sender import Format, OutputError

    try:
        sender = make(Format(SIZE, FPS))
    except ExtraMissing as error:
        return Finding(ABSENT, "not installed", f"for --output {name}: {error.remedy}")
    except UserError as error:
        return Finding(ABSENT, str(error).removeprefix(f"output {name}: "))
    try:
        return Finding(OK, sender.open())
    except OutputError as error:
        found, _, remedy = str(error).partition("; ")
        return Finding(ABSENT, found, f"for --output {name}: {remedy}" if remedy else "")
    finally:
        sender.close()
