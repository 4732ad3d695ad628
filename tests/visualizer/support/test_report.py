"""A report holds what a bug report needs and no name of a person, a computer or a song."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.options import Settings
from visualizer.support import doctor, log, privacy, report
from visualizer.support.doctor import OK, Check, Finding

ROOT = Path(__file__).parents[3]
HOME = "/home/zaphod.beeble"
SECRETS = ("zaphod", "beeble", "heartofgold", "Our Song", "wedding", "geheimes lied", "trillian")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody with a name, a computer with a name, a log and settings full of both; the current folder."""
    monkeypatch.setattr(privacy, "_hidden", {})
    monkeypatch.setattr(privacy, "_hidden_folders", {})
    for key, value in {"HOME": HOME, "USER": "zaphod.beeble", "LOGNAME": "zaphod.beeble", "USERNAME": "zaphod"}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("socket.gethostname", lambda: "heartofgold.lan")
    monkeypatch.setattr("platformdirs.user_log_dir", lambda name: str(tmp_path / "log"))
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / log.NAME).write_text(
        f"begins in {HOME}/party on heartofgold for Zaphod.Beeble\n"
        "toast: listening to zaphod's headset\n"
        f"{HOME}/Music/Our Song (wedding mix).flac: cannot be read\n"
        "C:\\Users\\zaphod.beeble\\geheimes lied.MP3 is over\n"
        "film: wedding.mp4; 'trillian dances.webm' was cancelled\n"
        "HeartOfGold.lan answered\n"
        "no display (neither DISPLAY nor WAYLAND_DISPLAY is set)\n"
    )
    (tmp_path / "log" / f"{log.NAME}.1").write_bytes(b"older \xff line of zaphod\n")
    (tmp_path / "log" / log.CRASH).write_text("")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        f'look = "paper"\naudio = "{HOME}/geheimes lied.ogg"\n# the song of trillian: "Our Song.m4a"\n'.replace(
            " of trillian", ""
        )
    )
    found = Finding(OK, f"{HOME}/.cache of zaphod at heartofgold", details={"path": f"{HOME}/x", "inputs": ["USB mic"]})
    monkeypatch.setattr(doctor, "examine", lambda: [(Check("settings file", lambda: found), found)])
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def texts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_a_report_has_no_secrets_and_all_that_matters(person: Path) -> None:
    path = report.make_report(None)
    assert path.parent == person
    assert re.fullmatch(r"dancing-screen-report-\d{8}-\d{6}\.zip", path.name)
    found = texts(path)
    assert set(found) == {
        "README.txt", "doctor.json", "settings.toml", "packages.txt", f"log/{log.NAME}", f"log/{log.NAME}.1",
    }  # fmt: skip
    for name, text in found.items():
        for secret in SECRETS:
            assert secret.casefold() not in text.casefold(), (name, secret)
    lines = found[f"log/{log.NAME}"].splitlines()
    assert lines[0] == "begins in ~/party on HOST for USER"
    assert lines[1] == "toast: listening to USER's headset"
    assert re.fullmatch(r"file-[0-9a-f]{8}\.flac: cannot be read", lines[2])
    assert re.fullmatch(r"file-[0-9a-f]{8}\.mp3 is over", lines[3])
    assert re.fullmatch(r"film: file-[0-9a-f]{8}\.mp4; 'file-[0-9a-f]{8}\.webm' was cancelled", lines[4])
    assert lines[5] == "HOST answered"
    assert lines[6] == "no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    assert found[f"log/{log.NAME}.1"] == "older \ufffd line of USER\n"
    assert found["settings.toml"].startswith('look = "paper"\naudio = "file-')
    check = json.loads(found["doctor.json"])["checks"][0]
    assert check["found"] == "~/.cache of USER at HOST"
    assert check["details"] == {"path": "~/x", "inputs": ["USB mic"]}
    assert re.search(r"^python 3\.", found["packages.txt"], re.MULTILINE)
    assert re.search(r"^numpy \d", found["packages.txt"], re.MULTILINE)


@pytest.mark.usefixtures("person")
def test_what_a_crash_has_just_left_is_in_the_report(tmp_path: Path) -> None:
    """It goes into the log when the program starts the next time, which may be for this report; that takes a second."""
    (tmp_path / "log" / log.CRASH).write_text("Fatal Python error: Segmentation fault\n")
    with log.log_file(["report"]):
        path = report.make_report(None)
    assert "Fatal Python error: Segmentation fault" in texts(path)[f"log/{log.NAME}"]


@pytest.mark.usefixtures("person")
def test_the_same_song_has_the_same_hash_everywhere() -> None:
    scrub = report.Scrubber()
    once = scrub(f"{HOME}/Music/Our Song.mp3: cannot be read")
    assert scrub('audio = "Our Song.mp3"') == f'audio = "{once.partition(":")[0]}"'
    assert scrub(once) == once
    assert scrub("version 1.5.mp4a and 1.2.3 of libx264, onnxruntime 1.31.1") == (
        "version 1.5.mp4a and 1.2.3 of libx264, onnxruntime 1.31.1"
    )


def test_nothing_is_overwritten(person: Path) -> None:
    (person / "mine.zip").write_bytes(b"dear to somebody")
    with pytest.raises(UserError, match="exists already"):
        report.make_report(Path("mine.zip"))
    assert (person / "mine.zip").read_bytes() == b"dear to somebody"
    first = report.make_report(None)
    assert first != report.make_report(None)
    assert report.make_report(Path("other.zip")) == person / "other.zip"
    with pytest.raises(UserError, match=r"a report is a \.zip"):
        report.make_report(Path("other.txt"))
    with pytest.raises(UserError, match="there is no folder"):
        report.make_report(Path("no/such/x.zip"))
    assert {path.suffix for path in person.iterdir()} == {".zip"}


def test_without_log_and_settings_there_is_still_a_report(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_log_dir", lambda name: str(person / "none"))
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(person / "none"))
    assert set(texts(report.make_report(Path("x.zip")))) == {"README.txt", "doctor.json", "packages.txt"}


@pytest.mark.slow
def test_the_command_packs_what_a_show_left(tmp_path: Path) -> None:
    """The real program, told to dance to a song that is not there; then its report."""
    env = {
        **os.environ, "HOME": str(tmp_path / "zaphod"), "USER": "zaphod", "LOGNAME": "zaphod", "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(tmp_path / "zaphod" / "state"), "XDG_CONFIG_HOME": str(tmp_path / "zaphod" / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "zaphod" / "cache"), "SDL_VIDEODRIVER": "dummy", "DISPLAY": "",
    }  # fmt: skip

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "visualizer", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, cwd=tmp_path)

    assert call("--audio", str(tmp_path / "zaphod" / "Our Song.mp3"), "--window", "64x64").returncode == 2
    done = call("report", "-o", "bundle.zip")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"report: {tmp_path / 'bundle.zip'}\n", "")
    found = texts(tmp_path / "bundle.zip")
    for name, text in found.items():
        assert "zaphod" not in text, name
        assert "Our Song" not in text, name
    assert "cannot be read" in found[f"log/{log.NAME}"] or "no such" in found[f"log/{log.NAME}"]
    names = [check["name"] for check in json.loads(found["doctor.json"])["checks"]]
    assert names == [check.name for check in doctor.CHECKS]
    again = call("report", "-o", "bundle.zip")
    assert again.returncode == 2
    assert again.stderr.startswith("visualizer: bundle.zip exists already")


MARK = "zarquon"  # in a name of somebody's in each place; no word of the program
QUOTED = [MARK, f"it's {MARK}", f'the "{MARK}" mix', f'{MARK}\'s "best" (live)', f"my {MARK} 2", f"{MARK}\n{MARK}"]


def everything_in(path: Path) -> str:
    """All that a zip holds, names and unpacked bytes, as text in small letters."""
    with zipfile.ZipFile(path) as bundle:
        return "\n".join(n + "\n" + bundle.read(n).decode("utf-8", "replace") for n in bundle.namelist()).casefold()


@pytest.mark.parametrize("name", QUOTED)
def test_no_name_in_any_place_gets_into_the_report(person: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, command line, folders, errors and what they say, devices, and the environment."""
    folder = person / name / f"{name} inside"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(log.log, "level", logging.DEBUG)  # as the program has it
    logging.getLogger("visualizer.aside").manager._clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    for key in ("SDL_AUDIODRIVER", "PULSE_SERVER", "DISPLAY"):
        monkeypatch.setenv(key, name)
    texts_of = {key: json.dumps(name) for key in ("audio", "display", "pack", "style", "dance", "look", "device")}
    config = person.parent / "config" / "settings.toml"
    lines = [f"{key} = {text}" for key, text in texts_of.items()]
    comment = " ".join(name.split())
    config.write_text("\n".join([*lines, f"favourite_dances = [{json.dumps(name)}]", f"# of {comment}"]) + "\n")
    found = Finding(OK, f"{name}: -20 dB", f"plug {name} in", {"inputs": [name], "path": f"/mnt/{name}/x", name: 1})
    monkeypatch.setattr(doctor, "examine", lambda: [(Check("microphone", lambda: found), found)])
    words = [
        f"--audio=mic:{name}", "--display", name, "--pack", f"/mnt/{name}/pack", "--screenshot", f"{name}/shot.png",
        f"--{name}", "film", f"{name}/song.mp3", "-o", f"/media/{name}/films/{name}.mp4", "footage", f"{name}.avi",
    ]  # fmt: skip
    with log.log_file(words):
        log.tell_settings(Settings(audio=name, style=name, favourite_looks=(name,), display=name))
        log.log.info("toast: listening to %s", name)
        log.log.warning(f"settings {config} are broken ('{name}' is no setting)")
        log.aside.info("doctor says besides:", extra={"story": f"ALSA {name}\n{name}"})
        try:
            raise RuntimeError(name, f"/mnt/{name}/pack/decoder.onnx", OSError(2, "No such file", f"{name}.wav"))
        except RuntimeError:
            log.log.error("an error of its own has ended it", exc_info=True)
        path = report.make_report(Path("x.zip"))
    told = everything_in(path)
    assert MARK not in told
    for kept in (
        "--audio=mic:",
        "--screenshot",
        "runtimeerror",
        "traceback",
        "is no setting",
        "listening to",
        "-20 db",
    ):
        assert kept in told, kept


@pytest.mark.slow
def test_no_name_gets_from_real_shows_into_the_report(tmp_path: Path) -> None:
    """The real program in a folder, with a home, a song, a pack and a film that somebody has named; a show that fails
    in each way, and the report after them."""
    folder, home = tmp_path / f"{MARK} nights", tmp_path / f"home-of-{MARK}"
    folder.mkdir()
    config = home / "config" / "dancing-screen" / "settings.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"pack = 'the \"{MARK}\" pack'\nstyle = \"{MARK}'s\"\naudio = 'mic:{MARK}'\n")
    env = {
        **os.environ, "HOME": str(home), "USER": MARK, "LOGNAME": MARK, "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"), "SDL_VIDEODRIVER": "dummy", "DISPLAY": "", "PULSE_SERVER": MARK,
    }  # fmt: skip

    def call(*words: str) -> int:
        command = [sys.executable, "-m", "visualizer", *words]
        return subprocess.run(command, capture_output=True, timeout=120, env=env, cwd=folder).returncode

    (folder / f"{MARK}.mp3").write_bytes(b"no music")
    assert call("film", f"{MARK}.mp3", "-o", f"{MARK}/x.mp4") == 2
    assert call("film", f"{MARK}.mp3", "-o", "x.mp4") == 2
    assert call("film", "-o", "x.mp4", "--pack", f"../{MARK} packs/p") == 2
    assert call("--audio", f"{MARK} song", "--seconds", "1") == 2
    assert call("--pack", f"{folder}/it's", "--seconds", "1", f"--{MARK}") == 2
    assert call("report", "-o", f"{MARK}.zip") == 0
    told = everything_in(folder / f"{MARK}.zip")
    assert MARK not in told
    assert told.count("--- begins: visualizer") == 6
    assert "no such option" in told
