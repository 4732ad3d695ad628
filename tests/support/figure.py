"""What makes a dark shape on white a dancing figure, for pictures taken from outside of the program."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from visualizer.dancer.pack import FLOOR


def window(shot: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey levels of a window of 640x400 in the middle of the screen."""
    return shot[200:600, 320:960].max(axis=2)


def figure(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The body in (height, width) grey levels of the paper look: one dark region of a person's size and build.

    AssertionError, with what is wrong, if there is none. `grey` is a landscape window, so its height is the frame's.
    """
    height = grey.shape[0]
    ink, paper = grey < 70, grey > 200
    assert (ink | paper).mean() > 0.9, "neither ink nor paper: grey"
    labels = np.zeros(grey.shape, np.int32)
    ndimage.label(ink, structure=np.ones((3, 3)), output=labels)
    count = int(labels.max())
    assert count, "no ink at all"
    sizes = np.bincount(labels.ravel())[1:]
    body = labels == 1 + int(np.argmax(sizes))
    assert body.sum() > 0.85 * ink.sum(), f"not one body but {count} pieces"
    assert 0.02 < body.sum() / height**2 < 0.3, f"{body.sum() / height**2:.3f} of the frame is no body's area"
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 0.4 * height < tall < 0.98 * height, f"{tall / height:.2f} of the frame is no body's height"
    assert 0.08 * height < wide < 0.98 * height, f"{wide / height:.2f} of the frame is no body's width"
    assert body.sum() < 0.75 * tall * wide, "a block, not a body with limbs"
    assert (FLOOR - 0.25) * height < rows[-1] < (FLOOR + 0.07) * height, "it does not stand near the floor"
    return body


def is_figure(grey: NDArray[np.uint8]) -> bool:
    """Whether `figure` finds one."""
    try:
        figure(grey)
    except AssertionError:
        return False
    return True


def figures(pictures: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
    """The bodies in pictures some time apart. One in eight may be none, for a deep crouch or a limb lost on the way
    from pose to pose (1 of 150 with the pack that ships); AssertionError if more are."""
    pictures = list(pictures)
    good = [each for each in pictures if is_figure(each)]
    assert len(good) >= len(pictures) * 7 / 8, f"only {len(good)} of {len(pictures)} pictures hold a figure"
    return [figure(each) for each in good]


def change(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """How different two figures are: 0 the same, 1 without a common point."""
    return 1 - float((a & b).sum() / (a | b).sum())


def assert_dances(bodies: list[NDArray[np.bool_]]) -> None:
    """Figures some time apart: each has moved since the last, and they are not two poses to and fro."""
    moved = [change(a, b) for a, b in pairwise(bodies)]
    assert min(moved) > 0.03, f"it stood still: {moved}"
    poses: list[NDArray[np.bool_]] = []
    for body in bodies:
        if all(change(body, pose) > 0.15 for pose in poses):
            poses.append(body)
    assert len(poses) >= 3, f"only {len(poses)} different poses in {len(bodies)} pictures"
