"""What can be asked of a show while it runs: one table, name -> argument, help, function.

Keys, the help on the screen, the page of keys and every other way to send a command read this table. A
function changes the show and answers by `show.reply`. A name that exists for one kind of thing ("next look") has its
twin with an argument ("look NAME").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from visualizer.auto import AS_IT_COMES, Kind
from visualizer.dancer.wardrobe import NO_FIGURES, split_figures
from visualizer.errors import UserError
from visualizer.options import AUTO, LONGEST_COUNTDOWN, LONGEST_LATENCY, MOST_DANCERS, MOST_SENSITIVE, SYNCS
from visualizer.titles import format_seconds
from visualizer.values import Duration, Number, Temperature, next_temperature, temperature_name

if TYPE_CHECKING:
    from visualizer.show import Host, Show

NUDGE = 0.01  # seconds that the dance is moved by one command
LATENCY_STEP = 10.0  # ms
NO_CUES = "there is no list of cues: start with --cues FILE"


@dataclass(frozen=True)
class Command:
    """One row. `argument` names what follows the name, "" where nothing does; `help` fits in a line of the help."""

    name: str
    help: str
    function: Callable[[Show, str], None]
    argument: str = ""


# --- what is danced, and how it looks


def _reseed(show: Show, argument: str = "") -> None:
    seed = _read_number(argument, 0, 2**63 - 1) if argument else show.draw_seed()
    show.dancer.reseed(seed)
    show.reply(f"a new dance, seed {seed}")


def find_neighbour(show: Show, kind: Kind, names: Sequence[str], now: str, step: int) -> str:
    """The next of `names` in their order, or the one before; those that are never to come are passed over."""
    place, never = names.index(now), show.preferences.never[kind]
    around = (names[(place + step * k) % len(names)] for k in range(1, len(names)))
    return next((name for name in around if name not in never), now)


def _step_look(step: int) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        _choose_look(show, find_neighbour(show, "look", show.names_of("look"), show.look.name, step))

    return change


def _choose_look(show: Show, name: str) -> None:
    before = show.look.name
    show.set_look(name)
    show.choices.note("look", before, show.look.name)
    show.auto.hold("look")
    show.reply(f"look: {show.look.title}")


def _step_style(step: int) -> Callable[[Show, str], None]:
    """On to the next style, or back; between the last and the first is the one that suits the music."""

    def change(show: Show, _: str) -> None:
        _choose_style(show, find_neighbour(show, "style", (*show.styles, AUTO), show.chosen_style, step))

    return change


def _choose_style(show: Show, style: str) -> None:
    before = show.chosen_style
    show.set_style(style)
    show.choices.note("style", before, show.chosen_style)
    show.auto.hold("style")
    show.auto.stay("dance")
    selector = show.style_selector
    show.reply(f"style: {show.dancer.style if selector is None else selector.note or 'by the music'}")


def _step_dance(step: int) -> Callable[[Show, str], None]:
    """On to the next dance of the style, or back; between the last and the first is "as it comes"."""

    def change(show: Show, _: str) -> None:
        choices = show.names_of("dance")
        if len(choices) == 1:
            show.reply(f"{show.dancer.style} has no named dances: improvised")
            return
        _choose_dance(show, find_neighbour(show, "dance", choices, show.dancer.dance or AS_IT_COMES, step))

    return change


def _choose_dance(show: Show, dance: str) -> None:
    show.dancer.set_dance(dance or None)
    show.asked_dance = show.dancer.dance
    held: tuple[Kind, ...] = ("dance", "style")  # another style would end the dance
    for kind in held:
        show.auto.hold(kind)
    show.reply(f"dance: {dance or 'as it comes'}")


def _step_temperature(step: int) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        _choose_temperature(show, str(next_temperature(show.dancer.temperature, step)[0]))

    return change


def _choose_temperature(show: Show, text: str) -> None:
    before = temperature_name(show.dancer.temperature)
    show.dancer.temperature = _read_temperature(text)
    name = temperature_name(show.dancer.temperature)
    show.choices.note("temperature", before, name)
    show.reply(f"temperature: {name}")


def _step_sync(show: Show, _: str) -> None:
    _choose_sync(show, SYNCS[(SYNCS.index(show.dancer.sync) + 1) % len(SYNCS)])


def _choose_sync(show: Show, sync: str) -> None:
    before = show.dancer.sync
    show.dancer.set_sync(sync)
    show.choices.note("sync", before, show.dancer.sync)
    alone = "; it takes more than one dancer" if show.dancer.troupe == 1 else ""
    show.reply(f"sync: {show.dancer.sync}{alone}")


def _choose_troupe(show: Show, argument: str) -> None:
    before = show.dancer.troupe
    show.dancer.set_troupe(_read_number(argument, 1, MOST_DANCERS))
    show.choices.note("troupe", before, show.dancer.troupe)
    show.reply("one dancer" if show.dancer.troupe == 1 else f"{show.dancer.troupe} dancers")


# --- who dances


def _next_figure(show: Show, _: str) -> None:
    """Each dancer is the next figure in their order; those that are never to come are passed over."""
    _wear(show, tuple(find_neighbour(show, "figure", show.names_of("figure"), now, 1) for now in show.dancer.worn))


def _shuffle_figures(show: Show, _: str) -> None:
    if _has_figures(show) and show.choose_next("figure"):
        _say_figures(show)


def _choose_figures(show: Show, argument: str) -> None:
    _wear(show, split_figures(argument))


def _wear(show: Show, names: tuple[str, ...]) -> None:
    if _has_figures(show):
        before = ",".join(show.dancer.worn)
        show.dancer.set_figures(names)
        show.choices.note("figure", before, ",".join(show.dancer.worn))
        _say_figures(show)


def _has_figures(show: Show) -> bool:
    if not show.dancer.figures:
        show.reply(NO_FIGURES)
    return bool(show.dancer.figures)


def _say_figures(show: Show) -> None:
    show.auto.hold("figure")
    worn = show.dancer.worn
    show.reply(f"{'figure' if len(worn) == 1 else 'figures'}: {', '.join(worn)}", "figure")


# --- time


def _tap_tempo(show: Show, _: str) -> None:
    if show.tempo:
        show.tempo.tap(show.choices.time)
        show.reply(f"tap: {show.tempo.bpm:.0f} BPM", "time")


def _follow_clock(show: Show, argument: str) -> None:
    """A beat of another machine fell: its tempo, and how many came before."""
    text, _, place = argument.strip().partition(" ")
    tempo, count = Number(30, 300, "BPM"), Number(0, 1e9)
    bpm = tempo.check("clock", tempo.read("clock", text))
    beat = count.check("clock", count.read("clock", place)) if place else None
    if show.tempo is None:
        return
    now = show.choices.time
    is_new = not show.tempo.led(now)
    show.tempo.lead_by(now, bpm, beat)
    if is_new:  # once: a clock goes on all evening
        show.reply(f"clock: {show.tempo.bpm:.0f} BPM", "time")


def _scale_tempo(factor: float, name: str) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        if show.tempo:
            done = show.tempo.scale(factor)
            show.reply(f"{name if done else 'no further'}: {show.tempo.bpm:.0f} BPM", "time")

    return change


def _nudge_time(seconds: float) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        if show.tempo is None:
            return
        show.tempo.nudge(seconds * show.tempo.bpm / 60)
        show.nudged += seconds
        text = f"{abs(show.nudged) * 1000:.0f} ms {'earlier' if show.nudged > 0 else 'later'}"
        show.reply(text if round(show.nudged / NUDGE) else "on time", "time")

    return change


def _trust_ear(show: Show, _: str) -> None:
    if show.tempo:
        show.tempo.release()
        show.nudged = 0.0
        show.reply("as the ear hears it", "time")


def _step_latency(ms: float) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        before = show.latency_ms
        show.latency_ms = min(max(before + ms, -LONGEST_LATENCY), LONGEST_LATENCY)
        show.choices.note("latency_ms", before, show.latency_ms)
        if show.host:
            show.host.guide.note_latency(show.choices.time)
        show.reply(f"the picture is seen {show.latency_ms:.0f} ms late", "latency")

    return change


def _step_sensitivity(step: int) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        _set_sensitivity(show, min(max(show.sensitivity + step, -MOST_SENSITIVE), MOST_SENSITIVE))

    return change


def _choose_sensitivity(show: Show, text: str) -> None:
    kind = Number(-MOST_SENSITIVE, MOST_SENSITIVE)
    _set_sensitivity(show, kind.check("sensitivity", kind.read("sensitivity", text)))


def _set_sensitivity(show: Show, steps: float) -> None:
    show.choices.note("sensitivity", show.sensitivity, steps)
    show.sensitivity = steps
    show.reply(f"sensitivity: {steps:+g}" if steps else "sensitivity: as heard", "sense")


# --- words and pictures over it


def _set_title(show: Show, text: str) -> None:
    show.titles.set_text(text)
    lines = show.titles.text.split("\n")
    show.reply(f"title: {lines[0]}{' …' if len(lines) > 1 else ''}" if show.titles.text else "title: none", "title")


def _set_logo(show: Show, name: str) -> None:
    """A name within the folder of logos: what comes over a network opens no other file."""
    from visualizer.files import find_inside
    from visualizer.stage.titles.logo import load_logo

    show.titles.logo = load_logo(find_inside(show.titles.folder, name, "logo")) if name else None
    show.reply(f"logo: {name or 'none'}", "title")


def _count_down(show: Show, text: str) -> None:
    kind = Duration(1, LONGEST_COUNTDOWN)
    seconds = kind.check("countdown", kind.read("countdown", text)) if text else None
    show.titles.count_down(seconds)
    show.reply("countdown: none" if seconds is None else f"countdown: {format_seconds(seconds)}", "title")


def _toggle_clock(show: Show, wanted: str) -> None:
    if show.titles.clock is None:
        show.reply("there is no clock in a film", "title")
        return
    show.titles.shows_clock = read_switch(wanted, show.titles.shows_clock)
    show.reply(f"clock: {'shown' if show.titles.shows_clock else 'hidden'}", "title")


def _toggle_song(show: Show, wanted: str) -> None:
    if not show.titles.song:
        show.reply("what plays is not known", "title")
        return
    show.titles.shows_song = read_switch(wanted, show.titles.shows_song)
    show.reply(f"song: {'shown' if show.titles.shows_song else 'hidden'}", "title")


# --- guests before a camera


def _toggle_camera(show: Show, wanted: str) -> None:
    if show.host:
        show.host.toggle_camera(wanted)


def _copy_guest(show: Show, wanted: str) -> None:
    copies = read_switch(wanted, show.dancer.copies)
    show.dancer.copy_guest(copies)
    show.reply("copycat: your last eight beats, and then its own way" if copies else "copycat: off", "copycat")


# --- the show


def _toggle_blackout(show: Show, wanted: str) -> None:
    show.dark = read_switch(wanted, show.dark)
    show.reply("black: B brings the picture back" if show.dark else "the picture is back", "black")


def _toggle_auto(show: Show, wanted: str) -> None:
    on = read_switch(wanted, show.auto.on)
    show.choices.note("auto", show.auto.on, on)
    show.auto.on = on
    show.reply("auto: changes by itself" if show.auto.on else "auto: off", "auto")


def _toggle_lock(show: Show, wanted: str) -> None:
    show.set_locked(read_switch(wanted, show.locked))
    show.reply("locked: nothing changes by itself" if show.locked else "unlocked", "lock")


def _learn(show: Show, command: str) -> None:
    if show.host:
        show.host.learn_control(command)


def _choose_input(show: Show, wanted: str) -> None:
    if show.host:
        show.reply(f"listening to: {show.host.guide.choose(wanted, show.choices.time)}", "ear")


def _check_sound(show: Show, _: str) -> None:
    if show.host:
        show.host.guide.check(show.choices.time)


def _step_cue(steps: int) -> Callable[[Show, str], None]:
    def change(show: Show, _: str) -> None:
        if show.cues is None:
            show.reply(NO_CUES, "cue")
        else:
            show.cues.step(steps)

    return change


def _choose_cue(show: Show, name: str) -> None:
    if show.cues is None:
        show.reply(NO_CUES, "cue")
    else:
        show.cues.go(show.cues.list.find(name))


def _adjust_screen(what: str) -> Callable[[Show, str], None]:
    def change(show: Show, argument: str) -> None:
        if show.host:
            show.host.adjust_screen(what, argument)

    return change


def _step_song(songs: int) -> Callable[[Show, str], None]:
    return _on_host(lambda host: host.step_song(songs))


def _on_host(act: Callable[[Host], None]) -> Callable[[Show, str], None]:
    """What only the place where the show is seen can do; elsewhere there is nothing to be done."""

    def change(show: Show, _: str) -> None:
        if show.host:
            act(show.host)

    return change


# --- what people like, and what they do not


def _like(show: Show, _: str) -> None:
    on: dict[Kind, str] = {"look": show.look.name, "style": show.dancer.style}
    if dance := show.danced:
        on["dance"] = dance
    if show.dancer.worn:
        on["figure"] = show.dancer.worn[0]
    before = show.preferences.as_settings()
    text = "comes more often" if show.preferences.like(on) else "comes as often as others"
    show.banned = None
    _note_preferences(show, before)
    show.reply(f"{', '.join(on.values())}: {text}", "marks")


def _ban(kind: Kind) -> Callable[[Show, str], None]:
    """Never again what is on, and something else in its place."""

    def change(show: Show, _: str) -> None:
        worn = show.dancer.worn
        on = {"look": show.look.name, "style": show.dancer.style, "dance": show.danced}
        now = (worn[0] if worn else None) if kind == "figure" else on[kind]
        if now is None:
            show.reply(NO_FIGURES if kind == "figure" else "no named dance is on: improvised", "marks")
            return
        before = show.preferences.as_settings()
        if not show.preferences.ban(kind, now, show.names_of(kind)):
            show.reply(f"{now} is the last {kind} there is: it stays", "marks")
            return
        show.banned = (kind, now)
        _note_preferences(show, before)
        if kind != "dance":
            show.choose_next(kind)
        elif show.dancer.dance == now:
            show.dancer.set_dance(None)
        show.auto.hold(kind)
        show.reply(f"never again: {kind} {now}; Backspace takes it back", "marks")

    return change


def _take_back(show: Show, _: str) -> None:
    before = show.preferences.as_settings()
    if not show.preferences.take_back():
        show.reply("nothing to take back", "marks")
        return
    _note_preferences(show, before)
    if show.banned is None:
        show.reply("taken back", "marks")
        return
    (kind, name), show.banned = show.banned, None
    if kind == "look":
        show.set_look(name)
    elif kind == "style":
        show.dancer.set_style(name)
    elif kind == "figure":
        show.dancer.set_figures((name, *show.dancer.worn[1:]))
    elif name in show.dancer.dances:
        show.dancer.set_dance(name)
        show.asked_dance = name
    show.auto.hold(kind)
    show.reply(f"taken back: {kind} {name}", "marks")


def _note_preferences(show: Show, before: dict[str, tuple[str, ...]]) -> None:
    for key, names in show.preferences.as_settings().items():
        show.choices.note(key, before[key], names)
    show.heed_preferences()


def _read_temperature(text: str) -> float:
    kind = Temperature()
    return kind.check("temperature", kind.read("temperature", text))


def read_switch(text: str, now: bool) -> bool:
    """What a switch is to be: the other way than `now` without a word. UserError for another word than on and off."""
    if not text:
        return not now
    if text.casefold() not in ("on", "off"):
        raise UserError(f"on or off is wanted, not '{text}'")
    return text.casefold() == "on"


def _read_number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise UserError(f"a whole number from {least} to {most} is wanted, not '{text}'")
    return number


# Neighbours with the same help share a line of it. No line is longer than fits into two columns of a small window.
GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "The dance",
        (
            Command("reseed", "another dance", _reseed, "[SEED]"),
            Command("next style", "style: next, previous", _step_style(1)),
            Command("previous style", "style: next, previous", _step_style(-1)),
            Command("style", "this style, or auto", _choose_style, "NAME"),
            Command("next dance", "dance: next, previous", _step_dance(1)),
            Command("previous dance", "dance: next, previous", _step_dance(-1)),
            Command("dance", "this dance; none: as it comes", _choose_dance, "[NAME]"),
            Command("next figure", "other clothes, shuffle them", _next_figure),
            Command("shuffle figures", "other clothes, shuffle them", _shuffle_figures),
            Command("figure", "who dances", _choose_figures, "NAME[,NAME]"),
            Command("tamer", "tamer, wilder", _step_temperature(-1)),
            Command("wilder", "tamer, wilder", _step_temperature(1)),
            Command("temperature", "from faithful to wild", _choose_temperature, "NAME"),
            Command("troupe", "dancers: how many, in sync", _choose_troupe, "N"),
            Command("next sync", "dancers: how many, in sync", _step_sync),
            Command("sync", "each, unison or canon", _choose_sync, "NAME"),
            Command("camera", "guests dance; it copies them", _toggle_camera, "[on|off]"),
            Command("copycat", "guests dance; it copies them", _copy_guest, "[on|off]"),
        ),
    ),
    (
        "The music",
        (
            Command("next song", "song: next, previous", _step_song(1)),
            Command("previous song", "song: next, previous", _step_song(-1)),
            Command("tap tempo", "tap the beat, forget taps", _tap_tempo),
            Command("follow clock", "follow a beat from outside", _follow_clock, "BPM [BEAT]"),
            Command("trust the ear", "tap the beat, forget taps", _trust_ear),
            Command("half tempo", "half, twice as fast", _scale_tempo(0.5, "half tempo")),
            Command("double tempo", "half, twice as fast", _scale_tempo(2.0, "double tempo")),
            Command("later", "nudge later, earlier", _nudge_time(-NUDGE)),
            Command("earlier", "nudge later, earlier", _nudge_time(NUDGE)),
            Command("more latency", "projector later, less late", _step_latency(LATENCY_STEP)),
            Command("less latency", "projector later, less late", _step_latency(-LATENCY_STEP)),
            Command("inputs", "choose an input, check sound", _on_host(lambda host: host.guide.toggle_list())),
            Command("sound check", "choose an input, check sound", _check_sound),
            Command("input", "listen to this", _choose_input, "NAME"),
            Command("more sensitive", "livelier, calmer", _step_sensitivity(1)),
            Command("less sensitive", "livelier, calmer", _step_sensitivity(-1)),
            Command(
                "sensitivity", f"from -{MOST_SENSITIVE} to {MOST_SENSITIVE}, 0: as heard", _choose_sensitivity, "N"
            ),
        ),
    ),
    (
        "The picture",
        (
            Command("next look", "look: next, previous", _step_look(1)),
            Command("previous look", "look: next, previous", _step_look(-1)),
            Command("look", "this look", _choose_look, "NAME"),
            Command("blackout", "fade to black, and back", _toggle_blackout, "[on|off]"),
            Command("title", "this title; none: no title", _set_title, "[TEXT]"),
            Command("logo", "this PNG; none: no logo", _set_logo, "[NAME]"),
            Command("countdown", "count down; none: no more", _count_down, "[SECONDS]"),
            Command("clock", "show or hide the time", _toggle_clock, "[on|off]"),
            Command("now playing", "show or hide the song's name", _toggle_song, "[on|off]"),
            Command("picture", "save a picture, a video", _on_host(lambda host: host.take_picture())),
            Command("record", "save a picture, a video", _on_host(lambda host: host.toggle_recording())),
            Command("fullscreen", "full screen, window", _on_host(lambda host: host.toggle_fullscreen())),
            Command("pin display", "fit the next display", _adjust_screen("pin display")),
            Command("pin corner", "another corner, 1 to 4", _adjust_screen("pin corner"), "[N]"),
            Command("pin move", "move it, pixels right, down", _adjust_screen("pin move"), "X Y"),
            Command("pin reset", "this display as it comes", _adjust_screen("pin reset")),
            Command("brightness", "of this display, 10 to 100", _adjust_screen("brightness"), "N"),
            Command("gamma", "of this display, 0.3 to 3", _adjust_screen("gamma"), "N"),
            Command("mask", "a PNG over it; none: no mask", _adjust_screen("mask"), "[NAME]"),
            Command("pin", "fit a wall, next display", _adjust_screen("pin"), "[on|off]"),
            Command("next display", "fit a wall, next display", _on_host(lambda host: host.move_to_next_display())),
        ),
    ),
    (
        "The show",
        (
            Command("next cue", "cue: next, previous", _step_cue(1)),
            Command("previous cue", "cue: next, previous", _step_cue(-1)),
            Command("cue", "the cue of this name or number", _choose_cue, "NAME"),
            Command("auto", "auto: changes by itself", _toggle_auto, "[on|off]"),
            Command("lock", "lock: nothing changes", _toggle_lock, "[on|off]"),
            Command("favourite", "more often what is on", _like),
            Command("never look", "never this look, dance, style", _ban("look")),
            Command("never dance", "never this look, dance, style", _ban("dance")),
            Command("never style", "never this look, dance, style", _ban("style")),
            Command("never figure", "never this figure", _ban("figure")),
            Command("learn", "next MIDI control is that", _learn, "COMMAND"),
            Command("take back", "take the last K, X back", _take_back),
            Command("phone code", "phone's code, guests', help", _on_host(lambda host: host.show_code(False))),
            Command("guest code", "phone's code, guests', help", _on_host(lambda host: host.show_code(True))),
            Command("help", "phone's code, guests', help", _on_host(lambda host: host.toggle_help())),
            Command("quit", "twice: end the show", _on_host(lambda host: host.escape())),
        ),
    ),
)
COMMANDS: dict[str, Command] = {command.name: command for _, group in GROUPS for command in group}


def run_command(
    show: Show, name: str, now: float, argument: str = "", answer: Callable[[str], None] | None = None
) -> None:  # fmt: skip
    """Do what the command `name` says at `now`, seconds on the driver's clock. What the show replies is given to
    `answer` too.

    KeyError for a name that is not in the table; what is wrong with an argument is answered, and nothing is changed.
    """
    command = COMMANDS[name]
    show.choices.time, show.answer = now, answer
    try:
        if bool(argument) > bool(command.argument) or (
            command.argument and not argument and command.argument[0] != "["
        ):
            show.reply(f"{name} {command.argument or 'takes nothing more'}".strip())
        else:
            command.function(show, argument)
    except UserError as error:
        show.reply(str(error))
    finally:
        show.answer = None
