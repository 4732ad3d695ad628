"""What the program says: one line a message on stderr, and a file that says more, for those who look for a fault.

The file lies where this system keeps logs of a user. It is written by a thread of its own, so no picture waits for a
disk, and it knows no names of songs: who sends it to somebody does not tell what was danced to.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import logging
import os
import platform
import queue
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TextIO

from visualizer.support.printable import LONGEST_LINE, make_printable
from visualizer.support.privacy import hide_folder, tell_value, tell_words, without_songs

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = logging.getLogger("visualizer")
aside = logging.getLogger("visualizer.aside")  # for the file alone
FOR_THE_CURIOUS = (
    "visualizer.dancer.pack",
    "visualizer.networks.session",
)  # what was tried before what runs; the show says what runs

APP = "dancing-screen"
NAME, CRASH = "visualizer.log", "visualizer.crash"
LARGEST, FILES = 1_000_000, 3  # bytes of a file; files, of which the oldest makes room
LATER = 1.0  # seconds for which the start of a show goes before the log
PATIENCE = 2.0  # seconds that the disk is waited for at the end
# What the program stands on, one of the two builds of onnxruntime, and what extras add to the show.
PACKAGES = (
    "numpy", "onnxruntime", "onnxruntime-gpu", "pygame-ce", "moderngl", "sounddevice", "soxr", "av",
    "typer", "rich", "platformdirs", "tomlkit", "soundcard", "LinkPython-extern",
)  # fmt: skip
_curious = False


# --- stderr ----------------------------------------------------------------------------------------------------


def _own_stderr() -> TextIO | None:
    """Stderr through a descriptor of our own.

    While PortAudio looks for devices, sounddevice points descriptor 2 of the whole process at nothing to silence it;
    what other threads say at that moment would be lost.
    """
    if sys.stderr is None:  # a program without a console on Windows
        return None
    try:
        return os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    except OSError:  # descriptor 2 is closed
        return sys.stderr


class _Line(logging.Formatter):
    """The message; what Python says of an error is for the curious."""

    def format(self, record: logging.LogRecord) -> str:
        text = make_printable(record.getMessage(), LONGEST_LINE)
        return f"{text}{_set_in(self.formatException(record.exc_info))}" if record.exc_info and _curious else text


class _FileLine(logging.Formatter):
    """When, how grave, the message, and below it, set in, what Python says of an error and `story`, if it has one.

    No message reaches over the end of its line, so none can pass for two.
    """

    def format(self, record: logging.LogRecord) -> str:
        stamp = f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')}.{int(record.msecs):03d}"
        text = f"{stamp} {record.levelname} {make_printable(record.getMessage(), LONGEST_LINE)}"
        told = self.formatException(record.exc_info) if record.exc_info else ""
        return text + _set_in(getattr(record, "story", "")) + _set_in(told)


def _set_in(story: str) -> str:
    """Lines that go on below a message; "" for none."""
    return "".join(f"\n    {_keep_indent(line)}" for line in story.splitlines() if line.strip())


def _keep_indent(line: str) -> str:
    rest = line.lstrip(" ")
    return line[: min(len(line) - len(rest), 40)] + make_printable(rest, LONGEST_LINE)


def _is_said(record: logging.LogRecord) -> bool:
    quiet = record.levelno < logging.INFO or (record.levelno < logging.WARNING and record.name in FOR_THE_CURIOUS)
    return record.name != aside.name and (_curious or not quiet)


def start_log() -> None:
    """Send the program's messages, and no others, to stderr. Calling it again does nothing."""
    if log.handlers:
        return
    stream = _own_stderr()
    handler = logging.NullHandler() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(_Line())
    handler.addFilter(_is_said)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False


def say_more() -> None:
    """Let all messages through, also those for the curious."""
    global _curious
    _curious = True


# --- the file --------------------------------------------------------------------------------------------------


def log_folder() -> Path:
    """Where the log of this user lies, whether or not there is one."""
    import platformdirs

    return Path(platformdirs.user_log_dir(APP))


class LogFile(logging.Handler):
    """Rotating files, written on a thread of their own. `trouble`: why nothing is written, "" while all is well."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path, self.trouble = folder / NAME, ""
        self.setFormatter(_FileLine())
        self._texts: queue.SimpleQueue[str | Callable[[], str] | Event | None] = queue.SimpleQueue()
        self._hurry = Event()
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.put(without_songs(self.format(record)))

    def later(self, text: Callable[[], str]) -> None:
        """Write what `text` returns; it is asked on the thread of the log, so it may take its time."""
        self._texts.put(lambda: self.format(logging.makeLogRecord({"msg": text(), "levelname": "INFO"})))

    def flush(self) -> None:
        """Wait until all is written, but not for ever."""
        if not self._thread.is_alive():
            return
        done = Event()
        self._texts.put(done)
        self._hurry.set()
        done.wait(PATIENCE)

    def close(self) -> None:
        """Write all and end the thread."""
        if self._thread.is_alive():
            self._hurry.set()
            self._texts.put(None)
            self._thread.join(PATIENCE)
        super().close()

    def _run(self) -> None:
        self._hurry.wait(LATER)
        try:
            file = _open_rotating(self.path)
        except OSError as error:
            file = self._give_up(error)
        while (item := self._texts.get()) is not None:
            if isinstance(item, Event):
                item.set()
            elif file is not None:
                try:
                    file.emit(logging.makeLogRecord({"msg": item if isinstance(item, str) else item()}))
                except OSError as error:
                    with suppress(OSError):  # it would like to write what is left
                        file.close()
                    file = self._give_up(error)
        if file is not None:
            file.close()

    def _give_up(self, error: OSError) -> None:
        self.trouble = f"{self.path} cannot be written ({error.strerror or error})"
        log.removeHandler(self)
        log.warning("no log is kept: %s", self.trouble)


def _open_rotating(path: Path) -> Any:
    """A handler of the standard library that raises what goes wrong. OSError where nothing can be written."""
    from logging.handlers import RotatingFileHandler  # late: it takes 20 ms

    class Rotating(RotatingFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            raise  # it is called while the error is handled

        def doRollover(self) -> None:
            try:
                super().doRollover()
            except OSError:  # on Windows a file that another show writes into keeps its name, and grows
                self.stream = self.stream or self._open()

    path.parent.mkdir(parents=True, exist_ok=True)
    return Rotating(path, maxBytes=LARGEST, backupCount=FILES - 1, encoding="utf-8", errors="backslashreplace")


@contextmanager
def log_file(words: Iterable[str], folder: Path | None = None) -> Iterator[LogFile]:
    """Keep a log while this lasts, of all that is said and of what was not caught; `words`: of the command line.

    `folder` None: where this system keeps logs. Where nothing can be written that is said once, and all goes on.
    """
    told = tell_words(list(words))
    with suppress(OSError):
        hide_folder(os.getcwd())
    begun = time.monotonic()
    file = LogFile(folder or log_folder())
    log.addHandler(file)
    aside.info("--- begins: visualizer %s, process %d", " ".join(told), os.getpid())
    file.later(_machine)
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    sys.excepthook = lambda kind, error, trace: log.error("%s", what(error), exc_info=(kind, error, trace))
    threading.excepthook, sys.unraisablehook, warnings.showwarning = _in_thread, _unraisable, _warned
    crash = _watch_crashes(file.path.with_name(CRASH))
    how = "ends"
    try:
        yield file
    except BaseException as error:
        how = f"ends by {type(error).__name__}"
        raise
    finally:
        aside.info("--- %s after %.1f s", how, time.monotonic() - begun)
        if crash is not None:
            faulthandler.disable()
            crash.close()
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks
        file.close()
        log.removeHandler(file)


def _watch_crashes(path: Path) -> TextIO | None:
    """Let the operating system's own kind of crash, in a driver say, leave its traces in `path`.

    Those that an earlier show left go into the log. None where nothing can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8", errors="backslashreplace")
        file.seek(0)
        if left := file.read(LARGEST).strip():
            aside.warning("an earlier show crashed and left this:", extra={"story": left})
            file.truncate(0)
        faulthandler.enable(file)
    except OSError:  # the log itself says so
        return None
    return file


def what(error: BaseException | None) -> str:
    """An unexpected error in one line: its kind, what it says, and where it was."""
    if error is None:
        return "an error"
    said = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' + said if said else ''}{place}"


def _in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is SystemExit:
        return
    name = failed.thread.name if failed.thread is not None else "?"
    trace = (failed.exc_type, failed.exc_value or failed.exc_type(), failed.exc_traceback)
    log.error("the part '%s' has failed and all else goes on: %s", name, what(failed.exc_value), exc_info=trace)


def _unraisable(failed: Any) -> None:
    aside.error(
        "%s in %r: %s", failed.err_msg or "error", failed.object, what(failed.exc_value),
        exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback),
    )  # fmt: skip


def _warned(
    message: Any, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    aside.warning("%s: %s (%s:%d)", category.__name__, message, filename, lineno)


# --- what a bug report needs -------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    """Of the program, Python, the system and the packages; those that are not installed are left out."""
    from importlib import metadata

    from visualizer import __version__

    found = {"visualizer": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _machine() -> str:
    return f"{', '.join(f'{name} {version}' for name, version in versions().items())}, {os.cpu_count()} cores"


def tell_settings(settings: DataclassInstance) -> None:
    """Into the file: what differs from the defaults."""
    changed = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if getattr(settings, field.name) != field.default
    }
    told = (f"{key} {tell_value(key, sorted(v) if isinstance(v, frozenset) else v)}" for key, v in changed.items())
    aside.info("settings: %s", ", ".join(told) or "all as they come")
