"""What is installed with the program: enough for the show, one build of onnxruntime, and no large package in vain."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.recipes import load_recipe
from tests.support.repository import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
hook = load_recipe("gpu/hatch_build")
# Extras of the show itself: what they bring is imported late, and missed in one line.
OPTIONAL = ("link", "midi", "camera", "virtualcam", "ndi", "spout", "syphon", "lights", "nowplaying")


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_the_show_imports_nothing_that_an_installation_does_not_bring() -> None:
    brought = names(PROJECT["dependencies"]).union(*(names(PROJECT["optional-dependencies"][x]) for x in OPTIONAL))
    packages = metadata.packages_distributions()
    found: dict[str, str] = {}
    for path in sorted((REPOSITORY / "visualizer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=imported):
                    modules = [each.name for each in imported]
                case ast.ImportFrom(module=str(module), level=0):
                    modules = [module]
                case _:
                    continue
            found |= {module.partition(".")[0]: path.name for module in modules}
    strangers = set(found) - set(sys.stdlib_module_names) - {"visualizer", "_typeshed"}
    assert {"numpy", "onnxruntime", "pygame", "av"} <= strangers
    # Another build of onnxruntime, or a package for another system, fills the same module.
    other = {"onnxruntime": "onnxruntime", "soundcard": "soundcard", "link": "linkpython-extern", "cv2": "mediapipe"}
    unknown = {
        module: found[module]
        for module in strangers
        if not {canonicalize_name(each) for each in packages.get(module, [])} & brought
        and other.get(module) not in brought
    }
    assert unknown == {}


def test_a_plain_installation_brings_the_small_build_and_nothing_of_training() -> None:
    plain = names(PROJECT["dependencies"])
    assert "onnxruntime" in plain
    assert plain & {"onnxruntime-gpu", "torch", "librosa", "numba", "scipy", "scikit-learn"} == set()
    assert [
        extra for extra, lines in PROJECT["optional-dependencies"].items() if "onnxruntime-gpu" in names(lines)
    ] == []


def test_the_package_for_cards_differs_by_onnxruntime_alone() -> None:
    given: dict[str, object] = {"name": "dancing-screen-gpu"}
    hook.Metadata(str(REPOSITORY / "packaging" / "gpu"), {}).update(given)
    needs = given["dependencies"]
    assert isinstance(needs, list)
    assert names(needs) - names(PROJECT["dependencies"]) == {"onnxruntime-gpu"}
    assert (given["scripts"], given["requires-python"]) == (PROJECT["scripts"], PROJECT["requires-python"])
    builds = [Requirement(line) for line in needs if "onnxruntime" in line]
    for system, machine, wanted in (
        ("linux", "x86_64", "onnxruntime-gpu"), ("win32", "AMD64", "onnxruntime-gpu"),
        ("linux", "aarch64", "onnxruntime-gpu"), ("linux", "armv7l", "onnxruntime"),
        ("darwin", "arm64", "onnxruntime"), ("darwin", "x86_64", "onnxruntime"), ("win32", "ARM64", "onnxruntime"),
    ):  # fmt: skip
        there = {"sys_platform": system, "platform_machine": machine}
        assert [need.name for need in builds if need.marker and need.marker.evaluate(there)] == [wanted]


def test_the_package_for_cards_fills_in_all_that_it_calls_dynamic() -> None:
    project = tomllib.loads((REPOSITORY / "packaging" / "gpu" / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    given: dict[str, object] = {}
    hook.Metadata(str(REPOSITORY / "packaging" / "gpu"), {}).update(given)
    assert set(given) == set(project["dynamic"]) - {"version"}
    assert re.fullmatch(r"dancing-screen-gpu", project["name"])
