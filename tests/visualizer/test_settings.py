"""defaults < settings file < command line; a broken file is kept aside and named."""

from __future__ import annotations

import os
import stat
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.options import Settings, check, merged
from visualizer.settings import load_settings, remember, settings_file, with_fallback
from visualizer.values import TEMPERATURES, Temperature, next_temperature, parse_size, temperature_name


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == (Settings(), None)


def test_command_line_beats_file_beats_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('look = "paper"\nbpm = 98\nwindow = "640x360"\n')
    settings, note = load_settings(path)
    assert note is None
    of_file = frozenset({"look", "bpm", "window"})
    assert settings == Settings(look="paper", bpm=98, window=(640, 360), from_file=of_file)
    final = merged(settings, bpm=140.0, look=None, seed=7)
    assert (final.bpm, final.look, final.seed, final.window) == (140.0, "paper", 7, (640, 360))
    assert final.from_file == {"look", "window"}
    assert final.from_cli == {"bpm", "seed"}


def test_what_is_danced_may_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('dance = "jack"\ntroupe = 3\nformation = "canon"\ntemperature = "wild"\n')
    settings, note = load_settings(path)
    assert note is None
    assert (settings.dance, settings.troupe, settings.sync, settings.temperature) == ("jack", 3, "canon", 1.6)
    path.write_text('temperature = 0.5\nlatency_ms = 40\nstyle = "auto"\n')
    settings = load_settings(path)[0]
    assert (settings.temperature, settings.latency_ms, settings.style) == (0.5, 40, "auto")


def read_temperature(text: str) -> float:
    return Temperature().read("temperature", text)


def test_temperatures_are_names_or_numbers() -> None:
    assert read_temperature("faithful") == 0.3
    assert read_temperature("0.45") == 0.45
    with pytest.raises(UserError, match=r"faithful, .*wild or a number from 0\.3 to 1\.6, not 'hot'"):
        read_temperature("hot")
    up, temperature = [], 0.3
    while not up or up[-1] != "wild":
        name, temperature = next_temperature(temperature, 1)
        up.append(name)
    assert up == list(TEMPERATURES)[1:]
    assert next_temperature(1.6, 1) == ("wild", 1.6)
    assert next_temperature(0.3, -1) == ("faithful", 0.3)
    assert next_temperature(0.9, 1) == ("free", 1.0)
    assert next_temperature(0.9, -1) == ("measured", 0.8)


def test_a_look_that_is_gone_is_said_and_the_file_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('look = "sepia"\nbpm = 98\n')
    settings, note = load_settings(path)
    assert settings == Settings(bpm=98, from_file=frozenset({"bpm"}))
    assert note is not None
    assert "'sepia'" in note
    assert Settings().look in note
    assert path.read_text() == 'look = "sepia"\nbpm = 98\n'


def test_what_the_file_wants_and_cannot_have_is_said_and_replaced() -> None:
    def attempt(settings: Settings) -> str:
        if settings.style == "polka":
            raise UserError("no polka here")
        return f"danced {settings.style}"

    notes: list[str] = []
    assert with_fallback(Settings(style="waltz"), ("style",), attempt, notes) == "danced waltz"
    assert notes == []
    asked = Settings(style="polka")
    with pytest.raises(UserError, match="no polka here"):
        with_fallback(asked, ("style",), attempt, notes)
    in_file = Settings(style="polka", from_file=frozenset({"style"}))
    with pytest.raises(UserError, match="no polka here"):
        with_fallback(in_file, ("audio",), attempt, notes)
    assert notes == []
    assert with_fallback(in_file, ("style", "audio"), attempt, notes) == "danced None"
    assert notes == ["settings file: no polka here; using the default"]
    with pytest.raises(UserError, match="no polka here"):  # over and above the file, the command line asked for it
        with_fallback(merged(in_file, style="polka"), ("style",), attempt, notes)


@pytest.mark.parametrize("order", [("style", "audio", "display"), ("display", "audio", "style")])
def test_only_what_is_to_blame_is_replaced_and_all_of_it_named(order: tuple[str, ...]) -> None:
    def attempt(settings: Settings) -> Settings:
        for key, wrong in (("style", "polka"), ("display", 7)):
            if getattr(settings, key) == wrong:
                raise UserError(f"no {wrong}")
        return settings

    wanted = Settings(style="polka", audio="none", display=7, from_file=frozenset(order))
    notes: list[str] = []
    got = with_fallback(wanted, order, attempt, notes)
    assert (got.style, got.audio, got.display) == (None, "none", 0)
    assert sorted(notes) == [f"settings file: no {wrong}; using the default" for wrong in ("7", "polka")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("look = ", "Invalid value"),
        ('colour = "red"', "'colour' is no setting"),
        ("look = 3", "wrong type"),
        ("display = true", "wrong type"),
        ("bpm = 3", "30 to 300"),
        ("latency_ms = 1000", "-500 to 500 ms"),
        ('latency_ms = "long"', "wrong type"),
        ('window = "huge"', "1280x720"),
        ("auto = 1", "wrong type"),
        ("troupe = true", "wrong type"),
        ("sensitivity = 9", "-4 to 4"),
        ('never_looks = "paper"', "wrong type"),
        ("never_looks = [3]", "list of names"),
        ("dance = 3", "wrong type"),
        ("troupe = 12", "1 to 9"),
        ("troupe = 2.5", "wrong type"),
        ('sync = "heap"', "each, unison, canon"),
        ('temperature = "hot"', "not 'hot'"),
        ("temperature = 5", "not 5"),
    ],
)
def test_a_broken_file_is_kept_aside_and_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "settings.toml"
    (tmp_path / "settings.broken.toml").write_text("an older one")
    path.write_text(text)
    settings, note = load_settings(path)
    assert settings == Settings()
    assert note is not None
    assert str(path) in note
    assert reason in note
    assert not path.exists()
    assert (tmp_path / "settings.broken-2.toml").read_text() == text
    assert (tmp_path / "settings.broken.toml").read_text() == "an older one"
    assert load_settings(path) == (Settings(), None)  # the next start is clean


def test_a_file_that_is_no_text_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe\x00")
    settings, note = load_settings(path)
    assert settings == Settings()
    assert note is not None
    assert "cannot be read" in note
    assert path.exists()


def test_the_file_lies_in_the_users_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / name))
    assert settings_file() == tmp_path / "dancing-screen" / "settings.toml"


@pytest.mark.parametrize("text", ["1280", "x720", "1280x", "0x0", "99999x99999", "-4x8", "12.5x8", ""])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UserError):
        parse_size(text)


def test_sizes() -> None:
    assert parse_size("1280x720") == (1280, 720)
    assert parse_size(" 720X1280 ") == (720, 1280)


@pytest.mark.parametrize(
    "wrong",
    [
        {"look": "sepia"},
        {"device": "tpu"},
        {"stage": "opera"},
        {"bpm": 1000.0},
        {"bpm": float("nan")},
        {"latency_ms": 600.0},
        {"sensitivity": 4.5},
        {"sensitivity": float("nan")},
        {"latency_ms": float("nan")},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seed": -1},
        {"fps": Fraction(-1)},
        {"troupe": 0},
        {"troupe": 10},
        {"sync": "heap"},
        {"temperature": 0.1},
        {"temperature": 2.0},
        {"temperature": float("nan")},
    ],
)
def test_values_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(UserError):
        check(Settings(**wrong))


WRITTEN = """\
# my party
look = "paper"   # the wall is white

  bpm = 98
never_looks = [
    "sepia",  # brown
]
style = 'salsa'
"""


def test_what_keys_chose_is_remembered_and_all_else_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN)
    path.chmod(0o640)
    changes = {"look": "neon", "troupe": 3, "temperature": "wild", "latency_ms": 40.0, "auto": False, "style": None}
    remember(path, {**changes, "window": (640, 360), "favourite_looks": ("neon", "ink")})
    text = path.read_text()
    assert text.startswith('# my party\nlook = "neon"   # the wall is white\n\n  bpm = 98\nnever_looks = [\n')
    assert '    "sepia",  # brown\n' in text
    assert tomllib.loads(text) == {
        "look": "neon", "bpm": 98, "never_looks": ["sepia"], "troupe": 3, "temperature": "wild", "latency_ms": 40,
        "auto": False, "window": "640x360", "favourite_looks": ["neon", "ink"],
    }  # fmt: skip
    settings, note = load_settings(path)
    assert note is None
    assert (settings.look, settings.auto, settings.window, settings.style) == ("neon", False, (640, 360), None)
    assert settings.favourite_looks == ("neon", "ink")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]  # nothing temporary is left


def test_a_first_file_is_made_with_its_folder_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    remember(path, {"display": "HDMI-1", "sensitivity": 1.0})
    assert path.read_text().startswith("# What The Dancing Screen begins with")
    settings = load_settings(path)[0]
    assert (settings.display, settings.sensitivity) == ("HDMI-1", 1)


def test_lines_keep_their_ends_and_links_stay_links(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_bytes(b'look = "paper"\r\nbpm = 98\r\n')
    path = tmp_path / "settings.toml"
    path.symlink_to(real)
    remember(path, {"look": "neon"})
    assert path.is_symlink()
    assert real.read_bytes() == b'look = "neon"\r\nbpm = 98\r\n'


@pytest.mark.parametrize("text", ["look = ", 'colour = "red"\n', "\xff"])
def test_a_file_that_has_broken_meanwhile_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"settings.toml (is broken|cannot be read)"):
        remember(path, {"look": "neon"})
    assert path.read_bytes() == text.encode("latin-1")
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]


def test_where_nothing_can_be_written_that_is_said_and_the_old_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('look = "paper"\n')

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot be written .No space left on device"):
        remember(path, {"look": "neon"})
    assert path.read_text() == 'look = "paper"\n'
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]
    monkeypatch.undo()
    (tmp_path / "a file").write_text("")
    with pytest.raises(UserError, match="cannot be"):
        remember(tmp_path / "a file" / "settings.toml", {"look": "neon"})


def test_only_settings_are_remembered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed"):
        remember(tmp_path / "settings.toml", {"seed": 3})
    assert not list(tmp_path.iterdir())


def test_temperatures_have_names() -> None:
    assert temperature_name(1.3) == "bold"
    assert temperature_name(1.23) == 1.23
