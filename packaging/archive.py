"""The bundle for Windows and macOS as one zip file: python packaging/archive.py BUNDLE OUT ROW

BUNDLE is the folder that PyInstaller made, ROW a row of packaging/table.toml such as macos-arm64. Inside the archive
everything lies in one folder named after the command; links and the right to run are kept.
"""

from __future__ import annotations

import stat
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from table import read_table


def pack(bundle: Path, path: Path, top: str) -> None:
    """Write the zip file at `path`. OSError where something cannot be read or written."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for each in sorted(bundle.rglob("*")):
            name = f"{top}/{each.relative_to(bundle).as_posix()}"
            if each.is_symlink():  # a framework of macOS is full of them
                entry = zipfile.ZipInfo(name)
                entry.create_system = 3
                entry.external_attr = (stat.S_IFLNK | 0o755) << 16
                archive.writestr(entry, str(each.readlink()))
            elif each.is_file():
                archive.write(each, name)


def main() -> None:
    """Pack it under the name that the table has for it."""
    bundle, out, row = sys.argv[1:]
    table = read_table()
    (name,) = table.files(row)
    Path(out).mkdir(parents=True, exist_ok=True)
    pack(Path(bundle), Path(out) / name, table.program["command"])


if __name__ == "__main__":
    main()
