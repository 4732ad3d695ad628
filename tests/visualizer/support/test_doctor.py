"""Each check of the doctor with what it looks at truly there, missing or broken; nothing hangs or raises."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import standins
from visualizer.dancer.pack import find_pack
from visualizer.errors import UserError
from visualizer.support import check_dance, check_files, doctor
from visualizer.support.check_outputs import ffmpeg
from visualizer.support.console import Console
from visualizer.support.doctor import ABSENT, BROKEN, CHECKS, OK, WORSE, Check, Finding, run_check

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without settings and without a screen; the folder of the settings file."""
    for key, folder in (("CONFIG", "config"), ("STATE", "state")):
        monkeypatch.setenv(f"XDG_{key}_HOME", str(tmp_path / folder))
    for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(key, raising=False)
    folder = tmp_path / "config" / "dancing-screen"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a module in the way of one that a check imports, in the process of the check."""

    def put(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


def check(name: str, **changed: object) -> Finding:
    """What the check finds, run as `visualizer doctor` runs it."""
    return run_check(dataclasses.replace(next(each for each in CHECKS if each.name == name), **changed))


def is_bad(finding: Finding, state: str, found: str, remedy: str) -> bool:
    assert finding.state == state, finding
    assert found in finding.found, finding
    assert remedy in finding.remedy, finding
    assert "\n" not in finding.found + finding.remedy
    return True


# --- what is seen --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or any(Path("/dev/dri").glob("card*")), reason="skipped: a screen"
)
def test_no_display() -> None:
    assert is_bad(check("display"), WORSE, "none: neither DISPLAY nor WAYLAND_DISPLAY is set", "set DISPLAY")


def test_a_display_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    assert is_bad(check("display"), WORSE, "none: ", "start it from a desktop")
    assert is_bad(check("display", seconds=0.01), BROKEN, "no answer within 0.01 s", "restart the computer")


def test_displays_are_counted(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    finding = check("display")
    assert finding.state == OK
    assert finding.details["driver"] == "dummy"
    width, height = finding.details["displays"][0]["size"]
    assert finding.found.startswith("dummy: 0 (")
    assert f"{width}x{height})" in finding.found
    (home / "settings.toml").write_text("display = 3\n")
    assert is_bad(check("display"), WORSE, "display 3 does not exist", "plug it in")


def test_a_picture_is_really_painted() -> None:
    finding = check("picture")
    assert finding.state in (OK, WORSE)
    assert finding.found.endswith(", in memory")
    assert finding.details["contrast"] > 200
    assert finding.details["gpu"] == (finding.state == OK)


def test_opengl_that_is_missing(stub: Callable[[str, str], None]) -> None:
    stub("moderngl", "class Error(Exception): ...\ndef init_context(): raise RuntimeError('no libGL here')\n")
    assert is_bad(check("picture"), WORSE, "no libGL here", "install the graphics card's driver")


def test_a_driver_that_takes_the_process_with_it(stub: Callable[[str, str], None]) -> None:
    stub("moderngl", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    assert is_bad(check("picture"), BROKEN, "a driver has ended it (signal 11)", "update the driver")


# --- what dances ---------------------------------------------------------------------------------------------------


@pytest.fixture
def own_pack(home: Path, tmp_path: Path) -> Path:
    """A copy of the pack that ships, which the settings ask for."""
    folder = shutil.copytree(find_pack(None), tmp_path / "pack")
    (home / "settings.toml").write_text(f'pack = "{folder}"\n')
    return folder


def test_the_pack_that_ships_is_whole_and_dances() -> None:
    finding = check("pack")
    assert finding.state == OK, finding
    assert finding.details["changed"] == finding.details["missing"] == []
    assert finding.details["dances"] > 100
    finding = check("networks")
    assert finding.state in (OK, WORSE), finding
    assert finding.details["provider"] in ("cpu", "cuda", "coreml")
    assert 0 < finding.details["step_ms"] < finding.details["seconds"] * 1000
    assert 0 < finding.details["decode_ms"] < finding.details["seconds"] * 1000


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["no file", "torn file", "torn json", "no pack"])
def test_a_broken_pack(own_pack: Path, harm: str) -> None:
    decoder = own_pack / "decoder.onnx"
    if harm == "no file":
        decoder.unlink()
    elif harm == "torn file":
        decoder.write_bytes(decoder.read_bytes()[:1000])
    elif harm == "torn json":
        (own_pack / "pack.json").write_text("{")
    else:
        shutil.rmtree(own_pack)
    finding = check("pack")
    assert is_bad(finding, BROKEN, str(own_pack), "get the pack again")
    assert is_bad(check("networks"), BROKEN, str(own_pack), "")
    row = next(each for each in CHECKS if each.name == "pack")
    assert doctor.exit_code([(row, finding)]) == 2


@pytest.mark.slow
def test_a_network_that_is_not_as_it_was_made(own_pack: Path) -> None:
    info = json.loads((own_pack / "pack.json").read_text())
    info["sha256"]["dancer.onnx"] = info["sha256"]["decoder.onnx"]
    (own_pack / "pack.json").write_text(json.dumps(info))
    assert is_bad(check("pack"), WORSE, "not as it was made: dancer.onnx", "install the program again")
    info["sha256"]["dancer.onnx"] = json.loads((find_pack(None) / "pack.json").read_text())["sha256"]["dancer.onnx"]
    (own_pack / "pack.json").write_text(json.dumps(info))
    (own_pack / "encoder.onnx").unlink()
    assert is_bad(check("pack"), WORSE, "without encoder.onnx", "")
    del info["sha256"]
    shutil.copy(find_pack(None) / "encoder.onnx", own_pack)
    (own_pack / "pack.json").write_text(json.dumps(info))
    finding = check("pack")
    assert finding.state == OK
    assert "no digests" in finding.found


def test_a_device_that_does_not_run_here(home: Path) -> None:
    device = "cuda" if sys.platform == "darwin" else "coreml"
    (home / "settings.toml").write_text(f'device = "{device}"\n')
    finding = check("networks")
    assert is_bad(finding, WORSE, f"the settings want {device}: {device} was asked for", "to auto")


def test_networks_that_draw_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visualizer.dancer.pack.load_pack", lambda folder, device="auto", notify=None: standins.pack())
    assert is_bad(check("networks", seconds=0), BROKEN, "no one is to be seen", "install the program again")


def test_slow_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_dance, "SLOWEST", 1e-6)
    assert is_bad(check("networks", seconds=0), WORSE, "too slow for 30 pictures a second", "end other programs")


def test_two_builds_of_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    there = dict.fromkeys(check_files.versions(), "1.0") | {"onnxruntime": "1.0"}
    monkeypatch.setattr(check_files, "versions", lambda: there | {"onnxruntime-gpu": "1.0"})
    assert is_bad(check_files.packages(), WORSE, "side by side break each other", "remove both packages")
    both = {"onnxruntime", "onnxruntime-gpu"}
    monkeypatch.setattr(check_files, "versions", lambda: {k: v for k, v in there.items() if k not in both})
    assert is_bad(check_files.packages(), WORSE, "not installed: onnxruntime", "install the program again")
    monkeypatch.setattr(check_files, "versions", lambda: {k: v for k, v in there.items() if k != "onnxruntime-gpu"})
    assert check_files.packages().state == OK


def test_onnxruntime_that_is_missing(stub: Callable[[str, str], None]) -> None:
    stub("onnxruntime", "raise ImportError('DLL load failed')\n")
    for name in ("pack", "networks"):
        assert is_bad(check(name), BROKEN, "ImportError: DLL load failed", "--force-reinstall")


# --- what is heard -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_ear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    finding = check("ear", seconds=0)
    assert finding.state == OK, finding
    assert finding.details["seconds_a_second"] > 0
    monkeypatch.setattr("visualizer.music.analysis.beat_pipeline.find_model", lambda: tmp_path / "ear.onnx")
    assert is_bad(check("ear", seconds=0), WORSE, "beats are heard by onsets alone", "install the program again")


@pytest.mark.parametrize("name", ["microphone", "loopback"])
def test_no_portaudio(stub: Callable[[str, str], None], home: Path, name: str) -> None:
    stub("sounddevice", "raise OSError('PortAudio library not found')\n")
    state = WORSE if name == "microphone" else ABSENT
    remedy = "install PortAudio" if name == "microphone" else "PulseAudio or PipeWire must run"
    assert is_bad(check(name), state, "PortAudio is not installed", remedy)
    if name == "loopback":
        (home / "settings.toml").write_text('audio = "loopback"\n')
        assert check(name).state == WORSE


def test_sound_that_hangs(stub: Callable[[str, str], None]) -> None:
    stub("sounddevice", "import threading\nthreading.Event().wait()\n")
    assert is_bad(check("microphone", seconds=3), BROKEN, "no answer within 3 s", "unplug and plug in")


def test_link_that_is_not_installed(stub: Callable[[str, str], None], home: Path) -> None:
    stub("link", "raise ImportError\n")
    assert is_bad(check("Ableton Link"), ABSENT, "not installed", "dancing-screen[link]")
    (home / "settings.toml").write_text('audio = "link"\n')
    assert check("Ableton Link").state == WORSE


# --- other programs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "module", "extra"), [("virtual camera", "pyvirtualcam", "virtualcam"), ("NDI", "cyndilib", "ndi")]
)
def test_outputs_that_are_not_installed(
    name: str, module: str, extra: str, stub: Callable[[str, str], None]
) -> None:  # fmt: skip
    stub(module, f"raise ModuleNotFoundError('no {module}')")
    assert is_bad(check(name), ABSENT, "not installed", f"[{extra}]")


def test_a_virtual_camera_is_opened(stub: Callable[[str, str], None]) -> None:
    code = "class PixelFormat: RGB = 0\n"
    code += "class Camera:\n def __init__(s, *a, **k): {}\n device = 'a cam'\n def close(s): ...\n"
    stub("pyvirtualcam", code.format("pass"))
    assert check("virtual camera").found == "a cam"
    stub("pyvirtualcam", code.format("raise RuntimeError('none here')"))
    assert is_bad(check("virtual camera"), ABSENT, "no virtual camera (none here)", "for --output camera: ")


def test_ffmpeg_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert is_bad(ffmpeg(), ABSENT, "not installed", "install FFmpeg")
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'ffmpeg version 9 Copyright (c) them'\n")
    program.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(program))
    if os.name == "posix":
        assert (ffmpeg().state, ffmpeg().found) == (OK, "ffmpeg version 9")


# --- the rest ------------------------------------------------------------------------------------------------------


def test_films(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = check("films", seconds=0)
    assert finding.state == OK, finding
    assert finding.details["encoders"][".mp4"] in finding.found
    assert not check_files._has_encoder("no-such-encoder")
    monkeypatch.setattr(check_files, "_has_encoder", lambda name: name != "prores_ks")
    assert is_bad(check("films", seconds=0), WORSE, "not here: .mov transparent", "reinstall av")
    monkeypatch.setattr(check_files, "_has_encoder", lambda name: False)
    assert is_bad(check("films", seconds=0), WORSE, "none can be written", "reinstall av")


def test_a_settings_file_is_read_and_left_alone(home: Path) -> None:
    path = home / "settings.toml"
    finding = check("settings file")
    assert (finding.state, finding.found) == (OK, f"{path}: none, so all is as it comes")
    path.write_text('look = "paper"\nbpm = 99\n')
    finding = check("settings file")
    assert (finding.state, finding.found) == (OK, f"{path}: bpm, look")
    path.write_text('look = "sepia"\n')
    assert is_bad(check("settings file"), WORSE, "no look is called 'sepia'", "change that line")
    path.write_text("bpm = fast\n")
    assert is_bad(check("settings file"), WORSE, f"settings {path} are broken (Invalid value", "put that line right")
    assert [p.name for p in home.iterdir()] == ["settings.toml"]
    path.write_bytes(b"\xff\xfe")
    assert is_bad(check("settings file"), WORSE, "cannot be read", "readable text file")
    path.unlink()
    home.rmdir()
    home.parent.rmdir()
    home.parent.write_text("a file, where a folder should be")
    finding = check("settings file")
    assert finding.state == WORSE, finding
    assert not home.exists()


def test_broken_settings_spoil_no_other_check(home: Path) -> None:
    (home / "settings.toml").write_text("display = [")
    assert check("pack").state == OK


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    finding = check("log and cache")
    assert finding.state == OK, finding
    assert not (tmp_path / "state").exists()  # nothing was made by looking
    (tmp_path / "state").write_text("a file, where a folder should be")
    assert is_bad(check("log and cache"), WORSE, "log in ", "make this writable: ")


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = check("versions")
    assert finding.state == OK
    assert {"python", "system", "numpy", "SDL", "av"} <= set(finding.details)
    monkeypatch.setattr(check_files, "versions", lambda: {"python": "3.11", "numpy": "2"})
    assert is_bad(check("versions"), WORSE, "not installed: pygame-ce", "install the program again")


def test_a_check_that_fails_is_its_own_finding() -> None:
    def fail() -> Finding:
        raise ZeroDivisionError("a check\nwith a fault")

    def complain() -> Finding:
        raise UserError("torn")

    assert is_bad(run_check(Check("x", fail)), BROKEN, "ZeroDivisionError: a check with a fault", "report")
    assert is_bad(run_check(Check("x", complain)), BROKEN, "torn", "")
    # A process that ends without an answer: there is no check of that name.
    assert is_bad(run_check(Check("no such check", fail, 20)), BROKEN, "ended with code 1", "report")


def row(state: str, vital: bool = False) -> tuple[Check, Finding]:
    finding = Finding(state, "found this", "" if state == OK else "do that", {"number": 1})
    return Check(f"a {state} thing", lambda: finding, vital=vital), finding


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(OK), row(OK, True), row(ABSENT)], 0),
        ([row(OK, True), row(WORSE)], 1),
        ([row(OK, True), row(BROKEN)], 1),
        ([row(WORSE, True)], 1),
        ([row(OK), row(BROKEN, True)], 2),
    ],
)
def test_exit_codes(rows: list[tuple[Check, Finding]], code: int) -> None:
    assert doctor.exit_code(rows) == code
    assert doctor.as_json(rows)["exit_code"] == code


def test_the_table_has_a_remedy_below_each_failure_and_fits_a_terminal() -> None:
    out = io.StringIO()
    rows = [row(OK), row(ABSENT), row(WORSE), row(BROKEN)]
    doctor.show(rows, Console(file=out, width=80))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert [words[0] for words in lines] == ["✓", "–", "→", "!", "→", "✗", "→", "It"]
    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert doctor.as_json(rows)["checks"][3] == {
        "name": "a broken thing", "vital": False, "state": "broken", "found": "found this", "remedy": "do that",
        "details": {"number": 1},
    }  # fmt: skip


@pytest.mark.slow
def test_the_command_with_a_broken_pack(home: Path, tmp_path: Path) -> None:
    (home / "settings.toml").write_text(f'pack = "{tmp_path}/torn"\n')
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "pack.json").write_text("{")
    command = [sys.executable, "-m", "visualizer", "doctor", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "It cannot dance."
    assert [check["name"] for check in answer["checks"]] == [check.name for check in CHECKS]
    states = {check["name"]: check["state"] for check in answer["checks"]}
    assert (states["pack"], states["networks"], states["versions"]) == (BROKEN, BROKEN, OK)
