"""Boxes and bands hold all that they should, and little besides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pygame
import pytest

from visualizer.stage.cpu.rectangles import (
    BAND_HEIGHT,
    NEAR,
    bound,
    box_of,
    cut_into_bands,
    find_columns,
    flatten,
    join_bands,
    merge,
    no_bands,
)

Rect = pygame.Rect


def test_box_of_is_tight_and_cut_to_the_array() -> None:
    mask = np.zeros((10, 12), bool)
    assert box_of(mask, 1) is None
    mask[3:5, 0] = True
    assert box_of(mask, 1) == (2, 6, 0, 2)


@pytest.mark.parametrize("columns", [(0, 1), (3, 7), (5, 12), (0, 12)])
def test_columns_are_found_to_the_last(columns: tuple[int, int]) -> None:
    mask = np.zeros((4, 12), bool)
    assert find_columns(mask)[0] == find_columns(mask)[1]
    mask[1, columns[0]] = mask[2, columns[1] - 1] = True
    assert find_columns(mask) == columns


def test_what_is_merged_lies_apart_and_holds_all() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        rectangles = [Rect(int(rng.integers(900)), 0, int(rng.integers(1, 120)), 10) for _ in range(6)]
        merged = merge(rectangles)
        assert all(any(each.contains(one) for each in merged) for one in rectangles)
        assert all(b.left - a.right > NEAR for a, b in pairwise(merged))
        assert sum(each.w for each in merged) <= sum(one.w + NEAR for one in rectangles)


def test_a_box_is_cut_at_the_bands_and_at_the_window() -> None:
    window = Rect(0, 0, 300, 5 * BAND_HEIGHT // 2)
    bands = cut_into_bands(Rect(-20, BAND_HEIGHT // 2, 100, 10 * BAND_HEIGHT), window)
    assert len(bands) == len(no_bands(window.h)) == 3
    assert bound(bands) == Rect(0, BAND_HEIGHT // 2, 80, 2 * BAND_HEIGHT)
    assert [rect.top // BAND_HEIGHT for rect in flatten(bands)] == [0, 1, 2]
    assert all((rect.bottom - 1) // BAND_HEIGHT == rect.top // BAND_HEIGHT for rect in flatten(bands))
    assert not flatten(cut_into_bands(Rect(400, 0, 10, 10), window))


def test_bands_are_joined_band_by_band() -> None:
    a, b = no_bands(2 * BAND_HEIGHT), no_bands(2 * BAND_HEIGHT)
    a[0].append(Rect(0, 0, 10, 10))
    b[0].append(Rect(500, 0, 10, 10))
    b[1].append(Rect(5, BAND_HEIGHT, 10, 10))
    assert join_bands(a, b) == [[Rect(0, 0, 10, 10), Rect(500, 0, 10, 10)], [Rect(5, BAND_HEIGHT, 10, 10)]]
    assert bound(no_bands(100)).w == 0
