"""What is kept of OpenGL's renderer: it is used, given up for the least reason, and hides no graphics card."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.stage.gpu import software_gl
from visualizer.stage.gpu.software_gl import BELIEVED, LARGEST, forget, key, parse, recall, remember

LLVMPIPE = "llvmpipe (LLVM 15.0.6, 256 bits)"
KEY = "0123456789abcdef" * 4

pytestmark = pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="skipped: for Linux alone")


class Machine:
    """A computer with one display, no graphics card and Mesa; `root` holds its files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {"DISPLAY": ":0", "HOME": "/home/somebody"}
        for folder in ("dev/dri", "proc/driver", "usr/lib/x86_64-linux-gnu/dri"):
            (root / folder).mkdir(parents=True)
        (root / "dev/dri/card0").touch()  # a frame buffer without 3D, as most computers have

    def key(self) -> str | None:
        return key(self.environment, self.root)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    there = Machine(tmp_path / "root")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "x11")
    monkeypatch.setattr(software_gl, "key", there.key)
    return there


def test_it_is_known_again_and_after_so_many_starts_it_is_asked_again(machine: Machine) -> None:
    assert recall() is None
    remember(LLVMPIPE)
    assert [recall() for _ in range(BELIEVED + 2)] == [LLVMPIPE] * BELIEVED + [None, None]
    remember(LLVMPIPE)
    assert recall() == LLVMPIPE
    forget()
    assert recall() is None
    forget()  # nothing there: nothing said
    assert [path.name for path in software_gl.file().parent.iterdir()] == []


@pytest.mark.parametrize(
    "name",
    ["dev/dri/renderD128", "dev/nvidia0", "dev/nvidiactl", "proc/driver/nvidia/version", "dev/dxg", "dev/mali0",
     "dev/kgsl-3d0"],
)  # fmt: skip
def test_a_card_is_never_hidden(machine: Machine, name: str) -> None:
    """Not one that comes later, and where one is nothing is kept."""
    remember(LLVMPIPE)
    (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
    (machine.root / name).touch()
    assert recall() is None
    forget()
    remember(LLVMPIPE)
    assert not software_gl.file().exists()


def newer_libraries(machine: Machine) -> None:
    (machine.root / "usr/lib/x86_64-linux-gnu/libGL.so.1").touch()


def another_driver(machine: Machine) -> None:
    os.utime(machine.root / "usr/lib/x86_64-linux-gnu", ns=(1, 1))
    (machine.root / "usr/lib/x86_64-linux-gnu/dri/radeonsi_dri.so").touch()


def another_frame_buffer(machine: Machine) -> None:
    (machine.root / "dev/dri/card1").touch()


def setting(name: str, value: str) -> Callable[[Machine], None]:
    def change(machine: Machine) -> None:
        machine.environment[name] = value

    change.__name__ = f"{name}={value}"
    return change


@pytest.mark.parametrize(
    "change",
    [newer_libraries, another_driver, another_frame_buffer, setting("DISPLAY", ":1"),
     setting("DISPLAY", "another.computer:0"), setting("DISPLAY", "localhost:10.0"),
     setting("WAYLAND_DISPLAY", "wayland-0"), setting("LIBGL_ALWAYS_SOFTWARE", "0"), setting("GALLIUM_DRIVER", "zink"),
     setting("SDL_VIDEODRIVER", "x11"), setting("SDL_OPENGL_LIBRARY", "libOther.so"), setting("VGL_DISPLAY", "egl"),
     setting("LD_PRELOAD", "libvglfaker.so"), setting("__GLX_VENDOR_LIBRARY_NAME", "nvidia")],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_whatever_changes_it_is_asked_again(machine: Machine, change: Callable[[Machine], None]) -> None:
    os.utime(machine.root / "usr/lib/x86_64-linux-gnu", ns=(1, 1))  # so that what comes later has another date
    remember(LLVMPIPE)
    assert recall() == LLVMPIPE
    change(machine)
    assert recall() is None


def test_another_system_sdl_or_driver_of_it_is_asked(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(LLVMPIPE)
    with monkeypatch.context() as patch:
        patch.setattr(pygame.display, "get_driver", lambda: "wayland")
        assert recall() is None
    with monkeypatch.context() as patch:
        patch.setattr(pygame.version, "ver", "2.9.9")
        assert recall() is None
    with monkeypatch.context() as patch:
        patch.setattr(software_gl.sys, "platform", "win32")
        assert recall() is None
    assert recall() == LLVMPIPE


def test_what_does_not_tell_of_opengl_does_not_matter(machine: Machine) -> None:
    remember(LLVMPIPE)
    machine.environment |= {"LANG": "xh", **dict.fromkeys(software_gl.OWN, "0")}
    assert recall() == LLVMPIPE


def test_a_card_s_name_is_not_kept(machine: Machine) -> None:
    software_gl.file().parent.mkdir(parents=True)
    software_gl.file().write_text(json.dumps({"key": machine.key(), "renderer": "AMD Radeon", "starts": 5}))
    assert recall() is None


def test_where_nothing_can_be_written_it_is_asked_each_time(machine: Machine, tmp_path: Path) -> None:
    remember(LLVMPIPE)
    kept = software_gl.file().read_bytes()
    (tmp_path / "cache").rename(tmp_path / "old")
    (tmp_path / "cache").touch()  # no folder can be made there
    remember(LLVMPIPE)
    assert recall() is None
    forget()
    (tmp_path / "cache").unlink()
    (tmp_path / "old").rename(tmp_path / "cache")
    software_gl.file().with_suffix(f".{os.getpid()}").mkdir()  # readable, but it cannot be counted
    assert recall() is None
    assert software_gl.file().read_bytes() == kept


# --- damage


GOOD = json.dumps({"key": KEY, "renderer": LLVMPIPE, "starts": 7}).encode()


def test_the_parser_takes_what_is_written() -> None:
    assert parse(GOOD) == (KEY, LLVMPIPE, 7)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_of_any_kind_are_harmless(data: bytes) -> None:
    assert parse(data) is None


@given(
    st.dictionaries(
        st.sampled_from(["key", "renderer", "starts", "more"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=3)
        | st.sampled_from([KEY, LLVMPIPE, KEY.upper(), LLVMPIPE + "\x1b[2J", LLVMPIPE * 20]),
    )
)  # fmt: skip
def test_fields_of_any_kind_are_refused_or_sound(fields: dict[str, object]) -> None:
    found = parse(json.dumps(fields).encode())
    if found is not None:
        then, name, starts = found
        assert (then, name) == (fields["key"], fields["renderer"])
        assert then == KEY
        assert name.isprintable()
        assert software_gl.on_processor(name)
        assert 0 <= starts <= BELIEVED


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_byte_that_changed_changes_no_more_than_a_name_or_a_number(place: int, byte: int) -> None:
    found = parse(GOOD[:place] + bytes([byte]) + GOOD[place + 1 :])
    if found is not None:
        assert software_gl.on_processor(found[1])
        assert 0 <= found[2] <= BELIEVED
        assert len(found[0]) == len(KEY)


def with_starts(value: bytes) -> bytes:
    return GOOD.replace(b": 7", b": " + value)


DAMAGED = {
    "empty": b"", "deep": b"[" * LARGEST, "a long number": b"9" * LARGEST, "too long": GOOD + b" " * LARGEST,
    "nested": b'{"key": ' * 400, "cut off": GOOD[:-1], "a fraction": with_starts(b"7e0"),
    "negative": with_starts(b"-1"), "no number": with_starts(b"true"), "NaN": with_starts(b"NaN"),
    "for ever": with_starts(b"1000000"),
    "of another encoding": GOOD.decode().encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_told_in_the_log_and_asked_again(
    machine: Machine, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    software_gl.file().parent.mkdir(parents=True)
    software_gl.file().write_bytes(data)
    with caplog.at_level("INFO", logger="visualizer.aside"):
        assert recall() is None
    assert any("is damaged" in said for said in caplog.messages)
    remember(LLVMPIPE)
    assert recall() == LLVMPIPE
