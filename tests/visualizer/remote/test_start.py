"""What is opened for a show, and that nothing is where nothing was asked for."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.live_fakes import make_live, text_of
from tests.support.midi_loop import Loop
from tests.support.phones import PATIENCE
from visualizer.errors import UserError
from visualizer.options import Settings
from visualizer.remote import start
from visualizer.remote.midi import controls_map
from visualizer.remote.phone import address
from visualizer.remote.start import open_remotes

LATE = ("websockets", "segno", "pythonosc", "mido", "rtmidi", "asyncio")  # imported only where they are asked for


def test_nothing_is_imported_for_a_show_without_remotes() -> None:
    program = (
        "import sys, visualizer.launch, visualizer.options as o, visualizer.remote.start as s\n"
        "with s.open_remotes(o.Settings(), None, None): pass\n"
        f"print([name for name in {LATE} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_the_page_is_where_the_terminal_says(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(address, "find_address", lambda: address.HERE)
    monkeypatch.setattr(address, "tokens_file", lambda: tmp_path / "phone.json")
    caplog.set_level("INFO", "visualizer")
    live, until, said = make_live(), time.monotonic() + PATIENCE, ""
    with open_remotes(Settings(remote=True), live, time.perf_counter):
        while not (found := re.search(r"phone: (http\S+)  \(guests, who only vote: (http\S+)\)", said)):
            assert time.monotonic() < until, said
            time.sleep(0.02)
            said += capsys.readouterr().out
        assert "█" in said
        for url in found.groups():
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                assert b"The Dancing Screen" in answer.read()
        assert live.codes is not None
        code = live.codes.find_shown(0.0)
        assert code is not None
        assert code.caption[0] == "run the show"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(found[1], timeout=PATIENCE)
    for url in found.groups():  # the log may be sent to somebody
        assert url.split("/")[3] not in caplog.text


@pytest.mark.slow
def test_words_that_cannot_be_kept_serve_for_one_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(address, "tokens_file", lambda: tmp_path / "file" / "phone.json")
    live = make_live()
    with open_remotes(Settings(remote=True), live, time.perf_counter):
        assert live.codes is not None


def test_osc_goes_in_and_out() -> None:
    live = make_live()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(PATIENCE)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = Settings(osc_in=str(port), osc_out=f"127.0.0.1:{other.getsockname()[1]}")
        with open_remotes(settings, live, time.perf_counter):
            other.sendto(b"/dance/troupe\0\0\0,i\0\0\0\0\0\6", ("127.0.0.1", port))
            heard = b""
            while b"/dance/answer" not in heard:
                live.handle([], time.perf_counter())
                live.draw_frame(time.perf_counter())
                heard = other.recv(2000)
        assert b"6 dancers" in heard
    assert live.show.dancer.troupe == 6
    assert not live.board.watched


def test_osc_that_cannot_be_opened_is_said_and_the_show_goes_on() -> None:
    live = make_live()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        settings = Settings(osc_in=str(taken.getsockname()[1]), osc_out="127.0.0.1:9")
        with open_remotes(settings, live, time.perf_counter):
            live.draw_frame(0.0)
    assert any(text.startswith("OSC: ") for text in text_of(live).toasts)


def test_midi_is_open_as_long_as_the_show_lasts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loop, live = Loop("Pads 20:0"), make_live()
    monkeypatch.setattr(start, "load_midi", lambda: loop)
    monkeypatch.setattr(controls_map, "map_file", lambda: tmp_path / "midi.toml")
    with open_remotes(Settings(midi=True, midi_clock="drum"), live, time.perf_counter):
        live.run_command("learn", 0.0, "troupe")
        live.run_command("troupe", 0.0, "5")
        live.draw_frame(time.perf_counter())
        loop.play("Pads 20:0", "note_on", channel=0, note=40, velocity=90)
        live.run_command("troupe", 0.0, "1")
        loop.play("Pads 20:0", "note_on", channel=0, note=40, velocity=90)
        live.handle([], time.perf_counter())
        assert live.show.dancer.troupe == 5
        drums, until = loop.outputs["Drum machine"], time.monotonic() + PATIENCE
        while not any(message.dict()["type"] == "clock" for message in drums.sent):
            assert time.monotonic() < until
            live.draw_frame(time.perf_counter())
    assert drums.closed
    assert drums.sent[-1].dict()["type"] == "stop"
    assert loop.inputs["Pads 20:0"].closed


def test_a_system_without_midi_still_dances(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("this system has none")

    monkeypatch.setattr(start, "load_midi", fail)
    live = make_live()
    with open_remotes(Settings(midi=True), live, time.perf_counter):
        live.draw_frame(0.0)
    assert "MIDI: this system has none" in text_of(live).toasts


def test_an_output_is_found_by_a_part_of_its_name() -> None:
    send, close = start.open_output(Loop(), "DRUM")
    send("start")
    close()
    with pytest.raises(UserError, match="there are: Through Port, Drum machine"):
        start.open_output(Loop(), "piano")
