"""Every option is declared once, and command line, settings file, help and documentation follow the declaration."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer import cli, options
from visualizer.dancer import pack
from visualizer.errors import UserError
from visualizer.manual import helps
from visualizer.options import FilmOptions, Option, Settings, SharedOptions, options_of
from visualizer.settings import FILE_OPTIONS, load_settings, read_settings, remember
from visualizer.support.log import start_log
from visualizer.values import Choice, Duration, Endpoint, Flag, Number, Rate, Size, Temperature

ROOT = Path(__file__).parents[2]
TABLES: dict[str, type[SharedOptions]] = {"show": Settings, "film": FilmOptions}

# Written down by hand, so that the table cannot lose or bend an option unseen:
# name -> where it applies, lowest and highest value as they are written on the command line (or all words).
EXPECTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "seed": ("show film", ("0", "9223372036854775807")),
    "style": ("show film file", ()),
    "dance": ("show film file", ()),
    "figure": ("show film file", ()),
    "troupe": ("show film file", ("1", "9")),
    "sync": ("show film file", ("each", "unison", "canon")),
    "viewpoint": ("show film file", ("moves", "still")),
    "camera": ("show", ()),
    "temperature": ("show film file", ("0.3", "1.6")),
    "look": ("show film file", ()),
    "auto": ("show film file", ()),
    "pack": ("show film file", ()),
    "seconds": ("show film", ("0.01", "604800")),
    "device": ("show film file", ("auto", "cpu", "cuda", "coreml")),
    "bpm": ("show film file", ("30", "300")),
    "fps": ("show film", ()),
    "title": ("show film file", ()),
    "logo": ("show film file", ()),
    "qr": ("show film file", ()),
    "countdown": ("show film", ("1", "86400")),
    "now_playing": ("show film file", ()),
    "verbose": ("show film", ()),
    "window": ("show file", ("64x64", "16384x16384")),
    "display": ("show file", ()),
    "stretch": ("show file", ()),
    "audio": ("show file", ()),
    "latency_ms": ("show file", ("-500", "500")),
    "sensitivity": ("show file", ("-4", "4")),
    "remote": ("show file", ()),
    "remote_port": ("show file", ("1024", "65535")),
    "osc_in": ("show file", ("1", "65535", "0.0.0.0:9000", "[::1]:9000")),
    "osc_out": ("show file", ("1", "65535", "0.0.0.0:9000", "[::1]:9000")),
    "midi": ("show file", ()),
    "midi_clock": ("show file", ()),
    "cues": ("show", ()),
    "playlist": ("show", ()),
    "crossfade": ("show file", ("0", "12")),
    "lights": ("show", ()),
    "kiosk": ("show", ()),
    "output": ("show", ()),
    "output_size": ("show file", ("64x64", "3840x2160")),
    "output_fps": ("show file", ()),
    "output_alpha": ("show file", ()),
    "remember": ("show", ()),
    "stats": ("show", ()),
    "stage": ("show file", ("auto", "shader", "painter")),
    "screenshot": ("show", ()),
    "dev": ("show", ()),
    "out": ("film", ()),
    "size": ("film", ("64x64", "7680x4320")),
    "portrait": ("film", ()),
    "start": ("film", ("0", "86400")),
    "beats": ("film", ("2", "128")),
    "transparent": ("film", ()),
    "force": ("film", ()),
}
IN_FILE_ALONE = {
    f"{word}_{kind}" for word in ("favourite", "never") for kind in ("looks", "styles", "dances", "figures")
} | {"hint", "screens"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "show": {"seed": None, "look": "neon", "auto": True, "troupe": 1, "sync": "each", "viewpoint": "moves",
             "temperature": 1.0, "bpm": 120.0,
             "latency_ms": 0.0, "sensitivity": 0.0, "audio": "auto", "device": "auto", "window": None, "display": 0,
             "remember": True, "fps": None, "seconds": None},
    "film": {"seed": 0, "look": None, "auto": False, "troupe": 1, "sync": "each", "viewpoint": "moves",
             "temperature": 1.0, "bpm": 120.0,
             "start": 0.0, "beats": None, "size": None, "fps": None, "seconds": None, "force": False},
}  # fmt: skip


def ends(option: Option) -> tuple[list[str], list[str]]:
    """Values at the ends of what an option takes, and beyond; as text."""
    kind = option.kind
    if isinstance(kind, Size):
        (wide, high), (widest, highest) = kind.least, kind.most
        beyond = [f"{wide - 1}x{high}", f"{widest + 1}x{highest}", "0x0", "big"]
        return [f"{wide}x{high}", f"{widest}x{highest}"], beyond
    if isinstance(kind, Choice):
        return list(kind.names), ["nothing-of-the-kind", ""]
    if isinstance(kind, Endpoint):
        beyond = ["0", "65536", "-1", "", "port", "host:", ":9000", "a b:9000", "::1:9000", "host:1:2", "9" * 5000]
        return ["1", "65535", "0.0.0.0:9000", "[::1]:9000"], beyond
    if isinstance(kind, Number | Duration | Rate | Temperature):
        whole = isinstance(kind, Number) and kind.whole
        step = 1 if whole else 0.001
        good = [str(kind.least), str(kind.most)]
        return good, [str(kind.least - step), str(kind.most + step), "nan", "1e999", "many", "", "9" * 5000]
    return [], []


def cases(wanted: int) -> Iterator[Any]:
    for place, table in TABLES.items():
        for name, option in options_of(table).items():
            for value in ends(option)[wanted] if option.on_command_line else ():
                yield pytest.param(place, option, value, id=f"{place}-{name}-{value[:12]}")


def call(monkeypatch: pytest.MonkeyPatch, place: str, *words: str) -> tuple[int, list[Any]]:
    """Exit code of the command with those words, and the options that the show or film was given."""
    seen: list[Any] = []

    class Report:
        stopped_by = 0

    monkeypatch.setattr("visualizer.launch.run", lambda chosen, **_: seen.append(chosen))
    monkeypatch.setattr("visualizer.film.render.film_as_asked", lambda _, chosen: seen.append(chosen) or Report())
    monkeypatch.setattr("visualizer.settings.settings_file", lambda: Path("no such settings.toml"))
    monkeypatch.setattr(cli, "log_file", nullcontext)
    start = ["film", "-o", "x.mp4"] if place == "film" else []
    monkeypatch.setattr(sys, "argv", ["visualizer", *start, *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), seen


def test_the_table_has_the_options_that_there_are() -> None:
    for place, table in TABLES.items():
        there = {name for name, each in options_of(table).items() if each.on_command_line}
        assert there == {name for name, (where, _) in EXPECTED.items() if place in where.split()}
        given = options_of(table)
        assert {name: given[name].default for name in DEFAULTS[place]} == DEFAULTS[place]
    assert set(FILE_OPTIONS) == {name for name, (where, _) in EXPECTED.items() if "file" in where} | IN_FILE_ALONE


@pytest.mark.parametrize("name", [name for name, (_, values) in EXPECTED.items() if values])
def test_ranges_are_the_ones_that_were_meant(name: str) -> None:
    for table in TABLES.values():
        if option := options_of(table).get(name):
            assert [option.kind.read(name, text) for text in ends(option)[0]] == [
                option.kind.read(name, text) for text in EXPECTED[name][1]
            ]
    assert options_of(FilmOptions)["fps"].kind == Rate(1, 240)
    assert options_of(Settings)["fps"].kind == Rate(0, 1000)


def test_no_option_is_declared_twice() -> None:
    """A name stands in one of the tables; where it is there again, it is the shared one with a difference."""
    tree = ast.parse(inspect.getsource(options))
    declared: dict[str, list[str]] = {}
    for table in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for line in (node for node in table.body if isinstance(node, ast.AnnAssign)):
            if isinstance(line.value, ast.Call) and isinstance(line.target, ast.Name):
                how = ast.unparse(line.value.func)
                if how == "option":
                    declared.setdefault(line.target.id, []).append(table.name)
                elif how == "differently":
                    assert ast.literal_eval(line.value.args[0]) == line.target.id
    assert declared
    assert [name for name, tables in declared.items() if len(tables) > 1] == []
    for table in TABLES.values():
        flags = [flag for each in options_of(table).values() for flag in (each.flag, *each.old_names)]
        assert len(flags) == len(set(flags))


def test_the_dancer_and_the_table_mean_the_same() -> None:
    assert pack.SYNCS == options.SYNCS
    assert pack.MOST_DANCERS == options.MOST_DANCERS


@pytest.mark.parametrize(("place", "option", "value"), [*cases(0)])
def test_the_ends_of_a_range_are_taken(monkeypatch: pytest.MonkeyPatch, place: str, option: Option, value: str) -> None:
    code, seen = call(monkeypatch, place, option.flag, value)
    assert code == 0
    assert getattr(seen[0], option.name) == option.kind.read(option.name, value)
    assert option.name in seen[0].from_cli


@pytest.mark.parametrize(("place", "option", "value"), [*cases(1)])
def test_beyond_a_range_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, option: Option, value: str
) -> None:
    code, seen = call(monkeypatch, place, option.flag, value)
    assert (code, seen) == (2, [])
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert option.name in err


@pytest.mark.parametrize("name", [name for name, each in FILE_OPTIONS.items() if ends(each)[0]])
def test_the_settings_file_knows_the_same_ranges(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.toml"
    good, beyond = ends(FILE_OPTIONS[name])
    for text in good:
        for written in {text, f'"{text}"'}:
            path.write_text(f"{name} = {written}\n")
            try:
                read, note = read_settings(path)
            except UserError:
                continue  # a number in quotes, a word without
            assert note is None
            assert getattr(read, name) == FILE_OPTIONS[name].kind.read(name, text)
            break
        else:
            pytest.fail(f"{name} = {text} is refused")
    for text in beyond:
        for written in (text, f'"{text}"'):
            path.write_text(f"{name} = {written}\n")
            with pytest.raises(UserError) as said:
                read_settings(path)
            assert "\n" not in str(said.value).strip()


@pytest.mark.parametrize("place", TABLES)
def test_every_option_is_in_the_help(place: str) -> None:
    text = helps(cli.app, "visualizer")["visualizer film" if place == "film" else "visualizer"]
    for option in options_of(TABLES[place]).values():
        if option.on_command_line:
            assert bool(re.search(rf"{option.flag}(?![\w-])", text)) is not option.hidden
            assert option.hidden or " ".join(option.said.split()[:3]) in " ".join(text.split())
    assert "--formation" not in text


@pytest.fixture
def _started_log() -> None:
    """The log is set up before the test, so that what it says is caught in the same way whatever ran before."""
    start_log()


@pytest.mark.usefixtures("_started_log")
@pytest.mark.parametrize("place", TABLES)
@pytest.mark.parametrize("name", ["each", "unison", "canon"])
def test_the_old_name_still_works_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str, name: str
) -> None:
    caplog.set_level("INFO")
    code, seen = call(monkeypatch, place, "--formation", name)
    assert (code, seen[0].sync) == (0, name)
    assert [each.getMessage() for each in caplog.records if "--sync" in each.getMessage()] == [
        "--formation is now called --sync"
    ]


def test_old_and_new_name_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "show", "--formation", "canon", "--sync", "each")[0] == 2
    assert "one of them" in capsys.readouterr().err


OLD_FILE = '# ours\nbpm = 98\n  formation = "canon"  # like geese\nlook = "paper"\n'


def test_an_old_settings_file_loads_and_gets_the_new_name_where_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(OLD_FILE)
    read, note = load_settings(path)
    assert (read.sync, note) == ("canon", None)
    assert "sync" in read.from_file
    assert path.read_text() == OLD_FILE  # reading changes nothing
    remember(path, {"look": "neon"})
    assert path.read_text() == OLD_FILE.replace("formation", "sync").replace("paper", "neon")


EVERY_OLD_KEY = """\
window = "640x360"
display = "HDMI-1"
style = "salsa"
dance = "basic"
troupe = 3
formation = "unison"
temperature = "wild"
look = "paper"
auto = false
pack = "default"
device = "cpu"
audio = "mic:USB"
bpm = 98
latency_ms = 40
sensitivity = -1
stage = "painter"
favourite_looks = ["neon"]
favourite_styles = []
favourite_dances = ["jack"]
never_looks = ["heat"]
never_styles = ["waltz"]
never_dances = []
"""


def test_a_file_of_before_with_every_key_is_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(EVERY_OLD_KEY)
    read, note = load_settings(path)
    assert note is None
    assert read == Settings(
        window=(640, 360), display="HDMI-1", style="salsa", dance="basic", troupe=3, sync="unison", temperature=1.6,
        look="paper", auto=False, pack="default", device="cpu", audio="mic:USB", bpm=98, latency_ms=40, sensitivity=-1,
        stage="painter", favourite_looks=("neon",), favourite_dances=("jack",), never_looks=("heat",),
        never_styles=("waltz",),
        from_file=frozenset("sync" if key == "formation" else key for key in tomllib.loads(EVERY_OLD_KEY)),
    )  # fmt: skip
    remember(path, {"bpm": 99})
    assert path.read_text() == EVERY_OLD_KEY.replace("formation", "sync").replace("98", "99")


@pytest.mark.parametrize(
    "text", ['formation = "canon"\n', '"formation" = "canon"\n', 'dance = """\nformation = 3"""\nformation = "canon"\n']
)
def test_a_new_choice_replaces_the_old_name_however_it_was_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    assert load_settings(path)[0].sync == "canon"
    remember(path, {"sync": "unison"})
    assert load_settings(path) == (read_settings(path)[0], None)
    assert load_settings(path)[0].sync == "unison"


def test_both_names_in_a_file_are_said(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('formation = "canon"\nsync = "each"\n')
    with pytest.raises(UserError, match="twice"):
        read_settings(path)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30", Fraction(30)), ("25.0", Fraction(25)), ("12.5", Fraction(25, 2)), ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)), ("23.98", Fraction(24000, 1001)), ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)), ("14.985", Fraction(15000, 1001)), ("29.97003", Fraction(30000, 1001)),
        ("30000/1001", Fraction(30000, 1001)), ("24000/1001", Fraction(24000, 1001)), ("50/2", Fraction(25)),
        ("24.975", Fraction(999, 40)), ("29.9", Fraction(299, 10)), ("29.98", Fraction(1499, 50)),
    ],
)  # fmt: skip
def test_rates_are_exact(monkeypatch: pytest.MonkeyPatch, text: str, rate: Fraction) -> None:
    code, seen = call(monkeypatch, "film", "--fps", text)
    assert (code, seen[0].fps) == (0, rate)


@pytest.mark.parametrize("text", ["30/0", "1e999999999", "-30", "30000/", "/1001", "29,97", "0", "241", "1/2", "²5"])
def test_rates_that_are_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert call(monkeypatch, "film", "--fps", text) == (2, [])
    assert "such as 30, 29.97 or 24000/1001" in capsys.readouterr().err


@given(st.sampled_from(sorted(EXPECTED)), st.text(max_size=40) | st.from_regex(r"[-+]?[\d.:/xe]{1,12}", fullmatch=True))
@settings(max_examples=400, deadline=None)
def test_whatever_is_written_is_a_value_or_a_refusal(name: str, text: str) -> None:
    for table in TABLES.values():
        if option := options_of(table).get(name):
            try:
                value = option.kind.check(name, option.kind.read(name, text))
            except UserError:
                continue
            assert option.kind.check(name, value) == value


@pytest.mark.parametrize("name", ["start", "seconds"])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("75", 75), ("1:15", 75), ("01:15.5", 75.5), ("1:02:30", 3750), ("90:00", 5400), ("0:00:01", 1), ("7.25", 7.25)],
)
def test_times_are_seconds_or_as_a_clock_has_them(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, seconds: float
) -> None:
    code, seen = call(monkeypatch, "film", f"--{name}", text)
    assert (code, getattr(seen[0], name)) == (0, seconds)


@pytest.mark.parametrize("text", ["1:75", "1:61:00", ":30", "1:", "1:2:3:4", "a:b", "-1:15", "25:00:00", "٣:١٥"])
def test_times_that_are_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert call(monkeypatch, "film", "--start", text) == (2, [])
    assert "1:15" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["mirrorball", "Mirror ball", "MIRROR BALL", "mirror-ball", "mirror_ball"])
@pytest.mark.parametrize("place", TABLES)
def test_looks_are_known_by_name_or_title(monkeypatch: pytest.MonkeyPatch, place: str, text: str) -> None:
    code, seen = call(monkeypatch, place, "--look", text)
    assert (code, seen[0].look) == (0, "mirrorball")


def test_options_are_quick_to_load() -> None:
    """The first thing that the program does: what takes its time is loaded when it is wanted."""
    slow = "{'numpy', 'pygame', 'typer', 'av', 'fractions'}"
    program = f"import sys, visualizer.options; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_of_the_table_is_in_the_documentation() -> None:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    table = hooks.options()
    assert "<!-- options -->" in (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    for where in TABLES.values():
        for option in options_of(where).values():
            if not option.hidden and not isinstance(option.kind, Flag):
                row = next(
                    line for line in table.splitlines() if f"`{option.flag}`" in line or f"`{option.name}`" in line
                )
                assert option.kind.span in row
