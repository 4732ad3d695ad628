"""The tree for Linux: program, desktop entry, icon, metadata and manual pages; the .deb made of it."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import needs_program
from tests.support.recipes import load_recipe
from visualizer import __version__

linux = load_recipe("linux")
manifests = load_recipe("manifests")
man = load_recipe("man")
TABLE = linux.read_table()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A stand-in for what PyInstaller makes: a program that says a word, and a library with wrong rights."""
    folder = tmp_path / "bundle"
    (folder / "_internal").mkdir(parents=True)
    program = folder / "visualizer"
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o700)
    (folder / "_internal" / "library.so.1").write_text("x")
    (folder / "_internal" / "library.so.1").chmod(0o777)
    return folder


def test_the_tree_starts_by_its_link_and_holds_what_a_desktop_asks_for(bundle: Path, tmp_path: Path) -> None:
    usr = tmp_path / "tree" / "usr"
    linux.lay_out(TABLE, bundle, usr)
    said = subprocess.run([usr / "bin" / "visualizer"], capture_output=True, text=True, timeout=30, check=True).stdout
    assert said == "here\n"
    assert (usr / "share" / "applications" / "dancing-screen.desktop").is_file()
    assert (usr / "share" / "metainfo" / f"{TABLE.program['id']}.metainfo.xml").is_file()
    page = gzip.decompress((usr / "share" / "man" / "man1" / "visualizer-film.1.gz").read_bytes()).decode()
    assert page.startswith(f'.TH VISUALIZER-FILM 1 "" "visualizer {__version__}"')
    flatpak = json.loads(manifests.write_flatpak(TABLE, None))["modules"][0]["build-commands"]
    for name in re.findall(r"deb/(usr/\S+)", " ".join(flatpak)):
        assert (tmp_path / "tree" / name).exists(), name


def test_the_deb_says_what_the_table_says(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_program("dpkg-deb")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    monkeypatch.setattr(linux.platform, "machine", lambda: "x86_64")
    path = linux.build_deb(TABLE, bundle, tmp_path / "work", tmp_path)
    assert path.name == f"dancing-screen_{__version__}_amd64.deb"

    def ask(*words: str) -> str:
        return subprocess.run(["dpkg-deb", *words, path], capture_output=True, text=True, timeout=60, check=True).stdout

    fields = dict(line.split(": ", 1) for line in ask("--field").splitlines() if re.match(r"[A-Z]", line))
    assert fields["Version"] == __version__
    assert fields["Depends"].split(", ") == TABLE.debian["depends"]
    listed = ask("--contents")
    assert re.search(r"^-rwxr-xr-x root/root .* \./usr/lib/dancing-screen/visualizer$", listed, re.MULTILINE)
    assert re.search(r"^-rw-r--r-- root/root .* 2027-01-15 .*library\.so\.1$", listed, re.MULTILINE)


def test_each_command_has_a_manual_page_that_roff_takes_word_for_word(tmp_path: Path) -> None:
    written = {path.stem for path in man.write_pages(tmp_path)}
    assert {"visualizer", "visualizer-film", "visualizer-packs-add"} <= written
    assert man.escape(".so x\n'y --z \\n") == "\\&.so x\n\\&'y \\-\\-z \\en"


def test_a_machine_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux.platform, "machine", lambda: "m68k")
    with pytest.raises(SystemExit, match="no row for linux-m68k"):
        linux.find_bundle(TABLE)
