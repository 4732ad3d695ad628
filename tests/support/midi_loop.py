"""MIDI devices that are not there: mido's own messages through memory, in the shape of one of its backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido


class Output:
    """A port that keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[mido.Message] = []
        self.closed = False

    def send(self, message: mido.Message) -> None:
        assert not self.closed
        self.sent.append(mido.Message.from_bytes(message.bytes()))  # as it would come out of a cable

    def close(self) -> None:
        self.closed = True


class Input:
    def __init__(self, callback: Callable[[mido.Message], None]) -> None:
        self.callback, self.closed = callback, False

    def close(self) -> None:
        self.closed = True


class Loop:
    """What a backend of mido can be asked for; `plugged` are the names of the inputs that there are now."""

    def __init__(self, *plugged: str) -> None:
        self.plugged = list(plugged)
        self.broken: set[str] = set()
        self.inputs: dict[str, Input] = {}
        self.outputs: dict[str, Output] = {}

    def get_input_names(self) -> list[str]:
        return self.plugged

    def get_output_names(self) -> list[str]:
        return ["Through Port", "Drum machine"]

    def open_input(self, name: str, callback: Callable[[mido.Message], None]) -> Input:
        if name in self.broken:
            raise OSError("in use")
        self.inputs[name] = Input(callback)
        return self.inputs[name]

    def open_output(self, name: str) -> Output:
        self.outputs[name] = Output()
        return self.outputs[name]

    def play(self, name: str, kind: str, **values: Any) -> None:
        """A message of that device, by way of its bytes."""
        self.inputs[name].callback(mido.Message.from_bytes(mido.Message(kind, **values).bytes()))
