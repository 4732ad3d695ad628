"""`--help` of every command says what it is for, shows it at work, and names files and exit codes."""

from __future__ import annotations

import re
import shlex

import pytest

from training.cli import app as training
from visualizer.cli import app as visualizer
from visualizer.manual import Page, helps, text_of

HELP = {**helps(visualizer, "visualizer"), **helps(training, "python -m training")}


def test_every_command_is_found() -> None:
    assert {"visualizer", "visualizer film", "visualizer packs add", "python -m training fit"} <= set(HELP)


@pytest.mark.parametrize("name", HELP)
def test_a_command_has_purpose_options_examples_and_exit_codes(name: str) -> None:
    text = HELP[name]
    usage, purpose = text.split("\n\n")[:2]
    assert usage.startswith(f"Usage: {name} ")
    assert len(purpose.split()) >= 4
    assert "\nOptions:\n" in text
    assert re.search(r"Exit codes:\n +0 .*\n(?: +1 .*\n)? +2 ", text), "no page in manual.py"


@pytest.mark.parametrize("name", HELP)
def test_examples_are_of_this_command_and_its_own_options(name: str) -> None:
    found = re.search(r"Examples:\n(.*?)\n\n", HELP[name], re.DOTALL)
    assert found
    examples = re.findall(rf"^ +({re.escape(name.split(' ')[0])} .*?|{name})(?:  .*)?$", found[1], re.MULTILINE)
    assert examples
    for example in examples:
        assert example == name or example.startswith(f"{name} ")
        below = next((n for n in sorted(HELP, key=len, reverse=True) if f"{example} ".startswith(f"{n} ")), name)
        known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", HELP[below].split("Options:")[1].split("Examples:")[0]))
        used = {word for word in shlex.split(example[len(below) :]) if word.startswith("-")}
        assert used <= known, example


@pytest.mark.parametrize("name", HELP)
def test_help_fits_a_terminal(name: str) -> None:
    narrow = {**helps(visualizer, "visualizer", 80), **helps(training, "python -m training", 80)}[name]
    assert max(map(len, narrow.splitlines())) <= 92


def test_long_examples_are_explained_on_a_line_of_their_own() -> None:
    text = text_of(Page((("x " * 30, "long"), ("x", "short"))))
    assert "x x\n      long" in text.replace(" \n", "\n")
