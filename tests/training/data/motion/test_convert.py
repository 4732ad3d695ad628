"""Captured motion of any kind comes onto our bones as it was danced; what cannot be used is refused in one line."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.made_bvh import CONVENTIONS, WORDS, Convention, keypoints, write_bvh, write_keypoints
from tests.support.made_clips import LICENCE, dance_motion, write_clips
from training import cli
from training.data.motion.bvh import END, read_bvh
from training.data.motion.clips import read_clips
from training.data.motion.convert import FASTEST, convert, find_files, read_motion, style_of
from training.data.motion.mapping import take_apart
from training.data.motion.pickles import read_arrays
from training.data.motion.skeleton import INDEX, turn
from visualizer.errors import UserError

MOTION = dance_motion("bounce and rock", 120, 8)[0]
SEEN = [i for name, i in INDEX.items() if "toe" not in name and "hand" not in name]  # by 17 keypoints


def apart(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Distances of joints, metres, about the pelvis: where somebody stands is the converter's choice."""
    count = min(len(found), len(wanted))
    assert abs(len(found) - len(wanted)) <= 2
    return np.linalg.norm((found - found[:, :1])[:count] - (wanted - wanted[:, :1])[:count], axis=-1)


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        read_motion(path, **options)
    said = str(caught.value)
    assert path.name in said
    assert len(said.splitlines()) == 1
    return said


# --- BVH


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_convention_comes_back_as_it_was_danced(tmp_path: Path, name: str) -> None:
    how = CONVENTIONS[name]
    found, notes = read_motion(write_bvh(tmp_path / "x.bvh", MOTION, how))
    wrong = apart(found, MOTION)
    assert wrong.mean() < 0.001
    assert wrong.max() < (0.05 if how.fps < 60 else 0.002)  # half of the frames were thrown away
    assert f"{how.up} up" in notes
    feet = [INDEX["left_ankle"], INDEX["right_ankle"]]
    np.testing.assert_allclose(found[::4, feet, 1].min(), MOTION[::4, feet, 1].min(), atol=0.01)


UNIT_WORDS = {"mixamo": "centimetres", "motionbuilder": "inches", "blender": " metres", "biped": "millimetres"}


@pytest.mark.parametrize("name", UNIT_WORDS)
def test_units_are_said(tmp_path: Path, name: str) -> None:
    _, notes = read_motion(write_bvh(tmp_path / "x.bvh", MOTION, CONVENTIONS[name]))
    assert UNIT_WORDS[name] in notes[0]
    assert "1.70 m tall" in notes[0]


def test_where_a_joint_is_is_where_the_format_says(tmp_path: Path) -> None:
    """By hand: the root turns by 90° about z and then, about its own x, by 90°; its arm, 2 long on x, turns by -90°
    about y and carries a bone of 1 on x."""
    (tmp_path / "x.bvh").write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "JOINT b\n{\nOFFSET 2 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 1 0 0\n}\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.1\n1 2 3 90 90 0 0 0 -90\n0 0 0 0 0 0 0 0 0\n"
    )
    skeleton = read_bvh(tmp_path / "x.bvh")
    assert skeleton.names == ("a", "b", "b" + END)
    assert skeleton.fps == pytest.approx(10)
    # x -> y by the first turn. About y by -90°: x -> z; about x by 90°: z -> -y; about z by 90°: -y -> x.
    np.testing.assert_allclose(skeleton.positions[0], [[1, 2, 3], [1, 4, 3], [2, 4, 3]], atol=1e-9)
    np.testing.assert_allclose(skeleton.positions[1], [[0, 0, 0], [2, 0, 0], [3, 0, 0]], atol=1e-9)


def test_a_pose_of_calibration_is_left_out(tmp_path: Path) -> None:
    path = write_bvh(tmp_path / "x.bvh", MOTION, CONVENTIONS["cmu"])
    head, time, rows = path.read_text().partition("Frame Time: 0.0083333\n")
    count = len(rows.splitlines())
    first = rows.split("\n", 1)[0].split()
    rest = " ".join([*first[:3], *["0"] * (len(first) - 3)])  # arms to the sides
    path.write_text(head.replace(f"Frames: {count}", f"Frames: {count + 1}") + time + rest + "\n" + rows)
    found, notes = read_motion(path)
    assert any("calibration pose" in note for note in notes)
    assert apart(found, MOTION).max() < 0.01


@pytest.mark.parametrize("degrees", [90.0, 180.0, -130.0])
def test_who_looks_away_is_turned_to_the_viewer(tmp_path: Path, degrees: float) -> None:
    away = turn(MOTION, degrees)
    found, notes = read_motion(write_bvh(tmp_path / "x.bvh", away, CONVENTIONS["mixamo"]))
    assert any("to face the viewer" in note for note in notes)
    hips = (found[:, INDEX["left_hip"]] - found[:, INDEX["right_hip"]]).mean(axis=0)
    assert hips[0] > 0.15  # the left one on the right of the picture
    assert abs(hips[2]) < 0.05


def test_left_is_left(tmp_path: Path) -> None:
    """A left hand that is lifted is a left hand, also out of a file that calls it right: then axes are reflected."""
    found, notes = read_motion(write_bvh(tmp_path / "x.bvh", MOTION, CONVENTIONS["mixamo"], mirror_names=True))
    assert any("mirrored" in note for note in notes)
    across = found[:, INDEX["left_shoulder"]] - found[:, INDEX["right_shoulder"]]
    assert across[:, 0].mean() > 0.2


@pytest.mark.parametrize(
    ("name", "side", "word"),
    [("LeftUpLeg", "left", "upleg"), ("mixamorig:RightForeArm", "right", "forearm"), ("thigh.L", "left", "thigh"),
     ("DEF-upper_arm.R", "right", "upperarm"), ("Bip01 L Thigh", "left", "thigh"), ("Bip01_R_Toe0", "right", "toe0"),
     ("lfemur", "left", "femur"), ("rShldr", "right", "shldr"), ("L_Hip", "left", "hip"), ("calf_r", "right", "calf"),
     ("LHipJoint", "left", "hipjoint"), ("middle_01_l", "left", "middle01"), ("LowerBack", "", "lowerback"),
     ("root", "", "root"), ("neck_01", "", "neck01"), ("LeftHandMiddle1", "left", "handmiddle1"),
     ("Spine1", "", "spine1"), ("Character1_LeftArm", "left", "arm")],
)  # fmt: skip
def test_names_are_taken_apart(name: str, side: str, word: str) -> None:
    assert take_apart(name) == (side, word)


ODD = Convention(
    WORDS, {key: f"bone{number}#" for number, key in enumerate(CONVENTIONS["cmu"].names)}, "ZXY", 100.0
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_table_says_what_names_do_not(tmp_path: Path, suffix: str) -> None:
    path = write_bvh(tmp_path / "x.bvh", MOTION, ODD)
    assert "no left hip among" in refused(path)
    numbers = {key: number for number, key in enumerate(CONVENTIONS["cmu"].names)}
    table = {
        f"{side}_{key}": f"bone{numbers[key]}{word}"
        for side, word in (("left", "Left"), ("right", "Right"))
        for key in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    }
    table["neck"] = f"bone{numbers['neck']}Right"
    lines = json.dumps(table) if suffix == ".json" else "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items())
    (tmp_path / f"table{suffix}").write_text(lines)
    (clip,) = convert([path], tmp_path / "out", joints=tmp_path / f"table{suffix}", say=lambda _: None)
    assert apart(clip.positions, MOTION).mean() < 0.001


@pytest.mark.parametrize(
    ("text", "words"),
    [('left_knee = "absent"', "0 joints are called 'absent'"), ('knie = "x"', "no joint is called 'knie'"),
     ("left_knee = 3", "holds lines like"), ("left_knee", "broken table"),
     ('left_knee = "LeftFoot"\nleft_ankle = "LeftFoot"', "LeftFoot cannot be")],
)  # fmt: skip
def test_a_table_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    path = write_bvh(tmp_path / "x.bvh", MOTION[:90], CONVENTIONS["motionbuilder"])
    (tmp_path / "table.toml").write_text(text)
    with pytest.raises(UserError, match=words):
        convert([path], tmp_path / "out", joints=tmp_path / "table.toml")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BVH file as text."""
    return write_bvh(tmp_path_factory.mktemp("bvh") / "x.bvh", MOTION[:90], CONVENTIONS["mixamo"]).read_text()


def replaced(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return change


BROKEN: list[tuple[str, Callable[[str], str], str]] = [
    ("empty", lambda _: "", "not a BVH"),
    ("another kind", lambda _: "\0\1\2MOTION", "not a BVH"),
    ("cut in the tree", lambda t: t[:300], "not a BVH"),
    ("cut in the numbers", lambda t: t[:-500], "numbers are"),
    ("two roots", replaced("MOTION", "ROOT again\n{\n}\nMOTION"), "ROOT is not where"),
    ("a brace too many", replaced("MOTION", "}\nMOTION"), "closed that was not open"),
    ("a brace too few", replaced("}\nMOTION", "MOTION"), "before the tree of joints ends"),
    (
        "no brace",
        replaced("ROOT mixamorig:Hips\n{", "ROOT mixamorig:Hips"),
        "not where it can be|not in the format",
    ),
    ("nan", replaced("OFFSET 0 0 0", "OFFSET 0 nan 0"), "no place of a joint"),
    ("nan in the motion", lambda t: t[: t.rindex(" ")] + " nan\n", "no angles or places"),
    ("inf in the motion", lambda t: t[: t.rindex(" ")] + " inf\n", "no angles or places"),
    ("huge in the motion", lambda t: t[: t.rindex(" ")] + " 1e30\n", "no angles or places"),
    ("words in the motion", lambda t: t[: t.rindex(" ")] + " here\n", "can be read"),
    ("absurd frames", replaced("Frames: ", "Frames: 99999999"), "are no dance"),
    ("negative frames", replaced("Frames: ", "Frames: -"), "are no dance"),
    ("no time", replaced("Frame Time: 0.0333333", "Frame Time: 0"), "are no dance"),
    ("slow", replaced("Frame Time: 0.0333333", "Frame Time: 100"), "are no dance"),
    ("time is text", replaced("Frame Time: 0.0333333", "Frame Time: soon"), "number of frames"),
    ("too few frames", lambda t: t.split("Frames:")[0] + "Frames: 1\nFrame Time: 0.03\n", "are no dance"),
    ("channel", replaced("Zrotation", "Wrotation"), "no channel is called"),
    ("channel count", replaced("CHANNELS 3", "CHANNELS 900000000"), "number of channels"),
    ("channel twice", replaced("Xrotation Yrotation", "Xrotation Xrotation"), "twice"),
    ("offset", replaced("OFFSET 0 0 0", "OFFSET 0 0"), "not in the format"),
    ("same name twice", replaced("mixamorig:LeftLeg", "mixamorig:Left"), "no left knee|no right"),
]


@pytest.mark.parametrize(("spoil", "words"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_bvh_is_refused(tmp_path: Path, whole: str, spoil: Callable[[str], str], words: str) -> None:
    path = tmp_path / "broken.bvh"
    path.write_text(spoil(whole))
    said = refused(path)
    assert any(word in said for word in words.split("|")), said


def test_trees_without_end_or_bounds(tmp_path: Path) -> None:
    for name, text in (
        ("deep", "ROOT a\n{\n" + "JOINT b\n{\n" * 5000),
        ("wide", "ROOT a\n{\n" + "JOINT b\n{\n}\n" * 5000),
        ("long", "ROOT " + "a" * 5000 + "\n{\n"),
    ):
        path = tmp_path / f"{name}.bvh"
        path.write_text("HIERARCHY\n" + text + "\nMOTION\nFrames: 2\nFrame Time: 0.1\n")
        refused(path)


def test_bodies_that_are_none(tmp_path: Path) -> None:
    flat = MOTION.copy()
    flat[..., 1], flat[..., 0] = MOTION[..., 0], MOTION[..., 1]  # lies on its side
    assert "--up" in refused(write_bvh(tmp_path / "lies.bvh", flat, CONVENTIONS["mixamo"]))
    jumps = MOTION.copy()
    jumps[60:] += [[[5.0, 0, 0]]]
    assert "jumps" in refused(write_bvh(tmp_path / "jumps.bvh", jumps, CONVENTIONS["motionbuilder"]))
    assert np.abs(np.diff(MOTION, axis=0)).max() * 60 < FASTEST
    assert "shorter than 1 s" in refused(write_bvh(tmp_path / "short.bvh", MOTION[:30], CONVENTIONS["mixamo"]))
    text = write_bvh(tmp_path / "point.bvh", MOTION, CONVENTIONS["mixamo"]).read_text()
    head, _, rest = text.partition("MOTION")
    head = "\n".join("OFFSET 0 0 0" if line.startswith("OFFSET") else line for line in head.splitlines())
    (tmp_path / "point.bvh").write_text(head + "\nMOTION" + rest)
    refused(tmp_path / "point.bvh")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=12), cut=st.booleans(), head=st.booleans())
def test_any_bytes_of_a_bvh_are_taken_or_refused(
    tmp_path: Path, whole: str, at: float, junk: bytes, cut: bool, head: bool
) -> None:
    data = whole.encode()
    here = int(at * (data.index(b"Frame Time") + 40 if head else len(data)))
    path = tmp_path / "fuzz.bvh"
    path.write_bytes(data[:here] + junk + (b"" if cut else data[here + len(junk) :]))
    said = "fuzz.bvh"
    try:
        assert np.isfinite(read_motion(path)[0]).all()
    except UserError as error:
        said = str(error)
    assert "fuzz.bvh" in said
    assert len(said.splitlines()) == 1


# --- keypoints


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_keypoints_come_onto_our_bones(tmp_path: Path, protocol: int) -> None:
    path = write_keypoints(tmp_path / "gHO_sBM_cAll_d20_mHO1_ch02.pkl", keypoints(MOTION), protocol)
    found, notes = read_motion(path)
    assert "1.70 m tall in centimetres" in notes
    wrong = apart(found, MOTION)
    assert wrong[:, SEEN].mean() < 0.05
    assert wrong[:, SEEN].max() < 0.15
    for side in ("left", "right"):  # nobody captured feet: they point forwards
        toe = found[:, INDEX[f"{side}_toe"]] - found[:, INDEX[f"{side}_ankle"]]
        assert toe[:, 2].mean() > 0.1


def test_arrays_are_read_as_pickle_reads_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wanted = {
        "a": rng.normal(size=(5, 3)), "b": rng.normal(size=(4, 17, 3)).astype(np.float32), "c": np.arange(7),
        "d": np.asfortranarray(rng.normal(size=(3, 4))), "e": rng.normal(size=3).astype(">f8"),
    }  # fmt: skip
    for protocol in range(6):
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({**wanted, "note": "plain", "n": 3}, protocol=protocol))
        found = read_arrays(tmp_path / "x.pkl")
        assert set(found) == set(wanted)
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array)


def test_short_gaps_are_filled_and_long_ones_refused(tmp_path: Path) -> None:
    points = keypoints(MOTION)
    points[50:60, 9] = np.nan
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"keypoints3d": points}))
    found, _ = read_motion(path)
    assert apart(found, MOTION)[:, SEEN].mean() < 0.05
    points[50:90, 9] = np.nan
    path.write_bytes(pickle.dumps({"keypoints3d": points}))
    assert "left wrist is lost for 0.7 s" in refused(path)


class Planted:
    """Unpickled, it would leave a file behind."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (self.command,))


def raw(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def deep_tuples() -> bytes:
    """A tuple of itself twice, forty times over, as a key: to hash it takes for ever."""
    return raw(b"}N\x85\x94", *(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(40)), b"Ns")


GLOBALS = (b"cos\nsystem\n(S'touch {0}'\ntR", b"cbuiltins\neval\n(S'1'\ntR", b"cnumpy\nload\n(S'x'\ntR",
           b"cnumpy.core.multiarray\nscalar\n(tR", b"ccopyreg\n_reconstructor\n(tR",
           b"cnumpy.f2py.diagnose\nrun\n(tR")  # fmt: skip


def huge_array() -> bytes:
    whole = pickle.dumps({"keypoints3d": np.zeros((2, 17, 3))}, protocol=4)
    assert b"K\x02K\x11K\x03" in whole
    return whole.replace(b"K\x02K\x11K\x03", b"J" + struct.pack("<i", 2**30) + b"K\x11K\x03")


TRICKS: list[tuple[str, Callable[[str], Any], str]] = [
    ("system", lambda command: {"keypoints3d": Planted(command)}, "the word"),
    ("nested", lambda command: {"keypoints3d": np.zeros((2, 17, 3)), "more": (1, (2, Planted(command)))}, "the word"),
    ("objects", lambda command: {"keypoints3d": np.array([Planted(command)], dtype=object)}, "EMPTY_LIST"),
    ("texts", lambda _: {"keypoints3d": np.array(["a", "b"])}, "arrays of 'U1'"),
    ("records", lambda _: {"keypoints3d": np.zeros(3, dtype=[("a", "f4")])}, "arrays of 'V4'"),
    ("list", lambda _: {"keypoints3d": [[1.0]]}, "EMPTY_LIST"),
    ("no dictionary", lambda _: np.zeros((2, 17, 3)), "no dictionary"),
    ("set", lambda _: {"keypoints3d": {1, 2}}, "EMPTY_SET|the word"),
    ("key", lambda _: {3: np.zeros((2, 17, 3))}, "key that is no text"),
    ("extension", lambda _: raw(b"}\x82\x01"), "the instruction EXT1"),
    ("inst", lambda _: raw(b"(ios\nsystem\n"), "the instruction INST"),
    ("newobj", lambda _: raw(b"cnumpy\nndarray\n)\x81"), "the instruction NEWOBJ"),
    ("deep tuples", lambda _: deep_tuples(), "a tuple that comes twice"),
    ("memo", lambda _: raw(b"}r" + struct.pack("<I", 2**31)), "a memo larger"),
    ("state of a word", lambda _: raw(b"}(X\x01\x00\x00\x00acnumpy\ndtype\n}bu"), "a state of something"),
    ("huge", lambda _: huge_array(), "not as large as it says"),
    ("stack", lambda _: raw(b"0"), "the instruction POP"),
    ("empty", lambda _: b"", "broken"),
    ("cut", lambda _: pickle.dumps({"keypoints3d": np.zeros((9, 17, 3))})[:200], "broken"),
    ("persistent", lambda _: raw(b"Pid\n"), "the instruction PERSID"),
    *((f"global {n}", lambda command, g=g: b"(dS'a'\n" + g.replace(b"{0}", command.encode()) + b"s.", "the word")
      for n, g in enumerate(GLOBALS)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "words"), [t[1:] for t in TRICKS], ids=[t[0] for t in TRICKS])
def test_nothing_in_a_pickle_is_called(tmp_path: Path, make: Callable[[str], Any], words: str) -> None:
    trace = tmp_path / "ran"
    made = make(f"touch {trace}")
    path = tmp_path / "x.pkl"
    path.write_bytes(made if isinstance(made, bytes) else pickle.dumps(made))
    said = refused(path)
    assert any(word in said for word in words.split("|")), said
    assert not trace.exists()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [({"other": np.zeros((5, 17, 3))}, "holds none of"), ({"keypoints3d": np.zeros((5, 18, 3))}, "17, 3"),
     ({"keypoints3d": np.zeros((5, 17, 2))}, "17, 3"), ({"keypoints3d": np.zeros((1, 17, 3))}, "17, 3"),
     ({"keypoints3d": np.full((90, 17, 3), np.nan)}, "lost"), ({"keypoints3d": np.full((90, 17, 3), 1e9)}, "no places"),
     ({"keypoints3d": np.zeros((90, 17, 3))}, "up")],
)  # fmt: skip
def test_keypoints_that_are_none(tmp_path: Path, arrays: dict[str, np.ndarray], words: str) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(arrays))
    assert words in refused(tmp_path / "x.pkl")


PICKLE = pickle.dumps({"keypoints3d": keypoints(MOTION[:70]), "note": "x"}, protocol=4)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=6), head=st.booleans())
def test_any_bytes_of_a_pickle_are_taken_or_refused(tmp_path: Path, at: float, junk: bytes, head: bool) -> None:
    here = int(at * (200 if head else len(PICKLE)))
    path = tmp_path / "fuzz.pkl"
    path.write_bytes(PICKLE[:here] + junk + PICKLE[here + len(junk) :])
    said = "fuzz.pkl"
    try:
        assert np.isfinite(read_motion(path)[0]).all()
    except UserError as error:
        said = str(error)
    assert "fuzz.pkl" in said
    assert len(said.splitlines()) == 1


# --- the command


def call(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "Lindy Hop"
    source.mkdir()
    write_bvh(source / "one.bvh", MOTION, CONVENTIONS["mixamo"])
    write_keypoints(source / "gPO_two.pkl", keypoints(MOTION))
    write_clips(tmp_path / "clips", [("three", "house", MOTION)])
    (source / "notes.txt").write_text("not motion")
    out = tmp_path / "out"
    assert (
        call(monkeypatch, "motion", source, tmp_path / "clips" / "three.npz", "--out", out, "--licence", LICENCE) == 0
    )
    said = capsys.readouterr().out
    assert "one: 4.0 s, lindyhop; 1.70 m tall in centimetres, y up" in said
    clips = read_clips(out)
    assert [(c.name, c.style, c.fps) for c in clips] == [
        ("gPO_two", "pop", 60.0), ("one", "lindyhop", 60.0), ("three", "clips", 60.0),
    ]  # fmt: skip
    assert clips[1].licence == f"one.bvh; {LICENCE}"
    np.testing.assert_array_equal(clips[2].positions, MOTION)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.height == 300
        red, _, blue = np.moveaxis(np.asarray(sheet).astype(int), -1, 0)
    assert (red - blue > 100).sum() > 1000  # left limbs
    assert (blue - red > 100).sum() > 1000  # right ones

    assert call(monkeypatch, "motion", source / "one.bvh", "--out", out) == 2
    assert "--force" in capsys.readouterr().err
    assert call(monkeypatch, "motion", source / "one.bvh", "--out", out, "--force", "--style", "swing") == 0
    assert [c.style for c in read_clips(out)] == ["pop", "clips", "swing"]
    assert sorted(p.name for p in out.iterdir()) == ["gPO_two.npz", "index.json", "one.npz", "sheet.png", "three.npz"]


def test_one_bad_file_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bvh(tmp_path / "in.bvh", MOTION, CONVENTIONS["mixamo"])
    (tmp_path / "bad.bvh").write_text("nothing")
    assert call(monkeypatch, "motion", tmp_path / "bad.bvh", tmp_path / "in.bvh", "--out", tmp_path / "out") == 2
    out, err = capsys.readouterr()
    assert "refused: " in out
    assert err == "error: 1 of 2 files were refused, as said above\n"
    assert [c.name for c in read_clips(tmp_path / "out")] == ["in"]


def test_what_the_command_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.bvh").write_text("nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    good = write_bvh(tmp_path / "in.bvh", MOTION, CONVENTIONS["mixamo"])
    out = tmp_path / "out"
    for words in (
        [tmp_path / "bad.bvh"], [tmp_path / "absent.bvh"], [tmp_path / "empty"], [tmp_path / "full" / "mine"],
        [good, "--style", "House Music!"], [good, "--up", "x"], [good, "--joints", tmp_path / "absent.toml"],
    ):  # fmt: skip
        assert call(monkeypatch, "motion", *words, "--out", out) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.strip().splitlines()) == 1
        assert not out.exists()
    assert call(monkeypatch, "motion", good, "--out", tmp_path / "full") == 2
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine"]


def test_a_full_disk_leaves_no_half_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write_bvh(tmp_path / "in.bvh", MOTION, CONVENTIONS["mixamo"])

    def full(path: Path, **_: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.data.motion.convert.np.savez_compressed", full)
    with pytest.raises(UserError, match="No space left"):
        convert([good], tmp_path / "out", say=lambda _: None)
    assert list((tmp_path / "out").iterdir()) == []


def test_styles_and_files(tmp_path: Path) -> None:
    assert style_of(Path("gWA_sBM_cAll.pkl")) == "waack"
    assert style_of(tmp_path / "gymnastics.bvh") != "gym"
    for name in ("b.bvh", "a.PKL", "c.txt"):
        (tmp_path / name).write_bytes(io.BytesIO().getvalue())
    assert [p.name for p in find_files([tmp_path])] == ["a.PKL", "b.bvh"]


@pytest.mark.parametrize("planted", [".y.npz.part.npz", ".index.json.part.json", ".y.npz.part", ".part-y.npz"])
def test_clips_are_not_written_through_a_link_that_was_planted(tmp_path: Path, planted: str) -> None:
    (tmp_path / "diary").write_text("mine")
    source = write_bvh(tmp_path / "x.bvh", MOTION, next(iter(CONVENTIONS.values())))
    out = tmp_path / "out"
    convert([source], out, style="house", licence=LICENCE)
    (out / planted).symlink_to(tmp_path / "diary")
    convert([write_bvh(tmp_path / "y.bvh", MOTION, next(iter(CONVENTIONS.values())))], out, "house", LICENCE)
    assert (tmp_path / "diary").read_text() == "mine"
    assert len(read_clips(out)) == 2
