"""What MkDocs does to the pages before it lays them out.

What is written elsewhere is taken from there, so that it is written once. A line of its own on a page stands for it:

    <!-- file: CHANGELOG.md -->    a whole file of the repository, without its title
    <!-- keys -->                  the table of keys, from visualizer/remote/keys.py
    <!-- options -->               the table of options, from visualizer/options.py
    <!-- commands -->              the help of every command
    <!-- looks -->                 every look, with its picture where there is one
    <!-- gallery -->               every look, with its loop

Links between files of the repository lead to the pages that have taken them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs"

TAKEN = re.compile(r"^<!-- file: (.+?) -->$", re.MULTILINE)
MADE = re.compile(r"^<!-- (keys|commands|looks|gallery|options) -->$", re.MULTILINE)
FILES = {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}
HOME = {"README.md": "index.md", "LICENSE": "index.md#licence", "NOTICE": "index.md#licence"}


def on_config(config: Any) -> Any:
    """Say on each page which version it is about."""
    # This checkout, whatever is installed. MkDocs takes back what a hook adds to the path while it is loaded.
    sys.path.insert(0, str(ROOT))
    from visualizer import __version__

    config.copyright = f"Version {__version__}"
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with what it takes from elsewhere. OSError if that is not there, which ends the build."""
    markdown = TAKEN.sub(lambda found: taken(found[1]), markdown)
    makers = {"keys": keys, "commands": commands, "looks": looks, "gallery": gallery, "options": options}
    markdown = MADE.sub(lambda found: makers[found[1]](), markdown)
    return relinked(markdown)


# --- what is taken ---------------------------------------------------------------------------------------------------


def taken(name: str) -> str:
    """The words of a file of the repository below its title."""
    return (ROOT / name).read_text(encoding="utf-8").split("\n", 1)[1].strip()


def relinked(markdown: str) -> str:
    """Links as the repository has them, led to pages. Links that lead nowhere are left for MkDocs to complain about."""

    def lead(found: re.Match[str]) -> str:
        link = found[1].removeprefix("../").removeprefix("docs/")
        path, mark, part = link.partition("#")
        if path in FILES:
            return f"]({FILES[path]}{mark}{part})"
        if path in HOME:
            return f"]({HOME[path]})"
        return f"]({link})"

    return re.sub(r"\]\(((?!https?:)[^)\s]+)\)", lead, markdown)


# --- what is made ----------------------------------------------------------------------------------------------------


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def keys() -> str:
    """A table of the keys for each group of them."""
    from visualizer.remote.keys import GROUPS

    parts = []
    for title, group in GROUPS:
        rows = [f"| `{cell(key.label)}` | {cell(key.help)} |" for key in group]
        parts.append("\n".join([f"## {title}", "", "| key | does |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def commands() -> str:
    """The help of every command, as it is printed."""
    from training.cli import app as training
    from visualizer.cli import app as visualizer
    from visualizer.manual import helps

    parts = []
    for program, app in (("visualizer", visualizer), ("python -m training", training)):
        for name, text in helps(app, program).items():
            parts.append(f"## {name}\n\n```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts)


def options() -> str:
    """A table of all options: what they take, what they are if nothing is said, and where they apply."""
    from visualizer.options import FilmOptions, Settings, options_of

    show, film = options_of(Settings), options_of(FilmOptions)
    rows = ["| option | is | takes | else | for |", "| --- | --- | --- | --- | --- |"]
    for name in dict.fromkeys((*show, *film)):
        here = [(word, found[name]) for word, found in (("show", show), ("film", film)) if name in found]
        shown = [(word, each) for word, each in here if not each.hidden]
        if not shown:
            continue
        option = shown[0][1]
        called = f"`{option.flag}`" if option.on_command_line else f"`{name}`"
        helps = " Film: ".join(dict.fromkeys(each.said for _, each in shown))
        spans = "; film: ".join(dict.fromkeys(each.kind.span for _, each in shown))
        usual = "; film: ".join(dict.fromkeys(_usual(each) for _, each in shown))
        where = [word for word, each in shown if each.on_command_line]
        places = ", ".join([*where, *(["settings file"] if option.in_file else [])])
        rows.append(f"| {called} | {cell(helps)} | {cell(spans)} | {cell(usual)} | {places} |")
    return "\n".join(rows)


def _usual(option: Any) -> str:
    """What an option is of which nothing is said."""
    if option.required:
        return "has to be given"
    if option.default is None:
        return option.unset or "none"
    if isinstance(option.default, tuple):
        return "none"
    if isinstance(option.default, bool):
        return "yes" if option.kind.read(option.name, True) == option.default else "no"
    return f"{option.default:g}" if isinstance(option.default, float) else str(option.default)


def read_looks() -> list[tuple[str, dict[str, Any]]]:
    """Name and contents of the file of each look."""
    files = sorted((ROOT / "visualizer" / "stage" / "looks").glob("*.toml"))
    return [(file.stem, tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]


def gallery() -> str:
    """A loop of each look, its title below; FileNotFoundError where one is missing."""
    cards = []
    for name, data in read_looks():
        title, picture = data.get("title", name), f"pictures/loop-{name}.webp"
        if not (PAGES / picture).is_file():
            raise FileNotFoundError(f"{picture}: missing; make it by python -m bench.pages --only loops")
        cards.append(f"-   ![{title}, four beats of a dance]({picture}){{ loading=lazy }}\n\n    **{title}** `{name}`")
    return '<div class="grid cards" markdown>\n\n' + "\n\n".join(cards) + "\n\n</div>"


def looks() -> str:
    """Each look with its title and, where one was made, its picture."""
    parts = []
    for name, data in read_looks():
        title = data.get("title", name)
        inside = "made for figures" if data.get("for_figures") else "with an inside"
        marks = [inside] * ("inside" in data) + ["colour-blind safe"] * bool(data.get("colour_blind_safe"))
        title = ", ".join([title, *marks])
        pictures = [f"pictures/{p}" for p in (f"look-{name}.jpg", f"{name}.png") if (PAGES / "pictures" / p).is_file()]
        parts.append(f"### {name}\n\n{title}." + (f"\n\n![The look {name}]({pictures[0]})" if pictures else ""))
    return "\n\n".join(parts)
