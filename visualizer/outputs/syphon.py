"""Syphon: pictures to other programs on this Mac, through the graphics card, with alpha; by syphon-python and Metal."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from visualizer.errors import ExtraMissing, UserError
from visualizer.outputs.sender import APP_NAME, Converter, Format, OutputError, Picture


def load_library() -> Any:
    """syphon. UserError without the extra, and where there is no Syphon."""
    try:
        library = import_module("syphon")
        import_module("syphon.utils.numpy")
        import_module("syphon.utils.raw")
    except ImportError:
        if sys.platform != "darwin":
            raise UserError("output syphon: only macOS has Syphon") from None
        raise ExtraMissing("output syphon needs", "syphon") from None
    return library


class Syphon:
    """A `Sender`."""

    def __init__(self, form: Format) -> None:
        self._library, self._form = load_library(), form
        self._convert = Converter(form.alpha, "rgba").convert
        self._server: Any = None
        self._texture: Any = None

    def open(self) -> str:
        self._server = self._library.SyphonMetalServer(APP_NAME)
        if self._server.device is None:
            raise OutputError("Syphon finds no Metal")
        self._texture = self._library.utils.raw.create_mtl_texture(self._server.device, *self._form.size)
        return f"'{APP_NAME}'"

    def send(self, picture: Picture) -> None:
        objc = import_module("objc")  # comes with syphon-python
        # A thread that is not Cocoa's own has no pool: what Metal makes for each picture would pile up.
        with objc.autorelease_pool():
            self._library.utils.numpy.copy_image_to_mtl_texture(self._convert(picture), self._texture)
            self._server.publish_frame_texture(self._texture, is_flipped=True)  # our first row is the highest

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
