"""The tests themselves: where they stand, and what they lean on."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY
from tests.support.workers import share_machine

TESTS = REPOSITORY / "tests"
MODULES = sorted(TESTS.rglob("*.py"))
PACKAGES = ("visualizer", "training", "bench")


def from_tests(source: str) -> Iterator[str]:
    """Modules of `tests` that a program imports, also those of programs that it starts out of a string."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.partition(".")[0] == "tests")
            case ast.ImportFrom(module=module, names=names, level=level):
                if level:
                    yield "a relative import"
                elif module and module.partition(".")[0] == "tests":
                    yield from (f"{module}.{name.name}" for name in names)
            case ast.Constant(value=str(text)) if "import" in text:
                try:
                    yield from from_tests(text)
                except SyntaxError:  # not a program
                    continue


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_only_support_is_imported(path: Path) -> None:
    """A test leans on helpers, never on another test: each file can be moved, split and run alone."""
    strangers = [name for name in from_tests(path.read_text(encoding="utf-8")) if not name.startswith("tests.support.")]
    assert strangers == []


def test_an_import_is_found_wherever_it_stands() -> None:
    """Put together here, so that this file itself leans on nothing."""
    name = "tests"
    program = f"import {name}.a\nfrom {name}.b import c\nfrom . import d\nCHILD = 'from {name}.e import f\\nprint(f)'\n"
    assert list(from_tests(program)) == ["tests.a", "tests.b.c", "a relative import", "tests.e.f"]
    assert list(from_tests("import testsuite\nfrom visualizer import show\nWORDS = 'import what you like'")) == []


def test_helpers_stand_in_support() -> None:
    for path in MODULES:
        helper = not path.name.startswith("test_") and path.name not in ("conftest.py", "__init__.py")
        assert helper == (path.parent == TESTS / "support" and path.name != "__init__.py"), path


TESTED = [path for path in MODULES if path.relative_to(TESTS).parts[0] in PACKAGES and path.name.startswith("test_")]


@pytest.mark.parametrize("path", TESTED, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_tests_mirror_the_packages(path: Path) -> None:
    """Each stands in the folder of what it tests, and `test_NAME.py` beside the module NAME if there is one."""
    here = REPOSITORY / path.relative_to(TESTS).parent
    assert here.is_dir()
    package = REPOSITORY / path.relative_to(TESTS).parts[0]
    name = path.stem.removeprefix("test_")
    places = {module.parent for module in package.rglob(f"{name}.py")}
    places |= {module.parent for module in package.rglob(f"{name}/__init__.py")}
    assert not places or here in places


def test_a_test_that_wants_to_be_alone_is(tmp_path: Path) -> None:
    """It begins when the other worker's test has ended, and the next of the other worker waits for it."""
    seen: list[str] = []
    leave = threading.Event()

    def begin(worker: int, alone: bool) -> threading.Thread:
        def run() -> None:
            with share_machine(tmp_path, worker, 2, alone):
                seen.append(f"{worker} begins")
                leave.wait(30)
                seen.append(f"{worker} ends")

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(0.2)  # time enough for what must not happen
        return thread

    with share_machine(tmp_path, 0, 2, alone=False):
        beside = begin(1, alone=False)
        leave.set()
        beside.join(30)
        assert seen == ["1 begins", "1 ends"]
    leave.clear()
    with share_machine(tmp_path, 0, 2, alone=False):
        alone = begin(1, alone=True)
        assert len(seen) == 2
    while alone.is_alive() and len(seen) < 3:
        alone.join(0.01)
    beside = begin(0, alone=False)
    assert seen[2:] == ["1 begins"]
    leave.set()
    for thread in (alone, beside):
        thread.join(30)
    assert seen[2:] == ["1 begins", "1 ends", "0 begins", "0 ends"]
