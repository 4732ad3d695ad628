"""Contact sheets and plots of beats: the right figure in the right cell, on a pack that draws what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support import standins
from tests.support.made_clips import FPS, dance_motion, write_clips
from tests.support.standins import Inputs, Network
from tests.support.training_run import run_training
from training.data.choreography import DANCES
from training.data.dataset import to_bytes
from training.data.motion.beats import Beats, find_beats
from training.data.motion.clips import Clip
from training.evaluate.beats import (
    BAR,
    FAINT,
    FIGURE,
    PHRASE,
    PIXELS_A_SECOND,
    PLOT_HEIGHT,
    ROW_SECONDS,
    phrases_of,
    plot_beats,
)
from training.evaluate.sheets import (
    HAIR,
    LABEL,
    Layout,
    _cell,
    captured_rows,
    draw_all_dances,
    draw_film,
    draw_sheets,
    save_picture,
    written_frames,
)
from visualizer.dancer.pack import NamedDance, Pack
from visualizer.errors import UserError

Y, X = np.mgrid[:128, :128] + 0.5


def disc(radius: float, x: float = 64.0) -> np.ndarray:
    """A round figure as a field (128, 128) in frame widths."""
    return ((np.hypot(X - x, Y - 64) - radius).clip(-3, 3) / 128).astype(np.float32)


def dancing_disc(given: Inputs) -> dict[str, np.ndarray]:
    """A disc whose place is the first number of the latent."""
    frames = np.stack([disc(20, 64 + 40 * float(latent[0])) for latent in given["latent"]])[:, None]
    return {"frame": frames, "joints": np.zeros((len(frames), 21, 2), np.float32)}


def stepping(given: Inputs) -> dict[str, np.ndarray]:
    """The sine of the bar as the first number of the latent."""
    latent = np.zeros_like(given["latent"])
    latent[:, 0] = given["bar_phase"][:, 2]
    return {"latent_out": latent, "state_out": given["state"], "travel": np.zeros((len(latent), 1), np.float32)}


def same_letter(given: Inputs) -> dict[str, np.ndarray]:
    return {"letter_out": np.zeros_like(given["letter"]), "state_out": given["state"]}


def disc_pack(dances: tuple[NamedDance, ...]) -> Pack:
    return standins.pack(
        styles=("house", "disco", "club"), dances=dances,
        choreographer=Network(same_letter, ("letter_out", "state_out")),
        dancer=Network(stepping, ("latent_out", "state_out", "travel")),
        decoder=Network(dancing_disc, ("frame", "joints")),
    )  # fmt: skip


def middles(picture: np.ndarray, row: int, size: int, count: int, left: int = 0) -> list[float]:
    """Sideways middle of the ink in each cell of a row, in cells; nan where a cell is empty."""
    found = []
    for k in range(count):
        x = left + k * (size + 1)
        cell = picture[row * (size + 1) : row * (size + 1) + size, x + 2 : x + size - 2]
        ink = cell < 100
        found.append(float((ink.nonzero()[1].mean() + 2.5) / size) if ink.any() else float("nan"))
    return found


def test_a_cell_is_dark_where_the_field_is_negative() -> None:
    for size in (48, 128, 200):
        cell = _cell(disc(40), size)
        assert cell.shape == (size + 1, size + 1)
        assert (cell[:-1, :-1] < 128).mean() == pytest.approx(np.pi * (40 / 128) ** 2, rel=0.03)
        assert cell[size // 2, size // 2] == 0
        assert (cell[-1] == HAIR).all()
    assert (_cell(None, 40)[:-1, :-1] == 255).all()


def test_the_film_shows_each_half_second_in_order(tmp_path: Path) -> None:
    path = draw_film(disc_pack(()), tmp_path, seed=3, seconds=12, layout=Layout(8, 64))
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (3 * 65, LABEL + 8 * 65)
    # A beat is half a second: the sine of the bar goes 0, 1, 0, -1, and the disc with it.
    for row in range(3):
        found = middles(picture, row, 64, 8, LABEL)
        np.testing.assert_allclose(found[1:], 0.5 + 40 / 128 * np.array([1, 0, -1, 0, 1, 0, -1]), atol=0.02)


def test_all_dances_stand_beside_what_was_written(tmp_path: Path) -> None:
    known = [d for d in DANCES if d.beats == 8][:2]
    long = next(d for d in DANCES if d.beats == 16)
    dances = (*(NamedDance(d.name, 0, d.beats) for d in known), NamedDance("nobody wrote this", 1, 4),
              NamedDance(long.name, 2, 16))  # fmt: skip
    paths = draw_all_dances(disc_pack(dances), tmp_path, seed=1, layout=Layout(8, 64, rows=3))
    assert [p.name for p in paths] == ["dances_1.png", "dances_2.png"]
    first, second = (cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in paths)
    assert first is not None
    assert second is not None
    assert first.shape == (3 * 65, LABEL + 16 * 65)
    assert second.shape == (65, LABEL + 16 * 65)
    half = LABEL + 8 * 65
    for row, dance in enumerate(known):
        assert (first[row * 65 : (row + 1) * 65, :LABEL] < 100).sum() > 20, "no name"
        np.testing.assert_allclose(
            middles(first, row, 64, 8, half), 0.5 + 40 / 128 * np.sin(np.arange(8) * np.pi / 2), atol=0.02
        )
        for k, field in enumerate(written_frames(dance, [float(b) for b in range(8)])):
            x = LABEL + k * 65
            cell = first[row * 65 : row * 65 + 64, x : x + 62] < 128
            small = cv2.resize((field < 0).astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA)[:, :62] > 0.5
            assert (cell & small).sum() > 0.9 * (cell | small).sum()
    assert np.isnan(middles(first, 2, 64, 8, LABEL)).all()  # nothing to compare it with
    # Four beats in eight cells: half a beat from cell to cell.
    np.testing.assert_allclose(
        middles(first, 2, 64, 8, half), 0.5 + 40 / 128 * np.sin(np.arange(8) * np.pi / 4), atol=0.03
    )


@dataclass(frozen=True)
class DiscTake:
    """What of a take is asked for: a disc at `places` (S,), half a frame about the middle."""

    places: np.ndarray
    phrase: int = 0

    def __len__(self) -> int:
        return len(self.places)

    def read(self, name: str, part: slice) -> np.ndarray:
        assert name == "frames"
        return to_bytes(np.array([disc(20, 64 + 40 * place) for place in self.places[part]]).reshape(-1, 128, 128))


def test_captured_dances_show_their_real_motion(tmp_path: Path) -> None:
    """The pack's disc follows the sine of the bar. The take does so in its second phrase alone, which is shown."""
    beats = np.arange(2 * 8 * 16) / 16
    away, near = np.full(8 * 16, 0.7), 0.9 * np.sin(np.arange(8 * 16) / 16 * np.pi / 2)
    whole: Any = DiscTake(np.concatenate([np.zeros(4 * 16), away, near]), phrase=4)
    short: Any = DiscTake(0.4 * np.sin(beats[: 3 * 16]))
    dances = tuple(NamedDance(f"salsa {k}", 0, 8) for k in (1, 2, 3))
    (path,) = draw_all_dances(
        disc_pack(dances), tmp_path, seed=1, captured={"salsa 1": [whole], "salsa 2": [short]}, layout=Layout(size=64)
    )
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    wave = np.sin(np.arange(8) * np.pi / 2)
    np.testing.assert_allclose(middles(picture, 0, 64, 8, LABEL), 0.5 + 0.9 * 40 / 128 * wave, atol=0.02)
    found = middles(picture, 1, 64, 8, LABEL)  # what there is of a short one, then nothing
    np.testing.assert_allclose(found[:3], 0.5 + 0.4 * 40 / 128 * np.sin(np.arange(3)), atol=0.02)
    assert np.isnan(found[3:]).all()
    assert np.isnan(middles(picture, 2, 64, 8, LABEL)).all()  # nobody has a take of it
    for row in range(3):
        np.testing.assert_allclose(middles(picture, row, 64, 8, LABEL + 8 * 65), 0.5 + 40 / 128 * wave, atol=0.02)


def test_captured_rows_are_whole_phrases_of_all_takes() -> None:
    steps = np.arange(20 * 16) / (20 * 16)
    one, mirrored, short = DiscTake(steps, phrase=2), DiscTake(-steps), DiscTake(steps[: 5 * 16])
    makes: Any = [one, mirrored, short]
    rows = captured_rows(makes, 8, 4)
    assert len(rows) == 2 + 2
    assert all(len(row) == 4 and all(field is not None for field in row) for row in rows)
    for row, start in ((0, 2), (1, 10)):
        for k, field in enumerate(rows[row]):
            assert field is not None
            np.testing.assert_allclose(field, disc(20, 64 + 40 * steps[(start + 2 * k) * 16]), atol=0.0003)


def test_each_dance_is_asked_for_by_its_name(tmp_path: Path) -> None:
    dances = tuple(NamedDance(d.name, 0, d.beats) for d in DANCES[:3])
    pack = disc_pack(dances)
    draw_all_dances(pack, tmp_path, seed=1)
    asked = [given["dance"][0].argmax() for given in pack.dancer.given if given["dance"].any()]
    assert list(dict.fromkeys(asked)) == [0, 1, 2]
    assert len(asked) >= 0.95 * len(pack.dancer.given)  # all but the first half beat of each


@pytest.mark.slow
def test_all_dances_fit_on_pages_that_can_be_sent(tmp_path: Path) -> None:
    dances = tuple(NamedDance(d.name, 0, d.beats) for d in DANCES[:42])
    (path,) = draw_all_dances(disc_pack(dances), tmp_path, seed=1)
    assert path.stat().st_size < 1.5e6


def test_reconstruction_and_steps(tmp_path: Path) -> None:
    frames = np.stack([disc(10 + k) for k in range(40)])[:, None]
    found = np.stack([disc(10 + k, 74) for k in range(40)])[:, None]
    paths = draw_sheets(disc_pack(()), [], frames, found, tmp_path, seed=2)
    assert paths[0].name == "reconstruction.png"
    assert {p.name for p in paths[1:]} == {"steps_house.png", "steps_disco.png", "steps_club.png"}
    picture = cv2.imread(str(paths[0]), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (8 * 193, 8 * 193)
    for row in range(8):
        np.testing.assert_allclose(middles(picture, row, 192, 8), 0.5 if row % 2 == 0 else 74 / 128, atol=0.01)
    steps = cv2.imread(str(paths[1]), cv2.IMREAD_GRAYSCALE)
    assert steps is not None
    assert steps.shape == (4 * 97, LABEL + 16 * 97)
    beat = np.arange(16) / 16
    np.testing.assert_allclose(middles(steps, 0, 96, 16, LABEL), 0.5 + 40 / 128 * np.sin(beat * np.pi / 2), atol=0.02)


# --- beats


def test_phrases_are_whole() -> None:
    def beats(count: int, phrase: int) -> Beats:
        return Beats(np.arange(count, dtype=np.float64), 2.0, 120.0, True, phrase)

    assert [phrases_of(beats(n, 0)) for n in (0, 8, 9, 16, 17)] == [0, 0, 1, 1, 2]
    assert [phrases_of(beats(n, 4)) for n in (3, 12, 13)] == [0, 0, 1]


@pytest.mark.slow
def test_the_plot_has_a_line_on_each_beat() -> None:
    positions, _ = dance_motion("bounce and rock", 120, 60)
    clip = Clip("made", "hiphop", positions, FPS, "")
    beats = find_beats(positions, FPS)
    picture = plot_beats(clip, beats).astype(int)
    height = PLOT_HEIGHT + FIGURE + 8
    assert picture.shape == (24 + 2 * height, 1608, 3)
    for k, time in enumerate(beats.times):
        row = int(time // ROW_SECONDS)
        x = 4 + round((time - row * ROW_SECONDS) * PIXELS_A_SECOND)
        top = picture[24 + row * height + 5, x]
        number = (k - beats.phrase) % 8
        wanted = PHRASE if number == 0 else BAR if number == 4 else FAINT
        assert np.abs(top - wanted).max() < 40, (k, top)
    below = picture[24 + PLOT_HEIGHT + 3 : 24 + height - 8]
    assert (below.max(-1) < 60).any(), "nobody dances under the beats"


@pytest.mark.slow
def test_the_command_prints_a_table_and_plots_clips(tmp_path: Path) -> None:
    clips = [(f"clip {n}", "hiphop", dance_motion("bounce and rock", 110, n)[0]) for n in (6, 40)]
    folder = write_clips(tmp_path / "motion", clips)
    done = run_training("beats", "--motion", folder, "--plots", tmp_path / "plots")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 clips are steady" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "clip 40" in line)
    assert "hiphop" in row
    assert " 110" in row or " 109." in row
    assert "sure" in row
    assert [p.name for p in (tmp_path / "plots").iterdir()] == ["clip 40.png"]


@pytest.mark.slow
def test_no_clips_and_no_place_for_plots_are_user_errors(tmp_path: Path) -> None:
    done = run_training("beats", "--motion", tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UserError, match="file"):
        save_picture(tmp_path / "file" / "plot.png", np.zeros((4, 4), np.uint8))
    assert (tmp_path / "file").read_text() == "kept"
