"""Loops by the dancer and a stand-in pack: where they are cut, and that nobody sees where."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import standins
from tests.support.films import film
from tests.support.made_figures_pack import figures_pack
from visualizer.dancer.calls import Networks
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.dressing import HAND_STEPS, Dress
from visualizer.dancer.formation import FARTHER, stand
from visualizer.dancer.pack import FRAME_METRES, STEPS_PER_BEAT, Pack, load_pack
from visualizer.dancer.sway import trace_sway
from visualizer.errors import UserError
from visualizer.film.seamless_loop import Loop, between_hearings, come_round, find_loop
from visualizer.music.sources.free_run import free_run_hearing
from visualizer.stage.looks import BAND, Look, shipped_looks


def loop_of(beats: int, seed: int = 1, troupe: int = 1, earliest: float = 0.0, latest: float = 120.0) -> Loop:
    dancer = Dancer(standins.pack(), seed, troupe=troupe)
    return find_loop(dancer, beats, earliest, latest, lambda _beat: 0.5)


def steps_of(values: np.ndarray) -> np.ndarray:
    """(S,) largest step of anybody from each to the next; the last leads into the first."""
    return np.abs(np.roll(values, -1, axis=0) - values).reshape(len(values), -1).max(axis=1)


def dance(seed: int, troupe: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents and places of 64 beats as they are danced, in spreads and frame widths."""
    dancer, latents, places = Dancer(standins.pack(), seed, troupe=troupe), [], []
    for k in range(64 * STEPS_PER_BEAT):
        dancer.step_to(k / STEPS_PER_BEAT, 0.5)
        latent, place = dancer.between(k / STEPS_PER_BEAT)
        latents.append(latent / standins.SPREAD)
        places.append(place)
    return np.stack(latents), np.stack(places)


def bends_of(values: np.ndarray) -> np.ndarray:
    return np.abs(np.roll(values, -1, 0) - 2 * values + np.roll(values, 1, 0)).reshape(len(values), -1).max(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("troupe", [1, 3])
def test_the_step_over_the_seam_is_like_any_other(troupe: int) -> None:
    for seed in range(2):
        usual = dance(seed, troupe)
        for beats in (2, 4, 7, 8, 16):
            loop = loop_of(beats, seed, troupe)
            assert loop.latents.shape == (beats * STEPS_PER_BEAT, troupe, standins.SIZE)
            for made, danced in zip((loop.latents / standins.SPREAD, loop.places), usual, strict=True):
                assert steps_of(made)[-1] <= 1.01 * steps_of(danced)[:-1].max()  # the last step leads into the first
                assert steps_of(made)[-STEPS_PER_BEAT:].max() <= 1.5 * steps_of(danced)[:-1].max()  # the way there
                assert bends_of(made)[[-1, 0]].max() <= 1.05 * bends_of(danced)[1:-1].max()


def test_a_loop_begins_on_a_downbeat_within_what_was_asked_for() -> None:
    for earliest in (0.0, 0.3, 9.0, 200.5):
        loop = loop_of(8, earliest=earliest, latest=earliest + 40)
        assert loop.first % 4 == 0
        assert earliest <= loop.first
        assert loop.first + 8 <= earliest + 40


def test_no_room_for_a_loop_is_told() -> None:
    with pytest.raises(UserError, match="no 16 beats"):
        loop_of(16, earliest=2.0, latest=19.0)
    for beats in (0, 1, 500):
        with pytest.raises(UserError, match="2 to 128"):
            loop_of(beats)


def test_most_of_a_loop_is_danced_as_it_would_have_been() -> None:
    loop = loop_of(8, seed=3)
    dancer = Dancer(standins.pack(), 3)
    again = find_loop(dancer, 8, 0.0, 120.0, lambda _beat: 0.5)
    np.testing.assert_array_equal(loop.latents, again.latents)
    # Between steps it is the cubic through them; on the steps, the steps.
    for k in (0, 5, 100):
        np.testing.assert_allclose(loop.at(loop.first + k / STEPS_PER_BEAT)[0], loop.latents[k], atol=1e-5)
    np.testing.assert_allclose(loop.at(loop.first + 8)[0], loop.at(loop.first)[0], atol=1e-6)


def test_light_goes_over_and_hues_come_back() -> None:
    a, b = free_run_hearing(1.0, 120, 2.0), free_run_hearing(9.2, 120, 18.4)
    half = between_hearings(a, b, 0.5)
    assert half.energy == pytest.approx((a.energy + b.energy) / 2)
    assert (half.bpm, half.time, half.beat) == (a.bpm, a.time, a.beat)


@pytest.fixture(scope="module")
def dressed(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(figures_pack(tmp_path_factory.mktemp("packs") / "made"), "cpu")


@pytest.mark.parametrize("beats", [2, 8])
def test_hair_and_hands_come_round_with_the_body(dressed: Pack, beats: int) -> None:
    dancer = Dancer(dressed, 1, troupe=2)
    loop = find_loop(dancer, beats, 0.0, 40.0, lambda _beat: 0.5)
    assert loop.sway.shape == (beats * STEPS_PER_BEAT, 2, 7)
    assert np.ptp(loop.sway, axis=0).max() > 0.01
    assert steps_of(loop.sway)[-1] <= 1.01 * steps_of(loop.sway)[:-1].max()
    assert np.ptp(loop.hands, axis=0).max() > 0.1
    assert steps_of(loop.hands).max() <= 1 - math.exp(-1 / HAND_STEPS)  # as fast as hands close, over the seam too
    # A round more changes nothing: it is not from rest that it begins.
    assert dressed.body is not None
    joints = dressed.body.joints(loop.latents)[:, 0]
    depth = stand(2, dancer.view).depth
    joints[..., 0] += (loop.places * FRAME_METRES / FARTHER**depth)[:, :1]
    expected = trace_sway(np.tile(joints, (12, 1, 1)), dancer.beat_seconds / STEPS_PER_BEAT)[-len(joints) :]
    np.testing.assert_allclose(loop.sway[:, 0], expected, atol=1e-4)
    for now, later in zip(loop.dress_at(loop.first), loop.dress_at(loop.first + beats), strict=True):
        np.testing.assert_allclose(now, later, atol=1e-6)


def test_the_film_of_a_loop_shows_figures_with_what_sways(
    dressed: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[np.ndarray, bool]] = []
    show = Networks.show

    def keep(self: Networks, latent: np.ndarray, dress: Dress, wants_inside: bool) -> Any:
        asked.append((dress.sway, wants_inside))
        return show(self, latent, dress, wants_inside)

    monkeypatch.setattr(Networks, "show", keep)
    film(None, tmp_path / "a.mp4", pack=dressed, size=(64, 64), beats=2, progress=False, look="toon", fps=8)
    assert all(inside for _, inside in asked)
    assert max(np.abs(sway).max() for sway, _ in asked) > 0.01


def test_nothing_sways_of_flat_bodies() -> None:
    loop = loop_of(4)
    assert loop.sway.shape == (4 * STEPS_PER_BEAT, 1, 7)
    assert not loop.sway.any()


@dataclasses.dataclass(frozen=True)
class Part:
    ring_beats: float = 2.0
    trail_beats: float = 3.0


@dataclasses.dataclass(frozen=True)
class Whole:
    part: Part = Part()
    other: Part | None = None
    hue_beats: float = 64.0
    spin_beats: float = 7.0
    round_beats: float = 0.0


def test_what_changes_slowly_is_back_after_a_loop() -> None:
    made = come_round(Whole(), 16)
    assert (made.part.ring_beats, made.part.trail_beats, made.spin_beats, made.round_beats) == (2, 3, 8, 0)
    assert made.hue_beats > 1e6  # no time for it: stands still
    assert come_round(Whole(), 128).hue_beats == 64
    for look in shipped_looks():
        assert come_round(look, 8).name == look.name


@pytest.mark.slow
@pytest.mark.parametrize(("bpm", "frames"), [(97.0, 124), (190.0, 126)])
def test_a_film_of_a_loop_is_as_long_as_its_beats(bpm: float, frames: int, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="skipped: Pillow missing")
    report = film(
        None, tmp_path / "a.gif", pack=standins.pack(), size=(64, 64), beats=8, bpm=bpm, progress=False, look="neon"
    )
    assert report.frames == frames
    with image.open(tmp_path / "a.gif") as moving:
        length = 0
        for k in range(moving.n_frames):
            moving.seek(k)
            length += moving.info["duration"]
    assert length == pytest.approx(8 * 60_000 / (bpm if bpm < 160 else bpm / 2), abs=5)  # ms; a GIF counts in tens


def test_the_pictures_of_a_loop_lead_round(tmp_path: Path) -> None:
    frames: list[np.ndarray] = []

    def keep(_number: int, pixels: memoryview) -> None:
        frames.append(np.array(pixels)[:, :, :3].astype(float))

    options: dict[str, Any] = {"size": (96, 96), "beats": 8, "progress": False, "look": "neon", "fps": 25}
    film(None, tmp_path / "a.mp4", pack=standins.pack(), on_frame=keep, **options)
    steps = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    assert steps[-1] <= max(steps[:-1])


def disc(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A disc that goes where the latent says."""
    at = (np.arange(128) + 0.5) / 128
    x, y = (0.5 + 0.1 * np.tanh(given["latent"][:, k] / standins.SPREAD[k])[:, None] for k in (0, 1))
    away = np.hypot((at - x)[:, None, :], (at - y)[:, :, None]) - 0.25
    return {"frame": np.clip(away, -BAND, BAND).astype(np.float32)[:, None]}


@pytest.mark.slow
@pytest.mark.parametrize("beats", [6, 8])
@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_no_look_has_a_seam(each: Look, beats: int, tmp_path: Path) -> None:
    frames: list[np.ndarray] = []

    def keep(_number: int, pixels: memoryview) -> None:
        frames.append(np.array(pixels)[:, :, :3].astype(float))

    options: dict[str, Any] = {"size": (96, 96), "beats": beats, "progress": False, "look": each.name, "fps": 12}
    pack = standins.pack(decoder=standins.Network(disc, ("frame",)))
    film(None, tmp_path / "a.mp4", pack=pack, on_frame=keep, **options)
    steps = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    assert 0 < steps[-1] <= max(steps[:-1])
