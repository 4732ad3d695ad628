"""What an installation takes on each kind of computer, and which Pythons have wheels for it.

    python -m bench.platform_sizes [--write docs/size.md]

Nothing is installed, and of each wheel only its table of contents is read. Versions are those of constraints.txt.
"On the disk" is what the wheels unpack to, without the bytecode that Python makes of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.size import MB, ROOT, own

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TAIL = 1 << 20  # bytes at the end of a wheel, which hold its table of contents
PATIENCE = 300  # seconds


@dataclass(frozen=True)
class Platform:
    """A kind of computer: what markers see of it, and which wheels it takes, the newest kind first."""

    name: str
    sys_platform: str
    machine: str
    tags: tuple[str, ...]


def _linux(machine: str, *glibc: int) -> tuple[str, ...]:
    return (*(f"manylinux_2_{minor}_{machine}" for minor in glibc), f"manylinux2014_{machine}", f"linux_{machine}")


PLATFORMS = (
    Platform("Linux x86-64, glibc 2.28", "linux", "x86_64", _linux("x86_64", 28, 27, 26, 24, 17, 12, 5)),
    Platform("Linux ARM, glibc 2.28", "linux", "aarch64", _linux("aarch64", 28, 27, 26, 24, 17)),
    Platform("Linux ARM, glibc 2.34", "linux", "aarch64", _linux("aarch64", 34, 31, 28, 27, 26, 24, 17)),
    Platform("Windows x86-64", "win32", "AMD64", ("win_amd64",)),
    Platform("Windows ARM", "win32", "ARM64", ("win_arm64",)),
    Platform("macOS 14, Apple silicon", "darwin", "arm64", tuple(f"macosx_{n}_0_{k}" for n in (14, 13, 12, 11)
                                                                 for k in ("arm64", "universal2"))),
    Platform("macOS 14, Intel", "darwin", "x86_64", (*(f"macosx_{n}_0_{k}" for n in (14, 13, 12, 11)
                                                       for k in ("x86_64", "universal2")), "macosx_10_15_x86_64",
                                                     "macosx_10_13_x86_64", "macosx_10_9_x86_64")),
)  # fmt: skip


@dataclass(frozen=True)
class Wheel:
    """Where it lies, and what it asks for in turn."""

    url: str
    needs: tuple[str, ...]


def read_needs() -> dict[str, list[str]]:
    """Name of each of our two packages -> what it asks for."""
    needs: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "packaging" / "gpu" / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    return {"dancing-screen": needs, "dancing-screen-gpu": hook.exchange(needs)}


def read_versions() -> dict[str, str]:
    """Package -> version, of constraints.txt."""
    pins = [line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    return {canonicalize_name(name): version for name, version in pins}


def ask_pip(names: Sequence[str], platform: Platform, python: str) -> dict[str, Wheel]:
    """What pip would install of these packages there, by name. LookupError names one that has no wheel."""
    versions = read_versions()
    tags = [word for tag in platform.tags for word in ("--platform", tag)]
    asked = [f"{name}=={versions[name]}" if name in versions else name for name in names]
    with tempfile.TemporaryDirectory() as nowhere:
        command = [
            sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps",
            "--only-binary", ":all:", "--python-version", python, "--target", nowhere, "--report", "-", *tags, *asked,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        lacking = re.findall(r"No matching distribution found for ([\w.-]+?)==", done.stderr)
        raise LookupError(lacking[0]) if lacking else ChildProcessError(done.stderr.strip())
    items = json.loads(done.stdout)["install"]
    return {
        canonicalize_name(item["metadata"]["name"]): Wheel(
            item["download_info"]["url"], tuple(item["metadata"].get("requires_dist", ()))
        )
        for item in items
    }


def resolve(needs: list[str], platform: Platform, python: str) -> dict[str, Wheel]:
    """Every package that these requirements bring there, level by level. LookupError names one that has no wheel."""
    system = {
        "sys_platform": platform.sys_platform, "platform_machine": platform.machine,
        "platform_system": {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[platform.sys_platform],
        "os_name": "nt" if platform.sys_platform == "win32" else "posix",
        "python_version": python, "python_full_version": f"{python}.0",
    }  # fmt: skip
    found: dict[str, Wheel] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(Requirement(text), frozenset[str]()) for text in needs]
    while todo:
        wanted = [
            need for need, extras in todo
            if not need.marker or any(need.marker.evaluate({**system, "extra": extra}) for extra in ("", *extras))
        ]  # fmt: skip
        names = sorted({canonicalize_name(need.name) for need in wanted} - set(found))
        if names:
            found |= ask_pip(names, platform, python)
        todo = []
        for need in wanted:
            key = canonicalize_name(need.name), frozenset(need.extras)
            if key not in seen:
                seen.add(key)
                todo += [(Requirement(text), key[1]) for text in found[key[0]].needs]
    return found


def measure_wheel(url: str) -> tuple[float, float]:
    """MB unpacked, and MB of the wheel itself."""
    if url.startswith("file:"):
        data = Path(urllib.request.url2pathname(url.removeprefix("file://"))).read_bytes()
        size = len(data)
    else:
        request = urllib.request.Request(url, headers={"Range": f"bytes=-{TAIL}"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            data = answer.read()
            size = int(answer.headers.get("Content-Range", f"/{len(data)}").rpartition("/")[2])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist()) / MB, size / MB


def measure(needs: list[str], platform: Platform, known: dict[str, tuple[float, float]]) -> tuple[str, str, str]:
    """Pythons with all wheels, MB unpacked, MB to download; sizes are those of the oldest such Python.

    `known` keeps what was measured of each wheel.
    """
    good: list[str] = []
    lacking = ""
    wheels: dict[str, Wheel] = {}
    for python in PYTHONS:
        try:
            if wheels:  # the same packages in another build
                ask_pip(list(wheels), platform, python)
            else:
                wheels = resolve(needs, platform, python)
        except LookupError as error:
            lacking = f"no wheel of {error}"
        else:
            good.append(python)
    if not good:
        return lacking, "", ""
    for wheel in wheels.values():
        if wheel.url not in known:
            known[wheel.url] = measure_wheel(wheel.url)
    sizes = [known["ours"], *(known[wheel.url] for wheel in wheels.values())]
    pythons = f"{good[0]} to {good[-1]}" if len(good) == len(PYTHONS) else ", ".join(good) + f"; {lacking} for others"
    return pythons, f"{sum(s[0] for s in sizes):,.0f}", f"{sum(s[1] for s in sizes):,.0f}"


def own_size() -> tuple[float, float]:
    """MB of our own part unpacked, and in the wheel."""
    parts = own().values()
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


def table() -> str:
    """Markdown: a row for each platform and package that differ there."""
    known = {"ours": own_size()}
    lines = ["| computer | package | Pythons | on the disk, MB | download, MB |", "| --- | --- | --- | ---: | ---: |"]
    for platform in PLATFORMS:
        rows = {name: measure(needs, platform, known) for name, needs in read_needs().items()}
        for name, (pythons, disk, download) in rows.items():
            if name.endswith("-gpu") and (pythons, disk, download) == rows["dancing-screen"]:
                continue  # no card here: the same packages
            lines.append(f"| {platform.name} | {name} | {pythons} | {disk} | {download} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def main() -> None:
    """Print the table, or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    page = parser.parse_args().write
    made = table()
    if page is None:
        print(made)
        return
    mark = r"(<!-- python -m bench\.platform_sizes -->\n).*?(<!-- end -->)"
    text, found = re.subn(
        mark, lambda m: f"{m[1]}\n{made}\n\n{m[2]}", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if not found:
        sys.exit(f"{page}: has no place for the table, '<!-- python -m bench.platform_sizes -->' to '<!-- end -->'")
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
