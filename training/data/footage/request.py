"""What a user asks of footage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from training.data.footage.masks import Wish
from training.data.footage.video import RATE, Crop
from visualizer.errors import UserError


@dataclass(frozen=True)
class Request:
    """Everything that decides what becomes of a video. Times in seconds; `name`: that of the style; None: each video's
    own."""

    wish: Wish = field(default_factory=Wish)
    rate: float = RATE
    begin: float = 0.0
    end: float = float("inf")
    crop: Crop | None = None
    empty: tuple[float, float] | None = None
    beats: str = "auto"
    name: str | None = None
    licence: str = "footage of the user's own"

    def check(self) -> None:
        """UserError for what cannot be, before anything is read."""
        self.wish.check()
        if not 1 <= self.rate <= 240:
            raise UserError(f"rate {self.rate:g}: must be from 1 to 240 pictures a second")
        if self.beats not in ("auto", "sound", "movement", "none"):
            raise UserError(f"beats {self.beats!r}: must be auto, sound, movement or none")
        if self.empty is not None and self.wish.method not in ("auto", "still"):
            raise UserError("--empty is for --method still: the other methods need no empty place")
        if self.name is not None and not (0 < len(self.name) <= 40 and self.name.isprintable()):
            raise UserError(f"name {self.name!r}: must be a short line of text")


def meant(request: Request) -> Request:
    """The request with the method that its other options are for, where none is named."""
    wish = request.wish
    if wish.method != "auto":
        return request
    if request.empty is not None:
        return replace(request, wish=replace(wish, method="still"))
    if wish.mask_model is not None:
        return replace(request, wish=replace(wish, method="person"))
    if wish.key != "border":
        return replace(request, wish=replace(wish, method="key"))
    return request
