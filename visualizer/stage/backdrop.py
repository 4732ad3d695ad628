"""The map of what is behind the dancers now, kept as long as it is seen."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from visualizer.stage.backdrop_map import Index, make_index_map
from visualizer.support.memory import give_back

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout
    from visualizer.stage.looks import Backdrop

STEADY = 4  # pictures of one view after which its map is made in full
ROUGH = 3  # pixels, each way, that share a number of a rough map


class BackdropCache:
    """The map of what is seen now: roughly at once, in full when there has been time for it.

    A large map takes a tenth of a second, so a live show has it made aside. Who is `patient`, a film, waits for it
    instead, and gets the same pictures each time. `finest`: pixels, each way, that a number of the full map covers.
    """

    def __init__(self, patient: bool, finest: int = 1) -> None:
        self._patient, self._finest = patient, finest
        self._pool = None if patient else ThreadPoolExecutor(1, thread_name_prefix="backdrop")
        self._coming: Future[Index] | None = None
        self._look: Backdrop | None = None
        self._place: Layout | None = None
        self._step = self._steady = 0  # pixels a number covers, 0: there is no map; pictures of this view

    def update(self, look: Backdrop, place: Layout) -> tuple[int, Index] | None:
        """Pixels that a number covers, and the map, if it is another than the last time; call it for each picture."""
        if look is not self._look or place != self._place:
            fresh = look is not self._look
            self._look, self._place, self._coming = look, place, None
            self._steady, self._step = STEADY if fresh else 0, 0
            if fresh and self._patient:
                return self._made(self._finest, make_index_map(look, place, self._finest))
        self._steady += 1
        if not self._step:
            step = max(ROUGH, self._finest)
            return self._made(step, make_index_map(look, place, step))
        if self._step == self._finest or self._steady <= STEADY:
            return None
        if self._pool is None:
            return self._made(self._finest, make_index_map(look, place, self._finest))
        if self._coming is None:
            self._coming = self._pool.submit(_make_aside, look, place, self._finest)
        return self._made(self._finest, self._coming.result()) if self._coming.done() else None

    def _made(self, step: int, numbers: Index) -> tuple[int, Index]:
        self._step = step
        return step, numbers

    def close(self) -> None:
        """Let the thread go."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _make_aside(look: Backdrop, place: Layout, step: int) -> Index:
    numbers = make_index_map(look, place, step)
    give_back()  # tens of MB in which it was made, and which would stay; more of them with each look of a party
    return numbers
