"""What a start finds out of OpenGL, the next one knows; real OpenGL, of Mesa on the processor, in memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program

ASKED = "OpenGL .* on llvmpipe"
TRIED = r"toast: no GPU for the picture \(llvmpipe [^)]*\)\): painting on the processor"
KNOWN = r"toast: no GPU for the picture \(llvmpipe .*, as the last time\): painting on the processor"


@pytest.fixture
def env(home: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {
        **home, "SDL_VIDEODRIVER": "offscreen", "DISPLAY": "", "WAYLAND_DISPLAY": "",
        "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state"),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def no_card(env: dict[str, str]) -> None:
    """With a graphics card OpenGL is asked each time, and there is nothing to see here."""
    code = (
        "from visualizer.stage.gpu import software_gl; from visualizer.stage.video import open_video\n"
        "open_video(); print(software_gl.key())"
    )
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=60)
    if said.stdout.split()[-1] == "None":
        pytest.skip("skipped: there may be a graphics card here")


def start(env: dict[str, str], *words: str) -> str:
    """All that a short show says."""
    words = ("--window", "320x200", "--audio", "none", "--seconds", "0.1", "--verbose", *words)
    with Program(*words, env=env) as program:
        program.wait_for("first frame")
        assert program.end() == 0
        return "\n".join(program.said)


def says(said: str, *patterns: str) -> list[bool]:
    return [re.search(pattern, said) is not None for pattern in patterns]


def test_the_second_start_goes_straight_to_the_painter_until_something_speaks_against_it(
    env: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "cache" / "dancing-screen" / "opengl.json"
    assert says(start(env), ASKED, TRIED, KNOWN) == [True, True, False]
    assert says(start(env), ASKED, TRIED, KNOWN) == [False, False, True]
    log = (tmp_path / "state" / "dancing-screen" / "log" / "visualizer.log").read_text(encoding="utf-8")
    assert log.count("OpenGL not tried") == 1
    # Another environment may mean another driver.
    assert says(start({**env, "LIBGL_ALWAYS_SOFTWARE": "1"}), ASKED, KNOWN) == [True, False]
    assert says(start(env), ASKED, KNOWN) == [True, False]
    # Who asks for the shader gets it, and from then on nothing is taken for known.
    assert says(start(env, "--stage", "shader"), ASKED, "shader 320x200") == [True, True]
    assert not kept.exists()
    assert says(start(env), ASKED, KNOWN) == [True, False]
    kept.write_bytes(kept.read_bytes()[:-3])
    assert says(start(env), ASKED, KNOWN, "Traceback") == [True, False, False]
    assert says(start(env), ASKED, KNOWN) == [False, True]


def test_the_doctor_looks_for_itself(env: dict[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "cache" / "dancing-screen" / "opengl.json"
    start(env)
    kept.write_text(kept.read_text().replace("llvmpipe", "softpipe"))
    assert says(start(env), "softpipe .*, as the last time") == [True]
    words = [sys.executable, "-m", "visualizer.support.doctor", "picture"]
    said = subprocess.run(words, env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=60)
    assert "llvmpipe" in said.stdout
    assert "as the last time" not in said.stdout
    assert says(start(env), ASKED, KNOWN) == [False, True]  # and the next show knows what was found
