"""What the README and the pages say of keys, options and commands is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from visualizer.options import Settings, options_of
from visualizer.remote.keys import KEYS
from visualizer.values import Choice, Number, Temperature

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_is_in_the_table_and_no_other(hooks: ModuleType) -> None:
    def labels_of(text: str) -> list[list[str]]:
        return [row.split("|")[1].replace("`", "").split() for row in text.splitlines() if row.startswith("| ")]

    labels = [label for key in KEYS for label in key.label.split()]
    made = [label for row in labels_of(hooks.keys()) for label in row if label not in ("key", "---")]
    assert sorted(made) == sorted(labels)
    told = [label for row in labels_of(page("keys"))[2:] for label in row]
    assert len(told) >= 20
    assert set(told) <= set(labels)


@pytest.mark.parametrize("words", [[], ["film"]])
def test_every_option_is_explained_and_exists(words: list[str]) -> None:
    command = [sys.executable, "-m", "visualizer", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    exist = set(re.findall(r"--[a-z]+", done.stdout)) - {"--help", "--version"}
    assert exist
    text = page("film") + page("options") if words else page("options")
    assert exist - {"--out"} <= set(re.findall(r"--[a-z]+", text))
    if not words:
        assert set(re.findall(r"--[a-z]+", text)) - {"--formation"} <= exist  # an old name, and said to be one


def test_ranges_and_words_are_those_of_the_table() -> None:
    """What the page says that an option takes is what the program takes."""
    rows = [row.split("|")[1:3] for row in page("options").splitlines() if row.startswith("| `--")]
    told = 0
    for name, option in options_of(Settings).items():
        text = next((row[1] for row in rows if f"`{option.flag} " in row[0] or f"`{option.flag}`" in row[0]), None)
        if text is None or name == "seed":
            continue
        if isinstance(option.kind, Number | Temperature):
            told += 1
            ends = [f"{end:g}" for end in (option.kind.least, option.kind.most)]
            assert all(re.search(rf"(?<![\d.]){re.escape(end)}(?![\d.]\d)", text) for end in ends), name
        elif isinstance(option.kind, Choice):
            told += 1
            assert all(f"`{word}`" in text for word in option.kind.names), name
    assert told >= 7


def test_every_module_named_is_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"))]
    names = {name for text in texts for name in re.findall(r"python -m ((?:bench|training)[\w.]*)", text)}
    assert len(names) >= 14
    assert [name for name in sorted(names) if importlib.util.find_spec(name) is None] == []


def test_the_readme_is_short_and_its_animation_is_light() -> None:
    assert len(README.splitlines()) <= 120
    first = re.search(r"!\[.+?\]\((.+?)\)", README)
    assert first
    animation = (ROOT / first[1]).read_bytes()
    assert README[: first.start()].count("\n") < 10  # on the first screen
    assert b"ANMF" in animation  # a frame of an animated WebP
    assert len(animation) < 3_000_000


def test_every_picture_and_page_that_the_readme_names_is_there() -> None:
    links = set(re.findall(r"\]\(((?!https?:)[^)]+)\)", README))
    assert len(links) >= 10
    assert [link for link in sorted(links) if not (ROOT / link.partition("#")[0]).exists()] == []
    for path, _, part in (link.partition("#") for link in links if "#" in link):
        titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert part in {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}


def test_the_map_is_short_and_leads_to_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    entries = re.findall(r"^### (.+?)\n\n(.+?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert len(entries) >= 6
    assert [title for title, entry in entries if len(entry.splitlines()) > 5] == []
    paths = set(re.findall(r"\b(?:visualizer|training|tests|docs|bench)/[\w./]*\w/?", text))
    assert len(paths) > 25
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_how_to_install_and_start_is_on_the_first_screen() -> None:
    command = re.search(r"^```sh\n(.+?)\n```", README, re.MULTILINE | re.DOTALL)
    assert command
    assert command[1].endswith(".venv/bin/visualizer")
    assert README[: command.start()].count("\n") < 10


def test_the_test_command_is_the_one_that_is_run_for_every_change() -> None:
    marked = re.search(r"<!-- the test command -->\n```sh\n(.+?)\n```", README, re.DOTALL)
    assert marked
    assert marked[1].endswith(".venv/bin/python -m pytest")
    assert "<!-- the test command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
