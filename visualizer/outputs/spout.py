"""Spout: pictures to other programs on this Windows computer, through the graphics card, with alpha; by SpoutGL."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from visualizer.errors import ExtraMissing, UserError
from visualizer.outputs.sender import APP_NAME, Converter, Format, OutputError, Picture


def load_library() -> Any:
    """SpoutGL. UserError without the extra, and where there is no Spout."""
    try:
        library = import_module("SpoutGL")
        import_module("SpoutGL.enums")
    except ImportError:
        if sys.platform != "win32":
            raise UserError("output spout: only Windows has Spout") from None
        raise ExtraMissing("output spout needs", "spout") from None
    return library


class Spout:
    """A `Sender`. Spout draws with an OpenGL of its own, which belongs to the thread that opens it."""

    def __init__(self, form: Format) -> None:
        self._library, self._form = load_library(), form
        self._convert = Converter(form.alpha, "rgba").convert
        self._sender: Any = None

    def open(self) -> str:
        self._sender = self._library.SpoutSender()
        if not self._sender.createOpenGL():
            raise OutputError("Spout finds no OpenGL")
        self._sender.setSenderName(APP_NAME)
        return f"'{APP_NAME}'"

    def send(self, picture: Picture) -> None:
        width, height = self._form.size
        data = self._convert(picture)
        if not self._sender.sendImage(data, width, height, self._library.enums.GL_RGBA, False, 0):
            raise OutputError("Spout takes no pictures")
        self._sender.setFrameSync(APP_NAME)

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self._sender is not None:
            self._sender.releaseSender()
            self._sender.closeOpenGL()
