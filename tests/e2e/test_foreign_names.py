"""The real program with names that are not UTF-8 or that would move a cursor, in every place where a name may stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from visualizer.support.log import NAME

ROOT = Path(__file__).parents[2]
# Not UTF-8, markup, an escape sequence, what forges a line of a log, a C1 control and one that turns the writing.
NAME_OF_ALL = "M\udce9 [red]\x1b[31m\x1b]0;x\x07\n2026-01-01 00:00:00.000 INFO forged\x9b31m\u202egpm"


def write_song(path: Path) -> None:
    beat = np.arange(22050 * 2) % 11025 < 2500
    tone = np.sin(np.arange(22050 * 2) * 0.06) * np.where(beat, 12000, 600)
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(22050)
        out.writeframes(tone.astype("<i2").tobytes())


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder of an odd name, in which there are a song and a pack of odd names."""
    name = NAME_OF_ALL
    folder = tmp_path / name
    try:
        folder.mkdir()
        write_song(folder / f"{name}.wav")
    except (OSError, UnicodeError):
        pytest.skip("skipped: no such names on this file system")
    (folder / f"{name}-pack").symlink_to(ROOT / "models" / "default")
    return folder


def call(folder: Path, *words: str | Path, cwd: Path = ROOT, module: str = "visualizer") -> tuple[int, str]:
    """Exit code and all that was said, which must be harmless. Home and everything below it are in `folder`."""
    places = {
        "HOME": folder / "home", "XDG_CACHE_HOME": folder / "cache", "XDG_STATE_HOME": folder / "state",
        "XDG_CONFIG_HOME": folder / "config", "XDG_DATA_HOME": folder / "data",
    }  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(ROOT), **{key: str(path) for key, path in places.items()}}
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, capture_output=True, timeout=120, env=env, cwd=cwd)
    said = (done.stdout + done.stderr).decode("utf-8")
    for line in said.splitlines():
        assert line.isprintable(), line
    assert "Traceback" not in said
    assert "forged" not in {line[-6:] for line in said.splitlines() if line.startswith("2026-01-01")}
    return done.returncode, said


SMALL = ("--size", "128x128", "--seconds", "0.5")


FILMS: dict[str, Callable[[Path], tuple[list[str | Path], Path]]] = {
    "song": lambda at: ([at / f"{at.name}.wav"], at / "out.mp4"),
    "out": lambda at: ([], at / f"{at.name}.mp4"),
    "gif": lambda at: ([], at / f"{at.name}.gif"),
    "pictures": lambda at: ([], at / f"{at.name}-%05d.png"),
    "pack": lambda at: (["--pack", at / f"{at.name}-pack"], at / "out.mp4"),
}


@pytest.mark.parametrize("place", FILMS)
def test_a_film_is_made_with_any_name(odd: Path, place: str) -> None:
    words, out = FILMS[place](odd)
    code, said = call(odd, "film", *words, "-o", out, *SMALL)
    assert code == 0, said
    made = sorted(odd.glob("*.png")) if "%" in out.name else [out]
    assert made
    assert all(path.name.startswith(out.name[:20]) and path.stat().st_size > 0 for path in made)
    log = (odd / "state" / "dancing-screen" / "log" / NAME).read_text(encoding="utf-8")
    assert all(line.isprintable() for line in log.splitlines())
    assert not any(line.startswith("2026-01-01") for line in log.splitlines())


def test_a_film_is_made_in_a_folder_of_any_name(odd: Path) -> None:
    code, said = call(odd, "film", f"./{odd.name}.wav", "-o", "out.mp4", *SMALL, cwd=odd)
    assert code == 0, said
    assert (odd / "out.mp4").stat().st_size > 0


def test_packs_have_any_name(odd: Path) -> None:
    pack = odd / f"{odd.name}-pack"
    assert call(odd, "dances", "--pack", pack)[0] == 0
    assert call(odd, "packs", "show", pack)[0] == 0
    code, said = call(odd, "packs", "zip", pack, "-o", odd / f"{odd.name}.zip")
    assert code == 0, said
    assert zipfile.is_zipfile(odd / f"{odd.name}.zip")
    assert call(odd, "packs")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("film", "NAME.mp3", "-o", "x.mp4"), ("film", "-o", "NAME/x/y.mp4"), ("film", "-o", "x.mp4", "--style", "NAME"),
        ("film", "-o", "x.mp4", "--look", "NAME"), ("--NAME",), ("NAME",),
        ("film", "-o", "x.mp4", "--pack", "NAME"), ("packs", "add", "NAME.zip"), ("packs", "remove", "NAME"),
        ("--display", "NAME", "--audio", "none"), ("--troupe", "NAME"), ("report", "-o", "NAME"),
        ("film", "-o", "x.mp4", "--size", "NAME"), ("film", "-o", "x.mp4", "--device", "NAME"),
    ],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_what_is_refused_is_said_in_one_line(odd: Path, words: tuple[str, ...]) -> None:
    code, said = call(odd, *(word.replace("NAME", odd.name) for word in words))
    if words[0] == "--display":  # without a screen it is no error, and a film is made
        return
    assert code == 2, said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("footage", "NAME.mp4", "--out", "x"), ("evaluate", "NAME"), ("beats", "--motion", "NAME"), ("NAME",),
        ("motion", "NAME.bvh", "--out", "x"), ("fit", "--out", "x", "--motion", "NAME"), ("fit", "--NAME"),
    ],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_what_training_refuses_is_said_in_one_line(odd: Path, words: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="skipped: torch missing")
    code, said = call(odd, *(word.replace("NAME", odd.name) for word in words), cwd=odd, module="training")
    assert code == 2, said
    assert len(said.splitlines()) == 1


def test_the_doctor_answers_other_programs_in_json(odd: Path) -> None:
    settings = odd / "config" / "dancing-screen" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"look = {json.dumps(odd.name.encode('utf-8', 'replace').decode())}\n", encoding="utf-8")
    _, said = call(odd, "doctor", "--json")
    found = json.loads(said)
    assert found["checks"][0]["name"] == "display"
