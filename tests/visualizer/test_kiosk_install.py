"""What begins at every login: written where systems look for it, and never over a file of somebody else's."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import needs
from visualizer import kiosk_install
from visualizer.errors import UserError
from visualizer.kiosk_install import MARK, entry_file, install, quote_for_desktop, quote_for_systemd, remove, unit_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="for Linux")
WORDS = ["--playlist", "/music/50% off $HOME `x` \"quoted\" back\\slash; 'é'", "--look", "neon"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "systemd").mkdir()
    monkeypatch.setattr(kiosk_install, "_SYSTEMD", tmp_path / "systemd")
    return tmp_path


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser


def test_it_is_put_where_systems_look_for_it_and_taken_away_again(home: Path) -> None:
    assert install(WORDS, home) == [unit_file(), entry_file()]
    assert unit_file() == home / "config/systemd/user/dancing-screen-kiosk.service"
    unit, entry = read(unit_file()), read(entry_file())
    assert unit["Service"]["WorkingDirectory"] == str(home)
    assert '"--kiosk" "--playlist"' in unit["Service"]["ExecStart"]
    assert "systemctl --user start dancing-screen-kiosk.service" in entry["Desktop Entry"]["Exec"]
    assert install(["--look", "ink"], home)  # over our own
    assert "playlist" not in unit_file().read_text()
    assert remove() == [entry_file(), unit_file()]
    assert not unit_file().exists()
    assert remove() == []


def test_without_systemd_the_entry_starts_the_show(home: Path) -> None:
    (home / "systemd").rmdir()
    assert install(WORDS, home) == [entry_file()]
    value = read(entry_file())["Desktop Entry"]["Exec"]
    string = value.replace("\\\\", "\\")  # as the file's strings are read
    # The quotes of a shell are those of Exec, and more.
    words = subprocess.run(["sh", "-c", f"printf '%s\\0' {string}"], capture_output=True, text=True, check=True).stdout
    wanted = [sys.executable, "-m", "visualizer", "--kiosk", *WORDS]
    assert [word.replace("%%", "%") for word in words.split("\0")[:-1]] == wanted


def test_words_stay_as_they_are() -> None:
    assert quote_for_systemd('a "b" $c 5% \\') == '"a \\"b\\" $$c 5%% \\\\"'
    assert quote_for_desktop("`$\\") == '"\\\\`\\\\$\\\\\\\\"'


@pytest.mark.parametrize("which", ["unit_file", "entry_file"])
@pytest.mark.parametrize("kind", ["file", "link", "broken link", "folder", "pipe"])
def test_what_is_not_ours_is_left_alone(home: Path, which: str, kind: str) -> None:
    path: Path = getattr(kiosk_install, which)()
    path.parent.mkdir(parents=True)
    (home / "other").write_text(f"{MARK}\nof somebody else's")
    if kind == "file":
        path.write_text("[Unit]\n" + MARK)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        import os

        os.mkfifo(path)
    else:
        path.symlink_to(home / ("other" if kind == "link" else "none"))
    before = path.lstat()
    with pytest.raises(UserError, match="left as it is"):
        install([], home)
    with pytest.raises(UserError, match="left as it is"):
        remove()
    assert path.lstat() == before or path.lstat().st_ino == before.st_ino
    assert (home / "other").read_text().endswith("else's")
    others = {unit_file(), entry_file()} - {path}
    assert not any(each.exists() for each in others)  # nothing was written


def test_a_line_that_would_be_two_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match="control characters"):
        install(["--title", "a\nExecStart=/bin/false"], home)
    assert not entry_file().exists()


def test_other_systems_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for ask in (lambda: install([], home), remove):
        with pytest.raises(UserError, match="on Linux alone"):
            ask()


def test_systemd_takes_the_unit(home: Path) -> None:
    needs(shutil.which("systemd-analyze"), "systemd-analyze")
    install(WORDS, home)
    done = subprocess.run(["systemd-analyze", "verify", "--user", str(unit_file())], capture_output=True, text=True)
    assert not [line for line in done.stderr.splitlines() if unit_file().name in line], done.stderr
