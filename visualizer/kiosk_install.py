"""A show that begins when somebody logs in: a unit of systemd for the user, and an entry in the desktop's autostart.

Only the entry starts by itself. Where there is systemd it asks that for the unit, so that there is one show, with a log
and a way to stop it; elsewhere it starts the show. A file that is not ours is never written over, nor removed.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

from visualizer.errors import UserError
from visualizer.files import read_at_most, write_whole
from visualizer.support.privacy import hide

MARK = "# Made by `visualizer kiosk --install`; `visualizer kiosk --remove` takes it away."
NAME = "dancing-screen-kiosk"
LARGEST = 64 * 1024  # bytes of a file that could be ours
_SYSTEMD = Path("/run/systemd/system")  # there where systemd runs

_UNIT = """{mark}
[Unit]
Description=The Dancing Screen
PartOf=graphical-session.target
After=graphical-session.target

[Service]
WorkingDirectory={folder}
ExecStart={command}
Restart=on-failure
RestartSec=10
SuccessExitStatus=129 130 143

[Install]
WantedBy=graphical-session.target
"""
_ENTRY = """{mark}
[Desktop Entry]
Type=Application
Name=The Dancing Screen
Path={folder}
Exec={command}
X-GNOME-Autostart-enabled=true
"""
_ASK_SYSTEMD = (
    'sh -c "systemctl --user import-environment DISPLAY WAYLAND_DISPLAY XAUTHORITY; '
    f'systemctl --user start {NAME}.service"'
)


def unit_file() -> Path:
    """Where the unit lies, whether or not there is one."""
    return Path(platformdirs.user_config_dir()) / "systemd" / "user" / f"{NAME}.service"


def entry_file() -> Path:
    """Where the autostart entry lies."""
    return Path(platformdirs.user_config_dir()) / "autostart" / f"{NAME}.desktop"


def install(words: list[str], folder: Path) -> list[Path]:
    """Let `visualizer --kiosk WORDS` begin in `folder` at every login; the files that were written.

    UserError where a file that is not ours is in the way, and on other systems than Linux; nothing is written then.
    """
    _must_be_linux()
    command = [sys.executable, "-m", "visualizer", "--kiosk", *words]
    for word in [*command, str(folder)]:
        if not word.isprintable():
            raise UserError(f"kiosk: {word!r}: control characters cannot be a part of it")
        hide(word)
    place = str(folder).replace("%", "%%")
    files: dict[Path, str] = {}
    if _SYSTEMD.is_dir():
        unit = _UNIT.format(mark=MARK, folder=place, command=" ".join(map(quote_for_systemd, command)))
        files[unit_file()] = unit
        started = _ASK_SYSTEMD
    else:
        started = " ".join(map(quote_for_desktop, command))
    escaped = str(folder).replace("\\", "\\\\")
    files[entry_file()] = _ENTRY.format(mark=MARK, folder=escaped, command=started)
    for path in files:
        if _is_there(path) and not _is_ours(path):
            raise UserError(f"{path}: is there, and not made by this program; it is left as it is")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with write_whole(path) as part:
                part.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return list(files)


def remove() -> list[Path]:
    """Take away what `install` has written; the files that were there. UserError for a file that is not ours."""
    _must_be_linux()
    found = [path for path in (entry_file(), unit_file()) if _is_there(path)]
    for path in found:
        if not _is_ours(path):
            raise UserError(f"{path}: was not made by this program; it is left as it is")
    for path in found:
        try:
            path.unlink()
        except OSError as error:
            raise UserError(f"{path}: cannot be removed ({error.strerror or error})") from error
    return found


def quote_for_systemd(word: str) -> str:
    """A word of ExecStart, taken as it is: no specifiers, no variables."""
    return '"' + re.sub(r'(["\\])', r"\\\1", word).replace("%", "%%").replace("$", "$$") + '"'


def quote_for_desktop(word: str) -> str:
    """A word of Exec: quoted, and its backslashes doubled once more, for the value is a string of the file."""
    return '"' + re.sub(r'(["`$\\])', r"\\\1", word).replace("\\", "\\\\").replace("%", "%%") + '"'


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_ours(path: Path) -> bool:
    """Whether it is a plain file that begins with our mark."""
    with suppress(OSError, UserError):
        return not path.is_symlink() and read_at_most(path, LARGEST).startswith(MARK.encode())
    return False


def _must_be_linux() -> None:
    if sys.platform != "linux":
        raise UserError("kiosk: set up on Linux alone; elsewhere let the system start visualizer --kiosk")
