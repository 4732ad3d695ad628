"""The bundle's own parts: where it starts, how it is packed, and how it is tried."""

from __future__ import annotations

import ctypes.util
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.recipes import PACKAGING, load_recipe


def test_a_library_that_the_system_lacks_is_found_in_the_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", ctypes.util.find_library)  # which the bundle's start replaces
    entry = load_recipe("bundle/entry")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    monkeypatch.setattr(entry, "find_of_system", lambda name: "libthere.so.1" if name == "there" else None)
    assert entry.find_library("there") == "libthere.so.1"
    assert entry.find_library("portaudio") is None
    (tmp_path / "libportaudio.so.2").touch()
    assert entry.find_library("portaudio") == str(tmp_path / "libportaudio.so.2")
    assert entry.find_library("other") is None


def test_the_bundle_starts_its_own_modules_as_python_would() -> None:
    command = [sys.executable, PACKAGING / "bundle" / "entry.py"]
    env = {**os.environ, "PYTHONPATH": str(PACKAGING.parent)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], capture_output=True, text=True, timeout=60, env=env, check=False, input=""
        )

    assert run("--version").stdout.startswith("visualizer ")
    trial = run("-m", "visualizer.networks.sandbox", "no-such-folder")  # reads what it shall judge from stdin
    assert "No such option" not in trial.stderr
    assert "sandbox" in trial.stderr
    assert "No such option" in run("-m", "http.server").stderr  # of ours alone


def test_an_archive_keeps_links_and_the_right_to_run(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "visualizer").write_text("x")
    (bundle / "visualizer").chmod(0o755)
    (bundle / "link").symlink_to("visualizer")
    load_recipe("archive").pack(bundle, tmp_path / "a.zip", "top")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.read("top/link") == b"visualizer"
    assert stat.S_ISLNK(modes["top/link"])
    assert modes["top/visualizer"] & 0o111


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize(
    ("doctor", "size", "works"), [(0, 30_000, True), (1, 30_000, True), (2, 30_000, False), (0, 100, False)]
)
def test_a_bundle_that_cannot_dance_is_found_out(tmp_path: Path, doctor: int, size: int, works: bool) -> None:
    program = tmp_path / "program"
    program.write_text(
        f'#!/bin/sh\ncase $1 in doctor) exit {doctor};; film) head -c {size} /dev/zero >"$3";; esac\n', encoding="utf-8"
    )
    program.chmod(0o755)
    done = subprocess.run([PACKAGING / "smoke.sh", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode == 0) == works, done.stderr
