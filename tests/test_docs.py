"""The pages: built without a warning, no link leads nowhere, nothing is loaded from anybody else's machine."""

from __future__ import annotations

import html
import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

from visualizer.remote.keys import KEYS
from visualizer.stage.looks import shipped_looks

ROOT = Path(__file__).resolve().parents[1]


class Page(HTMLParser):
    """What a page names, leads to and loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.names |= {found[key] for key in ("id", "name") if key in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") not in ("canonical", "prev", "next") and "href" in found:
            self.loads.append(found["href"])
        elif "src" in found:
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built pages."""
    pytest.importorskip("mkdocs", reason="skipped: mkdocs missing")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=180, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.glob("*.html")) if path.name != "404.html"}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_subject_has_a_page(pages: dict[Path, Page]) -> None:
    subjects = {"index", "keys", "options", "commands", "sound", "film", "looks", "packs", "gpu", "your-dancer",
                "figures-people", "train", "how", "figures", "size", "history", "soak", "troubleshooting", "faults",
                "contributing", "security", "changelog", "phone", "osc", "midi", "titles", "cues",
                "playlist", "kiosk", "lights", "guests", "install", "outputs", "screens",
                "gallery", "vjs", "teachers", "parents"}  # fmt: skip
    assert {path.stem for path in pages} == subjects
    assert len(list((ROOT / "docs").glob("*.md"))) == len(subjects)


def test_every_link_and_picture_is_there(site: Path, pages: dict[Path, Page]) -> None:
    nowhere, followed = [], 0
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            followed += 1
            known = not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].names
            if not target.is_relative_to(site.resolve()) or not target.is_file() or not known:
                nowhere.append(f"{path.name}: {link}")
    assert followed > 100
    assert nowhere == []


def test_the_gallery_has_a_loop_of_every_look(pages: dict[Path, Page]) -> None:
    (page,) = (page for path, page in pages.items() if path.stem == "gallery")
    loops = {Path(link).stem.removeprefix("loop-") for link in page.loads if "loop-" in link}
    assert loops == {look.name for look in shipped_looks()}


def test_pictures_stay_small() -> None:
    """A repository keeps every version of a picture that it ever had."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()}
    assert {name for name, size in sizes.items() if size > 1_200_000} == set()
    assert {name for name, size in sizes.items() if name.startswith("loop-") and size > 150_000} == set()
    assert sum(sizes.values()) < 12_000_000


def test_every_picture_is_on_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md"))
    made = {
        f"{kind}{look.name}{end}" for look in shipped_looks() for kind, end in (("look-", ".jpg"), ("loop-", ".webp"))
    }
    there = {path.name for path in (ROOT / "docs" / "pictures").iterdir()} - made - {"icon.png"}
    assert {name for name in there if f"pictures/{name}" not in text} == set()


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    foreign = [f"{path.name}: {link}" for path, page in pages.items() for link in page.loads if urlsplit(link).netloc]
    assert foreign == []


def test_nothing_is_left_to_be_filled_in(site: Path, hooks: ModuleType, pages: dict[Path, Page]) -> None:
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not hooks.TAKEN.search(text), path.name
        assert not hooks.MADE.search(text), path.name


def test_the_page_of_keys_has_each_key(site: Path) -> None:
    text = (site / "keys.html").read_text(encoding="utf-8")
    cells = {
        html.unescape(re.sub(r"<[^>]+>", "", found)) for found in re.findall(r"<td.*?>(.*?)</td>", text, re.DOTALL)
    }
    assert {key.label for key in KEYS} | {key.help for key in KEYS} <= cells


def test_the_page_of_figures_names_a_command_for_each_table(site: Path) -> None:
    text = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", "", html.unescape((site / "figures.html").read_text(encoding="utf-8")))
    numbers = set(re.findall(r"\d+\.\d+", text))
    assert len(numbers) > 50
    assert {number for number in numbers if number not in shown} == set()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    tables = [section for section in sections if "| --- |" in section]
    assert len(tables) >= 5
    command = re.compile(r"`python -m (bench|training)\b|^The same command", re.MULTILINE)
    assert [section.splitlines()[0] for section in tables if not command.search(section)] == []


def test_a_file_that_is_gone_ends_the_build(hooks: ModuleType) -> None:
    with pytest.raises(OSError, match=r"WEATHER\.md"):
        hooks.on_page_markdown("<!-- file: WEATHER.md -->")


def test_no_page_takes_words_of_the_readme() -> None:
    """What a page says belongs to it; the README is the first screen and no store of words."""
    taken = {path.name for path in (ROOT / "docs").glob("*.md") if "README" in path.read_text(encoding="utf-8")}
    assert taken == set()


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("[x](../README.md)", "[x](index.md)"),
        ("[x](docs/figures.md#speed)", "[x](figures.md#speed)"),
        ("[x](SECURITY.md#out-of-scope)", "[x](security.md#out-of-scope)"),
        ("[x](docs/pictures/neon.png)", "[x](pictures/neon.png)"),
        ("[x](CHANGELOG.md)", "[x](changelog.md)"),
        ("[x](docs/history.md)", "[x](history.md)"),
        ("[x](https://example.org/docs/x)", "[x](https://example.org/docs/x)"),
        ("## Mine\n[x](#mine)", "## Mine\n[x](#mine)"),
    ],
)
def test_links_of_the_repository_lead_to_pages(hooks: ModuleType, link: str, leads: str) -> None:
    assert hooks.relinked(link) == leads


def test_every_test_that_the_page_of_faults_names_is_there() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    files: dict[str, str] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        files[path.name] = files.get(path.name, "") + path.read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?", text)
    assert len(named) > 40
    missing = [
        f"{file}::{name}" for file, name in named if file not in files or f"def {name or 'test_'}" not in files[file]
    ]
    assert missing == []


def test_the_diagram_is_what_its_program_draws() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, 'docs'); import house; print(house.house(), end='')"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stdout == (ROOT / "docs" / "pictures" / "house.svg").read_text(encoding="utf-8")


def test_the_icon_of_the_pages_is_that_of_the_program() -> None:
    assert (ROOT / "docs" / "pictures" / "icon.png").read_bytes() == (ROOT / "assets" / "icon.png").read_bytes()


def test_the_pages_speak_plainly(pages: dict[Path, Page]) -> None:
    """Words that stand in the way of a reader, and names that things had before, also in what pages are made of."""
    worn = re.compile(r"\b(nobody|anew|so many|whoever|taste|shelf|newcomer)\b", re.IGNORECASE)
    found = []
    for path in pages:
        if path.stem == "changelog":  # it tells of old names
            continue
        text = html.unescape(path.read_text(encoding="utf-8"))
        text = re.sub(r"(?<!<pre>)<(code|script|style)\b.*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
        found += [f"{path.name}: {word}" for word in worn.findall(text)]
    assert found == []
