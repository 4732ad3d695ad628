"""Open the outputs that were asked for, for as long as a show lasts. Nothing of theirs is imported before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

from visualizer.outputs.names import PIPES, OutputName, split_outputs

if TYPE_CHECKING:
    from visualizer.live import LiveShow
    from visualizer.options import Settings
    from visualizer.outputs.sender import Format, Sender

FPS = 30  # pictures a second where nothing else is asked for


@contextmanager
def open_outputs(settings: Settings, live: LiveShow) -> Iterator[None]:
    """What `settings` ask for is open in here. UserError for what this computer does not have at all; what cannot be
    opened is said, and the show goes on without."""
    if settings.output is None:
        yield
        return
    from visualizer.film.recorder import fitted
    from visualizer.outputs.outputs import Outputs
    from visualizer.outputs.sender import Format

    size = even(settings.output_size) if settings.output_size else fitted(live.window.size)
    form = Format(size, Fraction(settings.output_fps or FPS), settings.output_alpha)
    senders = {str(name): make_sender(name, form) for name in split_outputs(settings.output)}
    outputs = Outputs(form, senders, live.toasts)
    live.outputs = live.takes.outputs = outputs
    try:
        yield
    finally:
        live.outputs = live.takes.outputs = None
        outputs.close()


def even(size: tuple[int, int]) -> tuple[int, int]:
    """A row or column less where there is an odd one: colours are as coarse as two pixels."""
    return size[0] // 2 * 2, size[1] // 2 * 2


def make_sender(name: OutputName, form: Format) -> Sender:
    """One output, not yet open. UserError where its library or its place is not there."""
    if name.kind in PIPES:
        from visualizer.outputs.pipe import Pipe

        return Pipe(name.kind, name.where, form)
    if name.kind == "camera":
        from visualizer.outputs.virtual_camera import VirtualCamera

        return VirtualCamera(name.where, form)
    if name.kind == "ndi":
        from visualizer.outputs.ndi import Ndi

        return Ndi(form)
    if name.kind == "spout":
        from visualizer.outputs.spout import Spout

        return Spout(form)
    from visualizer.outputs.syphon import Syphon

    return Syphon(form)
