"""The log: one line a message on stderr, even while sounddevice has silenced it, and a file with the whole story."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from visualizer.options import Settings
from visualizer.support import log as log_module
from visualizer.support import privacy
from visualizer.support.log import CRASH, FILES, NAME, LogFile, log_file, tell_settings
from visualizer.support.privacy import alias_of, hide, without_songs


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_nothing_is_lost_while_stderr_is_silenced() -> None:
    done = run(
        "import os\n"
        "from visualizer.support.log import log, start_log\n"
        "start_log(); start_log()\n"
        "log.info('before')\n"
        "kept = os.dup(2); os.dup2(os.open(os.devnull, os.O_WRONLY), 2)\n"
        "log.info('meanwhile')\n"
        "os.dup2(kept, 2)\n"
        "log.info('after')"
    )
    assert done.returncode == 0
    assert done.stderr.split() == ["before", "meanwhile", "after"]


def test_what_was_tried_is_only_for_the_curious() -> None:
    done = run(
        "import logging, sys\n"
        "from visualizer.support.log import aside, log, say_more, start_log\n"
        "start_log()\n"
        "pack = logging.getLogger('visualizer.dancer.pack')\n"
        "pack.info('quiet'); pack.warning('loud'); log.debug('quiet'); aside.error('for-the-file')\n"
        "say_more()\n"
        "pack.info('asked-for'); log.debug('too'); aside.error('for-the-file')"
    )
    assert done.returncode == 0
    assert done.stderr.split() == ["loud", "asked-for", "too"]


def test_no_console_is_no_error() -> None:
    done = run(
        "import sys; sys.stderr = None\nfrom visualizer.support.log import log, start_log\nstart_log(); log.info('x')"
    )
    assert done.returncode == 0


# --- the file ------------------------------------------------------------------------------------------------------

KEEPING = """
import sys, threading, warnings, logging
from pathlib import Path
from visualizer.support.log import aside, log, log_file, start_log
start_log()
with log_file(["--look", "paper"], Path(sys.argv[1])) as file:
"""


def test_the_file_says_more_than_the_terminal(tmp_path: Path) -> None:
    done = run(
        KEEPING + "    log.info('toast: hello'); log.debug('a device'); aside.info('figures')\n"
        "    logging.getLogger('visualizer.dancer.pack').info('cuda was tried')\n"
        "    warnings.warn('old ways')\n"
        "    try: 1 / 0\n"
        "    except ZeroDivisionError: log.warning('that failed', exc_info=True)\n"
        "    part = threading.Thread(target=lambda: {}['key'], name='ear'); part.start(); part.join()\n",
        str(tmp_path / "a" / "log"),
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "toast: hello",
        "that failed",
        "the part 'ear' has failed and all else goes on: KeyError: 'key' (<string>:12)",
    ]
    text = (tmp_path / "a" / "log" / NAME).read_text()
    stamps = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (?:INFO|DEBUG|WARNING|ERROR) (.*)", text, re.MULTILINE)
    assert re.fullmatch(r"--- begins: visualizer --look paper, process \d+", stamps[0])
    assert re.match(r"visualizer \S+, python 3\.\S+, system .*numpy .*\d+ cores$", stamps[1])
    assert stamps[2:6] == ["toast: hello", "a device", "figures", "cuda was tried"]
    assert stamps[6].startswith("UserWarning: old ways")
    assert stamps[7:9] == [
        "that failed",
        "the part 'ear' has failed and all else goes on: KeyError: 'key' (<string>:12)",
    ]
    assert re.fullmatch(r"--- ends after \d+\.\d s", stamps[9])
    assert text.count("Traceback") == 2
    assert "ZeroDivisionError: division by zero" in text


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log as the program has it; no names hidden by other tests."""
    monkeypatch.setattr(privacy, "_hidden", {})
    monkeypatch.setattr(privacy, "_hidden_folders", {})
    level = log_module.log.level
    log_module.log.setLevel(logging.DEBUG)
    yield
    log_module.log.setLevel(level)


@pytest.mark.usefixtures("alone")
def test_files_rotate_and_never_grow_beyond_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LARGEST", 4000)
    file = LogFile(tmp_path)
    log_module.log.addHandler(file)
    for k in range(400):
        log_module.aside.info("line %d of a long night", k)
    file.close()
    log_module.log.removeHandler(file)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [NAME, *(f"{NAME}.{k}" for k in range(1, FILES))]
    assert all(path.stat().st_size <= 4000 for path in files)
    assert files[0].read_text().splitlines()[-1].endswith("line 399 of a long night")
    together = "".join(path.read_text() for path in reversed(files))
    numbers = [int(number) for number in re.findall(r"line (\d+) of", together)]
    assert numbers == list(range(numbers[0], 400))


def test_a_folder_that_cannot_be_written_is_said_once_and_all_goes_on(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where a folder should be")
    done = run(
        KEEPING + "    log.info('one'); file.flush(); log.info('two'); aside.info('x')", str(tmp_path / "state" / "log")
    )
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0] == "one"
    assert re.fullmatch(rf"no log is kept: {tmp_path}/state/log/{NAME} cannot be written \(Not a directory\)", lines[1])
    assert lines[2] == "two"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="skipped: /dev/full missing")
def test_a_full_disk_is_said_once_and_all_goes_on(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to("/dev/full")
    done = run(KEEPING + "    log.info('one'); file.flush(); log.info('two'); log.info('three')", str(tmp_path))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert [line for line in lines if "no log is kept" not in line] == ["one", "two", "three"]
    assert len(lines) == 4
    assert "No space left on device" in lines[1]


def test_what_a_crash_in_a_driver_leaves_is_in_the_next_log(tmp_path: Path) -> None:
    done = run(KEEPING + "    import ctypes\n    ctypes.string_at(0)", str(tmp_path))
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr == ""
    assert "Segmentation fault" in (tmp_path / CRASH).read_text()
    for _ in range(2):  # and only in the next
        done = run(KEEPING + "    log.info('on again')", str(tmp_path))
        assert (done.returncode, done.stderr) == (0, "on again\n")
        assert (tmp_path / CRASH).read_text() == ""
    text = (tmp_path / NAME).read_text()
    assert text.count("an earlier show crashed and left this:\n    Fatal Python error: Segmentation fault") == 1
    assert "string_at" in text


@pytest.mark.usefixtures("alone")
def test_the_file_knows_no_songs(tmp_path: Path) -> None:
    words = ["--audio", "/music/My Wife's Secret (live).MP3", "--pack", "models/mine", "film", "-o", "our party.mp4"]
    with log_file(words, tmp_path):
        log_module.aside.info("toast: listening ahead to My Wife's Secret (live).MP3")
        log_module.aside.info("My Wife's Secret (live) is over; film: our party.mp4")
        tell_settings(Settings(audio="~/Lieder/geheim", look="paper", from_file=frozenset({"look"})))
        log_module.aside.info("geheim: cannot be read")
    text = (tmp_path / NAME).read_text()
    for secret in ("Secret", "Wife", "our party", "geheim", "Lieder", "/music"):
        assert secret not in text
    alias = alias_of("My Wife's Secret (live).MP3")
    assert re.fullmatch(r"file-[0-9a-f]{8}\.mp3", alias)
    assert text.count(Path(alias).stem) == 3
    assert "models/mine" not in text  # whoever gave the pack its name
    assert "--pack file-" in text
    assert f"settings: look paper, audio {alias_of('geheim')}, from_file ['look']" in text


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "words",
    [["--audio=OurSong"], ["film", "OurSong", "-o", "a.mp4"], ["film", "-o", "a.mp4", "--force", "there/OurSong"]],
)
def test_a_song_without_an_end_is_hidden_too(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "OurSong").touch()
    with log_file([*words, "--style", "house"], tmp_path):
        log_module.aside.info("OurSong: no such song")
    text = (tmp_path / NAME).read_text()
    assert "OurSong" not in text
    assert "--style house" in text


@pytest.mark.usefixtures("alone")
def test_only_whole_words_are_hidden() -> None:
    hide("tango.mp3")
    hide("in.mp3")
    alias = alias_of("tango.mp3")
    assert without_songs("tango.mp3, tangos, in tango") == f"{alias}, tangos, in {Path(alias).stem}"
    assert without_songs("--audio none") == "--audio none"
    hide("")
    hide("~nobody-of-that-name/x.mp3")  # no error
    assert alias_of("a.mp3") != alias_of("b.mp3")


@pytest.mark.usefixtures("alone")
def test_sources_that_are_no_songs_keep_their_names(tmp_path: Path) -> None:
    with log_file(["--audio", "mic:USB", "--audio=auto"], tmp_path):
        tell_settings(Settings(audio="loopback"))
    text = (tmp_path / NAME).read_text()
    assert "visualizer --audio mic:USB --audio=auto" in text
    assert "settings: audio loopback" in text
