"""The command line of training: what cannot be done is one line and leaves nothing, and Ctrl-C is told true."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_clips import FPS, dance_motion, write_clips
from tests.support.repository import REPOSITORY
from training import cli, folders
from training.data import dataset
from training.data.choreography import DANCES
from training.data.footage.made import CONDITIONS, Shot, at_rate, film
from training.export import write_info
from training.folders import check_folder, claimed
from training.manual import PAGES
from visualizer import paths
from visualizer.dancer.pack import read_info
from visualizer.errors import UserError

Say = Callable[..., str]
LONG = "n" * 300


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is run: empty but for a file."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "afile").write_text("mine")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Say:
    """Runs the command line in this process; what it says on its way out with code 2, which is one line."""

    def run(*words: str | Path, code: int = 2) -> str:
        monkeypatch.setattr(sys, "argv", ["training", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr().err
        assert left.value.code == code, said
        assert len(said.strip().splitlines()) == 1, said
        return said

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips in `clips` and a film before a blue screen, `me.mp4`."""
    folder = tmp_path_factory.mktemp("given")
    write_clips(folder / "clips", [("house_1", "house", dance_motion("jack", 120, 24)[0])])
    positions, _ = dance_motion("two-step sway", 110, 16)
    film(Shot(at_rate(positions, FPS, 8, 4), 8, "blue", CONDITIONS["clean"], (426, 240)), folder / "me.mp4")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


# --- one line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit",), "Missing option '--out'"),
        (("footage", "x.mp4", "--out", "y", "--jobs", "0"), "Invalid value for '--jobs'"),
        (("dance",), "No such command 'dance'"),
        (("fit", "--out", "q", "--steps", "3"), "No such option"),
        (("evaluate",), "Missing argument"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(refused: Say, words: tuple[str, ...], said: str) -> None:
    assert refused(*words).startswith(f"error: {said}")


def test_whoever_asks_nothing_is_told_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["training"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "\n  new-dancer " in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "--out", "q", "--tiny", "--work", "afile"),
        ("fit", "--out", "q", "--tiny", "--work", "afile/inside"),
        ("fit", "--out", "afile/q", "--tiny"),
        ("fit", "--out", LONG, "--tiny"),
        ("fit", "--out", "q", "--tiny", "--work", LONG),
        ("fit", "--out", "q", "--motion", LONG),
        ("evaluate", LONG),
        ("evaluate", paths.models() / "default", "--work", "afile"),
        ("evaluate", paths.models() / "default", "--sheets", "afile"),
        ("evaluate", paths.models() / "default", "--work", LONG),
        ("compare", "--motion", "{clips}", "--work", "afile"),
        ("compare", "--motion", "{clips}", "--out", "afile"),
        ("compare", "--motion", "{clips}", "--out", LONG),
        ("beats", "--motion", "{clips}", "--plots", "afile"),
        ("beats", "--motion", "{clips}", "--plots", LONG),
        ("beats", "--motion", LONG),
        ("motion", "{clips}/house_1.npz", "--out", "afile"),
        ("motion", "{clips}/house_1.npz", "--out", "afile/inside"),
        ("motion", "{clips}/house_1.npz", "--out", LONG),
        ("motion", LONG, "--out", "clips"),
        ("ear", "--out", "afile", "--tiny"),
        ("ear", "--out", LONG, "--tiny"),
        ("ear", "--out", "q", "--work", "afile", "--tiny"),
        ("footage", "{film}", "--out", "afile"),
        ("footage", "{film}", "--out", "afile/inside"),
        ("footage", "{film}", "--out", LONG),
        ("footage", LONG, "--out", "frames"),
        ("new-dancer", "{film}", "--name", "anna", "--out", "afile/anna"),
        ("new-dancer", "{film}", "--name", "anna", "--out", LONG),
        ("new-dancer", "{film}", "--name", "anna", "--work", "afile"),
        ("new-dancer", LONG, "--name", "anna"),
    ],
)
def test_a_folder_that_cannot_be_is_said_before_anything_is_made(
    refused: Say, here: Path, made: Path, words: tuple[str | Path, ...]
) -> None:
    given = [str(w).format(clips=made / "clips", film=made / "me.mp4") for w in words]
    said = refused(*given)
    assert said.startswith("error: ")
    assert ("afile" if any("afile" in w for w in given) else "nnnn") in said
    assert names(here) == ["afile"]
    assert (here / "afile").read_text() == "mine"


def test_a_full_disk_is_said_and_a_fault_of_our_own_is_not_hidden(
    refused: Say, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.evaluate import beats

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "plots/x.png")

    def lost(*_: Any) -> None:
        raise FileNotFoundError(2, "No such file", "inside")

    monkeypatch.setattr(beats, "show_beats", full)
    assert refused("beats", "--motion", made / "clips") == "error: plots/x.png: No space left on device\n"
    monkeypatch.setattr(beats, "show_beats", lost)
    with pytest.raises(FileNotFoundError):
        cli.main()


# --- the command put right


@pytest.mark.slow
def test_a_mistake_in_fit_leaves_nothing_and_does_not_bar_the_way(
    refused: Say, here: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "typo: no index.json" in refused("fit", "--out", "q", "--tiny", "--motion", "typo")
    assert names(here) == ["afile"]

    def stop(*_: Any) -> None:
        raise UserError("it came so far")

    monkeypatch.setattr(dataset.choreography, "DANCES", DANCES[:1])
    monkeypatch.setattr("training.recipe.open_takes", stop)
    assert "so far" in refused("fit", "--out", "q", "--tiny", "--motion", made / "clips")
    assert (here / "runs" / "q" / "data.zarr").is_dir()
    assert "other settings" in refused("fit", "--out", "q", "--tiny", "--motion", made / "clips", "--seed", "8")
    assert "so far" in refused("fit", "--out", "q", "--tiny", "--motion", made / "clips")


def test_another_method_may_be_tried_for_a_new_dancer(
    refused: Say, here: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("new-dancer", made / "me.mp4", "--name", "ben", "--tiny", "--jobs", "1")
    assert "hardly any green" in refused(*words, "--key", "green")
    assert names(here) == ["afile"]

    def stop(*_: Any) -> None:
        raise UserError("it came so far")

    def extracted(places: list[Path], out: Path, *_: Any, **__: Any) -> None:
        out.mkdir()

    monkeypatch.setattr("training.finetune.extract_footage", extracted)
    monkeypatch.setattr("training.finetune.open_takes", stop)
    assert "so far" in refused(*words, "--key", "blue")
    assert "other settings" in refused(*words, "--method", "shadow")


@pytest.mark.parametrize("name", ["../anna", "a/b", "a\\b", "", ".", "..", "/anna", "con", "Anna", "a" * 37, LONG])
def test_what_cannot_be_a_packs_name_is_no_dancers(refused: Say, here: Path, made: Path, name: str) -> None:
    said = refused("new-dancer", made / "me.mp4", "--name", name, "--tiny")
    assert "name" in said
    assert names(here) == ["afile"]
    assert names(here.parent) == ["here", "here/afile"]


def test_compare_looks_at_what_it_is_given_before_it_makes_anything(refused: Say, here: Path, made: Path) -> None:
    where = ("--work", "w", "--out", "o", "--tiny")
    assert "nothere: no index.json" in refused("compare", "--motion", "nothere", *where)
    assert "nothere: no index.json" in refused("compare", "--motion", "nothere", *where, "--pack", "nopack")
    assert "nopack" in refused("compare", "--motion", made / "clips", *where, "--pack", "nopack")
    assert "held out" in refused("compare", "--motion", made / "clips", *where)  # one clip alone; and it found our pack
    assert "held out" in refused("compare", *where)
    assert names(here) == ["afile"]


# --- the mark of a run


def test_a_claim_goes_with_what_it_was_for(tmp_path: Path) -> None:
    work = tmp_path / "runs" / "q"
    for error in (UserError, KeyboardInterrupt):
        with pytest.raises(error), claimed(work, "recipe.json", {"seed": 1}):
            raise error(names(work))
        assert list(tmp_path.iterdir()) == []
    with claimed(work, "recipe.json", {"seed": 2}):
        (work / "data").write_text("made")
    with pytest.raises(UserError, match="other settings"), claimed(work, "recipe.json", {"seed": 1}):
        raise AssertionError
    with pytest.raises(KeyboardInterrupt), claimed(work, "recipe.json", {"seed": 2}):
        raise KeyboardInterrupt
    assert names(work) == ["data", "recipe.json"]


def test_a_claim_leaves_what_a_user_had_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for seed in (1, 2):
        with pytest.raises(UserError, match="typo"), claimed(tmp_path, "recipe.json", {"seed": seed}):
            raise UserError("typo")
        assert names(tmp_path) == ["notes.txt"]
    (tmp_path / "recipe.json").write_text("{mine")
    with pytest.raises(UserError, match="broken"), claimed(tmp_path, "recipe.json", {"seed": 1}):
        raise AssertionError
    assert (tmp_path / "recipe.json").read_text() == "{mine"


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_folder(tmp_path / "new" / "folder")
    check_folder(Path("new"))
    monkeypatch.setattr(folders.os, "access", lambda path, mode: path != tmp_path)  # as it is for all but root
    with pytest.raises(UserError, match="may not be written"):
        check_folder(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


# --- Ctrl-C


def test_each_command_has_a_word_for_ctrl_c() -> None:
    commands = {page.removeprefix("python -m training").strip() for page in PAGES} - {""}
    assert set(cli.STOPPED) == commands
    resumed = {c for c in commands if "goes on" in dict(PAGES[f"python -m training {c}"].codes)["130"]}
    assert resumed == {c for c, word in cli.STOPPED.items() if "goes on" in word}


# The command, and Ctrl-C to all of its terminal as soon as it writes or names a file with the first word in its path.
# To look for one that is not there yet does not count: its folder may not be there either.
PRESSED = """
import os, signal, sys
until, pressed = sys.argv.pop(1), []

def look(event, told):
    written = event == "os.rename" or event == "open" and told[2] & (os.O_WRONLY | os.O_RDWR)
    if written and not pressed and any(until in str(t) for t in told):
        pressed.append(event)
        os.killpg(0, signal.SIGINT)

sys.addaudithook(look)
from training.cli import main
main()
"""


def stopped(until: str, *words: str | Path) -> tuple[str, str]:
    """What a command says that is stopped by Ctrl-C then: on stdout and on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSED, until, *map(str, words)], capture_output=True, text=True, timeout=240,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
def test_fit_goes_on_from_where_ctrl_c_stopped_it(here: Path) -> None:
    words = ("fit", "--out", "q", "--tiny")
    word = f"stopped; {cli.STOPPED['fit']}\n"
    work = here / "runs" / "q"
    assert stopped("runs/q/data.zarr/00001", *words)[1] == word
    assert not dataset.begun(work / "data.zarr")["finished"]
    said, complaint = stopped("runs/q/seeing.", *words)
    assert complaint == word
    assert "drawing: step" in said
    assert (work / "drawing.ckpt").is_file()
    said, complaint = stopped("runs/q/autoencoder.", *words)
    assert complaint == word
    assert "autoencoder: step" in said
    assert "drawing: step" not in said


@pytest.mark.slow
def test_measure_begins_anew_what_ctrl_c_stopped(here: Path) -> None:
    shutil.copytree(paths.models() / "default", here / "default")
    info = read_info(here / "default")
    info["training"]["recipe"]["tiny"] = True  # its data are six dances
    write_info(here / "default", info)
    words = ("evaluate", "default")
    for until in ("00001", "00003"):
        assert stopped(f"runs/default/data.zarr/{until}", *words)[1] == f"stopped; {cli.STOPPED['evaluate']}\n"
    assert (here / "runs" / "default" / "data.zarr" / "00003").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [("training.choreography", "training.data.choreography"), ("training.taste", "training.genre")],
)
def test_a_module_that_was_moved_is_still_found_and_says_so(old: str, new: str) -> None:
    done = [
        subprocess.run(
            [sys.executable, "-m", name, "--help"], capture_output=True, text=True, timeout=120, cwd=REPOSITORY
        )
        for name in (old, new)
    ]
    assert [d.returncode for d in done] == [0, 0]
    assert done[0].stdout == done[1].stdout != ""
    assert done[0].stderr == f"note: this is now python -m {new}\n"


@pytest.mark.parametrize(("old", "new"), list(cli.RENAMED.items()))
def test_a_command_that_was_renamed_still_works_and_says_so(
    old: str, new: str, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert f"python -m training {old}" not in PAGES
    said = []
    for name in (old, new):
        monkeypatch.setattr(sys, "argv", ["training", name, str(here / "none")])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 2
        said.append(capfd.readouterr().err)
    assert said[0] == f"note: {old} is now {new}\n{said[1]}"
    assert "none" in said[1]
