"""From sound to musical time: where the music comes from (`sources`), what is heard in it (`analysis`), and the clock
that the dance goes by."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]  # seconds from any moment on
