"""The bundle for Linux as AppImage and .deb, with desktop entry, icon, metadata and manual pages.

    python packaging/linux.py BUNDLE OUT [--appimagetool FILE] [--runtime FILE]

BUNDLE is the folder that PyInstaller made. The .deb needs dpkg-deb; the AppImage needs appimagetool, or, where that
cannot be had, its runtime alone and mksquashfs: an AppImage is the runtime with a squashfs behind it. SOURCE_DATE_EPOCH
is obeyed.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import os
import platform
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from man import write_pages
from manifests import write_appstream
from table import ROOT, Table, read_table


def find_bundle(table: Table) -> str:
    """The row of the table for this machine. SystemExit where there is none."""
    name = f"linux-{platform.machine()}"
    if name not in table.bundles:
        sys.exit(f"packaging/table.toml has no row for {name}")
    return name


def release_time() -> float:
    """Seconds since 1970 that everything is dated by."""
    return float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))


def lay_out(table: Table, bundle: Path, usr: Path) -> None:
    """The tree below /usr that AppImage and .deb share."""
    program = table.program
    package, command = program["package"], program["command"]
    library = usr / "lib" / package
    shutil.copytree(bundle, library, symlinks=True)
    (usr / "bin").mkdir(parents=True)
    (usr / "bin" / command).symlink_to(f"../lib/{package}/{command}")
    share = usr / "share"
    for source, target in (
        ("assets/dancing-screen.desktop", f"applications/{package}.desktop"),
        ("assets/icon.png", f"icons/hicolor/128x128/apps/{package}.png"),
    ):
        (share / target).parent.mkdir(parents=True)
        shutil.copyfile(ROOT / source, share / target)
    date = datetime.datetime.fromtimestamp(release_time(), datetime.UTC).date().isoformat()
    (share / "metainfo").mkdir()
    (share / "metainfo" / f"{program['id']}.metainfo.xml").write_text(write_appstream(table, date), encoding="utf-8")
    for page in write_pages(share / "man"):
        page.with_name(f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), 9, mtime=0))
        page.unlink()
    documents = share / "doc" / package
    documents.mkdir(parents=True)
    licence = f"Upstream-Name: {program['name']}\n\n{(ROOT / 'LICENSE').read_text()}\n{(ROOT / 'NOTICE').read_text()}"
    (documents / "copyright").write_text(licence, encoding="utf-8")


def set_modes(tree: Path) -> None:
    """Folders and programs 755, all else 644, whatever the umask was here; all dated by the release."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_symlink():
            continue
        programs = path.is_dir() or (path.stat().st_mode & 0o100 and ".so" not in path.name)
        path.chmod(0o755 if programs else 0o644)
        os.utime(path, (release_time(), release_time()))
    tree.chmod(0o755)


def describe(paragraphs: list[str]) -> str:
    """Paragraphs as a control file wants them: short lines, each after a space, and a dot for an empty one."""
    return "\n .\n ".join(textwrap.fill(each, 75, subsequent_indent=" ") for each in paragraphs)


def build_deb(table: Table, bundle: Path, work: Path, out: Path) -> Path:
    """The .deb below `out`."""
    row, program = table.bundles[find_bundle(table)], table.program
    tree = work / "deb"
    lay_out(table, bundle, tree / "usr")
    documents = tree / "usr" / "share" / "doc" / program["package"]
    date = datetime.datetime.fromtimestamp(release_time(), datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    maintainer = f"{program['publisher']} <{program['package']}@{program['home'].split('/')[2]}>"
    changes = (
        f"{program['package']} ({table.version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of this version.\n\n"
        f" -- {maintainer}  {date}\n"
    )
    (documents / "changelog.gz").write_bytes(gzip.compress(changes.encode(), 9, mtime=0))
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {program['package']}\nVersion: {table.version}\nArchitecture: {row['debian']}\n"
        f"Maintainer: {maintainer}\nInstalled-Size: {size // 1024}\n"
        f"Depends: {', '.join(table.debian['depends'])}\nRecommends: {', '.join(table.debian['recommends'])}\n"
        f"Section: {table.debian['section']}\nPriority: optional\nHomepage: {program['home']}\n"
        f"Description: {table.summary.removeprefix('A ')}\n {describe(program['description'])}\n",
        encoding="utf-8",
    )  # fmt: skip
    set_modes(tree)
    path = out / next(name for name in table.files(find_bundle(table)) if name.endswith(".deb"))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, path], check=True)
    return path


def build_appimage(table: Table, bundle: Path, work: Path, out: Path, tool: str | None, runtime: Path | None) -> Path:
    """The AppImage below `out`, by appimagetool or by runtime and squashfs."""
    row, program = table.bundles[find_bundle(table)], table.program
    tree = work / "AppDir"
    lay_out(table, bundle, tree / "usr")
    (tree / "AppRun").symlink_to(f"usr/bin/{program['command']}")
    for name in (f"applications/{program['package']}.desktop", f"icons/hicolor/128x128/apps/{program['package']}.png"):
        shutil.copyfile(tree / "usr" / "share" / name, tree / Path(name).name)
    (tree / ".DirIcon").symlink_to(f"{program['package']}.png")
    set_modes(tree)
    path = out / next(name for name in table.files(find_bundle(table)) if name.endswith(".AppImage"))
    path.unlink(missing_ok=True)
    if tool is not None:
        given = [] if runtime is None else ["--runtime-file", runtime]
        command = [tool, "--no-appstream", *given, tree, path]
        subprocess.run(command, check=True, env={**os.environ, "ARCH": row["appimage"]})
        return path
    assert runtime is not None
    squashed = work / "AppDir.squashfs"
    # gzip: every runtime reads it, older ones nothing else.
    subprocess.run(["mksquashfs", tree, squashed, "-root-owned", "-noappend", "-comp", "gzip", "-quiet"], check=True)
    with path.open("wb") as file:
        for part in (runtime, squashed):
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)
    path.chmod(0o755)
    return path


def main() -> None:
    """Build both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder that PyInstaller made")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the two files")
    parser.add_argument("--appimagetool", metavar="FILE", default=shutil.which("appimagetool"))
    parser.add_argument("--runtime", type=Path, metavar="FILE", help="the runtime that goes before the squashfs")
    chosen = parser.parse_args()
    if chosen.appimagetool is None and chosen.runtime is None:
        parser.error("appimagetool is not on the path: name it, or a --runtime")
    table = read_table()
    chosen.out.mkdir(parents=True, exist_ok=True)
    work = chosen.out / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    made = (
        build_deb(table, chosen.bundle, work, chosen.out),
        build_appimage(table, chosen.bundle, work, chosen.out, chosen.appimagetool, chosen.runtime),
    )
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
