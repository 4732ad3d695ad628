"""What works on this machine, tried and not guessed: one check a function, a remedy for each that fails.

A driver may hang or take the whole process with it. So a check that touches one runs in a process of its own, which
`python -m visualizer.support.doctor NAME` is; one that does not answer in time is ended, and that is its answer.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer.errors import UserError
from visualizer.support.check_camera import camera
from visualizer.support.check_dance import display, networks, pack, picture
from visualizer.support.check_files import films, folders, packages, settings
from visualizer.support.check_outputs import ffmpeg, ndi, spout_or_syphon, virtual_camera
from visualizer.support.check_sound import ear, link, loopback, microphone
from visualizer.support.finding import ABSENT, BROKEN, OK, REINSTALL, WORSE, Finding
from visualizer.support.log import aside, what
from visualizer.support.printable import make_printable

if TYPE_CHECKING:
    from visualizer.support.console import Console

FINE, LACKING, NO_DANCE = 0, 1, 2  # exit codes
ANSWER = "answer: "  # begins the line in which a process tells what it found
LONGEST_FOUND = 2000  # characters of a finding


@dataclass(frozen=True)
class Check:
    """A row of the table: a function, and how it is to be run."""

    name: str
    look: Callable[[], Finding]
    seconds: float = 0.0  # after which a process of its own is given up; 0: it touches nothing that may hang
    vital: bool = False  # without it nothing dances


CHECKS = (
    Check("display", display, 10),
    Check("picture", picture, 20),
    Check("pack", pack, 30, vital=True),
    Check("networks", networks, 60, vital=True),
    Check("ear", ear, 30),
    Check("microphone", microphone, 10),
    Check("loopback", loopback, 10),
    Check("Ableton Link", link, 10),
    Check("camera", camera, 10),
    Check("films", films, 20),
    Check("virtual camera", virtual_camera, 10),
    Check("NDI", ndi, 10),
    Check("Spout, Syphon", spout_or_syphon, 10),
    Check("ffmpeg", ffmpeg, 10),
    Check("settings file", settings, 10),
    Check("log and cache", folders, 10),
    Check("versions", packages),
)


# --- running them --------------------------------------------------------------------------------------------------


def examine(checks: tuple[Check, ...] = CHECKS) -> list[tuple[Check, Finding]]:
    """All of them, side by side, in the order of the table."""
    with ThreadPoolExecutor(4) as pool:
        return list(zip(checks, pool.map(run_check, checks), strict=True))


def run_check(check: Check) -> Finding:
    """What it finds; its own failure is a finding too."""
    begun = time.monotonic()
    finding = _in_process(check) if check.seconds else _safely(check)
    aside.info("doctor: %s: %s, %s (%.1f s)", check.name, finding.state, finding.found, time.monotonic() - begun)
    return dataclasses.replace(finding, details={**finding.details, "seconds": round(time.monotonic() - begun, 2)})


def _safely(check: Check) -> Finding:
    try:
        return check.look()
    except UserError as error:
        return Finding(BROKEN, str(error), "see the line above it" if check.name == "networks" else REINSTALL)
    except Exception as error:  # noqa: BLE001 - whatever fails in a check is what the check has found
        aside.exception("doctor: %s", check.name)
        remedy = f"{REINSTALL}; if that does not help, send what 'visualizer report' packs"
        return Finding(BROKEN, what(error), remedy)


def _in_process(check: Check) -> Finding:
    """In a process of its own, so that nothing it does can stop or end us."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[1])]))
    # Files, not pipes: a sound server that the process has started would hold a pipe open after it.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "visualizer.support.doctor", check.name],
            stdin=subprocess.DEVNULL, stdout=said, stderr=complained, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        try:
            code = process.wait(check.seconds)
        except subprocess.TimeoutExpired:
            process.kill()  # and not waited for: one that sleeps in a driver does not even die
            found = f"no answer within {check.seconds:g} s: a driver or device hangs"
            return Finding(BROKEN, found, "unplug and plug in what it is about, or restart the computer")
        except BaseException:  # by a signal: no answer is waited for any more
            process.kill()
            raise
        said.seek(0)
        complained.seek(0)
        lines = said.read().decode("utf-8", "replace").splitlines()
        story = complained.read().decode("utf-8", "replace").strip()
    for line in lines:
        if line.startswith(ANSWER):
            if story:
                aside.info("doctor: %s says besides:", check.name, extra={"story": story})
            return Finding(**json.loads(line.removeprefix(ANSWER)))
    aside.warning("doctor: %s ended with %d:", check.name, code, extra={"story": story})
    how = f"a driver has ended it (signal {-code})" if code < 0 else f"it ended with code {code}"
    return Finding(BROKEN, f"no answer: {how}", "update the driver of what it is about; 'visualizer report' packs more")


def exit_code(findings: list[tuple[Check, Finding]]) -> int:
    """0 all fine, 1 it dances and something is missing or worse than it could be, 2 it cannot dance."""
    if any(check.vital and finding.state == BROKEN for check, finding in findings):
        return NO_DANCE
    return LACKING if any(finding.state in (WORSE, BROKEN) for _, finding in findings) else FINE


VERDICTS = {
    FINE: "All fine.",
    LACKING: "It dances; what is marked could be better.",
    NO_DANCE: "It cannot dance.",
}


def as_json(findings: list[tuple[Check, Finding]]) -> dict[str, Any]:
    """For other programs; the names and states stay as they are, and all text is printable."""
    code = exit_code(findings)
    rows = [
        {"name": check.name, "vital": check.vital, **_make_all_printable(dataclasses.asdict(finding))}
        for check, finding in findings
    ]
    return {"exit_code": code, "verdict": VERDICTS[code], "checks": rows}


def _make_all_printable(value: Any) -> Any:
    if isinstance(value, str):
        return make_printable(value, LONGEST_FOUND)
    if isinstance(value, dict):
        return {make_printable(key): _make_all_printable(each) for key, each in value.items()}
    return [_make_all_printable(each) for each in value] if isinstance(value, list | tuple) else value


def show(findings: list[tuple[Check, Finding]], console: Console) -> None:
    """One screen for people."""
    from rich.table import Table
    from rich.text import Text

    marks = {OK: ("✓", "green"), ABSENT: ("–", "dim"), WORSE: ("!", "yellow"), BROKEN: ("✗", "bold red")}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check, finding in findings:
        mark, style = marks[finding.state]
        words = Text(make_printable(finding.found, LONGEST_FOUND))
        if finding.remedy:
            words.append(
                f"\n→ {make_printable(finding.remedy, LONGEST_FOUND)}", style="" if finding.state == OK else style
            )
        table.add_row(Text(mark, style=style), check.name, words)
    console.print(table)
    console.print(VERDICTS[exit_code(findings)])


def _answer(name: str) -> None:
    """In the process of one check: say what it finds."""
    from visualizer.support.log import start_log

    start_log()
    faulthandler.enable()  # says where a driver has ended us
    finding = _safely(next(check for check in CHECKS if check.name == name))
    sys.stdout.write(f"\n{ANSWER}{json.dumps(dataclasses.asdict(finding))}\n")
    sys.stdout.flush()
    os._exit(0)  # a driver that cannot end well has answered all the same


if __name__ == "__main__":
    _answer(sys.argv[1])
