"""A bundle for a report of a fault: log, doctor, settings, versions; without names of people, computers and songs."""

from __future__ import annotations

import builtins
import datetime
import getpass
import io
import json
import os
import re
import socket
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.paths import unused
from visualizer.support.log import CRASH, FILES, NAME, PACKAGES, log, log_folder, versions
from visualizer.support.printable import make_printable
from visualizer.support.privacy import MACHINE, MEDIA, SUFFIXES, alias_of, hide, shipped_names, without_songs

LARGEST = 2_000_000  # bytes of one file; a log has less
# A name that ends like a song, film or picture is one of the user's, wherever it stands.
_END = rf"\.(?:{MEDIA})(?![A-Za-z0-9])"
# In quotation marks, after a slash, at the beginning of a line or after what our messages put before a name: there a
# name may have blanks in it. Else it is one word.
NAMES = re.compile(
    rf"(?<=[\"'])[^\"'\n]+?{_END}|(?:~|[A-Za-z]:)?[/\\][^\"'\n:]*?{_END}|[^\s\"'=:/\\,;()]+{_END}", re.IGNORECASE
)

WORDS = re.compile(r"[^\W\d_]{3,}")
# What is looked up word by word; a place within Python's packages, and what has been replaced already, is kept whole.
STRANGE = re.compile(
    r"(?:file|word)-[0-9a-f]{4,8}(?:\.\w+)?|0x[0-9a-f]+"
    r"|(?:site-packages|dist-packages|python3\.\d+)/[\w./+-]*(?:\", line \d+(?:,? in [\w.<>]+)?)?"
    r"|[^\W\d_]{3,}",
    re.IGNORECASE,
)
# Checks that are about the machine alone, whose names for its parts are not the user's.
OF_THE_MACHINE = ("display", "picture", "networks", "films", "versions")
README = """\
What 'visualizer report' packed for a report of a fault:

doctor.json     what works on this computer, and what does not
log/            what the last shows said
settings.toml   the settings file, if there is one
packages.txt    versions

Taken out: the name of the user (USER), the home folder (~), the name of the computer (HOST), the names of songs, films,
pictures and folders (file-…), and every word that is not one of the program's own (word-…): what you called a device, a
pack or a style. Graphics cards, displays and versions have stayed, for they are needed; have a look before you send it
to anybody.
"""


def make_report(out: Path | None) -> Path:
    """Write the bundle and return its path; `out` None: under a name not yet taken, in the current folder.

    UserError if `out` is there already or cannot be written.
    """
    from visualizer.support import doctor

    if out is None:
        out = unused(Path.cwd() / f"dancing-screen-report-{datetime.datetime.now():%Y%m%d-%H%M%S}.zip")
    out = Path(os.path.expanduser(out))
    if out.suffix.lower() != ".zip":
        raise UserError(f"{out}: a report is a .zip")
    if out.exists():  # said before anything slow is begun
        raise UserError(f"{out} exists already, and is not overwritten")
    if not out.absolute().parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.absolute().parent}")
    for handler in log.handlers:  # what a crash left is still on its way into the file
        handler.flush()
    scrub = Scrubber()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", README)
        settings = _settings_text()
        for name, text in _logs():
            bundle.writestr(f"log/{name}", scrub(text))
        if settings is not None:
            bundle.writestr("settings.toml", scrub(settings))
        found = doctor.as_json(doctor.examine())
        found["checks"] = [scrub.inside(check, plainly=check["name"] in OF_THE_MACHINE) for check in found["checks"]]
        bundle.writestr("doctor.json", json.dumps(found, indent=2, ensure_ascii=False))
        told = "".join(f"{name} {make_printable(version)}\n" for name, version in versions().items())
        bundle.writestr("packages.txt", scrub.without_people(told))
    try:
        with out.open("xb") as file:
            file.write(packed.getvalue())
    except FileExistsError:
        raise UserError(f"{out} exists already, and is not overwritten") from None
    except OSError as error:
        with suppress(OSError):
            out.unlink(missing_ok=True)
        raise UserError(f"{out} cannot be written ({error.strerror or error})") from error
    return out.absolute()


def _logs() -> Iterator[tuple[str, str]]:
    """Names and texts of the log files, the newest first, and of what a crash left."""
    folder = log_folder()
    for name in (NAME, *(f"{NAME}.{k}" for k in range(1, FILES)), CRASH):
        if text := _text(folder / name):
            yield name, text


def _settings_text() -> str | None:
    """The settings file as it is, its song from now on hidden; None if there is none."""
    from visualizer.settings import settings_file

    text = _text(settings_file())
    if text is None:
        return None
    with suppress(tomllib.TOMLDecodeError):
        audio = tomllib.loads(text).get("audio")
        if isinstance(audio, str) and re.search(r"\.\w+$", audio):
            hide(audio)
    return text


def _text(path: Path) -> str | None:
    """The end of a file, whatever bytes are in it; None where there is none to read."""
    try:
        return path.read_bytes()[-LARGEST:].decode("utf-8", "replace")
    except OSError:
        return None


class Scrubber:
    """Takes names of people, computers and songs out of texts."""

    def __init__(self) -> None:
        """Who and where this is, asked once."""
        rules: list[tuple[str, str]] = []
        home = os.path.expanduser("~")  # never fails, other than Path.home()
        for form in {home, os.path.realpath(home), os.environ.get("USERPROFILE", "")}:
            if len(form) > 1:
                rules += [(each, "~") for each in (form, form.replace("\\", "\\\\"), form.replace("\\", "/"))]
        rules += [(name, "HOST") for name in _computer()]
        rules += [(name, "USER") for name in _person()]
        self._known = _known_words()
        # The longest first: a home has the user's name in it.
        self._rules = [
            (re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE), instead)
            for name, instead in sorted(set(rules), key=lambda rule: len(rule[0]), reverse=True)
        ]

    def __call__(self, text: str) -> str:
        """`text` without them, and without any word that is not the program's own."""
        return STRANGE.sub(lambda found: self._word(found[0]), self.without_people(text))

    def without_people(self, text: str) -> str:
        """`text` without names of people, computers, songs and folders."""
        text = without_songs(text)
        for pattern, instead in self._rules:
            text = pattern.sub(instead, text)
        return NAMES.sub(lambda found: _alias(found[0]), text)

    def inside(self, value: Any, plainly: bool = False) -> Any:
        """The same of all texts within lists and tables; `plainly`: words that are strange may stay."""
        if isinstance(value, str):
            return self.without_people(value) if plainly else self(value)
        if isinstance(value, dict):
            return {self(key): self.inside(each, plainly) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.inside(each, plainly) for each in value]
        return value

    def _word(self, word: str) -> str:
        if not word.isalpha() or word.casefold() in self._known:  # isalpha: else it is a place that is kept whole
            return word
        return f"word-{alias_of(word.casefold()).removeprefix('file-')[:4]}"


def _known_words() -> set[str]:
    """All words of the program's own source, of the system's errors, of Python's own names, and of machines."""
    package = Path(__file__).resolve().parents[1]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in package.rglob("*.py")]
    texts += [os.strerror(number) for number in range(1, 140)]
    texts += [*dir(builtins), *sys.stdlib_module_names, *PACKAGES, *SUFFIXES, *(p.name for p in package.rglob("*.py"))]
    texts += shipped_names()
    return {word.casefold() for text in texts for word in WORDS.findall(text)} | MACHINE


def _alias(name: str) -> str:
    return name if re.fullmatch(r"file-[0-9a-f]{8}\.\w+", name) else alias_of(re.split(r"[/\\]", name)[-1])


def _computer() -> set[str]:
    """What the computer calls itself; with its domain, and without."""
    names = {socket.gethostname(), os.environ.get("HOSTNAME", ""), os.environ.get("COMPUTERNAME", "")}
    names |= {name.partition(".")[0] for name in names}
    return {name for name in names if len(name) > 1}


def _person() -> set[str]:
    """What the user is called: the name to log in with, and the full name where the system knows it."""
    names = {os.environ.get(key, "") for key in ("USER", "LOGNAME", "USERNAME")} | {
        os.path.basename(os.path.expanduser("~"))
    }
    with suppress(OSError, KeyError, ImportError):
        names.add(getpass.getuser())
    with suppress(ImportError, KeyError, AttributeError):
        import pwd

        full = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
        names |= {full, *(part for part in full.split() if len(part) > 2)}
    return {name for name in names if len(name) > 1}
