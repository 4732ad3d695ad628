"""From a video to a pack: the shipped networks come back whole, and somebody new learns to dance from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.made_clips import FPS, dance_motion
from tests.support.training_run import run_training
from training.data.dataset import open_takes
from training.data.footage.bodies import cut_parts
from training.data.footage.made import CONDITIONS, Shot, at_rate, film
from training.data.footage.smooth import smooth
from training.export import TOLERANCE, _examples, difference
from training.finetune import taught
from training.models.restore import basis_of, load_autoencoder, load_dancing
from training.recipe import mean_moves
from visualizer import paths
from visualizer.dancer.pack import NETWORKS, STEPS_PER_LETTER, load_pack, read_info
from visualizer.errors import UserError

SHIPPED = paths.models() / "default"


def test_what_ships_comes_back_as_torch_modules() -> None:
    """Every network gives what its file gives, and can be trained."""
    autoencoder = load_autoencoder(SHIPPED)
    networks = load_dancing(SHIPPED)
    torch.manual_seed(3)
    for network, (module, given, outputs) in _examples(autoencoder, *networks, n=3).items():
        assert difference(module.eval(), SHIPPED / f"{network}.onnx", given, outputs) <= TOLERANCE[network]
    latent = autoencoder.spread * torch.randn(2, autoencoder.config.latent)
    frame = autoencoder.decode(0.5 * latent)[0].detach()
    loss = autoencoder.loss(frame, torch.full((2, 21, 3), torch.nan))["total"]
    loss.backward()
    assert sum(float(p.grad.abs().sum()) for p in autoencoder.parameters() if p.grad is not None) > 0


def test_a_pack_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no pack\.json"):
        load_autoencoder(tmp_path)
    other = tmp_path / "pack"
    shutil.copytree(SHIPPED, other)
    (other / "decoder.onnx").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a network"):
        load_autoencoder(other)
    shutil.copy(SHIPPED / "dancer.onnx", other / "decoder.onnx")
    with pytest.raises(UserError, match="none of this program's"):
        load_autoencoder(other)
    shutil.copy(SHIPPED / "decoder.onnx", other / "decoder.onnx")
    shutil.copy(SHIPPED / "decoder.onnx", other / "dancer.onnx")
    with pytest.raises(UserError, match="none of this program's"):
        load_dancing(other)


def test_a_decoder_comes_back_only_as_it_was_learned(tmp_path: Path) -> None:
    """What is not in the networks by name is read, not guessed: without its file, with a broken one, or with that of
    another decoder a pack is refused."""
    pack = tmp_path / "pack"
    shutil.copytree(SHIPPED, pack)
    whole = (pack / "decoder.npz").read_bytes()
    with np.load(pack / "decoder.npz") as kept:
        arrays = dict(kept)
    (pack / "decoder.npz").unlink()
    with pytest.raises(UserError, match=r"decoder\.npz: missing"):
        load_autoencoder(pack)
    for broken in (b"", whole[: len(whole) // 2], b"nothing"):
        (pack / "decoder.npz").write_bytes(broken)
        with pytest.raises(UserError, match=r"decoder\.npz: broken"):
            load_autoencoder(pack)
    thicker = {**arrays, "decoder.thickness": arrays["decoder.thickness"] + np.float32(0.1)}
    np.savez(pack / "decoder.npz", **thicker)
    with pytest.raises(UserError, match="draws otherwise"):
        load_autoencoder(pack)
    np.savez(pack / "decoder.npz", **{**arrays, "decoder.weights": arrays["decoder.weights"][:, :-1]})
    with pytest.raises(UserError, match="none of this program's"):
        load_autoencoder(pack)


def test_what_was_seen_picture_by_picture_becomes_a_movement() -> None:
    """Tremble goes, an arm that is seen elsewhere now and then stays, and what is danced stays."""
    positions, _ = dance_motion("two-step sway", 110, 16)
    true = (at_rate(positions, FPS, 30, 6)[..., :2] / 2.5 + 0.5).astype(np.float32)
    rng = np.random.default_rng(0)
    seen = true + rng.normal(0, 0.006, true.shape).astype(np.float32)
    seen[rng.random(len(seen)) < 0.1, 7] += 0.2  # half a metre
    found = smooth(seen, 30.0)
    off = np.linalg.norm(found - true, axis=-1) * 2.5
    assert off.mean() < 0.5 * (np.linalg.norm(seen - true, axis=-1) * 2.5).mean()
    assert off[:, 7].max() < 0.15

    def jerk(a: np.ndarray) -> float:
        return float(np.sqrt(np.square(np.diff(a, n=3, axis=0)).mean()))

    assert jerk(found) < 0.1 * jerk(seen)
    assert np.abs(smooth(true, 30.0) - true).max() * 2.5 < 0.06
    np.testing.assert_array_equal(smooth(true[:4], 30.0), true[:4])


def test_the_new_networks_begin_where_the_shipped_ones_are() -> None:
    """A letter that moves as an old one does is danced as that one is."""
    basis = basis_of(SHIPPED)
    old_write, old_dance = load_dancing(SHIPPED)
    moves = old_dance.mean_moves.float().numpy().reshape(-1, STEPS_PER_LETTER, len(basis.std))[[5, 900, 17]]
    write, dance = taught(SHIPPED, basis, moves, 4)
    assert (write.embedding.weight == old_write.embedding.weight[[5, 900, 17]]).all()
    assert (write.out.weight == old_write.out.weight[[5, 900, 17]]).all()
    assert torch.equal(torch.as_tensor(dance.gru.weight_hh_l0), torch.as_tensor(old_dance.gru.weight_hh_l0))
    assert (dance.embedding.weight == old_dance.embedding.weight[[5, 900, 17]]).all()
    assert write.into.weight.shape[1] == 64 + 7 + 1 + 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A pack out of fourteen seconds of video, by the real command, and what it said."""
    folder = tmp_path_factory.mktemp("newcomer")
    positions, _ = dance_motion("two-step sway", 110, 26)
    film(Shot(at_rate(positions, FPS, 8, 14), 8, "blue", CONDITIONS["clean"], (426, 240)), folder / "me.mp4")
    done = run_training("new-dancer", folder / "me.mp4", "--name", "me", "--out", folder / "pack",
                        "--work", folder / "work", "--tiny", "--jobs", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.mark.slow
def test_a_video_becomes_a_pack_that_dances(made: tuple[Path, str]) -> None:
    folder, said = made
    assert "What comes now:" in said
    assert "All in all about" in said
    assert f"visualizer --pack {folder / 'pack'}" in said
    pack = load_pack(folder / "pack", "cpu")
    assert pack.styles == ("me",)
    assert [d.name for d in pack.dances] == ["me 1"]
    info = read_info(folder / "pack")
    assert all(info["difference_from_torch"][n] <= TOLERANCE[n] for n in NETWORKS)
    assert info["training"]["videos"] == ["me.mp4"]
    assert str(folder) not in (folder / "pack" / "pack.json").read_text(encoding="utf-8")
    assert info["measures"]["footage"]["iou"] > 0.85
    assert "footage of the user's own" in info["credits"]
    assert (folder / "work" / "footage" / "report.html").is_file()


@pytest.mark.slow
def test_its_dances_are_those_of_the_video(made: tuple[Path, str]) -> None:
    takes, styles = open_takes(made[0] / "work" / "footage" / "data.zarr")
    assert styles == ["me"]
    basis = basis_of(SHIPPED)
    (take,) = takes
    latents = np.zeros((len(take), len(basis.std)), np.float32)
    dances = cut_parts(takes, [latents], basis, "me")
    assert [d.name for d in dances] == ["me 1", "me 1 mirrored"]
    assert (dances[1].travel == dances[0].travel * [-1, 1]).all()  # sideways, and towards the viewer
    plain, mirrored = (basis.joints(d.latent[:1])[0] for d in dances)
    np.testing.assert_allclose(mirrored[0], plain[0] * [-1, 1, 1], atol=1e-5)
    spelled = [d.__class__(**{**d.__dict__, "letters": np.zeros(len(d.latent) // 8, np.int64)}) for d in dances]
    assert mean_moves(spelled, 1).shape == (1, 8, len(basis.std))


@pytest.mark.slow
def test_again_it_is_refused_and_what_is_there_stays(made: tuple[Path, str]) -> None:
    folder, _ = made
    before = (folder / "pack" / "pack.json").read_bytes()
    done = run_training("new-dancer", folder / "me.mp4", "--name", "me", "--out", folder / "pack", "--tiny")
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert (folder / "pack" / "pack.json").read_bytes() == before
