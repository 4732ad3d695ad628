"""A virtual camera, which other programs take for a real one: v4l2loopback on Linux, OBS's elsewhere; by pyvirtualcam.

No camera carries alpha.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from visualizer.errors import ExtraMissing
from visualizer.outputs.sender import Converter, Format, OutputError, Picture

HINT = {
    "linux": "load one: sudo modprobe v4l2loopback exclusive_caps=1 card_label='The Dancing Screen'",
    "win32": "install OBS Studio, which brings one",
    "darwin": "install OBS Studio and start its virtual camera once",
}


def load_library() -> Any:
    """pyvirtualcam. UserError without the extra."""
    try:
        return import_module("pyvirtualcam")
    except ImportError:
        raise ExtraMissing("output camera needs", "virtualcam") from None


class VirtualCamera:
    """A `Sender`."""

    def __init__(self, device: str, form: Format) -> None:
        """`device`: "/dev/video2", "OBS Virtual Camera" or such; "" is the first there is."""
        self._library, self._device, self._form = load_library(), device, form
        self._convert = Converter(form.alpha, "rgb24").convert
        self._camera: Any = None

    def open(self) -> str:
        width, height = self._form.size
        try:
            self._camera = self._library.Camera(
                width, height, float(self._form.fps), fmt=self._library.PixelFormat.RGB, device=self._device or None
            )
        except (RuntimeError, ValueError) as error:
            told = " ".join(str(error).split())
            raise OutputError(f"no virtual camera ({told}); {HINT.get(sys.platform, HINT['linux'])}") from error
        return str(self._camera.device)

    def send(self, picture: Picture) -> None:
        self._camera.send(self._convert(picture))

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
