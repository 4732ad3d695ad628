"""The real program on a real X server: seen from outside, played by real key events."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tests.support.figure import assert_dances, change, figures, is_figure, window
from tests.support.needs import needs_program
from tests.support.program import Program, Screen, TwoHeads
from tests.support.repository import REPOSITORY
from visualizer.dancer.pack import find_pack, read_info
from visualizer.stage.looks import shipped_looks

WINDOW = (640, 400)  # in the middle of a 1280x800 screen, where the pointer is too


def is_paper(shot: NDArray[np.uint8]) -> bool:
    return bool(shot[220, 340].min() > 220)


def test_a_window_shows_a_figure_that_moves_and_obeys_keys(screen: Screen, home: dict[str, str]) -> None:
    words = ["--window", f"{WINDOW[0]}x{WINDOW[1]}", "--audio", "none", "--seed", "4", "--look", "paper", "--stats"]
    with Program(*words, env={**screen.env, **home}) as program:
        assert program.wait_for(r"seed (\d+), style (.+), look paper")[1] == "4"
        assert program.wait_for(r"(painter|shader) (\d+)x(\d+)").groups()[1:] == ("640", "400")
        program.wait_for(r"first frame after [\d.]+ s")
        # Toasts are gone when the lower edge is empty.
        shot = screen.grab_until(lambda s: is_paper(s) and (s[570:600, 330:500] > 220).all())
        seen = [window(shot)]
        for _ in range(15):
            before = seen[-1] < 70
            shot = screen.grab_until(lambda s, before=before: change(window(s) < 70, before) > 0.15)
            seen.append(window(shot))
            assert (shot[:190] == 0).all()  # beyond the window nothing was drawn
        assert_dances(figures(seen))

        screen.press("space")
        seed = program.wait_for(r"toast: a new dance, seed (\d+)")[1]
        screen.press("space")
        assert program.wait_for(r"toast: a new dance, seed (\d+)")[1] != seed

        screen.press("Right")
        style = program.wait_for(r"toast: style: (.+)")[1]
        screen.press("Right")
        assert program.wait_for(r"toast: style: (.+)")[1] != style
        screen.press("Left")
        assert program.wait_for(r"toast: style: (.+)")[1] == style

        screen.press("Up")
        program.wait_for(f"toast: look: {shipped_looks()[1].title}")
        screen.grab_until(lambda s: s[220, 340].max() < 130)  # dark
        screen.press("Down")
        program.wait_for("toast: look: Paper")
        without = screen.grab_until(is_paper)

        screen.press("h")
        program.wait_for("help: shown")
        panel = screen.grab_until(lambda s: bool(s[219, 460:600].max() < 120))[200:600, 320:640]  # its upper margin
        assert (panel != without[200:600, 320:640]).mean() > 0.2
        screen.press("h")
        program.wait_for("help: hidden")
        screen.grab_until(lambda s: is_paper(s) and bool(s[219, 460:600].min() > 220))

        screen.press("f")
        program.wait_for("toast: full screen")
        screen.grab_until(lambda s: (s[:20, :20] > 220).all() and (s[:20, -20:] > 220).all())
        screen.press("f")
        program.wait_for("toast: window")
        screen.grab_until(lambda s: (s[:20, :20] == 0).all() and is_paper(s))

        screen.press("Escape")  # once is a warning only
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        program.wait_for(r"stats: \d+ frames in [\d.]+ s, [\d.]+ fps")
        assert program.end() == 0


def groups(shot: NDArray[np.uint8]) -> int:
    """How many figures stand apart on paper: stretches of columns with ink at the height of head and breast."""
    ink = (window(shot)[40:300] < 70).any(axis=0)
    return int((np.diff(ink.astype(int), prepend=0) == 1).sum())


def bodies(shot: NDArray[np.uint8]) -> int:
    """How many figures are seen, in however many rows: pieces of ink, for those in front have a line about them."""
    pieces = np.asarray(ndimage.label(window(shot) < 70)[0])  # type: ignore[index]
    return int((np.bincount(pieces.ravel())[1:] > 60).sum())


def test_dances_troupe_and_temperature_by_keys(screen: Screen, home: dict[str, str]) -> None:
    info = read_info(find_pack(None))
    counts = Counter(dance["style"] for dance in info["dances"])
    style, count = next((style, count) for style, count in counts.items() if count > 1)
    names = [dance["name"] for dance in info["dances"] if dance["style"] == style]
    words = ["--window", f"{WINDOW[0]}x{WINDOW[1]}", "--audio", "none", "--seed", "4", "--look", "paper"]
    words += ["--dance", names[-1].upper(), "--troupe", "2", "--sync", "unison", "--temperature", "tame"]
    with Program(*words, env={**screen.env, **home}) as program:
        assert program.wait_for("style (.+), look")[1] == info["styles"][style]
        assert program.wait_for("^dance (.+)")[1] == names[-1]
        program.wait_for("first frame")
        screen.grab_until(lambda s: is_paper(s) and groups(s) == 2)
        for name in ["as it comes", *names]:
            screen.press("d")
            assert program.wait_for("toast: dance: (.+)")[1] == name
        screen.press("shift+d")
        assert program.wait_for("toast: dance: (.+)")[1] == names[-2]
        assert len(names) == count
        screen.press("9")
        program.wait_for("toast: 9 dancers")
        screen.grab_until(lambda s: bodies(s) >= 8)  # two may touch; a limb may be cut off
        screen.press("u")
        program.wait_for("toast: sync: canon")
        screen.press("1")
        program.wait_for("toast: one dancer")
        screen.grab_until(lambda s: groups(s) == 1)
        screen.press("bracketright")
        program.wait_for("toast: temperature: measured")
        screen.press("minus")
        program.wait_for("toast: temperature: tame")
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        assert program.end() == 0


def test_fullscreen_is_the_default_and_seconds_end_it(screen: Screen, home: dict[str, str]) -> None:
    with Program("--audio", "none", "--seconds", "1", "--stats", env={**screen.env, **home}) as program:
        program.wait_for("painter 1280x800|shader 1280x800")
        seconds = float(program.wait_for(r"stats: \d+ frames in ([\d.]+) s")[1])
        assert program.end() == 0
    assert 0.5 < seconds < 1.2


def test_software_opengl_gives_way_to_the_painter_and_says_so(screen: Screen, home: dict[str, str]) -> None:
    soft = {"LIBGL_ALWAYS_SOFTWARE": "1", **screen.env, **home}
    with Program("--window", "320x200", "--audio", "none", "--seconds", "0.5", env=soft) as program:
        program.wait_for("painter 320x200")
        program.wait_for("toast: no GPU for the picture .*painting on the processor")
        assert program.end() == 0


def test_the_shader_stage_in_a_window(screen: Screen, home: dict[str, str]) -> None:
    words = ["--window", f"{WINDOW[0]}x{WINDOW[1]}", "--audio", "none", "--look", "paper", "--stage", "shader"]
    words += ["--seed", "4"]
    with Program(*words, env={**screen.env, **home}) as program:
        program.wait_for("shader 640x400")
        program.wait_for("first frame after")
        screen.grab_until(lambda s: is_figure(window(s)))
        screen.press("f")
        program.wait_for("toast: full screen")
        screen.grab_until(lambda s: (s[:20, :20] > 220).all())
        screen.press("h")
        program.wait_for("help: shown")
        screen.grab_until(lambda s: (s[60:110, 300:350].max(axis=2) < 100).any())
        screen.press("Escape")  # closes the help
        program.wait_for("help: hidden")
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        assert program.end() == 0


@pytest.mark.parametrize("look", ["paper", "neon", "confetti"])
def test_shader_stage_without_a_screen(home: dict[str, str], tmp_path: Path, look: str) -> None:
    out = tmp_path / "last.png"
    env = {**home, "SDL_VIDEODRIVER": "offscreen", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    words = ["--window", "480x270", "--audio", "none", "--look", look, "--stage", "shader", "--seconds", "1"]
    words += ["--seed", "4", "--figure", "silhouette"]
    folder = Path(home["XDG_CONFIG_HOME"]) / "dancing-screen"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text("hint = false\n")  # the line of keys would stand in the picture
    with Program(*words, "--screenshot", str(out), env=env) as program:
        program.wait_for("shader 480x270")
        program.wait_for("picture saved")
        assert program.end() == 0
    picture = pygame.surfarray.array3d(pygame.image.load(out)).astype(int)
    assert picture.shape == (480, 270, 3)
    assert np.ptp(picture) > 120
    if look == "paper":
        assert is_figure(picture.max(axis=2).T.astype(np.uint8))
    else:
        assert picture.std() > 10


def test_a_look_that_is_edited_changes_on_screen_and_a_slip_in_it_is_said(home: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "program"
    shutil.copytree(REPOSITORY / "visualizer", copy / "visualizer", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("models", "assets"):
        (copy / folder).symlink_to(REPOSITORY / folder)
    look = copy / "visualizer" / "stage" / "looks" / "neon.glsl"
    good, text = look.read_text(), look.with_suffix(".toml").read_text()
    env = {**home, "SDL_VIDEODRIVER": "offscreen", "DISPLAY": "", "WAYLAND_DISPLAY": "", "PYTHONPATH": str(copy)}
    words = [
        "--window",
        "320x180",
        "--audio",
        "none",
        "--look",
        "neon",
        "--stage",
        "shader",
        "--seconds",
        "60",
        "--dev",
    ]
    with Program(*words, env=env, cwd=copy) as program:
        program.wait_for("first frame")
        look.write_text(good.replace("float ripple", "flaot ripple"))
        program.wait_for(r"toast: look neon: read again")
        line = 1 + good[: good.index("float ripple")].count("\n")
        assert program.wait_for(r"toast: neon\.glsl, line (\d+): ")[1] == str(line)
        look.with_suffix(".toml").write_text("title = 3")
        program.wait_for(r"toast: look neon\.toml, line 1: ")
        look.with_suffix(".toml").write_text(text)
        program.wait_for(r"toast: look neon: read again")


def test_a_setting_that_cannot_be_met_tonight_is_said_and_the_party_goes_on(
    screen: Screen, home: dict[str, str]
) -> None:
    folder = Path(home["XDG_CONFIG_HOME"]) / "dancing-screen"
    folder.mkdir(parents=True)
    text = 'style = "quantum polka"\ndance = "quantum twist"\nlook = "sepia"\n'
    text += 'display = 7\npack = "gone"\naudio = "gone.mp3"\nbpm = 99\n'
    (folder / "settings.toml").write_text(text)
    with Program("--window", "320x200", "--seconds", "0.5", env={**screen.env, **home}) as program:
        program.wait_for("first frame")
        assert program.end() == 0
    toasts = [line for line in program.said if line.startswith("toast: settings file: ")]
    words = ["display 7", "gone'", "gone.mp3", "quantum polka", "quantum twist", "sepia"]
    assert sorted(word for word in words for line in toasts if word in line) == words
    assert len(toasts) == 6
    assert (folder / "settings.toml").read_text() == text


def test_a_device_that_does_not_run_here_is_no_news_unless_asked(screen: Screen, home: dict[str, str]) -> None:
    words = ["--window", "320x200", "--audio", "none", "--seconds", "0.2"]
    with Program(*words, env={**screen.env, **home}) as program:
        provider = program.wait_for("networks on (cpu|cuda|coreml)")[1]
        assert program.end() == 0
    assert not any("does not run here" in line for line in program.said)
    with Program(*words, "--verbose", env={**screen.env, **home}) as program:
        why = program.wait_for("does not run here|nothing of NVIDIA here|networks on")[0]
        assert program.end() == 0
    import onnxruntime

    listed = provider == "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    assert (why != "networks on") == listed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--display", "7"], r"display 7 does not exist; there are: 0 \(.*1280x800\)"),
        (["--style", "quantum polka"], "quantum polka"),
        (["--dance", "quantum twist"], "no dance 'quantum twist' in pack .*visualizer dances"),
        (["--device", "coreml"], "coreml was asked for"),
        (["--pack", "no/such/pack"], "no/such/pack"),
        (["--audio", "no-such-song.mp3"], "no-such-song.mp3"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    screen: Screen, home: dict[str, str], words: list[str], says: str
) -> None:
    with Program("--window", "320x200", "--audio", "none", *words, env={**screen.env, **home}) as program:
        program.wait_for(f"^visualizer: .*{says}")
        assert program.end() == 2
    assert not any("Traceback" in line for line in program.said)
    assert [line for line in program.said if line.startswith("visualizer: ")] == program.said[-1:]


def test_a_broken_pack_is_one_line_and_exit_code_2(screen: Screen, home: dict[str, str], tmp_path: Path) -> None:
    pack = tmp_path / "torn"
    pack.mkdir()
    (pack / "pack.json").write_text("{")
    with Program("--window", "320x200", "--pack", str(pack), env={**screen.env, **home}) as program:
        program.wait_for("^visualizer: .*torn")
        assert program.end() == 2
    assert not any("Traceback" in line for line in program.said)
    assert [line for line in program.said if line.startswith("visualizer: ")] == program.said[-1:]


def test_without_a_screen_a_film_is_made_and_nothing_overwritten(home: dict[str, str], tmp_path: Path) -> None:
    env = {**home, "DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}
    made = []
    for _ in range(2):
        with Program("--window", "320x180", "--seconds", "1", env=env, cwd=tmp_path) as program:
            program.wait_for("no display .*making a film")
            made.append(Path(program.wait_for(r"film: (.+\.mp4)")[1]))
            assert program.end() == 0
    assert made[0] != made[1]
    assert {path.name for path in tmp_path.glob("dance-*.mp4")} == {path.name for path in made}
    for path in made:
        assert path.stat().st_size > 5000
        assert path.read_bytes()[4:8] == b"ftyp"


@pytest.mark.slow
def test_one_show_on_two_displays(tmp_path: Path) -> None:
    needs_program("Xvnc", "import")
    folder = tmp_path / "dancing-screen"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(
        "[screens.VNC-0]\ncorners = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]\n", encoding="utf-8"
    )
    screen = TwoHeads()
    words = ("--display", "all", "--audio", "none", "--stage", "painter", "--look", "sunset", "--seconds", "60")
    try:
        with Program(*words, env={**screen.env, "XDG_CONFIG_HOME": str(tmp_path)}) as show:
            show.wait_for("first frame")
            shot = screen.grab_until(lambda shot: shot[300, 1100].max() > 20 and shot[300, 1280 + 400].max() > 20)
    finally:
        screen.close()
    assert shot[:, :630].max() == 0  # the picture is in the right half of the first display
    assert shot[300, 650:1270].max(axis=1).min() > 0
    assert shot[:60, 1280:2080].max() == 0  # and whole on the other, with black above it
    assert shot[90:500, 1290:2070].max(axis=2).mean() > 20
