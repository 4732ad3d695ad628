"""The show run from the keyboard on real X servers: displays, pictures, videos, and what is remembered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from tests.support.needs import needs_program
from tests.support.program import Program, Screen, TwoHeads

WORDS = ["--audio", "none", "--seed", "4", "--look", "paper", "--no-auto"]


@pytest.fixture
def home(home: dict[str, str]) -> dict[str, str]:
    """With folders for pictures and videos."""
    for name in ("Pictures", "Videos", "config"):
        (Path(home["HOME"]) / name).mkdir()
    return home


@pytest.fixture
def heads() -> Iterator[TwoHeads]:
    needs_program("Xvnc", "xdotool", "import")
    heads = TwoHeads()
    yield heads
    heads.close()


def settings_of(home: dict[str, str]) -> dict:
    return tomllib.loads((Path(home["XDG_CONFIG_HOME"]) / "dancing-screen" / "settings.toml").read_text())


def end(screen: Screen | TwoHeads, program: Program) -> None:
    """Esc, and once more."""
    screen.press("Escape")
    program.wait_for("toast: Esc again ends the show")
    screen.press("Escape")
    assert program.end() == 0


def bright(shot: NDArray[np.uint8], display: tuple[int, int, int, int]) -> bool:
    """Whether all corners of that display show paper."""
    x, y, width, height = display
    part = shot[y : y + height, x : x + width]
    return all(bool((corner > 220).all()) for corner in (part[:9, :9], part[:9, -9:], part[-9:, :9], part[-9:, -9:]))


def dark(shot: NDArray[np.uint8], display: tuple[int, int, int, int]) -> bool:
    x, y, width, height = display
    return not shot[y : y + height, x : x + width].any()


def test_displays_are_listed_by_number_size_rate_and_name(heads: TwoHeads) -> None:
    command = [sys.executable, "-m", "visualizer", "--list-displays"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, env={**os.environ, **heads.env}, capture_output=True, text=True, check=True, timeout=60, cwd=root
    )
    assert done.stdout.splitlines() == ["0  1280x720  60 Hz  VNC-0", "1  800x600  60 Hz  VNC-1"]


def test_a_show_opens_on_a_display_by_name_and_a_key_moves_it(heads: TwoHeads, home: dict[str, str]) -> None:
    left, right = heads.LEFT, heads.RIGHT
    with Program(*WORDS, "--display", "vnc-1", env={**heads.env, **home}) as program:
        program.wait_for("painter 800x600")
        program.wait_for("first frame")
        heads.grab_until(lambda shot: bright(shot, right) and dark(shot, left))
        heads.point(1500, 200)
        heads.press("m")
        program.wait_for(r"toast: display 0 \(VNC-0, 1280x720\)")
        heads.grab_until(lambda shot: bright(shot, left) and dark(shot, right))
        heads.point(500, 200)
        heads.press("F11")
        program.wait_for("toast: window")
        heads.grab_until(lambda shot: not bright(shot, left) and bool((shot[200, 640] > 220).all()))
        heads.press("m")  # a window moves as a window
        program.wait_for(r"toast: display 1 \(VNC-1, 800x600\)")
        heads.grab_until(lambda shot: dark(shot, left) and not dark(shot, right) and not bright(shot, right))
        heads.point(1680, 300)
        heads.press("alt+Return")
        program.wait_for("toast: full screen")
        heads.grab_until(lambda shot: bright(shot, right))
        end(heads, program)
    assert "display" not in settings_of(home)  # it is where it was
    with Program("--display", "hdmi", env={**heads.env, **home}) as program:
        program.wait_for(r"^visualizer: display hdmi does not exist; there are: 0 \(VNC-0, 1280x720\), 1 \(VNC-1, 8")
        assert program.end() == 2


def test_a_display_that_is_unplugged_loses_the_show_and_gets_it_back(heads: TwoHeads, home: dict[str, str]) -> None:
    left, right = heads.LEFT, heads.RIGHT
    with Program(*WORDS, "--display", "1", env={**heads.env, **home}) as program:
        program.wait_for("first frame")
        heads.grab_until(lambda shot: bright(shot, right))
        heads.plug(left)
        program.wait_for(r"toast: display 1 \(VNC-1, 800x600\) is gone: on 0 \(VNC-0, 1280x720\) now")
        heads.grab_until(lambda shot: bright(shot, left))
        heads.plug(left, right)
        program.wait_for(r"toast: display 1 \(VNC-1, 800x600\) is back")
        heads.grab_until(lambda shot: bright(shot, right) and dark(shot, left))
        heads.plug(left, (1280, 0, 640, 480))
        program.wait_for(r"toast: display 1 \(VNC-1, 640x480\) has changed")
        heads.grab_until(lambda shot: bright(shot, (1280, 0, 640, 480)))
        heads.point(1500, 300)
        end(heads, program)
    assert settings_of(home) == {"hint": False}  # no key has chosen anything


def test_a_remembered_display_that_is_not_there_tonight_is_gone_to_once_it_is(
    heads: TwoHeads, home: dict[str, str]
) -> None:
    folder = Path(home["XDG_CONFIG_HOME"]) / "dancing-screen"
    folder.mkdir()
    (folder / "settings.toml").write_text('display = "VNC-1"\n')
    heads.plug(heads.LEFT)
    with Program(*WORDS, env={**heads.env, **home}) as program:
        program.wait_for("toast: settings file: display VNC-1 does not exist.*using the default")
        program.wait_for("first frame")
        heads.grab_until(lambda shot: bright(shot, heads.LEFT))
        heads.plug(heads.LEFT, heads.RIGHT)
        program.wait_for(r"toast: display 1 \(VNC-1, 800x600\) is back")
        heads.grab_until(lambda shot: bright(shot, heads.RIGHT))
        heads.point(1500, 300)
        end(heads, program)


def test_what_keys_chose_is_there_at_the_next_show_and_nothing_else(screen: Screen, home: dict[str, str]) -> None:
    folder = Path(home["XDG_CONFIG_HOME"]) / "dancing-screen"
    folder.mkdir()
    (folder / "settings.toml").write_text('# ours\nlook = "neon"  # dark room\nbpm = 90\n')
    words = ["--window", "640x400", "--audio", "none", "--seed", "4", "--troupe", "2"]
    with Program(*words, env={**screen.env, **home}) as program:
        program.wait_for("look neon")
        program.wait_for("first frame")
        for key, says in (
            ("Up", "look: "), ("u", "sync: unison"), ("minus", "temperature: measured"), ("o", "10 ms late"),
            ("g", r"sensitivity: \+1"), ("a", "auto: off"), ("k", "comes more often"), ("4", "4 dancers"),
            ("2", "2 dancers"), ("l", "locked"), ("F11", "full screen"),
        ):  # fmt: skip
            screen.press(key)
            program.wait_for(f"toast: .*{says}")
        look = next(line for line in program.said if line.startswith("toast: look: ")).removeprefix("toast: look: ")
        end(screen, program)
        assert any(line.startswith(f"remembered in {folder / 'settings.toml'}: ") for line in program.said)
    text = (folder / "settings.toml").read_text()
    assert text.startswith("# ours\n")
    assert "# dark room" in text
    found = settings_of(home)
    (liked,) = found.pop("favourite_looks")
    (style,) = found.pop("favourite_styles")
    assert liked == found.pop("look") != "neon"
    # A name is its title in small letters without spaces, or the beginning of it.
    title, name = (re.sub("[^a-z]", "", each.casefold()) for each in (look, liked))
    assert name in title or title in name
    found.pop("favourite_dances", None)  # if one was danced
    (_,) = found.pop("favourite_figures")
    assert found == {
        "bpm": 90, "sync": "unison", "temperature": "measured", "latency_ms": 10, "sensitivity": 1, "auto": False,
        "hint": False,
    }  # fmt: skip
    with Program("--audio", "none", "--seconds", "0.5", env={**screen.env, **home}) as program:
        program.wait_for(f"look {liked}")
        program.wait_for("painter 1280x800|shader 1280x800")
        assert program.end() == 0
    assert (folder / "settings.toml").read_text() == text  # nobody pressed a key
    assert style


def test_no_remember_and_a_folder_that_cannot_be_written_are_no_trouble(screen: Screen, home: dict[str, str]) -> None:
    config = Path(home["XDG_CONFIG_HOME"])
    for words in (["--no-remember"], []):
        with Program(*WORDS, "--window", "640x400", *words, env={**screen.env, **home}) as program:
            program.wait_for("first frame")
            screen.press("3")
            program.wait_for("toast: 3 dancers")
            end(screen, program)
            if not words:
                assert any(line.startswith("not remembered: ") for line in program.said)
        assert not any("Traceback" in line for line in program.said)
        assert not (config / "dancing-screen").is_dir()
        if words:
            config.rmdir()
            config.write_text("a file where a folder should be")


def body(shot: np.ndarray) -> np.ndarray:
    """Where the dancer is, between help and toasts: the middle of a window of 640x400 on the screen of 1280x720."""
    return shot[200:460, 540:740].astype(int)


def test_pictures_and_videos_of_the_show(screen: Screen, home: dict[str, str]) -> None:
    folder = Path(home["HOME"])
    with Program(*WORDS, "--window", "640x400", env={**screen.env, **home}) as program:
        program.wait_for("first frame")
        screen.press("h")
        program.wait_for("help: shown")
        screen.press("r")
        video = Path(program.wait_for(r"toast: recording: (.*\.mkv), without sound: nothing is heard")[1])
        red = screen.grab_until(lambda shot: bool((shot[205:230, 930:955] == (225, 30, 35)).all(axis=2).any()))
        assert red is not None
        for key in ("s", "F12"):
            screen.press(key)
            program.wait_for(rf"toast: picture: {folder}/Pictures/dance-.*\.png")
        screen.press("h")
        program.wait_for("help: hidden")
        before = body(screen.grab())
        screen.grab_until(lambda shot: np.abs(body(shot) - before).mean() > 5)  # the dancer has moved
        screen.press("h")
        program.wait_for("help: shown")
        screen.press("r")
        program.wait_for(f"toast: recording ends: {video}")
        seconds = int(program.wait_for(rf"toast: recorded: {video} \((\d+) s\)")[1])
        screen.press("r")
        second = Path(program.wait_for(r"toast: recording: (.*\.mkv)")[1])
        screen.press("Escape")
        program.wait_for("help: hidden")
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show and the recording")
        screen.press("Escape")
        assert program.end() == 0
        assert any(line.startswith(f"recorded: {second}") for line in program.said)
    pictures = sorted((folder / "Pictures").iterdir())
    assert len(pictures) == 2
    for path in pictures:
        shot = pygame.surfarray.array3d(pygame.image.load(path)).transpose(1, 0, 2)
        assert shot.shape == (400, 640, 3)
        assert bright(shot, (0, 0, 640, 400))  # clean: no help, no toast, no red dot
        assert shot.min() < 40  # and somebody dances
    for path in (video, second):
        with av.open(str(path)) as file:
            assert file.duration is not None
            frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in file.decode(video=0)]
            assert len(frames) == pytest.approx(30 * file.duration / 1e6, abs=2)
            assert frames[0].shape == (400, 640, 3)
        assert bright(frames[-1], (0, 0, 640, 400))
    with av.open(str(video)) as file:
        assert file.duration is not None
        assert file.duration / 1e6 == pytest.approx(seconds, abs=0.6)
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in file.decode(video=0)]
    assert max(np.abs(frame - frames[0]).mean() for frame in frames) > 0.5  # it dances


def test_blackout_on_the_screen_and_back(screen: Screen, home: dict[str, str]) -> None:
    with Program(*WORDS, "--window", "640x400", env={**screen.env, **home}) as program:
        program.wait_for("first frame")
        screen.grab_until(lambda shot: bright(shot, (320, 200, 640, 400)))
        screen.press("b")
        program.wait_for("toast: black: B brings the picture back")
        screen.grab_until(lambda shot: dark(shot, (320, 200, 640, 300)))
        screen.grab_until(lambda shot: dark(shot, (320, 200, 640, 400)))  # the toast goes too
        screen.press("b")
        program.wait_for("toast: the picture is back")
        screen.grab_until(lambda shot: bright(shot, (320, 200, 640, 400)))
        end(screen, program)


def test_the_shader_stage_is_recorded_and_photographed_too(home: dict[str, str]) -> None:
    needs_program("Xvfb", "xdotool", "import")
    screen = Screen()
    try:
        with Program(*WORDS, "--window", "640x400", "--stage", "shader", env={**screen.env, **home}) as program:
            program.wait_for("shader 640x400")
            program.wait_for("first frame")
            screen.press("s")
            picture = Path(program.wait_for(r"toast: picture: (.*\.png)")[1])
            screen.press("r")
            video = Path(program.wait_for(r"toast: recording: (.*\.mkv)")[1])
            screen.press("s")
            program.wait_for(r"toast: picture: ")
            screen.press("r")
            program.wait_for("toast: recorded: ")
            end(screen, program)
    finally:
        screen.close()
    shot = pygame.surfarray.array3d(pygame.image.load(picture)).transpose(1, 0, 2)
    with av.open(str(video)) as file:
        last = np.asarray([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][-1], np.uint8)
    for each in (shot.astype(np.uint8), last):
        assert bright(each, (0, 0, 640, 400))
        ink = np.flatnonzero((each.max(axis=2) < 90).any(axis=1))
        assert 395 > ink.max() > 300  # feet below
        assert ink.min() > 40  # and the head above, which is not the same as upside down
