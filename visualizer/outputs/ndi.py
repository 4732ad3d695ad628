"""NDI: pictures over the local network to OBS, vMix, Resolume and others, with straight alpha; by cyndilib."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from visualizer.errors import ExtraMissing, UserError
from visualizer.outputs.sender import APP_NAME, Converter, Format, OutputError, Picture


def load_library() -> Any:
    """cyndilib. UserError without the extra, or where NDI does not load."""
    try:
        return import_module("cyndilib")
    except ModuleNotFoundError:
        raise ExtraMissing("output ndi needs", "ndi") from None
    except ImportError as error:  # of the library that it brings
        raise UserError(f"output ndi: the NDI library does not load ({error})") from error


class Ndi:
    """A `Sender`."""

    def __init__(self, form: Format) -> None:
        self._library, self._form = load_library(), form
        self._convert = Converter(form.alpha, "bgra").convert
        self._sender: Any = None

    def open(self) -> str:
        """Make the source known in the network."""
        ndi = self._library
        frame = ndi.VideoSendFrame()
        frame.set_resolution(*self._form.size)
        frame.set_frame_rate(self._form.fps)
        frame.set_fourcc(ndi.FourCC.BGRA if self._form.alpha else ndi.FourCC.BGRX)
        self._sender = ndi.Sender(APP_NAME, clock_video=False)
        self._sender.set_video_frame(frame)
        try:
            self._sender.open()
        except RuntimeError as error:
            raise OutputError(f"NDI does not start ({error or 'no reason given'})") from error
        return f"'{APP_NAME}' in the network"

    def send(self, picture: Picture) -> None:
        # Without `async` it waits until NDI has taken the picture: the buffer is ours again, and this thread may wait.
        self._sender.write_video(self._convert(picture).reshape(-1))

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()
