"""Packs: a whole one loads, and whatever is broken in one is named in one line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visualizer.dancer import pack as packs
from visualizer.dancer.pack import find_pack, load_pack, read_info
from visualizer.errors import UserError
from visualizer.networks import session as sessions
from visualizer.networks.contract import NETWORKS, check_contract, expected_inputs
from visualizer.networks.session import open_session


@pytest.fixture
def copied(tiny_pack: Path, tmp_path: Path) -> Path:
    """A pack that may be broken."""
    return Path(shutil.copytree(tiny_pack, tmp_path / "mine"))


def change(folder: Path, **fields: Any) -> None:
    """Set fields of pack.json; `...` takes one out."""
    path = folder / "pack.json"
    info = {**json.loads(path.read_text(encoding="utf-8")), **fields}
    path.write_text(json.dumps({k: v for k, v in info.items() if v is not ...}), encoding="utf-8")


def refused(folder: Path, device: str = "cpu") -> str:
    with pytest.raises(UserError) as caught:
        load_pack(folder, device)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


def taken_or_refused(read: Callable[[], object], name: str) -> None:
    """`read` succeeds or raises a UserError of one line that names the file; anything else fails the test."""
    said = f"{name} is whole"
    with contextlib.suppress(UserError):
        try:
            read()
        except UserError as error:
            said = str(error)
            raise
    assert name in said
    assert len(said.splitlines()) == 1


# --- whole packs


def test_a_whole_pack_loads(tiny_pack: Path) -> None:
    pack = load_pack(tiny_pack, "cpu")
    assert pack.provider == "cpu"
    assert pack.folder == tiny_pack
    assert pack.latent_mean.shape == pack.latent_spread.shape == (pack.latent_size,)
    assert pack.latent_mean.dtype == np.float32
    assert all(s.latent.shape == (pack.latent_size,) for s in pack.seeds)
    written = read_info(tiny_pack)
    known = [{"name": d.name, "style": d.style, "beats": d.beats, "energy": d.energy, "crotch": d.crotch}
             for d in pack.dances]  # fmt: skip
    assert known == [{"energy": None, "crotch": 0.0, **each} for each in written["dances"]]
    assert pack.entries is not None
    assert len(pack.entries.stance.joints) == len(pack.dances)
    assert pack.crotch_letters.tolist() == written["crotch_letters"]
    assert pack.limits == written["limits"]
    frame, joints = pack.decoder.run(["frame", "joints"], {"latent": pack.latent_mean[None]})
    assert frame.shape == (1, 1, 128, 128)
    assert joints.shape == (1, 21, 2)


def test_the_pack_that_ships_loads() -> None:
    pack = load_pack(find_pack(None), "cpu")
    assert len(pack.styles) >= 2
    encoder, provider = open_session(pack.folder / "encoder.onnx")
    assert provider == "cpu"
    (latent,) = encoder.run(None, {"frame": np.zeros((3, 1, 128, 128), np.float32)})
    assert latent.shape == (3, pack.latent_size)


def test_auto_runs_on_something_and_says_what(tiny_pack: Path) -> None:
    pack = load_pack(tiny_pack)
    truly = pack.dancer.get_providers()[0]
    assert {"cpu": "CPU", "cuda": "CUDA", "coreml": "CoreML"}[pack.provider] + "ExecutionProvider" == truly


class NoDevice:
    """A session that says which provider runs it, whatever was asked for."""

    def __init__(self, session: Any, provider: str) -> None:
        self.session, self.provider = session, provider

    def get_providers(self) -> list[str]:
        return [self.provider]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


@pytest.fixture
def listed_but_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA is listed as available, and every session falls back to the CPU, as where the driver is missing."""
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    cpu = "CPUExecutionProvider"
    monkeypatch.setattr(
        ort, "InferenceSession", lambda data, options, providers: NoDevice(real(data, options, providers=[cpu]), cpu)
    )


@pytest.mark.usefixtures("listed_but_dead")
def test_a_listed_device_that_does_not_run(tiny_pack: Path) -> None:
    assert load_pack(tiny_pack, "auto").provider == "cpu"
    assert "cuda was asked for" in refused(tiny_pack, "cuda")


@pytest.mark.parametrize("device", ["cuda", "coreml"])
def test_a_device_that_is_not_there(tiny_pack: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert f"{device} was asked for" in refused(tiny_pack, device)
    assert load_pack(tiny_pack, "auto").provider == "cpu"


def test_an_unknown_device(tiny_pack: Path) -> None:
    assert "auto, cpu, cuda or coreml" in refused(tiny_pack, "abacus")


# --- finding


def test_packs_are_found_by_name_and_by_path(tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_pack(str(tiny_pack)) == tiny_pack
    monkeypatch.setattr(packs.paths, "models", lambda: tiny_pack.parent)
    assert find_pack(tiny_pack.name) == tiny_pack
    monkeypatch.setattr(packs, "DEFAULT_PACK", tiny_pack.name)
    assert find_pack(None) == tiny_pack
    for name in ("absent", "", "a" * 5000, "nul\0byte", str(tmp_path)):
        with pytest.raises(UserError):
            find_pack(name)
    with pytest.raises(UserError, match=tiny_pack.name):  # what there is, is named
        find_pack("absent")


@pytest.mark.parametrize("name", ["default", "mine"])
def test_a_bare_name_means_no_folder_here(
    name: str, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder in the current folder takes no pack's place, and is there for whoever asks for it as a path."""
    here = tmp_path / "here"
    shutil.copytree(copied, here / name)
    monkeypatch.chdir(here)
    packs._say_that_one_is_here.cache_clear()
    for path in (f"./{name}", f"{name}/", str(here / name), f"../here/{name}"):
        assert find_pack(path).resolve() == here / name
    assert not caplog.records
    if name == "default":
        assert find_pack(None) == find_pack("default") == packs.paths.models() / "default"
        assert [r.getMessage() for r in caplog.records] == [
            "the pack default is meant, not the folder of that name here; that would be ./default"
        ]
    else:
        with pytest.raises(UserError, match=r"say \./mine"):
            find_pack(name)


@pytest.mark.parametrize("file", ["pack.json", *(f"{network}.onnx" for network in NETWORKS[1:])])
@pytest.mark.parametrize("kind", ["pipe", "endless", "folder"])
def test_what_is_no_file_is_not_waited_for(copied: Path, file: str, kind: str) -> None:
    (copied / file).unlink()
    if kind == "pipe":
        os.mkfifo(copied / file)
    elif kind == "endless":
        (copied / file).symlink_to("/dev/zero")
    else:
        (copied / file).mkdir()
    assert file in refused(copied)


# --- pack.json

BAD_FIELDS: list[tuple[str, Any]] = [
    ("format", 1), ("format", 4), ("format", ...), ("format", "2"),
    ("frame_size", 64), ("frame_size", ...), ("steps_per_beat", 8), ("steps_per_letter", 4),
    ("body", ...), ("body", {}), ("entries", 3), ("entries", "AAAA"), ("crotch_letters", 3), ("crotch_letters", [-1]),
    ("crotch_letters", [10**6]), ("crotch_letters", [True]),
    ("latent_size", 0), ("latent_size", 129), ("latent_size", "16"), ("latent_size", 16.0), ("latent_size", True),
    ("letters", -1), ("letters", 10**9), ("letters", None),
    ("name", 5), ("name", "two\nlines"), ("name", "x" * 1000), ("name", "\x1b[31mred"),
    ("styles", []), ("styles", "house"), ("styles", ["a", "a"]), ("styles", [""]), ("styles", ["a\nb"]),
    ("styles", [1, 2]), ("styles", ["x" * 50]), ("styles", ["\ud800"]),
    ("latent_mean", ...), ("latent_mean", [0.0]), ("latent_mean", [float("nan")] * 16), ("latent_mean", [1e300] * 16),
    ("latent_mean", [10**400] * 16), ("latent_mean", [[0.0]] * 16), ("latent_mean", {"a": 1}),
    ("latent_mean", ["x"] * 16),
    ("latent_spread", [0.0] * 16), ("latent_spread", [-1.0] * 16), ("latent_spread", None),
    ("choreographer_state", []), ("choreographer_state", [2, 0]), ("choreographer_state", "2x32"),
    ("choreographer_state", [8192, 8192]), ("choreographer_state", [1] * 40), ("dancer_state", [True, 32]),
    ("dancer_state", [1, 32.5]), ("dancer_state", ...),
    ("seeds", []), ("seeds", ...), ("seeds", [3]), ("seeds", {"latent": []}),
    ("seeds", [{"latent": [0.0] * 16, "letter": 0, "style": 0}] * 10_001),
    ("dances", ...), ("dances", None), ("dances", {}), ("dances", "jack"), ("dances", [3]), ("dances", ["jack"]),
    ("dances", [{}]), ("dances", [{"name": "jack", "style": 0, "beats": 8}] * 2),
    ("dances", [{"name": n, "style": 0, "beats": 8} for n in ("jack", "Jack")]),  # names are asked for in any case
    ("dances", [{"name": f"dance {n}", "style": 0, "beats": 8} for n in range(1001)]),
    ("limits", ...), ("limits", None), ("limits", [1.0, 2.0]), ("limits", {}), ("limits", {"far": 3.0}),
    ("limits", {"still": 3.0}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_a_broken_field_is_named(copied: Path, field: str, value: Any) -> None:
    change(copied, **{field: value})
    with pytest.raises(UserError) as caught:
        read_info(copied)
    said = str(caught.value)
    assert "pack.json" in said
    assert field.rstrip("s") in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("latent", [0.0]), ("latent", None), ("latent", ["x"] * 16), ("letter", 10**6), ("letter", -1), ("letter", 0.5),
     ("letter", True), ("style", 99), ("style", "house")],
)  # fmt: skip
def test_a_broken_seed_is_named(copied: Path, key: str, value: Any) -> None:
    seeds = json.loads((copied / "pack.json").read_text(encoding="utf-8"))["seeds"]
    change(copied, seeds=[*seeds[:1], {**seeds[1], key: value}])
    with pytest.raises(UserError, match=rf"pack\.json.*seed's {key}"):
        read_info(copied)


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", ""), ("name", 5), ("name", None), ("name", "two\nlines"), ("name", "x" * 50), ("name", "\x1b[31mred"),
     ("style", 999), ("style", -1), ("style", True), ("style", "house"), ("style", 0.0), ("style", None),
     ("beats", 0), ("beats", -8), ("beats", 65), ("beats", 8.0), ("beats", True), ("beats", None),
     ("energy", -0.1), ("energy", 2), ("energy", True), ("energy", "high"), ("energy", float("nan")),
     ("crotch", -0.1), ("crotch", 1.5), ("crotch", "some")],
)  # fmt: skip
def test_a_broken_dance_is_named(copied: Path, key: str, value: Any) -> None:
    whole = {"name": "jack", "style": 1, "beats": 8}
    change(copied, dances=[whole, {**whole, "name": "stomp", key: value}])
    with pytest.raises(UserError, match=rf"pack\.json.*dance's {key}"):
        read_info(copied)


@pytest.mark.parametrize("key", ["far", "still"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), 1e7, 10**400, True, "3", None, [3.0]])
def test_a_broken_limit_is_named(copied: Path, key: str, value: Any) -> None:
    change(copied, limits={"far": 3.0, "still": 0.01, key: value})
    with pytest.raises(UserError, match=rf"pack\.json.*limits.*{key}"):
        read_info(copied)


def test_a_pack_may_have_no_dances(copied: Path) -> None:
    change(copied, dances=[], entries=...)
    wanted = expected_inputs(read_info(copied))
    assert wanted["dancer"]["dance"] == wanted["choreographer"]["dance"] == (1,)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}', b'{"format": 2}', b"1" * 5000]
)
def test_a_pack_json_that_is_none(copied: Path, text: bytes) -> None:
    (copied / "pack.json").write_bytes(text)
    assert "pack.json" in refused(copied)


def test_no_pack_json(tmp_path: Path) -> None:
    assert "pack.json" in refused(tmp_path)
    (tmp_path / "file").write_text("no folder")
    assert "pack.json" in refused(tmp_path / "file")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_is_taken_or_refused(tiny_pack: Path, tmp_path: Path, data: st.DataObject) -> None:
    info = json.loads((tiny_pack / "pack.json").read_text(encoding="utf-8"))
    field = data.draw(st.sampled_from(sorted(info)))
    info[field] = data.draw(JSON)
    (tmp_path / "pack.json").write_text(json.dumps(info), encoding="utf-8")
    taken_or_refused(lambda: read_info(tmp_path), "pack.json")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=20), cut=st.booleans())
def test_any_bytes_of_pack_json_are_taken_or_refused(
    tiny_pack: Path, tmp_path: Path, at: float, junk: bytes, cut: bool
) -> None:
    whole = (tiny_pack / "pack.json").read_bytes()
    here = int(at * len(whole))
    (tmp_path / "pack.json").write_bytes(whole[:here] + junk + (b"" if cut else whole[here + len(junk) :]))
    taken_or_refused(lambda: read_info(tmp_path), "pack.json")


# --- networks


@pytest.mark.parametrize("network", NETWORKS[1:])
def test_a_missing_or_truncated_network_is_named(copied: Path, network: str) -> None:
    path = copied / f"{network}.onnx"
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"not a network at all"):
        path.write_bytes(broken)
        assert path.name in refused(copied)
    path.unlink()
    assert path.name in refused(copied)


def test_a_network_that_is_too_large(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (copied / "decoder.onnx").stat().st_size
    monkeypatch.setattr(sessions, "LARGEST_FILE", size - 1)
    assert ".onnx: " in (said := refused(copied))
    assert "too large" in said


def test_networks_that_change_places(copied: Path) -> None:
    shutil.copy(copied / "dancer.onnx", copied / "choreographer.onnx")
    assert "choreographer.onnx" in refused(copied)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("letters", 33),
        ("choreographer_state", [2, 33]),
        ("dancer_state", [2, 32]),
        ("dances", [{"name": f"dance {n}", "style": 0, "beats": 8} for n in range(999)]),
    ],
)
def test_a_pack_json_that_does_not_fit_its_networks(copied: Path, field: str, value: Any) -> None:
    # What else tells of letters and dances would be found first not to fit.
    where = copied / "pack.json"
    info = json.loads(where.read_text(encoding="utf-8"))
    more = ("entries", "crotch_letters", "figures", "parts", "hands")
    where.write_text(json.dumps({k: v for k, v in info.items() if k not in more}), encoding="utf-8")
    change(copied, **{field: value})
    assert ".onnx: inputs are" in refused(copied)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    onnx = pytest.importorskip("onnx", reason="skipped: onnx missing")
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def rename_input(model: Any) -> None:
    for node in model.graph.node:
        node.input[:] = ["z" if name == "latent" else name for name in node.input]
    model.graph.input[0].name = "z"


def fix_batch(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def rename_output(model: Any) -> None:
    for node in model.graph.node:
        node.output[:] = ["picture" if name == "frame" else name for name in node.output]
        node.input[:] = ["picture" if name == "frame" else name for name in node.input]
    next(o for o in model.graph.output if o.name == "frame").name = "picture"


def half_a_frame(model: Any) -> None:
    """Gives 64 rows of the 128, and says nothing of its shape."""
    from onnx import helper, numpy_helper

    for node in model.graph.node:
        node.output[:] = ["whole" if name == "frame" else name for name in node.output]
        node.input[:] = ["whole" if name == "frame" else name for name in node.input]
    for name, value in (("from", 0), ("to", 64), ("axis", 2)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([value]), f"half_{name}"))
    model.graph.node.append(helper.make_node("Slice", ["whole", "half_from", "half_to", "half_axis"], ["frame"]))
    output = next(o for o in model.graph.output if o.name == "frame")
    output.type.tensor_type.ClearField("shape")


def foreign_operator(model: Any) -> None:
    model.graph.node[0].domain = "some.where"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(rename_input, "inputs are"), (fix_batch, "free first axis"), (rename_output, "output frame is missing"),
     (half_a_frame, "output frame of"), (foreign_operator, "not a usable network")],
)  # fmt: skip
def test_a_network_that_breaks_the_contract(copied: Path, spoil: Callable[[Any], None], words: str) -> None:
    edit(copied / "decoder.onnx", spoil)
    said = refused(copied)
    assert "decoder.onnx" in said
    assert words in said


def test_weights_in_other_files_are_not_reached(copied: Path) -> None:
    def outside(model: Any) -> None:
        weight = max(model.graph.initializer, key=lambda t: len(t.raw_data))
        (copied / "secret.bin").write_bytes(weight.raw_data)
        weight.ClearField("raw_data")
        weight.data_location = 1
        for key, value in (("location", str(copied / "secret.bin")), ("offset", "0")):
            entry = weight.external_data.add()
            entry.key, entry.value = key, value

    path = copied / "decoder.onnx"
    onnx = pytest.importorskip("onnx", reason="skipped: onnx missing")
    model = onnx.load(path)
    outside(model)
    path.write_bytes(model.SerializeToString())
    assert "decoder.onnx" in refused(copied)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=30))
def test_any_bytes_of_a_network_are_taken_or_refused(tiny_pack: Path, tmp_path: Path, at: float, junk: bytes) -> None:
    whole = (tiny_pack / "choreographer.onnx").read_bytes()
    here = int(at * len(whole))
    path = tmp_path / "choreographer.onnx"
    path.write_bytes(whole[:here] + junk + whole[here + len(junk) :])
    info = read_info(tiny_pack)
    taken_or_refused(lambda: check_contract(open_session(path)[0], "choreographer", info, path), "choreographer.onnx")


def test_joints_alone_are_those_of_the_decoder(tiny_pack: Path) -> None:
    pack = load_pack(tiny_pack, "cpu")
    latent = np.stack([seed.latent for seed in pack.seeds])
    assert pack.joints is not None
    assert [o.name for o in pack.joints.get_outputs()] == ["joints"]
    np.testing.assert_array_equal(
        pack.joints.run(["joints"], {"latent": latent})[0], pack.decoder.run(["joints"], {"latent": latent})[0]
    )


@pytest.mark.parametrize("card", [True, False])
def test_cuda_is_tried_where_there_is_anything_of_nvidia(monkeypatch: pytest.MonkeyPatch, card: bool) -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: available)
    monkeypatch.setattr(sessions, "may_run_cuda", lambda: card)
    assert sessions.devices_to_try("auto") == (["cuda", "cpu"] if card else ["cpu"])
    assert sessions.devices_to_try("cuda") == ["cuda"]  # who asks for it hears what comes of it


@pytest.mark.parametrize("sign", ["a card", "a library", "nothing"])
def test_signs_of_nvidia(monkeypatch: pytest.MonkeyPatch, sign: str) -> None:
    def load(name: str) -> object:
        if sign != "a library":
            raise OSError(f"{name}: cannot open shared object file")
        return object()

    monkeypatch.setattr(sessions, "has_nvidia", lambda: sign == "a card")
    monkeypatch.setattr(sessions.ctypes, "CDLL", load)
    assert sessions.may_run_cuda() == (sign != "nothing")
