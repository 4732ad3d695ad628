"""AppStream, winget, Homebrew and Flatpak manifests out of one table.

    python packaging/manifests.py OUT [--files FOLDER] [--date YYYY-MM-DD]

FOLDER holds what is attached to the release; its digests go into the manifests. Without it the digests are zeros, which
is enough to look at the manifests and to check them.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import sys
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent))

from table import Table, read_table

NOTHING = "0" * 64
WINGET = "1.9.0"  # version of its schema


def digest(file: str, folder: Path | None) -> str:
    """SHA-256 of a file that is attached, in hexadecimal; zeros without a folder. OSError where it is not there."""
    return NOTHING if folder is None else hashlib.sha256((folder / file).read_bytes()).hexdigest()


def write_appstream(table: Table, date: str) -> str:
    """What software centres show of the program."""
    program = table.program
    paragraphs = "\n".join(f"    <p>{escape(text)}</p>" for text in program["description"])
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<component type="desktop-application">
  <id>{program["id"]}</id>
  <metadata_license>CC0-1.0</metadata_license>
  <project_license>{table.licence}</project_license>
  <name>{program["name"]}</name>
  <summary>{escape(table.summary)}</summary>
  <developer id="{program["id"].rpartition(".")[0]}">
    <name>{program["publisher"]}</name>
  </developer>
  <developer_name>{program["publisher"]}</developer_name>
  <description>
{paragraphs}
  </description>
  <launchable type="desktop-id">{program["package"]}.desktop</launchable>
  <icon type="stock">{program["package"]}</icon>
  <url type="homepage">{program["home"]}</url>
  <url type="bugtracker">{program["home"]}/issues</url>
  <categories>
    <category>AudioVideo</category>
    <category>Audio</category>
  </categories>
  <provides>
    <binary>{program["command"]}</binary>
  </provides>
  <supports>
    <control>keyboard</control>
    <control>pointing</control>
  </supports>
  <content_rating type="oars-1.1"/>
  <releases>
    <release version="{table.version}" date="{date}"/>
  </releases>
</component>
"""


def _yaml(rows: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in rows.items())


def write_winget(table: Table, folder: Path | None) -> dict[str, str]:
    """File name -> text: version, installer and words, as winget's repository wants them."""
    program = table.program
    (file,) = table.files("windows-x86_64")
    head = {"PackageIdentifier": program["winget"], "PackageVersion": table.version}

    def tail(kind: str) -> dict[str, str]:
        return {"ManifestType": kind, "ManifestVersion": WINGET}

    installer = _yaml({**head, "InstallerType": "zip", "NestedInstallerType": "portable"}) + (
        "NestedInstallerFiles:\n"
        f"- RelativeFilePath: {program['command']}\\{program['command']}.exe\n"
        f"  PortableCommandAlias: {program['command']}\n"
        "Installers:\n- Architecture: x64\n"
        f"  InstallerUrl: {table.url(file)}\n"
        f"  InstallerSha256: {digest(file, folder).upper()}\n"
    )
    words = {
        **head, "PackageLocale": "en-US", "Publisher": program["publisher"], "PackageName": program["name"],
        "PackageUrl": program["home"], "License": table.licence, "ShortDescription": table.summary,
        "Moniker": program["package"],
    }  # fmt: skip
    return {
        f"{program['winget']}.yaml": _yaml({**head, "DefaultLocale": "en-US", **tail("version")}),
        f"{program['winget']}.installer.yaml": installer + _yaml(tail("installer")),
        f"{program['winget']}.locale.en-US.yaml": _yaml({**words, **tail("defaultLocale")}),
    }


def write_cask(table: Table, folder: Path | None) -> str:
    """For Homebrew on macOS: the bundle, and its command on the path."""
    program = table.program
    (file,) = table.files("macos-arm64")
    version = re.sub(re.escape(table.version), "#{version}", table.url(file))
    return f"""\
cask "{program["package"]}" do
  version "{table.version}"
  sha256 "{digest(file, folder)}"

  url "{version}"
  name "{program["name"]}"
  desc "{table.summary.removeprefix("A ").capitalize()}"
  homepage "{program["home"]}"

  depends_on arch: :arm64
  depends_on macos: ">= :sonoma"

  binary "{program["command"]}/{program["command"]}"

  zap trash: [
    "~/Library/Application Support/{program["package"]}",
    "~/Library/Caches/{program["package"]}",
    "~/Library/Logs/{program["package"]}",
  ]
end
"""


def write_flatpak(table: Table, folder: Path | None) -> str:
    """For flatpak-builder, as JSON: takes the .deb, which holds the bundle, desktop entry, icon and metadata."""
    program, flatpak = table.program, table.flatpak
    prefix, package = f"deb/usr/lib/{program['package']}", program["package"]
    sources = []
    for bundle, arch in (("linux-x86_64", "x86_64"), ("linux-aarch64", "aarch64")):
        file = next(name for name in table.files(bundle) if name.endswith(".deb"))
        sources.append({
            "type": "file", "only-arches": [arch], "url": table.url(file),
            "sha256": digest(file, folder), "dest-filename": "program.deb",
        })  # fmt: skip
    # What the .deb takes from Debian and the runtime has not: the bundle holds PortAudio for that.
    commands = [
        "ar x program.deb && mkdir deb && tar -xf data.tar.* -C deb",
        f"mkdir -p /app/lib /app/bin && cp -r {prefix} /app/lib/{package}",
        f"ln -s ../lib/{package}/{program['command']} /app/bin/{program['command']}",
        f"install -Dm644 deb/usr/share/applications/{package}.desktop /app/share/applications/{program['id']}.desktop",
        f"install -Dm644 deb/usr/share/metainfo/{program['id']}.metainfo.xml -t /app/share/metainfo",
        f"install -Dm644 deb/usr/share/icons/hicolor/128x128/apps/{package}.png"
        f" /app/share/icons/hicolor/128x128/apps/{program['id']}.png",
        f"sed -i 's/^Icon=.*/Icon={program['id']}/' /app/share/applications/{program['id']}.desktop",
    ]
    return json.dumps(
        {
            "id": program["id"], "runtime": flatpak["runtime"], "runtime-version": flatpak["version"],
            "sdk": flatpak["sdk"], "command": program["command"], "finish-args": flatpak["permissions"],
            "modules": [{"name": package, "buildsystem": "simple", "build-commands": commands, "sources": sources}],
        },
        indent=2,
    ) + "\n"  # fmt: skip


def write_all(table: Table, folder: Path | None, date: str) -> dict[str, str]:
    """Path below the folder of manifests -> text."""
    program = table.program
    found = {
        f"{program['id']}.metainfo.xml": write_appstream(table, date),
        f"homebrew/{program['package']}.rb": write_cask(table, folder),
        f"flatpak/{program['id']}.json": write_flatpak(table, folder),
    }
    return found | {f"winget/{name}": text for name, text in write_winget(table, folder).items()}


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder that they are written into")
    parser.add_argument("--files", type=Path, metavar="FOLDER", help="what is attached to the release")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="of the release")
    chosen = parser.parse_args()
    for name, text in write_all(read_table(), chosen.files, chosen.date).items():
        path: Path = chosen.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
