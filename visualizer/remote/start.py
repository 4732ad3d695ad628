"""Open the remotes that were asked for, for as long as a show lasts. Nothing of theirs is imported before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from visualizer.errors import ExtraMissing, UserError
from visualizer.options import OSC_HOST
from visualizer.remote.inbox import drop_answer
from visualizer.values import split_endpoint

if TYPE_CHECKING:
    from visualizer.live import LiveShow
    from visualizer.options import Settings

log = logging.getLogger("visualizer")


@contextmanager
def open_remotes(settings: Settings, live: LiveShow, clock: Callable[[], float]) -> Iterator[None]:
    """What `settings` ask for is open in here. What cannot be opened is said, and the show goes on without."""
    with ExitStack() as stack:
        if settings.remote:
            stack.callback(_open_phones(settings, live, clock))
        if settings.osc_out is not None or settings.osc_in is not None:
            _open_osc(settings, live, clock, stack)
        if settings.midi or settings.midi_clock is not None:
            _open_midi(settings, live, clock, stack)
        yield


def _open_midi(settings: Settings, live: LiveShow, clock: Callable[[], float], stack: ExitStack) -> None:
    """Listen to all devices, and send clock to one."""
    from visualizer.remote.midi.controls_map import map_file
    from visualizer.remote.midi.midi_clock import ClockOut
    from visualizer.remote.midi.midi_in import MidiIn

    try:
        backend = load_midi()
        if settings.midi:
            heard = MidiIn(backend, map_file(), live.inbox, live.board, live.toasts, clock=clock)
            stack.callback(heard.close)
            live.learn = heard.learn
            log.info("MIDI: %d devices", len(heard.devices))
        if settings.midi_clock is not None:
            send, close = open_output(backend, settings.midi_clock)
            stack.callback(close)
            stack.callback(ClockOut(send, live.board, clock=clock).close)
    except OSError as error:
        live.toasts(f"MIDI: {error}", "midi", True)


def load_midi() -> Any:
    """mido's backend. UserError without the extra, OSError where this system has no MIDI."""
    try:
        import mido

        backend = mido.Backend("mido.backends.rtmidi", load=True)
    except ImportError:
        raise ExtraMissing("MIDI needs", "midi") from None
    try:
        backend.get_input_names()
    except Exception as error:
        raise OSError(f"this system has none ({error})") from error
    return backend


def open_output(backend: Any, name: str) -> tuple[Callable[[str], None], Callable[[], None]]:
    """What sends a message of a kind to the output that is called so, or has that in its name, and what closes it."""
    import mido

    there = backend.get_output_names()
    found = next((each for each in there if name.casefold() in each.casefold()), None)
    if found is None:
        raise UserError(f"no MIDI output is called '{name}'; there are: {', '.join(there) or 'none'}")
    port = backend.open_output(found)
    return lambda kind: port.send(mido.Message(kind)), port.close


def _open_osc(settings: Settings, live: LiveShow, clock: Callable[[], float], stack: ExitStack) -> None:
    """Send and listen; what the show says to commands is sent too."""
    from visualizer.remote.osc_in import OscIn
    from visualizer.remote.osc_out import OscOut

    out: OscOut | None = None
    try:
        if settings.osc_out is not None:
            out = OscOut(*split_endpoint("osc_out", settings.osc_out, OSC_HOST), live.board, clock=clock)
            stack.callback(out.close)
            log.info("OSC goes out")
        if settings.osc_in is not None:
            host, port = split_endpoint("osc_in", settings.osc_in, OSC_HOST)
            heard = OscIn(host, port, live.inbox, live.board, answer=drop_answer if out is None else out.answer)
            stack.callback(heard.close)
            log.info("OSC comes in on port %d", heard.port)
    except OSError as error:
        live.toasts(f"OSC: {error.strerror or error}", "osc", True)


def _open_phones(settings: Settings, live: LiveShow, clock: Callable[[], float]) -> Callable[[], None]:
    """Serve the page; what closes it again."""
    from visualizer.remote.codes import Codes, draw_for_terminal, make_code
    from visualizer.remote.phone import address as where
    from visualizer.remote.phone.phones import Phones
    from visualizer.support.console import make_console

    try:
        host_token, guest_token = where.load_tokens(where.tokens_file())
    except OSError as error:
        text = "%s: cannot be written (%s), so phones must scan again next time"
        log.info(text, where.tokens_file(), error.strerror)
        host_token, guest_token = where.make_tokens()
    address = where.find_address()

    def tell_where(port: int) -> None:
        page = f"http://{address}:{port}"
        host, guests = f"{page}/{host_token}/", f"{page}/{guest_token}/"
        codes.found(make_code(host, "run the show", page), make_code(guests, "vote for the next dance", page))
        console = make_console()
        console.print(draw_for_terminal(make_code(host)))
        console.say(f"phone: {host}  (guests, who only vote: {guests})")
        log.info("phone page on port %d", port)

    codes = Codes(lambda: phones.hosts)
    plan = {"host": "0.0.0.0", "port": settings.remote_port, "token": host_token, "guest_token": guest_token}
    phones = Phones(plan, list(live.show.looks), live.inbox, live.board, live.toasts, ready=tell_where, clock=clock)
    live.codes = codes
    return phones.close
