"""Packs that travel: what is whole is added and handed on, what is not is refused in one line and leaves nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import stat
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx", reason="skipped: onnx missing")

from onnx import TensorProto, helper, numpy_helper

from tests.support.command_line import call
from tests.support.made_pack import FILES, INFO, contents, networks, write_folder, write_zip
from tests.support.needs import needs
from visualizer import paths
from visualizer.dancer import pack_store
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.errors import UserError
from visualizer.networks import sandbox


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's packs, none yet."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data" / name))
    return paths.added_packs()


def nothing_left(shelf: Path) -> bool:
    return not shelf.exists() or not list(shelf.iterdir())


def refused(path: Path, shelf: Path, **options: Any) -> str:
    """Why a pack is not added; nothing of it is left."""
    before = sorted(p.name for p in shelf.iterdir()) if shelf.exists() else []
    with pytest.raises(UserError) as caught:
        pack_store.add_pack(path, **options)
    assert (sorted(p.name for p in shelf.iterdir()) if shelf.exists() else []) == before
    said = str(caught.value)
    assert said.isprintable()
    assert ".part-" not in said
    return said


# --- whole packs


@pytest.mark.parametrize("prefix", ["made/", ""])
def test_from_hand_to_hand(tmp_path: Path, shelf: Path, prefix: str) -> None:
    folder = pack_store.add_pack(write_zip(tmp_path / "gift.zip", contents(), prefix))
    assert folder == shelf / "made-up"  # as it calls itself
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == contents()
    assert find_pack("made-up") == folder
    assert load_pack(folder, "cpu").styles == ("house", "disco")

    pack_store.zip_pack("made-up", tmp_path / "on.zip")
    pack_store.remove_pack("made-up")
    assert nothing_left(shelf)
    again = pack_store.add_pack(tmp_path / "on.zip", name="friend")
    assert {p.name: p.read_bytes() for p in again.iterdir()} == contents()
    assert [(p.name, p.shipped, p.trouble) for p in pack_store.list_packs()] == [
        ("default", True, ""), ("friend", False, ""),
    ]  # fmt: skip


def test_a_folder_is_copied(tmp_path: Path, shelf: Path) -> None:
    source = write_folder(tmp_path / "mine", contents())
    folder = pack_store.add_pack(source, name="mine")
    shutil.rmtree(source)
    assert load_pack(folder, "cpu").name == "Made Up"


def test_what_file_managers_leave_is_left_out(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "mac.zip", contents())
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("__MACOSX/made/._pack.json", b"litter")
        bundle.writestr("made/.DS_Store", b"litter")
        bundle.writestr(zipfile.ZipInfo("made/"), b"")
    assert sorted(p.name for p in pack_store.add_pack(path).iterdir()) == sorted(FILES)


def test_the_same_pack_makes_the_same_zip(tmp_path: Path) -> None:
    mine = write_folder(tmp_path / "Zoë's dancer.", contents())
    for name in ("a.zip", "b.zip"):
        pack_store.zip_pack(str(mine), tmp_path / name)
        os.utime(mine / "NOTICE", (0, 0))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    pack_store.add_pack(tmp_path / "a.zip")  # whatever the folder was called


def test_names_that_are_taken(tmp_path: Path, shelf: Path) -> None:
    path = write_zip(tmp_path / "gift.zip", contents())
    folder = pack_store.add_pack(path)
    assert "there is a pack called made-up" in refused(path, shelf)
    (folder / "NOTICE").write_text("changed")
    pack_store.add_pack(path, force=True)
    assert (folder / "NOTICE").read_bytes() == contents()["NOTICE"]
    assert [p.name for p in shelf.iterdir()] == ["made-up"]
    assert "came with the program" in refused(path, shelf, name="default", force=True)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "A", "con", "lpt1", ".hidden", "x" * 41, "ä", "a b", "-x"])
def test_names_that_cannot_be(tmp_path: Path, shelf: Path, name: str) -> None:
    assert "cannot be the name" in refused(tmp_path / "gift.zip", shelf, name=name)


def test_a_pack_without_a_name_of_its_own(tmp_path: Path, shelf: Path) -> None:
    files = contents() | {"pack.json": json.dumps({**INFO, "name": "日本"}).encode()}
    assert "--name" in refused(write_zip(tmp_path / "gift.zip", files), shelf)


def test_remove_only_what_was_added(shelf: Path) -> None:
    for name, words in (("default", "came with the program"), ("absent", "no pack is called"), ("../..", "no pack")):
        with pytest.raises(UserError, match=words):
            pack_store.remove_pack(name)


def test_zip_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("mine")
    with pytest.raises(UserError, match="--force"):
        pack_store.zip_pack("default", tmp_path / "x.zip")
    assert (tmp_path / "x.zip").read_text() == "mine"
    with pytest.raises(UserError, match="cannot be written"):
        pack_store.zip_pack("default", tmp_path / "no" / "such" / "x.zip")
    (tmp_path / "link.zip").symlink_to(tmp_path / "nothing")
    with pytest.raises(UserError, match="--force"):
        pack_store.zip_pack("default", tmp_path / "link.zip")
    assert (tmp_path / "link.zip").is_symlink()
    with pytest.raises(UserError, match=r"is a \.zip"):
        pack_store.zip_pack("default", tmp_path / "x.tar")


@pytest.mark.slow
@pytest.mark.parametrize("planted", [".q.zip.part", ".q.part", ".part-q.zip", "q.part", "q.zip.part"])
def test_zip_follows_no_link_that_was_planted(tmp_path: Path, planted: str) -> None:
    (tmp_path / "diary").write_text("mine")
    (tmp_path / planted).symlink_to(tmp_path / "diary")
    pack_store.zip_pack("default", tmp_path / "q.zip")
    assert (tmp_path / "diary").read_text() == "mine"
    assert (tmp_path / planted).is_symlink()
    assert not (tmp_path / "q.zip").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "data") == sorted(["diary", planted, "q.zip"])
    assert zipfile.is_zipfile(tmp_path / "q.zip")


def test_zip_by_force_writes_a_file_where_a_link_was(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("mine")
    (tmp_path / "q.zip").symlink_to(tmp_path / "diary")
    pack_store.zip_pack("default", tmp_path / "q.zip", force=True)
    assert (tmp_path / "diary").read_text() == "mine"
    assert not (tmp_path / "q.zip").is_symlink()


# --- zip files


def with_entries(*entries: tuple[str, bytes]) -> Callable[[Path], None]:
    """Adds files to a zip file."""

    def add(path: Path) -> None:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as bundle:
            for name, data in entries:
                info = zipfile.ZipInfo("x")
                info.filename = name
                bundle.writestr(info, data)

    return add


def with_link(path: Path) -> None:
    files = contents()
    with zipfile.ZipFile(path, "w") as bundle:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            if name == "NOTICE":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                data = b"/etc/passwd"
            bundle.writestr(info, data)


def with_bomb(path: Path) -> None:
    write_zip(path, contents() | {"decoder.onnx": bytes(60_000_000)})


def with_lying_size(path: Path) -> None:
    """The table says 10 bytes where more come out."""
    data = bytearray(write_zip(path, contents()).read_bytes())
    at = data.rindex(b"PK\1\2", 0, data.rindex(b"dancer.onnx"))
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(data)


def with_method(number: int) -> Callable[[Path], None]:
    def pack(path: Path) -> None:
        with zipfile.ZipFile(path, "w", number) as bundle:
            for name, data in contents().items():
                bundle.writestr(name, data)

    return pack


def encrypted(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1
    path.write_bytes(data)


def after_its_end(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"tail")


def before_its_start(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def without(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        write_zip(path, {k: v for k, v in contents().items() if k != name})

    return write


def many(path: Path) -> None:
    with_entries(*((f"made/{n}", b"") for n in range(100)))(path)


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"dancer.onnx") + 60
    data[at] ^= 0xFF
    path.write_bytes(data)


ZIPS: list[tuple[str, Callable[[Path], None], str]] = [
    ("up", with_entries(("../../evil", b"x")), "lie elsewhere"),
    ("up within", with_entries(("made/../../pack.json", b"x")), "lie elsewhere"),
    ("absolute", with_entries(("/etc/cron.d/x", b"x")), "lie elsewhere"),
    ("drive", with_entries(("C:evil", b"x")), "lie elsewhere"),
    ("backslash", with_entries(("..\\evil", b"x")), "lie elsewhere"),
    ("dot", with_entries(("made/./NOTICE", b"x")), "lie elsewhere"),
    ("blank", with_entries(("made/NOTICE ", b"x")), "lie elsewhere"),
    ("zero byte", with_entries(("made/NOTICE\0.txt", b"x")), "odd name|damaged"),
    ("escape", with_entries(("made/\x1b[2Jx", b"x")), "odd name"),
    ("turned about", with_entries(("made/\u202eexe.NOTICE", b"x")), "odd name"),
    ("twice", with_entries(("made/NOTICE", b"x")), "twice"),
    ("case", with_entries(("made/notice", b"x")), "twice"),
    ("another folder", with_entries(("other/NOTICE", b"x")), "twice|more than one folder"),
    ("deeper", with_entries(("made/made/NOTICE", b"x")), "does not belong"),
    ("program", with_entries(("made/run.py", b"x")), "does not belong"),
    ("zip in zip", with_entries(("made/more.zip", b"x")), "does not belong"),
    ("empty folder", with_entries(("elsewhere/", b"")), "more than one folder"),
    ("link", with_link, "link"),
    ("bomb", with_bomb, "would grow"),
    ("lying size", with_lying_size, "larger than it says|damaged"),
    ("lzma", with_method(zipfile.ZIP_LZMA), "packed in a way"),
    ("encrypted", encrypted, "encrypted"),
    ("tail", after_its_end, "after its end"),
    ("head", before_its_start, "before or between"),
    ("cut", cut, "not a zip file"),
    ("many", many, "holds 106 files"),
    ("damaged", damaged, "damaged"),
    *((f"no {name}", without(name), f"{name} missing") for name in FILES),
]


@pytest.mark.parametrize(("spoil", "words"), [z[1:] for z in ZIPS], ids=[z[0] for z in ZIPS])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks(tmp_path: Path, shelf: Path, spoil: Callable[[Path], None], words: str) -> None:
    path = write_zip(tmp_path / "gift.zip", contents())
    spoil(path)
    said = refused(path, shelf)
    assert "gift.zip" in said
    assert any(word in said for word in words.split("|")), said
    assert not (tmp_path / "evil").exists()


def test_a_file_that_is_too_large_or_all_of_them(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "gift.zip", contents())
    folder = write_folder(tmp_path / "folder", contents())
    monkeypatch.setitem(pack_store.FILES, "NOTICE", 5)
    assert "NOTICE would have 24 bytes" in refused(path, shelf)
    assert "NOTICE has 24 bytes" in refused(folder, shelf)
    monkeypatch.setitem(pack_store.FILES, "NOTICE", 500)
    monkeypatch.setattr(pack_store, "LARGEST_PACK", 1000)
    assert "larger than" in refused(path, shelf)
    assert "too large" in refused(folder, shelf)


def test_no_room_on_the_disk(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "gift.zip", contents())

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pack_store, "_copy", full)
    said = refused(path, shelf)
    assert "No space left" in said
    assert str(shelf) in said  # for it is there, and not where the gift is


def test_the_old_pack_stays_where_the_new_one_cannot_come(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "gift.zip", contents())
    folder = pack_store.add_pack(path)

    def never(*_: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(pack_store.os, "replace", never)
    assert "cannot be written" in refused(path, shelf, force=True)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == contents()


# --- folders


def test_folder_tricks(tmp_path: Path, shelf: Path) -> None:
    folder = write_folder(tmp_path / "theirs", contents())
    (folder / "more.txt").write_text("x")
    assert "'more.txt' does not belong" in refused(folder, shelf)
    (folder / "more.txt").unlink()
    (folder / "NOTICE").unlink()
    assert "NOTICE missing" in refused(folder, shelf)
    (tmp_path / "secret").write_text("x")
    (folder / "NOTICE").symlink_to(tmp_path / "secret")
    assert "NOTICE is a link" in refused(folder, shelf)
    (folder / "NOTICE").unlink()
    os.mkfifo(folder / "NOTICE")  # to open one would wait for ever
    assert "NOTICE is a link or another thing" in refused(folder, shelf)


# --- what is in the files


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"latent_size": 5}, "latent_mean must be 5"), ({"letters": 7}, "inputs"), ({"dancer_state": [1, 4]}, "input"),
     ({"latent_mean": [float("nan")] * 4}, "finite"), ({"latent_spread": [1e300] * 4}, "finite"),
     ({"styles": ["house", "\x1b[31m"]}, "styles"), ({"styles": ["house", "disco", "third"]}, "inputs are"),
     ({"dances": []}, ""), ({"sha256": "no"}, "sha256"),
     ({"sha256": {"dancer.onnx": "0" * 64}}, "dancer.onnx: not the network that pack.json speaks of")],
)  # fmt: skip
def test_lies_in_pack_json(tmp_path: Path, shelf: Path, fields: dict[str, Any], words: str) -> None:
    path = write_zip(tmp_path / "gift.zip", contents() | {"pack.json": json.dumps({**INFO, **fields}).encode()})
    if words:
        assert words in refused(path, shelf)
    else:
        pack_store.add_pack(path)


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    assert call(monkeypatch, "packs", *words) == 0
    return capsys.readouterr().out.splitlines()


def test_words_that_would_paint_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rude = {
        "credits": ["\x1b[2J\x1b]0;owned\x07 by\nme \u202e", "x" * 10_000, 7, None],
        "training": {"\x1b": "\x9b31m"},
    }
    pack_store.add_pack(
        write_zip(tmp_path / "gift.zip", contents() | {"pack.json": json.dumps({**INFO, **rude}).encode()}), "rude"
    )
    lines = shown(capsys, monkeypatch, "show", "rude")
    assert all(line.isprintable() and len(line) < 400 for line in lines)
    assert any("by me" in line for line in lines)


def graph_of(name: str) -> Any:
    return networks()[name]


def too_much(dims: list[int]) -> bytes:
    """A decoder that makes a huge tensor out of nothing and keeps one number of it."""
    model = graph_of("decoder")
    model.graph.initializer.append(numpy_helper.from_array(np.array(dims), "huge"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0.0], np.float32), "nought"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(range(len(dims))), "all"))
    frame = next(n for n in model.graph.node if "frame" in n.output)
    frame.output[0] = "plain"
    model.graph.node.extend([
        helper.make_node("Expand", ["nought", "huge"], ["wide"]), helper.make_node("Exp", ["wide"], ["wider"]),
        helper.make_node("ReduceMin", ["wider", "all"], ["one"], keepdims=0),
        helper.make_node("Mul", ["plain", "one"], ["frame"]),
    ])  # fmt: skip
    return model.SerializeToString()


def too_much_for_nine() -> bytes:
    """Harmless for one dancer; the memory it takes grows with the sixth power of the troupe."""
    model = graph_of("decoder")
    frame = next(n for n in model.graph.node if "frame" in n.output)
    frame.output[0] = "plain"
    model.graph.initializer.append(numpy_helper.from_array(np.array([0.0], np.float32), "nought"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 1, 2, 3, 4, 5, 6]), "all"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([600]), "more"))
    model.graph.node.extend([
        helper.make_node("Shape", ["latent"], ["count"], start=0, end=1),
        helper.make_node("Concat", ["count"] * 6 + ["more"], ["huge"], axis=0),
        helper.make_node("Expand", ["nought", "huge"], ["wide"]), helper.make_node("Exp", ["wide"], ["wider"]),
        helper.make_node("ReduceMin", ["wider", "all"], ["one"], keepdims=0),
        helper.make_node("Mul", ["plain", "one"], ["frame"]),
    ])  # fmt: skip
    return model.SerializeToString()


def no_numbers() -> bytes:
    model = graph_of("dancer")
    step = next(n for n in model.graph.node if "latent_out" in n.output)
    step.output[0] = "plain"
    model.graph.node.append(helper.make_node("Log", ["minus"], ["nan"]))
    model.graph.node.append(helper.make_node("Add", ["plain", "nan"], ["latent_out"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1.0], np.float32), "minus"))
    return model.SerializeToString()


def other_letters() -> bytes:
    model = graph_of("choreographer")
    write = next(n for n in model.graph.node if "letter_out" in n.output)
    write.output[0] = "plain"
    model.graph.initializer.append(numpy_helper.from_array(np.array([900]), "far"))
    model.graph.node.append(helper.make_node("Add", ["plain", "far"], ["letter_out"]))
    return model.SerializeToString()


def lying_shape() -> bytes:
    """Declares a whole frame and gives a quarter of it."""
    model = graph_of("decoder")
    square = next(t for t in model.graph.initializer if t.name == "square")
    square.CopyFrom(numpy_helper.from_array(np.array([1, 1, 64, 64]), "square"))
    return model.SerializeToString()


def whole_letters_as_floats() -> bytes:
    model = graph_of("choreographer")
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return model.SerializeToString()


def one_dancer_only() -> bytes:
    model = graph_of("dancer")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return model.SerializeToString()


NETWORKS: list[tuple[str, Callable[[], bytes], str]] = [
    ("decoder", lambda: too_much([40_000, 40_000]), "decoder.onnx: takes more than 1024 MB of memory"),
    ("decoder", lambda: too_much([2**40, 2**20]), "decoder.onnx: does not run|decoder.onnx: takes more than"),
    ("decoder", too_much_for_nine, "decoder.onnx: takes more than 1024 MB of memory"),
    ("decoder", lying_shape, "output frame of a troupe of 1|does not run|not a usable"),
    ("dancer", no_numbers, "latent_out is not of finite numbers"),
    ("dancer", one_dancer_only, "free first axis|not a usable"),
    ("choreographer", other_letters, "letters that there are not"),
    ("choreographer", whole_letters_as_floats, "input letter must be tensor(int64)"),
    ("encoder", lambda: contents()["decoder.onnx"], "inputs are"),
    ("dancer", lambda: b"PK\3\4" + bytes(100), "not a usable network"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "make", "words"), NETWORKS)
def test_networks_that_pretend(
    tmp_path: Path, shelf: Path, network: str, make: Callable[[], bytes], words: str
) -> None:
    said = refused(write_zip(tmp_path / "gift.zip", contents(**{network: make()})), shelf)
    assert any(word in said for word in words.split("|")), said
    assert f"{network}.onnx" in said


def test_a_network_that_takes_too_long(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.01)
    files = contents() | {"NOTICE": b"slow\n", "pack.json": json.dumps({**INFO, "name": "slow"}).encode()}
    assert "to try its networks took more than" in refused(write_zip(tmp_path / "gift.zip", files), shelf)


def test_a_trial_that_dies(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false") or "/bin/false")
    files = contents() | {"pack.json": json.dumps({**INFO, "name": "deadly"}).encode()}
    assert "broke the program that tried it" in refused(write_zip(tmp_path / "gift.zip", files), shelf)


def test_a_pack_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    tried = []
    monkeypatch.setattr(sandbox, "try_pack", lambda folder, info, seals: tried.append(folder.name))
    for name in ("a", "b"):
        load_pack(write_folder(tmp_path / name, contents()), "cpu")
    load_pack(tmp_path / "a", "cpu")
    assert tried == ["a"]  # b holds the same files
    (tmp_path / "b" / "pack.json").write_text(json.dumps({**INFO, "name": "other"}))
    load_pack(tmp_path / "b", "cpu")
    assert tried == ["a", "b"]
    load_pack(find_pack(None), "cpu")  # ships
    assert tried == ["a", "b"]


def test_the_limit_holds(tmp_path: Path) -> None:
    """The process that tries a pack cannot take more than it may, whoever asks."""
    needs(sys.platform == "linux", "a system that limits memory")
    import subprocess

    code = "from visualizer.networks import sandbox; sandbox._limit(); bytearray(3 * sandbox.MEMORY)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


# --- fuzz


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial without a process of its own, for hundreds of packs; what it limits is tested above."""

    def here(folder: Path, info: dict[str, Any], seals: dict[str, str]) -> None:
        try:
            open_bytes = sandbox.open_bytes
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sandbox, "open_bytes", lambda data, path, limited: open_bytes(data, path))
                sandbox.run_networks(folder, info, seals)
        except MemoryError:
            raise UserError(f"{folder}: too much") from None

    monkeypatch.setattr(sandbox, "try_pack", here)


def taken_or_refused(path: Path, shelf: Path) -> None:
    """The pack is added whole, or refused in one line with nothing left of it."""
    said = ""
    try:
        folder = pack_store.add_pack(path, "fuzz")
        assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
        load_pack(folder, "cpu")
        pack_store.remove_pack("fuzz")
    except UserError as error:
        said = str(error)
        assert said.isprintable()
        assert said
    assert nothing_left(shelf), said


WHOLE: dict[str, bytes] = contents()
BYTES = io.BytesIO()
with zipfile.ZipFile(BYTES, "w", zipfile.ZIP_DEFLATED) as _bundle:
    for _name, _data in WHOLE.items():
        _bundle.writestr(f"made/{_name}", _data)


@pytest.mark.usefixtures("in_this_process")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=6), cut=st.booleans(), back=st.booleans())
def test_any_bytes_of_a_zip_are_taken_or_refused(
    tmp_path: Path, shelf: Path, at: float, junk: bytes, cut: bool, back: bool
) -> None:
    whole = BYTES.getvalue()
    # Half of the time in the table of contents, where there is most to twist.
    first = whole.index(b"PK\1\2") if back else 0
    here = first + int(at * (len(whole) - first))
    (tmp_path / "fuzz.zip").write_bytes(whole[:here] + junk + (b"" if cut else whole[here + len(junk) :]))
    taken_or_refused(tmp_path / "fuzz.zip", shelf)


@pytest.mark.usefixtures("in_this_process")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(FILES), at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=3))
def test_any_bytes_within_a_file_of_a_zip_are_taken_or_refused(
    tmp_path: Path, shelf: Path, file: str, at: float, junk: bytes
) -> None:
    whole = WHOLE[file]
    here = int(at * len(whole))
    files = WHOLE | {file: whole[:here] + junk + whole[here + len(junk) :]}
    taken_or_refused(write_zip(tmp_path / "fuzz.zip", files), shelf)


# --- the command line


def test_the_commands(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gift = str(write_zip(tmp_path / "gift.zip", contents()))
    assert any("made-up" in line for line in shown(capsys, monkeypatch, "add", gift))
    assert any(line.split()[:3] == ["made-up", "2", "1"] for line in shown(capsys, monkeypatch))
    assert any("made for the tests, MIT" in line for line in shown(capsys, monkeypatch, "show", "made-up"))
    shown(capsys, monkeypatch, "zip", "made-up", "-o", str(tmp_path / "on.zip"))
    (shelf / "made-up" / "pack.json").write_text("{")  # broken since
    assert any("made-up" in line and "cannot be read" in line for line in shown(capsys, monkeypatch))
    shown(capsys, monkeypatch, "remove", "made-up")
    assert nothing_left(shelf)
    for words in (["add", str(tmp_path / "absent.zip")], ["remove", "default"], ["show", "absent"], ["juggle"],
                  ["add", gift, "--name", "../x"], ["zip", "default", "-o", gift]):  # fmt: skip
        assert call(monkeypatch, "packs", *words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.strip().splitlines()) == 1
        assert err.startswith("visualizer: ")
