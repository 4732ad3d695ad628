"""What is handed out: the source archive, the wheel that it builds, and that wheel at work outside the checkout."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import av
import pytest

from tests.support.needs import needs_program
from visualizer import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the source archive, and the wheel that was made out of that archive."""
    pytest.importorskip("build", reason="skipped: build missing")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def tracked(*folders: str) -> list[str]:
    """Files below these folders, as the checkout has them."""
    return [
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


@pytest.mark.slow
def test_the_wheel_holds_both_packages_whole(names: set[str]) -> None:
    there = tracked("visualizer", "training")
    assert {"visualizer/py.typed", "training/py.typed", "visualizer/stage/looks/neon.toml"} <= set(there)
    assert set(there) <= names


@pytest.mark.slow
def test_the_wheel_holds_packs_and_assets(names: set[str]) -> None:
    packs = [f"visualizer/_{name}" for name in tracked("models")]
    assert {"visualizer/_models/default/pack.json", "visualizer/_models/ear/ear.onnx"} <= set(packs)
    assert set(packs) <= names
    assets = {"DejaVuSans.ttf", "DejaVuSansCondensed-Bold.ttf", "DejaVuSans-LICENSE.txt", "icon.png", "own_music.ogg"}
    assert {f"visualizer/_assets/{name}" for name in assets} <= names
    assert "visualizer/_NOTICE" in names
    assert sum(name.endswith("/licenses/NOTICE") or name.endswith("/licenses/LICENSE") for name in names) == 2


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert tops == {
        "visualizer", "training", f"dancing_screen-{__version__}.dist-info", f"dancing_screen-{__version__}.data",
    }  # fmt: skip
    assert [name for name in names if "test" in name.lower() or name.endswith((".pyc", ".ckpt", ".mp4"))] == []


def test_the_desktop_finds_program_and_icon(wheel: Path, names: set[str]) -> None:
    share = f"dancing_screen-{__version__}.data/data/share"
    entry = f"{share}/applications/dancing-screen.desktop"
    icon = f"{share}/icons/hicolor/128x128/apps/dancing-screen.png"
    assert {entry, icon} <= names
    with zipfile.ZipFile(wheel) as archive:
        desktop = configparser.ConfigParser(interpolation=None)
        desktop.read_string(archive.read(entry).decode())
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(f"dancing_screen-{__version__}.dist-info/entry_points.txt").decode())
        width, height = (int.from_bytes(archive.read(icon)[at : at + 4]) for at in (16, 20))
    assert (width, height) == (128, 128)
    assert dict(scripts["console_scripts"]) == {"visualizer": "visualizer.cli:main"}
    about = desktop["Desktop Entry"]
    assert about["exec"].split()[0] == about["tryexec"] == "visualizer"
    assert about["icon"] == Path(icon).stem


def test_the_desktop_entry_is_valid() -> None:
    needs_program("desktop-file-validate")
    entry = ROOT / "assets" / "dancing-screen.desktop"
    done = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_source_archive_holds_what_a_build_and_a_reader_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    top = f"dancing_screen-{__version__}/"
    with tarfile.open(archive) as tar:
        found = {name.removeprefix(top) for name in tar.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "SECURITY.md", "constraints.txt",
              "mkdocs.yml", "assets/make_music.py", "assets/dancing-screen.desktop",
              "docs/pictures/dance.webp"}  # fmt: skip
    assert needed | set(tracked("visualizer", "training", "models", "tests", "bench", "examples")) <= found
    assert [name for name in found if name.startswith((".git/", ".ci/", ".venv/", "runs/", "build/"))] == []


@pytest.mark.slow
def test_the_wheel_dances_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=60)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, timeout=120)
    # What it depends on is borrowed from the environment of the tests.
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    library = Path(subprocess.run(ask, check=True, capture_output=True, text=True, timeout=30).stdout.strip())
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (library / "borrowed.pth").write_text("\n".join(borrowed))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def visualizer(*words: str) -> str:
        done = subprocess.run([python.parent / "visualizer", *words], capture_output=True, text=True, timeout=180,
                              cwd=elsewhere, env=env)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = [python, "-c", "import visualizer; print(visualizer.__file__)"]
    said = subprocess.run(where, check=True, capture_output=True, text=True, timeout=60, cwd=elsewhere, env=env).stdout
    assert Path(said.strip()).is_relative_to(home)
    assert visualizer("--version") == f"visualizer {__version__}\n"
    assert "jack" in visualizer("dances")
    visualizer("film", "-o", "dance.mp4", "--seconds", "1", "--size", "320x180")
    with av.open(str(elsewhere / "dance.mp4")) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
    assert (home / "share" / "applications" / "dancing-screen.desktop").is_file()


# --- dependencies ----------------------------------------------------------------------------------------------------


def test_everything_that_is_asked_for_has_a_version_that_was_tested() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines: list[str] = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        lines += extra
    pins = [line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    versions = {canonicalize_name(name): version for name, version in pins}
    asked = [need for line in lines if not (need := Requirement(line)).marker or need.marker.evaluate()]
    others = [need for need in asked if need.name != "dancing-screen"]  # our own extras, which ask for one another
    assert len(others) > 20
    assert [str(need) for need in others if canonicalize_name(need.name) not in versions] == []
    assert [str(need) for need in others if versions[canonicalize_name(need.name)] not in need.specifier] == []


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    path = ROOT / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "code", "says"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 packages, 0 to be raised"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}], 1, "a 1: X-1, mended in 2"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": []}]}], 0, "X-1, not mended yet"),
        ([{"name": "a", "skip_reason": "not found"}], 0, "NOT DONE"),
    ],
)
def test_the_audit_fails_for_what_can_be_mended(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, object]], code: int, says: str,
) -> None:  # fmt: skip
    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 0, json.dumps({"dependencies": packages}), "")

    monkeypatch.setattr(audit, "run", run)
    assert audit.main() == code
    assert says in capsys.readouterr().out


def test_the_audit_says_so_where_there_is_no_network(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 1, "", "much ado\nno route to host\n")

    monkeypatch.setattr(audit, "run", run)
    assert audit.main() == 0
    assert capsys.readouterr().out == "audit: NOT DONE: pip-audit cannot be installed (no route to host)\n"
