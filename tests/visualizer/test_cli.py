"""The command line: one clear line and exit code 2 for what cannot be done; nothing overwritten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from tests.support.command_line import call
from tests.support.fake_sound import FakeLine
from visualizer.errors import UserError
from visualizer.film.render import FilmReport
from visualizer.music.sources.capture import Capture
from visualizer.music.sources.meters import Meter
from visualizer.options import FilmOptions
from visualizer.paths import unused


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for the user's configuration; the path of the settings file."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / name))
    path = tmp_path / "dancing-screen" / "settings.toml"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--look", "sepia"], "no look is called 'sepia'"),
        (["--window", "huge"], "1280x720"),
        (["--device", "tpu"], "no device is called 'tpu'"),
        (["--bpm", "1"], "30 to 300"),
        (["--latency-ms", "900"], "-500 to 500 ms"),
        (["devices", "--seconds", "0"], "from 0.01 to 86400 seconds"),
        (["devices", "--seconds", "1e300"], "from 0.01 to 86400 seconds"),
        (["--audio", ""], "no song is named"),
        (["--audio", "x" * 300 + ".mp3"], "too long"),
        (["film", "x" * 300 + ".mp3", "-o", "x.mp4"], "too long"),
        (["film", "-o", "x" * 300 + ".mp4"], "too long"),
        (["packs", "add", "x" * 300 + ".zip"], "too long"),
        (["packs", "zip", "default", "-o", "x" * 300 + ".zip"], "too long"),
        (["report", "-o", "x" * 300 + ".zip"], "too long"),
        (["film", "-o", "x.mp4", "--beats", "0"], "2 to 128 beats"),
        (["--seconds", "-3"], "from 0.01"),
        (["--sensitivity", "9"], "-4 to 4"),
        (["--auto", "dances"], "--auto goes after 'dances'"),
        (["--troupe", "12"], "1 to 9"),
        (["--sync", "heap"], "each, unison, canon"),
        (["--temperature", "hot"], "faithful"),
        (["--temperature", "3"], "from 0.3 to 1.6"),
        (["--nonsense"], "--nonsense"),
        (["juggle"], "juggle"),
        (["film"], "out"),
        (["film", "song.mp3"], "out"),
        (["film", "song.mp3", "-o", "x.mp4", "--size", "big"], "1280x720"),
        (["film", "song.mp3", "-o", "x.mp4", "--fps", "0"], "0"),
        (["film", "song.mp3", "-o", "x.avi"], ".webm"),
        (["film", "song.mp3", "-o", ""], "-o"),
        (["film", "song.mp3", "-o", "no/such/x.mp4"], "no folder"),
        (["film", "song.mp3", "-o", "x.mp4", "--transparent"], "ProRes"),
        (["film", "song.mp3", "-o", "x.mp4", "--troupe", "0"], "1 to 9"),
        (["film", "song.mp3", "-o", "x.mp4", "--sync", "heap"], "each, unison, canon"),
        (["film", "song.mp3", "-o", "x.mp4", "--temperature", "9"], "from 0.3 to 1.6"),
        (["dances", "--pack", "no/such/pack"], "no/such/pack"),
        (["report", "-o", "report.txt"], "a report is a .zip"),
        (["doctor", "--yaml"], "--yaml"),
        (["--dance", "jack", "dances"], "--dance goes after 'dances'"),
        (["--seed", "3", "film", "song.mp3", "-o", "x.mp4"], "--seed goes after 'film'"),
        (["--seed", "0", "film", "song.mp3", "-o", "x.mp4"], "--seed goes after 'film'"),
        (["--no-auto", "dances"], "--auto goes after 'dances'"),
        (["--latency-ms", "0", "dances"], "--latency-ms goes after 'dances'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Path, words: list[str], says: str
) -> None:
    assert call(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("visualizer: ")
    assert says.lower() in lines[0].lower()


def test_version_and_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from visualizer import __version__

    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.strip() == f"visualizer {__version__}"
    assert call(monkeypatch, "--help") == 0
    text = capsys.readouterr().out
    for option in (
        "--window",
        "--display",
        "--seed",
        "--style",
        "--dance",
        "--troupe",
        "--sync",
        "--temperature",
        "--look",
        "--pack",
        "--seconds",
        "--device",
        "--audio",
        "--latency-ms",
        "--sensitivity",
        "--auto",
        "--no-auto",
        "--no-remember",
        "--list-displays",
    ):
        assert option in text
    assert "devices" in text
    assert "film" in text
    assert "dances" in text
    assert "doctor" in text
    assert "report" in text
    assert "packs" in text
    assert "--stage" not in text  # hidden: for tests


def test_options_and_the_settings_file_reach_the_show(monkeypatch: pytest.MonkeyPatch, settings: Path) -> None:
    seen = []
    monkeypatch.setattr("visualizer.launch.run", lambda chosen, **more: seen.append((chosen, more)))
    settings.write_text('look = "paper"\nbpm = 99\n')
    words = ["--window", "640x360", "--seed", "5", "--bpm", "130", "--audio", "none", "--seconds", "2.5", "--stats"]
    words += ["--dance", "jack", "--troupe", "4", "--sync", "unison", "--temperature", "tame"]
    words += ["--latency-ms", "-35", "--display", "HDMI", "--no-auto", "--sensitivity", "2", "--no-remember"]
    assert call(monkeypatch, *words) == 0
    chosen, more = seen[0]
    assert (chosen.window, chosen.seed, chosen.bpm, chosen.look) == ((640, 360), 5, 130.0, "paper")
    assert (chosen.audio, chosen.seconds, chosen.stats, chosen.latency_ms) == ("none", 2.5, True, -35.0)
    assert (chosen.dance, chosen.troupe, chosen.sync, chosen.temperature) == ("jack", 4, "unison", 0.55)
    assert (chosen.display, chosen.auto, chosen.sensitivity, chosen.remember) == ("HDMI", False, 2.0, False)
    assert {"dance", "troupe", "auto"} <= chosen.from_cli
    assert "look" not in chosen.from_cli
    assert more["notes"] == ()


def test_devices_without_portaudio_are_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert call(monkeypatch, "devices") == 2
    assert capsys.readouterr() == ("", "visualizer: no sound devices: PortAudio is not installed\n")


def test_devices_are_listed_with_their_levels_or_their_trouble(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def meters(_clock: object) -> Iterator[list[Meter]]:
        loud, quiet = FakeLine([np.full(2400, 0.1)] * 20), FakeLine([np.zeros(2400)])
        yield [
            Meter("mic", "Room", cast(Capture, loud)),
            Meter("mic:USB", "USB", cast(Capture, quiet)),
            Meter("mic:Old", "Old", cast(Capture, FakeLine([]))),
            Meter("loopback", "what the computer plays", trouble="no output"),
        ]

    @contextmanager
    def session() -> Iterator[Callable[[], str]]:
        yield lambda: "2 others, 126 BPM"

    monkeypatch.setattr("visualizer.music.sources.meters.open_meters", meters)
    monkeypatch.setattr("visualizer.music.sources.meters.link_session", session)
    assert call(monkeypatch, "devices", "--seconds", "0.01") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["mic", "Room", "▮▮▮▮▮▮▮▮▯▯▯▯", "-20", "dB"]
    assert rows[2] == ["mic:USB", "USB", "▯▯▯▯▯▯▯▯▯▯▯▯", "-100", "dB"]
    assert rows[3] == ["mic:Old", "Old", "▯▯▯▯▯▯▯▯▯▯▯▯", "no", "sound", "yet"]
    assert rows[4] == ["loopback", "what", "the", "computer", "plays", "no", "output"]
    assert rows[5] == ["link", "Ableton", "Link", "2", "others,", "126", "BPM"]


def test_figures_are_listed_and_a_flat_pack_says_that_it_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = [{"name": "ada", "title": "Long hair and a dress", "height": 1.68}]
    monkeypatch.setattr("visualizer.dancer.pack.read_info", lambda folder: {"figures": figures})
    assert call(monkeypatch, "figures") == 0
    assert capsys.readouterr().out.split() == ["ada", "1.68", "m", *["Long", "hair", "and", "a", "dress"]]
    monkeypatch.setattr("visualizer.dancer.pack.read_info", lambda folder: {})
    assert call(monkeypatch, "figures") == 2
    assert capsys.readouterr().err == "visualizer: the dancers of the pack default are flat: it has no figures\n"


def test_dances_are_listed_by_style(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dances = [{"name": "jack", "style": 1, "beats": 8}, {"name": "stomp", "style": 1, "beats": 8}]
    info = {"styles": ["ballet", "house"], "dances": dances}
    monkeypatch.setattr("visualizer.dancer.pack.read_info", lambda folder: info)
    monkeypatch.setattr("visualizer.dancer.pack.find_pack", lambda name: tmp_path)
    assert call(monkeypatch, "dances") == 0
    assert capsys.readouterr().out.splitlines() == ["ballet", "  (improvised only)", "house", "  jack", "  stomp"]


def test_a_broken_settings_file_is_told_to_the_show(monkeypatch: pytest.MonkeyPatch, settings: Path) -> None:
    seen = []
    monkeypatch.setattr("visualizer.launch.run", lambda chosen, **more: seen.append(more["notes"]))
    settings.write_text("look = [")
    assert call(monkeypatch) == 0
    assert len(seen[0]) == 1
    assert str(settings) in seen[0][0]
    assert settings.with_suffix(".broken.toml").exists()


def test_a_user_error_of_the_show_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UserError("the pack\nis torn")

    monkeypatch.setattr("visualizer.launch.run", fail)
    assert call(monkeypatch) == 2
    assert capsys.readouterr().err == "visualizer: the pack is torn\n"


def test_a_film_is_not_overwritten(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "dance.mp4"
    out.write_bytes(b"dear to somebody")
    assert call(monkeypatch, "film", "song.mp3", "-o", str(out)) == 2
    assert "--force" in capsys.readouterr().err
    assert out.read_bytes() == b"dear to somebody"


@pytest.mark.parametrize(("stopped_by", "code"), [(0, 0), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_film_stopped_early_says_so_to_scripts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stopped_by: int, code: int
) -> None:
    seen = []

    def make(song: Path | None, pack: object, options: FilmOptions) -> FilmReport:
        seen.append(options)
        return FilmReport(Path(options.out), 30, 1.0, 1.0, stopped_by)

    monkeypatch.setattr("visualizer.film.render.make_film", make)
    monkeypatch.setattr("visualizer.dancer.pack.load_pack", lambda folder, device, notify: None)
    words = ["film", "song.mp3", "-o", str(tmp_path / "a.mp4"), "--bpm", "97", "--dance", "jack", "--troupe", "3"]
    assert call(monkeypatch, *words, "--sync", "canon", "--temperature", "1.3") == code
    asked = {key: getattr(seen[0], key) for key in ("bpm", "dance", "troupe", "sync", "temperature")}
    assert asked == {"bpm": 97.0, "dance": "jack", "troupe": 3, "sync": "canon", "temperature": 1.3}


def test_a_free_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    assert unused(path) == path
    path.touch()
    (tmp_path / "dance-2.mp4").touch()
    assert unused(path) == tmp_path / "dance-3.mp4"


def test_the_live_program_loads_nothing_slow_or_of_the_training() -> None:
    """A fresh interpreter that imports all that the show imports."""
    program = (
        "import sys, visualizer.cli, visualizer.launch, visualizer.stage.window, visualizer.stage.gpu.shader\n"
        "import visualizer.dancer.dancer, visualizer.music.sources, os\n"
        "slow = {'torch', 'training', 'librosa', 'sounddevice', 'av', 'scipy', 'numba', 'rich'} & set(sys.modules)\n"
        "print(sorted(slow), os.environ['OPENBLAS_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[] 1"


def test_the_collector_passes_over_what_the_show_began_with() -> None:
    """A full collection stops the dance; among all that the libraries hold it took 70 ms, several times a minute."""
    program = """
import gc, sys
from visualizer import cli
sys.argv = "visualizer --audio none --no-remember --seconds 0.2 --stage painter --window 64x64".split()
try:
    cli.main()
finally:
    print(gc.get_freeze_count(), len(gc.get_objects()))
"""
    environment = {**os.environ, "SDL_VIDEODRIVER": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True, env=environment
    )
    passed_over, looked_through = map(int, done.stdout.split()[-2:])
    assert passed_over > 5 * looked_through  # without it nothing is passed over


def test_a_name_with_a_dash_before_it_gets_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-dash.mp3").write_bytes(b"")
    assert call(monkeypatch, "film", "-dash.mp3", "-o", "a.mp4") == 2
    assert "a file whose name begins with a dash is ./-dash.mp3" in capsys.readouterr().err
