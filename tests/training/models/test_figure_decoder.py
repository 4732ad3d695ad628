"""The decoder of figures: the body that it draws, boxes of a whole, blends, and what it begins with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.made_figures import made_takes
from training.data.figure_truths import collate, draw_pose, draw_sample, gather_moves
from training.data.figures.figure import load_people
from training.data.figures.posture import find_posture
from training.data.figures.reshape import reshape
from training.evaluate.figure_metrics import Pictures, find_overlap, find_parts_right
from training.figure_recipe import FigureRecipe, begin_decoder
from training.models.figure_decoder import AXES, FigureDecoder, find_axes, read_out
from training.models.figure_loss import FigureWeights, figure_loss
from training.models.pose_basis import PoseBasis, pose_basis
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE

pytestmark = pytest.mark.slow  # many pictures are drawn

PEOPLE = tuple(sorted(load_people(), key=lambda figure: (not figure.flat, figure.name))[:3])
RECIPE = FigureRecipe(poses=60, channels=8)


@pytest.fixture(scope="module")
def poses(tmp_path_factory: pytest.TempPathFactory):
    moves = gather_moves(made_takes(tmp_path_factory.mktemp("takes")))
    return moves, [draw_pose(moves, np.random.default_rng(k)) for k in range(6)]


@pytest.fixture(scope="module")
def basis(poses) -> PoseBasis:
    bodies = np.concatenate([pose.bodies for pose in poses[1]])
    spread = np.random.default_rng(0).normal(0, 0.3, (200, 21, 3)).astype(np.float32)
    return pose_basis(np.concatenate([bodies, bodies.mean(0) + spread]), 63)


@pytest.fixture(scope="module")
def decoder(poses, basis: PoseBasis) -> FigureDecoder:
    return begin_decoder(RECIPE, PEOPLE, poses[0].takes, basis).eval()


def drawn(decoder: FigureDecoder, batch, figure=None):
    with torch.no_grad():
        figure = batch.figure if figure is None else figure
        return read_out(
            decoder(decoder.latents(batch.bodies), figure, batch.sway, batch.hands, batch.grid_x, batch.grid_y)
        )


def test_bodies_have_the_proportions_of_their_figure_and_joints_are_exact(decoder: FigureDecoder, poses) -> None:
    bodies = poses[1][0].bodies
    for number, figure in enumerate(PEOPLE):
        batch = collate([draw_sample(PEOPLE, number, poses[1][0])], len(PEOPLE))
        with torch.no_grad():
            found = decoder.body(decoder.latents(batch.bodies), batch.figure).numpy()
        wanted = reshape(bodies, figure)
        assert found == pytest.approx(wanted, abs=2e-5)
        joints = drawn(decoder, batch)[4].numpy()
        assert joints[..., 0] == pytest.approx(wanted[..., 0] / FRAME_METRES + 0.5, abs=1e-5)
        assert joints[..., 1] == pytest.approx(FLOOR - wanted[..., 1] / FRAME_METRES, abs=1e-5)


def test_axes_are_those_that_the_truth_is_built_on(poses) -> None:
    bodies = poses[1][1].bodies
    found = find_axes(torch.from_numpy(bodies)).numpy()
    assert np.einsum("nkij,nklj->nkil", found, found) == pytest.approx(
        np.broadcast_to(np.eye(3), found.shape), abs=2e-3
    )
    posture = find_posture(bodies, np.zeros((len(bodies), 7)))
    for name, frame in (("pelvis", posture.hips), ("chest", posture.chest), ("head", posture.head)):
        own = found[:, AXES.index(name)]
        assert own == pytest.approx(np.stack([frame.left, frame.up, frame.ahead], axis=1), abs=1e-3)
    for side in range(2):
        hand, own = posture.hands[side], found[:, AXES.index("left_hand") + side]
        assert own == pytest.approx(np.stack([hand.up, hand.left, hand.ahead], axis=1), abs=1e-3)


def test_before_its_first_step_it_knows_who_dances(decoder: FigureDecoder, poses) -> None:
    """Its strokes lie on the figures' shapes: outlines and parts are nearly right without any training."""
    for number in range(len(PEOPLE)):
        samples = [draw_sample(PEOPLE, number, pose) for pose in poses[1][:3]]
        for sample in samples:
            batch = collate([sample], len(PEOPLE))
            frame, _, crease, parts, _ = drawn(decoder, batch)
            true = Pictures(batch.field[:, 0].numpy(), batch.crease[:, 0].numpy(), batch.parts.numpy())
            made = Pictures(frame[:, 0].numpy() * FRAME_SIZE, crease[:, 0].numpy(), parts.numpy())
            assert find_overlap(true, made) > 0.8
            assert find_parts_right(true, made) > 0.7


def test_a_box_is_a_part_of_the_whole_picture(decoder: FigureDecoder, poses) -> None:
    """But for the rim, where convolutions see what is beyond the box as empty."""
    batch = collate([draw_sample(PEOPLE, 1, poses[1][2])], len(PEOPLE))
    latent = decoder.latents(batch.bodies)
    whole = torch.arange(64).float().repeat(3, 1) + 0.5
    given = (latent, batch.figure, batch.sway, batch.hands)
    with torch.no_grad():
        full, cut = decoder(*given, whole, whole)[0], decoder(*given, whole[:, 20:44], whole[:, 10:60])[0]
    rim = 12
    inner = full[:, :, 20 + rim : 120 - rim, 40 + rim : 88 - rim]
    assert cut[:, :, rim:-rim, rim:-rim].numpy() == pytest.approx(inner.numpy(), abs=1e-3)


def test_outputs_keep_to_the_contract(decoder: FigureDecoder, poses) -> None:
    batch = collate([draw_sample(PEOPLE, k, poses[1][k]) for k in range(len(PEOPLE))], len(PEOPLE))
    frame, normal, crease, parts, joints = drawn(decoder, batch)
    n, h, w = len(batch.bodies), *batch.field.shape[2:]
    assert (frame.shape, normal.shape, crease.shape) == ((n, 1, h, w), (n, 2, h, w), (n, 1, h, w))
    assert joints.shape == (n, 21, 2)
    assert parts.sum(1).numpy() == pytest.approx(np.ones((n, h, w)), abs=1e-5)
    assert (normal.square().sum(1) <= 1 + 1e-5).all()
    assert ((crease >= 0) & (crease <= 3)).all()
    assert (frame.abs() <= 3 / FRAME_SIZE + 1e-6).all()


def test_half_way_between_two_figures_is_a_body(decoder: FigureDecoder, poses) -> None:
    """Its size lies between theirs, and it is one piece of them, not two pictures one over the other."""
    batch = collate([draw_sample(PEOPLE, 1, poses[1][3])], len(PEOPLE))
    sizes = []
    for share in (0.0, 0.5, 1.0):
        figure = torch.zeros_like(batch.figure)
        figure[:, 1], figure[:, 2] = 1 - share, share
        sizes.append(float((drawn(decoder, batch, figure)[0] < 0).float().mean()))
    assert min(sizes[0], sizes[2]) * 0.9 <= sizes[1] <= max(sizes[0], sizes[2]) * 1.1


def test_a_limb_that_points_at_the_viewer_fills_no_more_than_itself(decoder: FigureDecoder, poses) -> None:
    body = poses[1][0].bodies.copy()
    body[:, 6:9] = body[:, 5:6] + np.array([[0, 0, 0.29], [0, 0, 0.55], [0, 0, 0.72]], np.float32)
    batch = collate([draw_sample(PEOPLE, 1, poses[1][0])], len(PEOPLE))
    with torch.no_grad():
        made = decoder(decoder.latents(torch.from_numpy(body)), batch.figure, batch.sway, batch.hands, batch.grid_x,
                       batch.grid_y)[0]  # fmt: skip
    assert float((made < 0).float().mean()) < 0.5


def test_every_parameter_learns_and_losses_fall(poses, basis: PoseBasis) -> None:
    torch.manual_seed(0)
    network = begin_decoder(RECIPE, PEOPLE, poses[0].takes, basis)
    batch = collate([draw_sample(PEOPLE, k, poses[1][k]) for k in range(2)], len(PEOPLE))
    adam = torch.optim.Adam(network.parameters(), lr=3e-3)
    totals = []
    for _ in range(8):
        losses = figure_loss(network, batch, FigureWeights())
        adam.zero_grad()
        losses["total"].backward()
        adam.step()
        totals.append(float(losses["total"].detach()))
    assert totals[-1] < 0.9 * totals[0]
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()]
    assert not silent


def test_flicker_costs(decoder: FigureDecoder, poses) -> None:
    """A network that changes where the truth stands still pays, whatever single pictures cost."""
    sample = draw_sample(PEOPLE, 1, poses[1][0])
    batch = collate([sample], len(PEOPLE))
    with torch.no_grad():
        moving = float(figure_loss(decoder, batch, FigureWeights())["flicker"])
        for name in ("bodies", "sway", "hands", "field", "normal", "crease", "parts"):
            tensor = getattr(batch, name)
            tensor[:] = tensor[:1].clone()
        still = float(figure_loss(decoder, batch, FigureWeights())["flicker"])
    assert still < 1e-6 < moving
