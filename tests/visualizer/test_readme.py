"""What the README says of keys, options and commands is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer.options import Settings, options_of
from visualizer.remote.keys import KEYS
from visualizer.values import Choice, Number, Temperature

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_every_key_is_in_the_table_and_no_other() -> None:
    rows = [row.split("|")[1].split() for row in section("Keys").splitlines() if row.startswith("| ")][2:]
    labels = [label for key in KEYS for label in key.label.split()]
    assert sorted(label for row in rows for label in row) == sorted(labels)


@pytest.mark.parametrize("words", [[], ["film"]])
def test_every_option_is_explained_and_exists(words: list[str]) -> None:
    command = [sys.executable, "-m", "visualizer", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    exist = set(re.findall(r"--[a-z]+", done.stdout)) - {"--help", "--version"}
    assert exist
    text = section("A film") + section("Options") if words else section("Options")
    assert exist - {"--out"} <= set(re.findall(r"--[a-z]+", text))
    if not words:
        assert set(re.findall(r"--[a-z]+", text)) <= exist


def test_ranges_and_words_are_those_of_the_table() -> None:
    """What the README says that an option takes is what the program takes."""
    rows = [row.split("|")[1:3] for row in section("Options").splitlines() if row.startswith("| `--")]
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
    names = set(re.findall(r"python -m ((?:bench|training)[\w.]*)", README))
    assert len(names) >= 4
    assert [name for name in sorted(names) if importlib.util.find_spec(name) is None] == []


def test_the_test_command_is_the_one_that_is_run_for_every_change() -> None:
    marked = re.search(r"<!-- the test command -->\n```sh\n(.+?)\n```", README, re.DOTALL)
    assert marked
    assert marked[1].endswith(".venv/bin/python -m pytest")
    assert "<!-- the test command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
