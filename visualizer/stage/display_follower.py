"""Which display a show is on, which it belongs on, and what becomes of it when displays come and go."""

from __future__ import annotations

from visualizer.stage.displays import Display, displays, find_several, is_called, same_display


class DisplayFollower:
    """Keeps count of the displays there are. It moves no window: it says where one should be."""

    def __init__(self, asked: int | str) -> None:
        """`asked`: number or name, or several, of which the first counts. UserError if there is no such display."""
        self.displays = displays()  # as they were when last looked at
        self.display = find_several(self.displays, asked)[0]
        # The display where the show belongs, while it is not there: its name, or what it was and who was beside it.
        self._missed: str | tuple[Display, tuple[Display, ...]] | None = None

    def find_again(self) -> None:
        """SDL's video was started again: numbers may be others."""
        there = displays()
        self.display, self.displays = same_display(there, self.display, self.displays) or there[0], there

    def choose_next(self) -> bool:
        """On to the next display; False if there is no other."""
        self.displays = displays()
        if len(self.displays) < 2:
            return False
        self._missed = None
        self.display = self.displays[(self.display.number + 1) % len(self.displays)]
        return True

    def choose(self, number: int) -> None:
        """Somebody has pulled the window over to that display."""
        if number < len(self.displays) and number != self.display.number:
            self.display, self._missed = self.displays[number], None

    def miss(self, name: str) -> None:
        """The display of that name is where the show belongs; it moves there as soon as it is plugged in."""
        self._missed = name

    def look(self, fullscreen: bool) -> tuple[str | None, bool]:
        """What there is to say if displays were plugged in or out, or changed; and whether the window has to be opened
        again, on `display`.

        A show whose display is gone moves to another, and back once it is there again, if it was full screen.
        """
        before, there = self.displays, displays()
        if there == before or not there:
            return None, False
        self.displays = there
        back = None
        if isinstance(self._missed, tuple):
            back = same_display(there, *self._missed)
        elif self._missed is not None:
            back = next((d for d in there if is_called(d, self._missed)), None)
        if back is not None and fullscreen:
            self._missed, self.display = None, back
            return f"display {back} is back", True
        now = same_display(there, self.display, before)
        if now is None:
            gone, self._missed = self.display, self._missed or ((self.display, before) if fullscreen else None)
            self.display = there[0]
            return f"display {gone} is gone: on {self.display} now", True
        changed = now.size != self.display.size
        self.display = now
        if changed and fullscreen:
            return f"display {now} has changed", True
        return None, False
