"""Calls of a pack's networks, none of which can end a show: what fails, in whatever way, comes back as who has failed.

The check at loading speaks for what a network does with a few inputs. At a party it is given others, so here each
answer is judged: that there is one at all, that it has the shapes of the contract, that its numbers are numbers, and
that they are of a size that a body can have.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.moment import Inside
from visualizer.networks.contract import PART_COUNT, travel_size

from .dressing import Box, Dress, find_boxes
from .pack import FARTHEST_JOINT, FRAME_SIZE, JOINT_COUNT, Pack, clean

FARTHEST_LINE = 100.0  # frame widths: no point of a frame is farther from the outline than 1.5
OUTSIDE = 3 / FRAME_SIZE  # frame widths from the outline that a place is which no figure's box holds
LARGEST = {"frame": FARTHEST_LINE, "normal": 2.0, "crease": 100.0, "parts": 2.0}  # of numbers that draw a figure
HUGE = 1e15  # of a latent or a state: the square of what is larger is no number
FASTEST = 1e3  # frame widths a beat; a runner makes three


@dataclass(frozen=True)
class Pace:
    """How long a network may take: of that many `calls` in a row one must be over within that many `seconds`.

    Ours take a fortieth to a hundredth of that (`python -m bench.networks`), so that no healthy pack is found too slow
    on a busy machine; one that is too slow holds a show up for about three seconds.
    """

    seconds: float
    calls: int


PACES = {
    "choreographer": Pace(0.25, 8), "dancer": Pace(0.05, 48), "decoder": Pace(0.75, 4), "figure_decoder": Pace(0.75, 4),
}  # fmt: skip
STUCK = 5.0  # seconds of work: one call that takes more is too many. (A program that is stopped does no work.)


class Slow:
    """Whether a network takes too long, call after call."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self._run = pace, 0

    def see(self, seconds: float, worked: float) -> bool:
        """A call took so long, and so much work of the processor; whether that was one too many."""
        if seconds <= self._pace.seconds:
            self._run = 0
            return False
        self._run += 1
        return self._run >= self._pace.calls or worked > STUCK


@dataclass(frozen=True)
class Letters:
    """What the choreographer has written: letters (N,), states (N, …), and who has `failed` (N,)."""

    letter: NDArray[np.int64]
    state: NDArray[np.float32]
    failed: NDArray[np.bool_]


@dataclass(frozen=True)
class Stepped:
    """Where the dancer network has gone: latents (N, D), states (N, …), travel (N, 2) in frame widths a beat to the
    right and towards the viewer (0 in packs of format 2), and who has `failed` (N,)."""

    latent: NDArray[np.float32]
    state: NDArray[np.float32]
    travel: NDArray[np.float32]
    failed: NDArray[np.bool_]


@dataclass(frozen=True)
class Decoded:
    """Frames (N, 1, 128, 128), joints (N, 21, 2) or None where the pack has none, who has `failed` (N,), and what is
    inside of figures, where that was asked for."""

    frame: NDArray[np.float32]
    joints: NDArray[np.float32] | None
    failed: NDArray[np.bool_]
    insides: tuple[Inside, ...] | None = None


class Networks:
    """The networks of one pack. `reason`: why one failed last; `slow`: the name of one that takes too long, or ""."""

    def __init__(self, pack: Pack) -> None:
        self.reason = self.slow = ""
        self._pack = pack
        self._outputs = [output.name for output in pack.decoder.get_outputs()]
        numbers = pack.latent_size + math.prod(pack.dancer_state)  # of a step of one dancer, and then the travel
        self._travel = travel_size(pack.info)
        self._limits = np.array([HUGE] * numbers + [FASTEST] * self._travel, np.float32)
        self._paces = {name: Slow(pace) for name, pace in PACES.items()}

    def write(self, given: dict[str, NDArray[Any]]) -> Letters:
        """The letters that follow, for N dancers."""
        n = len(given["letter"])
        shapes = {"letter_out": (n,), "state_out": (n, *self._pack.choreographer_state)}
        made = self._call("choreographer", list(shapes), given, shapes)
        if made is None:
            return Letters(np.zeros(n, np.int64), np.zeros(shapes["state_out"], np.float32), np.ones(n, bool))
        letter, state = made["letter_out"], made["state_out"]
        failed = ~(np.abs(state.reshape(n, -1)) <= HUGE).all(axis=1)
        failed |= (letter < 0) | (letter >= self._pack.letters)
        self._blame("choreographer", failed)
        return Letters(letter, state, failed)

    def step(self, given: dict[str, NDArray[Any]]) -> Stepped:
        """A sixteenth of a beat on, for N dancers."""
        n, d = given["latent"].shape
        shapes = {"latent_out": (n, d), "state_out": (n, *self._pack.dancer_state), "travel": (n, self._travel)}
        made = self._call("dancer", list(shapes), given, shapes)
        if made is None:
            nothing = (np.zeros(shape, np.float32) for shape in shapes.values())
            latent, state, travel = nothing
            return Stepped(latent, state, np.zeros((n, 2), np.float32), np.ones(n, bool))
        latent, state, travel = made["latent_out"], made["state_out"], made["travel"]
        sound = np.abs(np.concatenate([latent, state.reshape(n, -1), travel], axis=1)) <= self._limits
        if self._travel == 1:
            travel = np.concatenate([travel, np.zeros_like(travel)], axis=1)
        if sound.all():
            return Stepped(latent, state, travel, np.zeros(n, bool))
        failed = np.asarray(~sound.all(axis=1))
        self._blame("dancer", failed)
        return Stepped(latent, state, np.where(failed[:, None], np.float32(0), travel), failed)

    def decode(self, latent: NDArray[np.float32]) -> Decoded:
        """The bodies of latents (N, D)."""
        n = len(latent)
        shapes = {"frame": (n, 1, FRAME_SIZE, FRAME_SIZE), "joints": (n, JOINT_COUNT, 2)}
        shapes = {name: shape for name, shape in shapes.items() if name in self._outputs}
        made = self._call("decoder", None, {"latent": latent}, shapes)
        if made is None:
            joints = np.zeros(shapes["joints"], np.float32) if "joints" in shapes else None
            return Decoded(np.zeros(shapes["frame"], np.float32), joints, np.ones(n, bool))
        frame, joints = made["frame"], made.get("joints")
        flat = frame.reshape(n, -1)
        failed = ~((flat.max(axis=1) <= FARTHEST_LINE) & (flat.min(axis=1) >= -FARTHEST_LINE))
        if joints is not None:
            failed |= ~(np.abs(joints - 0.5) <= FARTHEST_JOINT).all(axis=(1, 2))
        self._blame("decoder", failed)
        return Decoded(frame, joints, failed)

    def show(self, latent: NDArray[np.float32], dress: Dress, wants_inside: bool) -> Decoded:
        """The bodies of latents (N, D): figures, or silhouettes, where all are flat and nobody asks what is inside."""
        figures = self._pack.figures
        if figures is None:
            return self.decode(latent)
        flat = np.array([person.flat for person in figures.people])
        if not wants_inside and not dress.figure[:, ~flat].any():
            return self.decode(latent)
        return self.draw_figures(latent, dress, wants_inside)

    def draw_figures(self, latent: NDArray[np.float32], dress: Dress, wants_inside: bool) -> Decoded:
        """The figures of latents (N, D) in frames (N, 1, 128, 128), drawn each in the box that it needs."""
        pack, n = self._pack, len(latent)
        frame = np.full((n, 1, FRAME_SIZE, FRAME_SIZE), OUTSIDE, np.float32)
        joints = np.zeros((n, JOINT_COUNT, 2), np.float32)
        failed = np.ones(n, bool)
        insides: list[Inside] = []
        if pack.body is None or pack.figures is None:  # a pack that says it has figures has both
            return Decoded(frame, joints, failed)
        for k, box in enumerate(find_boxes(pack.body, pack.figures, latent, dress.figure)):
            made = self._draw_figure(latent[k : k + 1], dress, k, box)
            if made is None:
                continue
            top, left = 2 * box.row, 2 * box.column
            frame[k, :, top : top + 2 * box.rows, left : left + 2 * box.columns] = made["frame"][0]
            joints[k], failed[k] = made["joints"][0], False
            if wants_inside:
                colours = np.tensordot(dress.figure[k], [p.colours for p in pack.figures.people], 1)
                inside = (made["normal"][0], made["crease"][0, 0], made["parts"][0], np.rint(colours).astype(np.uint8))
                insides.append(Inside(top, left, *inside))
        return Decoded(frame, joints, failed, tuple(insides) if len(insides) == n else None)

    def _draw_figure(
        self, latent: NDArray[np.float32], dress: Dress, who: int, box: Box
    ) -> dict[str, NDArray[Any]] | None:
        """One figure in its box; None where the network fails."""
        one, (x, y) = slice(who, who + 1), box.grid
        given = {"latent": latent, "figure": dress.figure[one], "sway": dress.sway[one], "hands": dress.hands[one],
                 "grid_x": x, "grid_y": y}  # fmt: skip
        h, w = 2 * box.rows, 2 * box.columns
        shapes = {"frame": (1, 1, h, w), "normal": (1, 2, h, w), "crease": (1, 1, h, w), "parts": (1, PART_COUNT, h, w),
                  "joints": (1, JOINT_COUNT, 2)}  # fmt: skip
        made = self._call("figure_decoder", list(shapes), given, shapes)
        if made is None:
            return None
        sound = all(np.abs(made[name]).max() <= most for name, most in LARGEST.items())
        sound = sound and np.abs(made["joints"] - 0.5).max() <= FARTHEST_JOINT
        self._blame("figures", np.array([not sound]))
        return made if sound else None

    def _call(
        self, network: str, names: list[str] | None, given: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]]
    ) -> dict[str, NDArray[Any]] | None:
        """Outputs by name, of those shapes; None where there are none, and then `reason` says why."""
        begun, idle = time.perf_counter(), time.thread_time()
        try:
            made = getattr(self._pack, network).run(names, given)
            found = dict(zip(names or self._outputs, made, strict=True))
            outputs = {name: _fit(found[name], shape, name) for name, shape in shapes.items()}
        except Exception as error:  # noqa: BLE001 - a stranger's network may raise anything, and a party does not stop
            self.reason = f"{network}: {clean(str(error) or type(error).__name__, 120)}"
            outputs = None
        if self._paces[network].see(time.perf_counter() - begun, time.thread_time() - idle):
            self.slow = network
        return outputs

    def _blame(self, network: str, failed: NDArray[np.bool_]) -> None:
        if failed.any():
            self.reason = f"{network}: gives numbers that are no pose"


def _fit(array: Any, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """An output as the dance needs it. ValueError for one of another shape or kind."""
    wanted = np.int64 if name == "letter_out" else np.float32
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind != np.dtype(wanted).kind:
        raise ValueError(f"output {name} is not {shape}, as the pack says")
    return array if array.dtype == wanted and array.flags.writeable else np.array(array, wanted)
