"""The size of the program: on the disk once installed, and as a download.

    python -m bench.size [--wheels DIR] [--write docs/size.md]

Packages are those that `pip install dancing-screen` brings on this system, measured where they are installed here. The
download is their wheels; those that DIR lacks are downloaded into it, or without DIR into a temporary folder. Our own
part is taken from a wheel built for it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[1]
MB = 1e6  # bytes
SMALL = 2.0  # MB installed; what is smaller shares a row
WHY = {
    "onnxruntime-gpu": "runs the networks, with and without an NVIDIA card",
    "onnxruntime": "runs the networks on the processor",
    "av": "reads songs and footage, writes films: FFmpeg inside, so that there is none to install",
    "numpy": "fields, sound, the painter's matrix products",
    "pygame-ce": "window, keys, displays: SDL inside",
    "rich": "progress bars, tables",
    "pygments": "rich draws on it",
    "moderngl": "shaders",
    "soxr": "streaming resampler for the microphone",
    "setuptools": "a dependency imports it",
}
OURS = {
    "visualizer/_models/default/": "the dancer that ships: four networks and what they know by name",
    "visualizer/_models/ear/": "the beat network: what hears beats",
    "visualizer/_assets/": "a little music of its own, font, icon",
    "": "the program, the training, what they say of themselves",
}


def wanted(names: list[str]) -> dict[str, str]:
    """Every package that these requirements bring on this system -> who asked for it first."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo: list[tuple[str, str, frozenset[str]]] = [(text, "", frozenset()) for text in names]
    while todo:
        text, by, extras = todo.pop(0)
        need = Requirement(text)
        # A requirement with extras also brings those of its extras; without, the markers leave them out.
        if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        name, asked = canonicalize_name(need.name), frozenset(need.extras)
        found.setdefault(name, by)
        if (name, asked) not in seen:
            seen.add((name, asked))
            todo += [(line, name, asked) for line in importlib.metadata.requires(name) or []]
    return found


def installed(name: str) -> float:
    """MB of a package's files on this disk, with the bytecode that pip makes of them."""
    files = importlib.metadata.files(name) or []
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()) / MB


def downloaded(names: list[str], folder: Path) -> dict[str, float]:
    """MB of each package's wheel; what is not yet in `folder` is fetched by pip, in the version installed here."""
    versions = {name: importlib.metadata.version(name) for name in names}

    def there() -> dict[str, float]:
        wheels = {parse_wheel_filename(p.name)[:2]: p.stat().st_size / MB for p in folder.glob("*.whl")}
        return {str(name): size for (name, version), size in wheels.items() if versions.get(name) == str(version)}

    missing = [f"{name}=={versions[name]}" for name in names if name not in there()]
    if missing:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", str(folder), *missing], check=True)
    return there()


def own() -> dict[str, tuple[float, float]]:
    """MB installed and in the wheel for each part of ours."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        parts = dict.fromkeys(OURS, (0.0, 0.0))
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                part = next(part for part in OURS if entry.filename.startswith(part))
                before = parts[part]
                parts[part] = (before[0] + entry.file_size / MB, before[1] + entry.compress_size / MB)
    return parts


def table(wheels: Path) -> str:
    """Markdown, the biggest first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        needs: list[str] = tomllib.load(file)["project"]["dependencies"]
    packages = wanted(needs)
    fetched = downloaded(list(packages), wheels)
    sizes = {name: (installed(name), fetched[name]) for name in packages}
    ours = own()
    lines = ["| part | installed, MB | download, MB | why it is there |", "| --- | ---: | ---: | --- |"]

    def row(name: str, size: tuple[float, float], why: str) -> None:
        lines.append(f"| {name} | {size[0]:,.1f} | {size[1]:,.1f} | {why} |")

    def total(many: list[tuple[float, float]]) -> tuple[float, float]:
        return sum(s[0] for s in many), sum(s[1] for s in many)

    row("**all**", total([*sizes.values(), *ours.values()]), "")
    row("**ours**", total(list(ours.values())), "")
    for part, size in sorted(ours.items(), key=lambda pair: -pair[1][0]):
        row(f"… {part.split('/')[-2] if part else 'code'}", size, OURS[part])
    large = sorted((n for n in sizes if sizes[n][0] >= SMALL), key=lambda n: -sizes[n][0])
    small = [n for n in sizes if n not in large]
    for name in large:
        row(name, sizes[name], WHY.get(name, f"{packages[name] or 'we'} want{'s' if packages[name] else ''} it"))
    row(f"{len(small)} more", total([sizes[n] for n in small]), f"below {SMALL:g} MB each")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="folder of wheels, kept")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the table into this page, in place of its old one"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = chosen.wheels or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        made = table(folder)
    here = f"{platform.system()} {platform.machine()}, Python {sys.version_info.major}.{sys.version_info.minor}"
    text = f"Measured on {here}.\n\n{made}\n"
    if chosen.write is None:
        print(text)
        return
    mark = r"(<!-- python -m bench\.size -->\n).*?(<!-- end -->)"
    page, found = re.subn(
        mark, lambda m: f"{m[1]}\n{text}\n{m[2]}", chosen.write.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if not found:
        sys.exit(f"{chosen.write}: has no place for the table, '<!-- python -m bench.size -->' to '<!-- end -->'")
    chosen.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
