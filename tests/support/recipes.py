"""Loads the programs in packaging/, which are no package: they are run as files."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from tests.support.repository import REPOSITORY

PACKAGING = REPOSITORY / "packaging"


def load_recipe(name: str) -> Any:
    """The module packaging/`name`.py, with its neighbours in reach while it is loaded."""
    path = PACKAGING / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their own module
    before = sys.path[:]
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module
