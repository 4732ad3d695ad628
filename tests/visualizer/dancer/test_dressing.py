"""What figures are drawn by: boxes about bodies, hands that follow letters, and hair that follows the room."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_figures_pack import figures_pack
from training.data.motion.skeleton import turn
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.dressing import Dressing, find_boxes, turn_sway
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT, Pack, load_pack
from visualizer.dancer.sway import trace_sway
from visualizer.networks.contract import GRID


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(figures_pack(tmp_path_factory.mktemp("packs") / "made"), "cpu")


def test_boxes_hold_the_joints_and_what_reaches_beyond_them(pack: Pack) -> None:
    assert pack.body is not None
    assert pack.figures is not None
    latent = np.stack([seed.latent for seed in pack.seeds[:3]])
    figure = np.eye(len(pack.figures.people), dtype=np.float32)[[0, 1, 1]]
    joints = pack.body.joints(latent)
    for k, box in enumerate(find_boxes(pack.body, pack.figures, latent, figure)):
        side, above, below = pack.figures.people[int(figure[k].argmax())].margin
        x, y = joints[k, :, 0] / FRAME_METRES + 0.5, FLOOR - joints[k, :, 1] / FRAME_METRES
        assert box.column <= max((x.min() - side) * GRID, 0)
        assert box.column + box.columns >= min((x.max() + side) * GRID, GRID)
        assert box.row <= max((y.min() - above) * GRID, 0)
        assert box.row + box.rows >= min((y.max() + below) * GRID, GRID)
        grid_x, grid_y = box.grid
        assert grid_x.shape == (1, box.columns)
        assert grid_y[0, 0] == box.row + 0.5


def test_a_box_stays_within_the_frame_whatever_the_network_says(pack: Pack) -> None:
    assert pack.body is not None
    assert pack.figures is not None
    for wild in (np.full(pack.latent_size, 1e6), np.full(pack.latent_size, np.nan), np.zeros(pack.latent_size)):
        latent = wild[None].astype(np.float32)
        figure = np.eye(len(pack.figures.people), dtype=np.float32)[:1]
        (box,) = find_boxes(pack.body, pack.figures, latent, figure)
        assert 0 <= box.column < box.column + box.columns <= GRID
        assert 0 <= box.row < box.row + box.rows <= GRID


def test_one_who_turns_into_another_gets_the_wider_box(pack: Pack) -> None:
    assert pack.body is not None
    assert pack.figures is not None
    latent, one_hot = pack.seeds[0].latent[None], np.eye(len(pack.figures.people), dtype=np.float32)
    areas = []
    for figure in (one_hot[:1], one_hot[1:2], 0.5 * (one_hot[:1] + one_hot[1:2])):
        (box,) = find_boxes(pack.body, pack.figures, latent, figure)
        areas.append(box.columns * box.rows)
    assert areas[2] == max(areas)


def test_hands_come_into_the_shape_of_a_letter(pack: Pack) -> None:
    assert pack.figures is not None
    wanted = pack.figures.hands[2]
    assert wanted.any()
    worn, latent = Dressing(pack, 1), pack.seeds[0].latent[None]
    before = np.abs(worn.hands[0] - wanted).max()
    for _ in range(12):
        worn.step(latent, np.zeros((1, 2), np.float32), np.array([2]), 1 / 32)
        after = np.abs(worn.hands[0] - wanted).max()
        assert after < before
        before = after
    assert before < 0.02


def test_hair_feels_that_the_crop_moves(pack: Pack) -> None:
    """A dancer who travels stands still in the crop, and hair lags behind all the same."""
    worn, latent = Dressing(pack, 1), pack.seeds[0].latent[None]
    still = Dressing(pack, 1)
    sway = rest = np.zeros((1, 7))
    for _ in range(10):
        sway = worn.step(latent, np.array([[0.15, 0]], np.float32), np.array([0]), 1 / 32)
        rest = still.step(latent, np.zeros((1, 2), np.float32), np.array([0]), 1 / 32)
    assert sway[0, 0] < -0.01
    assert np.abs(rest).max() < 1e-6


def test_those_who_come_begin_at_rest_and_those_who_stay_sway_on(pack: Pack) -> None:
    worn, latent = Dressing(pack, 1), pack.seeds[0].latent[None]
    moved, letter = np.array([[0.015, 0]], np.float32), np.array([0])
    alone = np.zeros((1, 7))
    for _ in range(5):
        alone = worn.step(latent, moved, letter, 1 / 32)
    worn.resize(2)
    both = worn.step(np.repeat(latent, 2, 0), np.repeat(moved, 2, 0), np.repeat(letter, 2), 1 / 32)
    assert abs(both[0, 0]) > 0.01 < abs(alone[0, 0])
    assert np.abs(both[1]).max() < 1e-6
    worn.resize(1)
    assert worn.step(latent, moved, letter, 1 / 32).shape == (1, 7)


def test_sway_turns_with_the_camera() -> None:
    rng = np.random.default_rng(3)
    sway, yaw = rng.standard_normal((3, 7)).astype(np.float32), np.array([0.0, 40, -90])
    turned = turn_sway(sway, yaw)
    for k in range(3):
        for part in (slice(0, 3), slice(3, 6)):
            assert turned[k, part] == pytest.approx(turn(sway[k : k + 1, part], yaw[k])[0], abs=1e-6)
    assert turned[:, 6] == pytest.approx(sway[:, 6])


# --- the dancer


def test_a_dancer_of_a_pack_with_figures_gives_their_insides(pack: Pack) -> None:
    dancer = Dancer(pack, seed=1, troupe=3)
    dancer.wants_inside = True
    dancer.step_to(4.0)
    bodies = dancer.picture(4.0)
    assert bodies.frames.shape == (3, 1, 128, 128)
    assert bodies.insides is not None
    assert len(bodies.insides) == 3
    for inside in bodies.insides:
        h, w = inside.crease.shape
        assert inside.normal.shape == (2, h, w)
        assert inside.parts.shape == (7, h, w)
        assert inside.row + h <= 128
        assert inside.column + w <= 128
    assert pack.figures is not None
    worn = [pack.figures.names.index(name) for name in dancer.worn]
    for inside, number in zip(bodies.insides, worn, strict=True):
        assert inside.colours.tolist() == pack.figures.people[number].colours.tolist()


def test_hair_follows_the_body_that_is_shown_with_its_feet_held(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    dancer = Dancer(pack, seed=1, troupe=2)
    shown: list[np.ndarray] = []
    ways: list[np.ndarray] = []

    def hold(latent: np.ndarray, way: np.ndarray) -> np.ndarray:
        """Feet that are put right a lot, as the body sways to and fro."""
        shown.append(latent + np.float32(np.sin(len(shown))))
        ways.append(way)
        return shown[-1]

    monkeypatch.setattr(dancer._feet, "step", hold)
    dancer.step_to(2.0)
    assert pack.body is not None
    joints = pack.body.joints(np.stack(shown))
    joints[..., ::2] += np.cumsum(ways, axis=0)[:, :, None]
    for k in range(2):
        expected = trace_sway(joints[:, k], dancer.beat_seconds / STEPS_PER_BEAT)
        assert np.abs(expected).max() > 0.01
        np.testing.assert_allclose(dancer._steps[-1].sway[k], expected[-1], atol=1e-4)


def test_a_look_that_wants_no_inside_gets_frames_alone(pack: Pack) -> None:
    dancer = Dancer(pack, seed=1, troupe=2)
    dancer.step_to(4.0)
    assert dancer.picture(4.0).insides is None


def test_the_silhouette_is_drawn_by_the_decoder(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    dancer = Dancer(pack, seed=1, troupe=2)
    asked = []
    for name in ("decode", "draw_figures"):
        whole = getattr(dancer._networks, name)
        monkeypatch.setattr(
            dancer._networks, name, lambda *given, whole=whole, name=name: (asked.append(name), whole(*given))[1]
        )
    dancer.set_figures(("flat",))
    dancer.step_to(4.0)
    dancer.picture(4.0)
    dancer.set_figures(("ann",))
    dancer.step_to(8.0)
    dancer.picture(8.0)
    dancer.set_figures(("flat",))
    dancer.step_to(12.0)
    dancer.wants_inside = True
    dancer.picture(12.0)
    assert asked == ["decode", "draw_figures", "draw_figures"]


def test_who_is_asked_for_before_the_dance_is_there_from_its_first_picture(pack: Pack) -> None:
    dancer = Dancer(pack, seed=1, troupe=2)
    dancer.set_figures(("ann",))
    before = dancer._wardrobe.weights(0.0)
    np.testing.assert_array_equal(before, dancer._wardrobe.weights(9.0))
    dancer.step_to(4.0)
    dancer.set_figures(("flat",))
    np.testing.assert_array_equal(before, dancer._wardrobe.weights(4.0))  # from now on it turns


def test_figures_whose_network_fails_are_shown_as_they_were(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    dancer = Dancer(pack, seed=1, notify=said.append)
    dancer.set_figures(("ann",))
    dancer.wants_inside = True
    dancer.step_to(4.0)
    before = dancer.picture(4.0).frames

    def fail(*_given: object) -> None:
        raise RuntimeError("lost")

    monkeypatch.setattr(type(pack.figure_decoder), "run", fail, raising=False)
    found = dancer.picture(4.0)
    assert np.array_equal(found.frames, before)
    assert found.insides is None
    assert any("lost" in text for text in said)
