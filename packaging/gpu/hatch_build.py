"""Makes dancing-screen-gpu out of dancing-screen: its metadata and its files, with another build of onnxruntime."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).resolve().parents[2]
# Where there can be no NVIDIA card, or no wheel for one, the package is the same as the other.
CARD = "(sys_platform == 'linux' or sys_platform == 'win32') and platform_machine in 'x86_64 AMD64 aarch64'"
NO_CARD = "sys_platform == 'darwin' or platform_machine not in 'x86_64 AMD64 aarch64'"


def read_program() -> dict[str, Any]:
    """The program's own pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def exchange(needs: list[str]) -> list[str]:
    """Requirements with `onnxruntime>=1` exchanged for the build with CUDA. ValueError without one."""
    plain = [need for need in needs if need.startswith("onnxruntime>=")]
    if len(plain) != 1:
        raise ValueError(f"one onnxruntime was expected among the dependencies, not {plain}")
    versions = plain[0].removeprefix("onnxruntime")
    card = [f"onnxruntime-gpu[cuda,cudnn]{versions}; {CARD}", f"onnxruntime{versions}; {NO_CARD}"]
    return [need for need in needs if need not in plain] + card


class Metadata(MetadataHookInterface):
    """The program's metadata, but for the name and onnxruntime."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        project = read_program()["project"]
        for key in ("description", "license", "requires-python", "keywords", "classifiers", "scripts"):
            metadata[key] = project[key]
        text = (ROOT / project["readme"]).read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["dependencies"] = exchange(project["dependencies"])
        extras = {name: needs for name, needs in project["optional-dependencies"].items() if name != "dev"}
        metadata["optional-dependencies"] = extras


class Files(BuildHookInterface):
    """The program's files, where its own wheel has them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill in what the wheel takes from outside this folder."""
        wheel = read_program()["tool"]["hatch"]["build"]["targets"]["wheel"]
        own = {name: name for name in wheel["packages"]}
        build_data["force_include"] |= {str(ROOT / at): to for at, to in (own | wheel["force-include"]).items()}
        build_data["shared_data"] |= {str(ROOT / at): to for at, to in wheel["shared-data"].items()}
        info = f"dancing_screen_gpu-{self.metadata.version}.dist-info/licenses"
        build_data["force_include"] |= {str(ROOT / name): f"{info}/{name}" for name in ("LICENSE", "NOTICE")}
