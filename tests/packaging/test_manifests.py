"""Manifests say what the table, pyproject.toml and the files to be attached say."""

from __future__ import annotations

import hashlib
import json
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.recipes import load_recipe
from tests.support.repository import REPOSITORY
from visualizer import __version__

manifests = load_recipe("manifests")
TABLE = manifests.read_table()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small stand-in for each file of a release."""
    folder = tmp_path_factory.mktemp("files")
    for bundle in TABLE.bundles:
        for name in TABLE.files(bundle):
            (folder / name).write_text(name)
    return folder


@pytest.fixture(scope="module")
def written(attached: Path) -> dict[str, str]:
    return manifests.write_all(TABLE, attached, "2026-12-24")


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def test_the_table_agrees_with_the_program() -> None:
    assert TABLE.version == __version__
    assert TABLE.program["package"] == PROJECT["name"]
    assert TABLE.program["command"] in PROJECT["scripts"]
    assert (TABLE.summary, TABLE.licence) == (PROJECT["description"], PROJECT["license"])
    for bundle in TABLE.bundles:
        assert all(__version__ in name for name in TABLE.files(bundle))


def test_the_workflow_builds_each_row_of_the_table_and_no_other() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    rows = yaml.safe_load(text)["jobs"]["bundle"]["strategy"]["matrix"]["include"]
    assert {row["name"]: row["runner"] for row in rows} == {n: row["runner"] for n, row in TABLE.bundles.items()}


def test_software_centres_are_told_what_is_true(written: dict[str, str]) -> None:
    root = ET.fromstring(written[f"{TABLE.program['id']}.metainfo.xml"])
    assert root.findtext("id") == TABLE.program["id"]
    assert root.findtext("summary") == PROJECT["description"]
    assert root.findtext("project_license") == PROJECT["license"]
    assert root.findtext("provides/binary") == TABLE.program["command"]
    release = root.find("releases/release")
    assert release is not None
    assert release.attrib == {"version": __version__, "date": "2026-12-24"}
    launchable = root.findtext("launchable")
    assert launchable == "dancing-screen.desktop"
    desktop = (REPOSITORY / "assets" / launchable).read_text(encoding="utf-8")
    assert f"Icon={root.findtext('icon')}\n" in desktop


def test_winget_gets_the_archive_for_windows(written: dict[str, str]) -> None:
    read: list[dict[str, Any]] = [yaml.safe_load(text) for name, text in written.items() if name.startswith("winget/")]
    assert {each["ManifestType"] for each in read} == {"version", "installer", "defaultLocale"}
    assert {(each["PackageIdentifier"], each["PackageVersion"]) for each in read} == {
        (TABLE.program["winget"], __version__)
    }
    installer = next(each for each in read if each["ManifestType"] == "installer")
    (file,) = TABLE.files("windows-x86_64")
    assert installer["Installers"] == [
        {"Architecture": "x64", "InstallerUrl": TABLE.url(file), "InstallerSha256": digest(file).upper()}
    ]
    assert installer["NestedInstallerFiles"] == [
        {"RelativeFilePath": "visualizer\\visualizer.exe", "PortableCommandAlias": "visualizer"}
    ]


def test_homebrew_gets_the_archive_for_macos(written: dict[str, str]) -> None:
    cask = written["homebrew/dancing-screen.rb"]
    (file,) = TABLE.files("macos-arm64")
    assert f'sha256 "{digest(file)}"' in cask
    assert f'url "{TABLE.url(file)}"'.replace(__version__, "#{version}") in cask
    assert 'binary "visualizer/visualizer"' in cask
    assert cask.count("do\n") == cask.count("\nend\n") == 1


def test_flatpak_asks_for_no_network_and_takes_what_the_deb_holds(written: dict[str, str]) -> None:
    read = json.loads(written[f"flatpak/{TABLE.program['id']}.json"])
    assert read["id"] == TABLE.program["id"]
    assert [word for word in read["finish-args"] if "network" in word or word == "--filesystem=home"] == []
    (module,) = read["modules"]
    for source in module["sources"]:
        file = source["url"].rpartition("/")[2]
        assert file.endswith(".deb")
        assert source["sha256"] == digest(file)
    assert {arch for source in module["sources"] for arch in source["only-arches"]} == {"x86_64", "aarch64"}


def test_a_file_that_was_not_built_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        manifests.write_all(TABLE, tmp_path, "2026-12-24")
