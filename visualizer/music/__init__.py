"""The ear: from sound to musical time."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]  # seconds from any moment on
