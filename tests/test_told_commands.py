"""Every command line in the README and on the pages is one that the programs take: its words and options exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from training.cli import app as training
from visualizer.cli import app as visualizer

ROOT = Path(__file__).resolve().parents[1]
# The change log tells of old names too.
PAGES = (*(p for p in sorted(ROOT.glob("*.md")) if p.name != "CHANGELOG.md"), *sorted((ROOT / "docs").glob("*.md")))
BEGINS = re.compile(r"^(?:.*\|\s*)?(?:\.venv/bin/)?(visualizer|python -m (?:training|bench)[\w.]*)\b(?!/)")
PLACEHOLDERS = re.compile(r"[…’]|\[|\]")


def told_commands() -> list[str]:
    """Command lines in blocks of shell and in inline code, comments taken off, options without a program left out."""
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += [" ".join(code.split()) for code in re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", text)]
        for line in lines:
            words = re.split(r"\s#\s", line)[0].rpartition("&&")[2].strip()
            if BEGINS.match(words):
                found.add(words)
    return sorted(found)


def options_of(command: Any) -> set[str]:
    return {"--help"} | {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


def check_words(program: Any, words: list[str]) -> None:
    command = program
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if getattr(command, "commands", {}) and words and not words[0].startswith("-"):
        raise AssertionError(f"no command '{words[0]}'")
    unknown = [word for word in words if word.startswith("-") and word != "-" and word not in options_of(command)]
    assert unknown == []


def check_module(name: str, words: list[str]) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None, name
    if spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{name}.__main__")
    assert spec is not None, name
    assert spec.origin
    source = Path(spec.origin).read_text(encoding="utf-8")
    for word in (word for word in words if word.startswith("--")):
        declared = f'"{word}"' in source or re.search(rf"\b{word[2:].replace('-', '_')}: ", source)
        assert declared, f"{name} has no {word}"


def test_many_command_lines_are_told() -> None:
    told = told_commands()
    assert len(told) > 50
    assert any(line.startswith("python -m bench.") for line in told)
    assert any("visualizer film" in line for line in told)


@pytest.mark.parametrize("line", told_commands())
def test_a_command_line_that_is_told_is_one_that_is_taken(line: str) -> None:
    found = BEGINS.match(line)
    assert found
    program, rest = found[1], PLACEHOLDERS.sub(" ", line[found.end() :])
    words = [word.partition("=")[0] for word in shlex.split(re.split(r"\s[>&<|]", f" {rest}")[0])]
    if program == "visualizer":
        check_words(typer.main.get_command(visualizer), words)
    elif program == "python -m training":
        check_words(typer.main.get_command(training), words)
    else:
        check_module(program.removeprefix("python -m "), words)


@pytest.mark.parametrize(
    "words", [["flim"], ["film", "--sise", "1x1"], ["--loop"], ["packs", "ad", "x.zip"], ["film", "-x"]]
)
def test_what_does_not_exist_is_noticed(words: list[str]) -> None:
    with pytest.raises(AssertionError):
        check_words(typer.main.get_command(visualizer), words)


def test_an_option_that_a_module_lacks_is_noticed() -> None:
    with pytest.raises(AssertionError, match="has no --nothing"):
        check_module("bench.frames", ["--nothing"])
