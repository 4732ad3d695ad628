"""Pictures into a pipe: a command's standard input, our standard output, a named pipe or a new file.

As Matroska, which says size and rate, and when each picture was seen; or as bare frames, of which the reader must know
all that, and which are repeated where pictures were left out. Both are uncompressed: whoever reads, encodes.
"""

from __future__ import annotations

import errno
import os
import select
import shlex
import subprocess
import sys
import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from visualizer.errors import UserError
from visualizer.outputs.sender import Converter, Format, OutputError, Picture
from visualizer.support.log import aside
from visualizer.support.privacy import hide

STDOUT = "-"
LOOK_SECONDS = 0.2  # between two looks at whether it is over
MOST_REPEATED = 60  # of a bare frame at once, so that a machine that slept does not flood the reader
COMMAND_SECONDS = 5.0  # that a command has to finish its file
BUFFER = 1 << 20  # bytes that are written at a time
BT709, LIMITED = 1, 1  # of FFmpeg's enumerations


def is_place(where: str) -> bool:
    """Whether pictures go to a file, a pipe or standard output, not to a command: one word that is "-" or a path."""
    if where == STDOUT:
        return True
    words = _split(where)
    return len(words) == 1 and any(sign in words[0] for sign in ("/", os.sep, os.altsep or os.sep))


def _split(where: str) -> list[str]:
    try:
        words = shlex.split(where, posix=sys.platform != "win32")
    except ValueError as error:
        raise UserError(f"output: {where!r} is no command ({error})") from error
    return [word.strip('"') for word in words] if sys.platform == "win32" else words


class Pipe:
    """A `Sender`. UserError for a place that can take nothing."""

    def __init__(self, kind: str, where: str, form: Format) -> None:
        """`kind`: pipe or raw-pipe. `where`: "-", a path, or a command, which no shell reads."""
        self._form, self._is_raw = form, kind == "raw-pipe"
        self._words = _split(where)
        self._where = where
        self._stdout: int | None = None  # our own standard output, once nothing else writes into it
        self._target = _Target()
        self._command: subprocess.Popen[bytes] | None = None
        self._complaint = _LastLine([word for word in self._words[1:] if "/" in word])
        for word in self._words[1:]:  # the address of a stream holds its key
            hide(word)
        self._container: Any = None
        self._last = -1  # slot written last
        if where == STDOUT:
            self._stdout = _take_stdout()
        elif is_place(where):
            _check_path(Path(self._words[0]).expanduser())
        self._convert = Converter(form.alpha, "bgra" if self._is_raw or form.alpha else "yuv420p").convert

    def open(self) -> str:
        """Start the command, or wait for a reader."""
        if self._stdout is not None:
            self._target.take(self._stdout)
            said = "standard output"
        elif is_place(self._where):
            self._target.open(Path(self._words[0]).expanduser())
            said = self._words[0]
        else:
            self._start_command()
            said = Path(self._words[0]).name
        if not self._is_raw:
            self._container = _open_matroska(self._target, self._form)
        return said

    def _start_command(self) -> None:
        command: Any = self._where if sys.platform == "win32" else self._words
        try:
            self._command = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise OutputError(f"{self._words[0]}: cannot be started ({error.strerror or error})") from error
        assert self._command.stdin is not None
        assert self._command.stderr is not None
        self._complaint.follow(self._command.stderr)
        self._target.take(os.dup(self._command.stdin.fileno()))
        self._command.stdin.close()

    def send(self, picture: Picture) -> None:
        """Write one picture. OutputError if nobody reads any more."""
        try:
            if self._is_raw:
                data = self._convert(picture).data.cast("B")
                count = 1 if self._last < 0 else min(picture.slot - self._last, MOST_REPEATED)
                for _ in range(count):
                    self._target.write(data)
            else:
                self._mux(picture)
        except OSError as error:
            raise OutputError(self._explain(error)) from error
        self._last = picture.slot

    def _mux(self, picture: Picture) -> None:
        import av

        pixels = self._convert(picture)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgra" if self._form.alpha else "yuv420p")
        stream = self._container.streams.video[0]
        frame.time_base, frame.pts = 1 / self._form.fps, picture.slot
        for packet in stream.encode(frame):
            self._container.mux(packet)

    def _explain(self, error: OSError) -> str:
        if self._command is not None:
            with suppress(subprocess.TimeoutExpired):
                self._command.wait(LOOK_SECONDS)
            said = self._complaint.text
            return f"{Path(self._words[0]).name} has ended{f' ({said})' if said else ''}"
        return "nobody reads any more" if error.errno == errno.EPIPE else error.strerror or str(error)

    def interrupt(self) -> None:
        """End what waits for a reader."""
        self._target.interrupt()

    def close(self) -> None:
        """Write the end and wait for the command to finish what it makes of it."""
        try:
            if self._container is not None:
                self._container.close()
        except OSError as error:
            aside.info("output: %s", error)
        finally:
            self._target.close()
            if self._command is not None:
                _end(self._command)


def _end(command: subprocess.Popen[bytes]) -> None:
    for stop in (None, command.terminate, command.kill):
        if stop is not None:
            stop()
        with suppress(subprocess.TimeoutExpired):
            command.wait(COMMAND_SECONDS)
            return


def _open_matroska(target: _Target, form: Format) -> Any:
    """A container that writes into `target` at once, and never goes back."""
    import av

    # A cluster a second at most: who begins to read later, or reads what is left after a failure, misses no more.
    options = {"cluster_time_limit": "500", "flush_packets": "1", "live": "1"}
    if form.alpha:
        options["allow_raw_vfw"] = "1"  # Matroska has no name of its own for frames of four channels
    container: Any = av.open(target, "w", format="matroska", container_options=options, buffer_size=BUFFER)
    stream = container.add_stream("rawvideo", rate=Fraction(form.fps))
    stream.width, stream.height = form.size
    stream.pix_fmt = "bgra" if form.alpha else "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / form.fps
    if not form.alpha:
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
    return container


def _take_stdout() -> int:
    """A descriptor of standard output that is ours alone; what else is printed goes to standard error from now on."""
    if sys.stdout is None or os.isatty(1):
        raise UserError("output: standard output is a terminal; lead it on, as with  | ffmpeg -i - …")
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    return ours


def _check_path(path: Path) -> None:
    """UserError for what is there already and is no pipe or device: nothing is overwritten."""
    if not path.absolute().parent.is_dir():
        raise UserError(f"output: there is no folder {path.parent}")
    if os.path.lexists(path) and not (path.is_fifo() or path.is_char_device()):
        raise UserError(f"output: {path} exists, and is no pipe")


class _Target:
    """A descriptor that is written into, and can be given up while it waits."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._over = threading.Event()

    def take(self, descriptor: int) -> None:
        """Write into that one; it is closed in the end."""
        self._descriptor = descriptor
        if sys.platform != "win32":  # whose pipes cannot be waited for with a limit
            os.set_blocking(descriptor, False)

    def open(self, path: Path) -> None:
        """Open a new file, or a named pipe once it has a reader. OutputError if that cannot be."""
        flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        while not self._over.is_set():
            try:
                is_pipe = path.is_fifo() or path.is_char_device()
                self.take(os.open(path, flags if is_pipe else flags | os.O_CREAT | os.O_EXCL, 0o666))
                return
            except OSError as error:
                if error.errno != errno.ENXIO:  # a pipe without a reader
                    raise OutputError(f"{path}: {error.strerror or error}") from error
            self._over.wait(LOOK_SECONDS)
        raise OutputError("nobody has read")

    def write(self, data: Any) -> int:
        """Write all of it. OSError if that cannot be."""
        assert self._descriptor is not None
        rest = memoryview(data).cast("B")
        while rest:
            if self._over.is_set():
                raise BrokenPipeError(errno.EPIPE, "given up")
            if sys.platform != "win32" and not select.select([], [self._descriptor], [], LOOK_SECONDS)[1]:
                continue
            try:
                rest = rest[os.write(self._descriptor, rest[:BUFFER]) :]
            except BlockingIOError:
                continue
        return len(data)

    def interrupt(self) -> None:
        """From another thread."""
        self._over.set()

    def close(self) -> None:
        """Nothing more is written."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _LastLine:
    """What a command says: into our log, and the last line of it kept for when it fails."""

    def __init__(self, secrets: list[str]) -> None:
        """`secrets` are not repeated: what is kept is shown on the screen."""
        self.text, self._secrets = "", sorted(secrets, key=len, reverse=True)

    def follow(self, stream: IO[bytes]) -> None:
        """Read it to its end on a thread of its own."""
        threading.Thread(target=self._read, args=(stream,), name="output's command", daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        rest = b""
        while part := stream.read(4096):
            *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
            rest = rest[-4096:]
            for line in lines:
                if text := line.decode("utf-8", "replace").strip():
                    aside.info("output's command says: %s", text[:1000])
                    for secret in self._secrets:
                        text = text.replace(secret, "…")
                    self.text = text[:200]
        stream.close()
