"""Feet that stand stay where they are: each step the legs of a troupe are put right by two-bone inverse kinematics.

A network that moves the whole body at once lets its feet slide by centimetres. Here a foot that the dance puts down is
held where it is in the room, the way of the crop and of the formation included, and the leg bends so that it can. When
the dance lifts it, what it is off its place dies away like a critically damped spring. Bones keep their lengths.

What is put right is shown and not told to the network, so its dance is what it would be without. Bodies in space alone
have feet that can be held (packs of format 3); flat ones stay as they are.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .body_space import BodySpace
from .legs import (
    ANKLE_STANDS,
    ANKLES,
    HIPS,
    KNEES,
    STANDS_SLOWER,
    STEPS_PER_SECOND,
    TOE_STANDS,
    TOES,
    Floats,
    bend_knees,
    dot,
    place_foot,
)

# The four points of the feet: left and right ankle, left and right toe. What stands goes on until it is higher, faster,
# or farther off its place than this (hysteresis).
LOW = np.array([ANKLE_STANDS, ANKLE_STANDS, TOE_STANDS, TOE_STANDS])
LIFTED = LOW + 0.03  # metres
LEAVES_FASTER = 0.5  # metres a second
FARTHEST = 0.08  # metres
NEAR = 0.02  # metres from its place at which a foot that was dragged off may stand again
RATE = 14.0  # a second, of what a lifted foot is off its place
STRAIGHT = 0.995  # share of a leg's length up to which it is stretched, unless the dance stretches it farther
SINKS, RISES = 0.35, 0.1  # shares of the way a step that the pelvis goes down where a leg is too short, and up again
BASE = 0.35  # share of the way a step by which the joint changes about which a foot is put right

_DECAY = math.exp(-RATE / STEPS_PER_SECOND)


class _Legs:
    """Legs out of latents, and latents whose legs are others."""

    def __init__(self, space: BodySpace) -> None:
        joints, size = np.concatenate([HIPS, KNEES, ANKLES, TOES]), space.axes.shape[1]
        axes = space.axes.reshape(-1, 3, size).astype(np.float64)
        self._decode = axes[joints].reshape(-1, size).T * space.scale
        self._mean = space.mean.reshape(-1, 3)[joints].ravel().astype(np.float64)
        self._encode = axes[joints[2:]].reshape(-1, size) / space.scale
        self._lower = -axes[:, 1].sum(axis=0) / space.scale  # by how much a latent differs where a body is 1 m lower

    def of(self, latent: NDArray[np.float32]) -> Floats:
        """Hips, knees, ankles and toes, (N, 4, 2, 3) metres about the crop."""
        return (latent @ self._decode + self._mean).reshape(-1, 4, 2, 3)

    def change(self, latent: NDArray[np.float32], by: Floats, lower: Floats) -> NDArray[np.float32]:
        """Latents (N, D) of bodies whose knees, ankles and toes are elsewhere `by` (N, 3, 2, 3) metres, and which are
        all `lower` (N,)."""
        return (latent + by.reshape(len(by), -1) @ self._encode + lower[:, None] * self._lower).astype(np.float32)


class FootLock:
    """Feet of a troupe of N, one step after the other. `held` (N, 4): which points of them stand; `offset` (N, 4, 2):
    metres in x and z by which they are off where the dance has them."""

    def __init__(self, space: BodySpace | None, troupe: int) -> None:
        """`space`: None for flat bodies."""
        self._legs = None if space is None else _Legs(space)
        self._points = np.zeros((0, 4, 3))  # where the dance had the feet, about the crop
        self._known = np.zeros(0, bool)  # whose points are known
        self.held = np.zeros((0, 4), bool)
        self._dragged = np.zeros((0, 4), bool)
        self.offset = np.zeros((0, 4, 2))
        self._speed = np.zeros((0, 4, 2))
        self._base = np.zeros((0, 2, 1))  # 0: a foot is put right about its ankle, 1: about its toe
        self._sunk = np.zeros(0)  # metres
        self.resize(troupe)

    def resize(self, troupe: int) -> None:
        """That many; those who stay go on."""
        for name in ("_points", "_known", "held", "_dragged", "offset", "_speed", "_base", "_sunk"):
            kept = getattr(self, name)[:troupe]
            setattr(self, name, np.concatenate([kept, np.zeros((troupe - len(kept), *kept.shape[1:]), kept.dtype)]))

    def forget(self, who: NDArray[np.bool_]) -> None:
        """Those (N,) begin again elsewhere: nothing of them stands."""
        for name in ("_known", "held", "_dragged", "offset", "_speed", "_sunk"):
            getattr(self, name)[who] = 0

    def step(self, latent: NDArray[np.float32], moved: NDArray[np.floating]) -> NDArray[np.float32]:
        """Latents (N, D) with their feet put right. `moved` (N, 2): metres that the crop has gone since the step
        before, to the right and towards the viewer."""
        if self._legs is None:
            return latent
        legs = self._legs.of(latent)
        self._follow(legs[:, 2:].reshape(-1, 4, 3), np.asarray(moved, np.float64))
        if not self.offset.any():
            return latent
        bones = legs[:, 1:] - legs[:, :-1]
        thigh, shin, foot = np.moveaxis(np.sqrt(dot(bones, bones)), 1, 0)
        hips, was = legs[:, 0], legs[:, 2] - legs[:, 0]
        ankles, feet = self._place(legs[:, 2], bones[:, 2], foot)
        longest = np.maximum(STRAIGHT * (thigh + shin), np.sqrt(dot(was, was)))
        sunk = self._sink(ankles - hips, longest)
        leg = ankles - hips
        leg[..., 1] += sunk[:, None]
        leg *= np.minimum(longest / np.sqrt(dot(leg, leg)), 1)
        change = np.empty_like(bones)  # where knees, ankles and toes go, the whole body being lower
        change[:, 0] = bend_knees(bones[:, 0], leg, feet, (thigh, shin)) - bones[:, 0]
        change[:, 1] = leg - was
        change[:, 2] = change[:, 1] + feet - bones[:, 2]
        return self._legs.change(latent, change, sunk)

    def _follow(self, points: Floats, moved: Floats) -> None:
        """See which of the points (N, 4, 3) stand, and how far off where the dance has them they are then."""
        way = points - self._points
        way[..., 0] += moved[:, :1]
        way[..., 2] += moved[:, 1:]
        fast = dot(way, way)[..., 0] * STEPS_PER_SECOND**2
        height, off = points[..., 1], dot(self.offset, self.offset)[..., 0]
        goes_on = self.held & (height < LIFTED) & (fast < LEAVES_FASTER**2)
        dragged = goes_on & (off > FARTHEST**2)
        lands = (height < LOW) & (fast < STANDS_SLOWER**2) & ~self._dragged
        held = (goes_on | lands) & ~dragged & self._known[:, None]
        self._dragged = (self._dragged & (off > NEAR**2) & (height < LIFTED)) | dragged
        pushed = self._speed + RATE * self.offset
        freed = _DECAY * (self.offset + pushed / STEPS_PER_SECOND)
        slower = _DECAY * (self._speed - RATE * pushed / STEPS_PER_SECOND)
        stands, along = held[..., None], way[..., ::2]
        self.offset = np.where(stands, self.offset - along, freed)
        self._speed = np.where(stands, -along * STEPS_PER_SECOND, slower)
        self._points, self.held = points, held
        self._known[:] = True

    def _place(self, ankles: Floats, feet: Floats, foot: Floats) -> tuple[Floats, Floats]:
        """Where ankles (N, 2, 3) go, and the way from there to the toes, which was `feet` (N, 2, 3): as long as `foot`
        (N, 2, 1)."""
        ankles, asked = ankles.copy(), feet.copy()
        ankles[..., ::2] += self.offset[:, :2]
        asked[..., ::2] += self.offset[:, 2:] - self.offset[:, :2]
        wanted = (self.held[:, 2:] | ~self.held[:, :2])[..., None]
        self._base += BASE * (wanted - self._base)
        feet = place_foot(asked, foot)
        return ankles + self._base * (asked - feet), feet

    def _sink(self, legs: Floats, longest: Floats) -> Floats:
        """By how many metres each body is lower, (N,), so that both legs get to their feet, which are `legs` (N, 2, 3)
        from the hips."""
        rest = np.square(longest) - dot(legs[..., ::2], legs[..., ::2])
        wanted = (-legs[..., 1:2] - np.sqrt(np.maximum(rest, 0.05))).max(axis=(1, 2))
        gap = np.maximum(wanted, 0) - self._sunk
        self._sunk = self._sunk + np.where(gap > 0, SINKS, RISES) * gap
        return self._sunk
