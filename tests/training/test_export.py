"""Export: every network gives in onnxruntime what it gives in torch, and a pack is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import nn

from training import export
from training.export import TOLERANCE, PackContents, difference, fold, folded, write_info, write_pack
from training.models.autoencoder import Autoencoder, AutoencoderConfig
from training.models.dancer import Choreographer, ChoreographerConfig, DancerConfig, DancerNetwork
from training.models.latent_body import latent_body
from training.models.pose_basis import pose_basis
from visualizer.dancer.pack import FRAME_METRES, NETWORKS, load_pack, read_info
from visualizer.errors import UserError

pytestmark = pytest.mark.slow  # a pack is exported first

LATENT, LETTERS, STYLES = 16, 12, ["house", "robot", "jazz"]
SIZES = AutoencoderConfig(
    latent=LATENT, encoder=(8, 8, 12, 12), corrector=(8, 8, 12, 12), marks=6, unions=6, decoder=8, settles=2
)
DANCES = [{"name": "jack", "style": 0, "beats": 8}, {"name": "box arms", "style": 1, "beats": 16}]


def used(autoencoder: Autoencoder) -> Autoencoder:
    """With batch norms that have seen something, so that folding has something to fold."""
    torch.manual_seed(1)
    for module in autoencoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.3, 2.0)
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
    nn.init.normal_(autoencoder.correct[2].weight, 0, 0.1)  # type: ignore[arg-type]
    return autoencoder.eval()


def networks() -> tuple[Autoencoder, Choreographer, DancerNetwork]:
    torch.manual_seed(0)
    mean = np.random.default_rng(0).normal(size=(LETTERS, 8, LATENT)).astype(np.float32)
    basis = pose_basis(np.random.default_rng(2).normal(0, 0.2, (100, 21, 3)).astype(np.float32), LATENT)
    config = DancerConfig(LATENT, LETTERS, 3, 2, embedding=8, known=8, hidden=16)
    dancer = DancerNetwork(config, mean, np.ones(LATENT, np.float32), latent_body(basis)).eval()
    nn.init.normal_(dancer.out.weight, 0, 0.3)
    nn.init.normal_(dancer.lead.weight, 0, 0.3)
    autoencoder = used(Autoencoder(SIZES, basis))
    return autoencoder, Choreographer(ChoreographerConfig(LETTERS, 3, 2, 8, 16)).eval(), dancer


def write(out: Path, force: bool = False, dancer: DancerNetwork | None = None) -> dict[str, float]:
    autoencoder, choreographer, own = networks()
    contents = PackContents(
        autoencoder, choreographer, dancer or own, STYLES, DANCES, np.zeros(LATENT), np.ones(LATENT),
        [{"latent": [0.0] * LATENT, "letter": 1, "style": 2}], {"far": 3.0, "still": 0.01}, {"recipe": {}},
        ["made for the tests, MIT"],
    )  # fmt: skip
    return write_pack(out, contents, force)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    out = tmp_path_factory.mktemp("export") / "new" / "pack"
    return out, write(out)


def test_folding_batch_norms_changes_nothing() -> None:
    autoencoder, *_ = networks()
    copy = folded(autoencoder)
    frame = (torch.rand(5, 1, 128, 128) - 0.5) * 0.04
    latent = torch.randn(5, LATENT)
    with torch.no_grad():
        torch.testing.assert_close(copy.see(frame), autoencoder.see(frame), atol=1e-4, rtol=0)
        frame = copy.decode(latent)[0]
        assert not torch.allclose(copy.see(frame, looks=0), copy.see(frame), atol=1e-3)  # all of it is at work
    assert not any(isinstance(m, nn.BatchNorm2d) for m in copy.modules())
    assert sum(isinstance(m, nn.BatchNorm2d) for m in autoencoder.modules()) == 6  # the given one is left alone


def test_folding_crosses_a_pixel_shuffle() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 20, 3, padding=1, bias=False), nn.PixelShuffle(2), nn.BatchNorm2d(5)).eval()
    norm = layers[2]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    norm.running_mean.normal_()
    nn.init.normal_(norm.weight)
    picture = torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(fold(layers)(picture), layers(picture), atol=1e-5, rtol=0)
    assert len(fold(layers)) == 2


@pytest.mark.slow
def test_the_pack_is_whole_and_loads(written: tuple[Path, dict[str, float]]) -> None:
    out, differences = written
    assert sorted(p.name for p in out.iterdir()) == sorted(
        ["NOTICE", "decoder.npz", "pack.json", *(f"{n}.onnx" for n in NETWORKS)]
    )
    assert [p.name for p in out.parent.iterdir()] == ["pack"]  # nothing half-done beside it
    assert set(differences) == set(NETWORKS)
    assert all(0 <= differences[n] <= TOLERANCE[n] for n in NETWORKS)
    pack = load_pack(out, "cpu")
    assert (pack.name, pack.styles, pack.letters, pack.latent_size) == ("pack", tuple(STYLES), LETTERS, LATENT)
    info = read_info(out)
    for network in NETWORKS:
        assert info["sha256"][f"{network}.onnx"] == hashlib.sha256((out / f"{network}.onnx").read_bytes()).hexdigest()
    assert [(d.name, d.style, d.beats) for d in pack.dances] == [("jack", 0, 8), ("box arms", 1, 16)]
    assert pack.limits == {"far": 3.0, "still": 0.01}
    assert "made for the tests, MIT" in (out / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("count", [1, 3, 9])
def test_onnxruntime_agrees_with_torch_for_any_troupe(written: tuple[Path, dict[str, float]], count: int) -> None:
    out, _ = written
    autoencoder, choreographer, dancer = networks()
    torch.manual_seed(count)
    for name, (module, inputs, outputs) in export._examples(autoencoder, choreographer, dancer, count).items():
        session = ort.InferenceSession(out / f"{name}.onnx", providers=["CPUExecutionProvider"])
        found = session.run(outputs, {k: v.numpy() for k, v in inputs.items()})
        with torch.no_grad():
            wanted = module(**inputs)
        for a, b in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            assert np.asarray(a).shape == tuple(b.shape)
            np.testing.assert_allclose(np.asarray(a), b.numpy(), atol=TOLERANCE[name], rtol=0)


def test_files_are_what_the_design_says(written: tuple[Path, dict[str, float]]) -> None:
    for name in NETWORKS:
        model = onnx.load(written[0] / f"{name}.onnx")
        onnx.checker.check_model(model, full_check=True)
        assert next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) >= 17
        assert {o.domain for o in model.opset_import} <= {"", "ai.onnx"}  # no operators of other makers
        assert not any(t.external_data for t in model.graph.initializer)
        for value in (*model.graph.input, *model.graph.output):
            assert value.type.tensor_type.shape.dim[0].dim_param  # the batch axis is free


def test_files_hold_no_more_than_runtimes_need(written: tuple[Path, dict[str, float]]) -> None:
    """Every file of a pack is to stay below 8 MB: the dancer's table of letters is the largest that can be halved."""
    models = {name: onnx.load(written[0] / f"{name}.onnx") for name in NETWORKS}
    for model in models.values():
        assert not model.graph.value_info
        assert not any(node.doc_string or node.metadata_props or node.name for node in model.graph.node)
    letters = networks()[2].config.letters
    tables = [t for t in models["dancer"].graph.initializer if t.dims[:1] == [letters]]
    assert [t.data_type for t in tables] == [onnx.TensorProto.FLOAT16]


def test_an_existing_folder_is_left_alone(written: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    out, _ = written
    before = (out / "pack.json").read_bytes()
    with pytest.raises(UserError, match="--force"):
        write(out)
    assert (out / "pack.json").read_bytes() == before
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(UserError, match="not a pack"):
        write(photos, force=True)
    assert (photos / "holiday.jpg").read_bytes() == b"mine"


@pytest.fixture
def exported_before(written: tuple[Path, dict[str, float]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Spares the seconds of an export: the files are those of `networks()`, whatever is asked for."""

    def copy(module: nn.Module, example: dict[str, torch.Tensor], outputs: list[str], path: Path) -> None:
        shutil.copy(written[0] / path.name, path)

    monkeypatch.setattr(export, "export_network", copy)
    return written[0]


def test_force_replaces_a_pack(exported_before: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    shutil.copytree(exported_before, out)
    info = json.loads((out / "pack.json").read_text(encoding="utf-8"))
    write_info(out, {**info, "styles": ["old"]})
    (out / "stray").write_text("of the old pack")
    write(out, force=True)
    assert read_info(out)["styles"] == STYLES
    assert not (out / "stray").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["pack"]


@pytest.mark.parametrize("wrong", [0.01, float("nan"), float("inf")])
def test_a_network_that_differs_is_not_written(exported_before: Path, tmp_path: Path, wrong: float) -> None:
    *_, dancer = networks()
    dancer.travel.bias.data += wrong
    with pytest.raises(ArithmeticError, match="dancer: onnxruntime differs"):
        write(tmp_path / "pack", dancer=dancer)
    assert list(tmp_path.iterdir()) == []  # nothing half-done beside it either


def test_a_failed_force_leaves_the_old_pack(exported_before: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    shutil.copytree(exported_before, out)
    before = sorted((p.name, p.read_bytes()) for p in out.iterdir())
    *_, dancer = networks()
    dancer.travel.bias.data += 1
    with pytest.raises(ArithmeticError):
        write(out, force=True, dancer=dancer)
    assert sorted((p.name, p.read_bytes()) for p in out.iterdir()) == before


def test_a_difference_is_seen(written: tuple[Path, dict[str, float]]) -> None:
    autoencoder, *_ = networks()
    module = export._Decoder(autoencoder)
    inputs = {"latent": torch.randn(2, LATENT)}
    path = written[0] / "decoder.onnx"
    assert difference(module, path, inputs, ["frame", "joints"]) <= TOLERANCE["decoder"]
    with torch.no_grad():
        autoencoder.pose_mean += 0.25 * FRAME_METRES
    assert difference(module, path, inputs, ["frame", "joints"]) == pytest.approx(0.25, abs=1e-4)
    inputs["latent"][0, 0] = torch.nan
    assert np.isnan(difference(module, path, inputs, ["frame", "joints"]))
