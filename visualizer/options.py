"""The table of options: name, type, what values, default, help, and where each applies.

One field is one option. Those of `SharedOptions` are for show and film, those of `Settings` for the show, those of
`FilmOptions` for a film; `in_file` says which the settings file may hold. The command line (command_line.py), the
settings file (settings.py), range checks and the page of options in the documentation are made from this table.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from visualizer.outputs.names import OutputNames
from visualizer.screen_setup import Screens, ScreenTable
from visualizer.values import (
    ANY_SIZE,
    Choice,
    Duration,
    Endpoint,
    Flag,
    Kind,
    LookName,
    Names,
    Number,
    Opposite,
    Rate,
    Size,
    Temperature,
    Text,
)

if TYPE_CHECKING:
    from fractions import Fraction

AUTO = "auto"  # in place of a style: the one that fits the music
DEVICES = ("auto", "cpu", "cuda", "coreml")
STAGES = ("auto", "shader", "painter")
SYNCS = ("each", "unison", "canon")  # how a troupe dances together
VIEWPOINTS = ("moves", "still")
MOST_DANCERS = 9
SOURCES = ("auto", "mic", "loopback", "link", "none")  # what is no song; and "mic:NAME"
NO_SONGS = f"what is none is called {', '.join(SOURCES)} or mic:NAME"
FIRST_CAMERA = "0"  # the one that is meant where none is named
OSC_HOST = "127.0.0.1"
LONGEST_LATENCY = 500  # ms
MOST_SENSITIVE = 4  # steps either way
WEEK = 7 * 86_400  # seconds
LONGEST_COUNTDOWN = 86_400  # seconds
LONGEST_CROSSFADE = 12  # seconds


@dataclass(frozen=True)
class Option:
    """One option. On the command line it is called as the field is, with dashes, unless `flags` say otherwise."""

    kind: Kind
    help: str  # one sentence; {span} stands for what values there are
    in_file: bool = False  # may stand in the settings file
    on_command_line: bool = True
    flags: tuple[str, ...] = ()
    hidden: bool = False  # not in --help: for tests and for who makes looks
    required: bool = False
    old_names: tuple[str, ...] = ()  # still understood
    unset: str = ""  # what the default None means, in words
    name: str = ""
    default: Any = None

    @property
    def flag(self) -> str:
        """The option as it is written, without its short form or opposite."""
        names = self.flags or (f"--{self.name.replace('_', '-')}",)
        return names[-1].partition("/")[0]

    @property
    def said(self) -> str:
        """The help, whole."""
        return self.help.format(span=self.kind.span)


def option(kind: Kind, default: Any, help: str, **more: Any) -> Any:
    """A field of the table."""
    return field(default=default, metadata={"option": Option(kind, help, **more)})


def differently(shared: str, default: Any, **changes: Any) -> Any:
    """An option of SharedOptions, of which the show or the film knows more."""
    return field(default=default, metadata={"option": dataclasses.replace(_shared(shared), **changes)})


def _shared(name: str) -> Option:
    return SharedOptions.__dataclass_fields__[name].metadata["option"]


@dataclass(frozen=True, kw_only=True)
class SharedOptions:
    """What can be asked of a show and of a film."""

    seed: int | None = option(
        Number(0, 2**63 - 1, whole=True), None, "The same seed dances the same; else random.", unset="random"
    )
    style: str | None = option(
        Text("a style of the pack, several between commas, or auto"), None,
        "Style to begin with, or auto: by the music.", in_file=True, unset="the seed's choice",
    )  # fmt: skip
    dance: str | None = option(
        Text("a dance of the pack"), None, "Named dance; 'visualizer dances' lists.", in_file=True, unset="as it comes"
    )
    figure: str | None = option(
        Text("a figure of the pack, or several between commas", "NAME[,NAME...]"), None,
        "Who dances, in turn; 'visualizer figures' lists.", in_file=True, unset="the seed's choice",
    )  # fmt: skip
    troupe: int = option(Number(1, MOST_DANCERS, whole=True), 1, "Dancers, {span}.", in_file=True)
    sync: str = option(
        Choice(SYNCS), "each", "How a troupe dances: {span}.", in_file=True, old_names=("formation",)
    )  # fmt: skip
    viewpoint: str = option(
        Choice(VIEWPOINTS), "moves", "At phrase ends it moves round bodies in space, or is still: {span}.",
        in_file=True,
    )  # fmt: skip
    temperature: float = option(Temperature(), 1.0, "From faithful, 0.3, to wild, 1.6.", in_file=True)
    look: str | None = option(LookName(), None, "Look to begin with.", in_file=True)
    auto: bool = option(
        Flag(), True, "Looks, styles and dances change by themselves, or do not.", in_file=True,
        flags=("--auto/--no-auto",),
    )  # fmt: skip
    pack: str | None = option(
        Text("the name of a pack that ships or was added, or a folder"), None,
        "Trained dancer: a name or a folder.", in_file=True, unset="the one that ships",
    )  # fmt: skip
    seconds: float | None = option(
        Duration(0.01, WEEK), None, "End after so long, such as 90 or 1:30.", unset="until it is ended"
    )
    device: str = option(Choice(DEVICES), "auto", "Networks on {span}.", in_file=True)
    bpm: float = option(Number(30, 300, "BPM"), 120.0, "Tempo where no beat is heard, {span}.", in_file=True)
    fps: Fraction | None = option(Rate(1, 240), None, "Frames a second, such as 30, 29.97 or 24000/1001.")
    title: str | None = option(
        Text("a text, \\n for another line", "TEXT"), None, "Words over the picture.", in_file=True, unset="none"
    )  # fmt: skip
    logo: str | None = option(Text("a PNG file", "FILE"), None, "A picture over it.", in_file=True, unset="none")
    qr: str | None = option(Text("an address", "URL"), None, "A code that phones read.", in_file=True, unset="none")
    countdown: float | None = option(
        Duration(1, LONGEST_COUNTDOWN), None, "Count down from so long, such as 60 or 5:00.", unset="none"
    )
    now_playing: bool = option(Flag(), False, "Show the song's name, by its own tags.", in_file=True)
    verbose: bool = option(Flag(), False, "Say more about what is tried.")


@dataclass(frozen=True, kw_only=True)
class Settings(SharedOptions):
    """All choices for the live show."""

    window: tuple[int, int] | None = option(
        ANY_SIZE, None, "In a window; else fullscreen.", in_file=True, unset="fullscreen"
    )
    display: int | str = option(
        Text("a display's number, from 0, or a part of its name, or several", "N|NAME[,...]", types=(int, str)), 0,
        "Display to open on: its number, from 0, or its name; several between commas, or all.", in_file=True,
    )  # fmt: skip
    stretch: bool = option(Flag(), False, "One picture over several displays; else each shows all of it.", in_file=True)
    screens: ScreenTable = option(
        Screens(), ScreenTable(), "How the picture stands on each display.", in_file=True, on_command_line=False,
        unset="as it comes",
    )  # fmt: skip
    audio: str = option(
        Text(f"a song, {', '.join(SOURCES)} or mic:NAME", "SOURCE", f"no song is named; {NO_SONGS}"), "auto",
        "A song to play, mic, mic:NAME, loopback, link, none or auto.", in_file=True,
    )  # fmt: skip
    camera: str | None = option(
        Text("a camera's number, a part of its name, or a film", "[N|NAME|FILE]"), None,
        "Guests before a camera dance along; the key V turns it on and off.", unset="off",
    )  # fmt: skip
    latency_ms: float = option(
        Number(-LONGEST_LATENCY, LONGEST_LATENCY, "ms", "MS"), 0.0, "How late your projector shows it, {span}.",
        in_file=True,
    )  # fmt: skip
    sensitivity: float = option(
        Number(-MOST_SENSITIVE, MOST_SENSITIVE), 0.0, "How lively to the same music, {span}; 0 as heard.", in_file=True
    )
    look: str = differently("look", "neon")
    remote: bool = option(
        Flag(), False, "Serve a page for phones in this network, with buttons for the show.", in_file=True
    )  # fmt: skip
    remote_port: int = option(
        Number(1024, 65535, "", "PORT", whole=True), 8642, "Port of the page for phones; the next if it is taken.",
        in_file=True,
    )  # fmt: skip
    osc_in: str | None = option(
        Endpoint(OSC_HOST), None, "Take commands by OSC; a port alone listens on this computer only.", in_file=True,
        unset="off",
    )  # fmt: skip
    osc_out: str | None = option(
        Endpoint(OSC_HOST), None, "Send beats, tempo and joints by OSC to there.", in_file=True, unset="off"
    )
    midi: bool = option(Flag(), False, "Take commands and clock from all MIDI devices.", in_file=True)
    midi_clock: str | None = option(
        Text("a MIDI output's name or a part of it"), None, "Send MIDI clock of the danced beat to there.",
        in_file=True, unset="off",
    )  # fmt: skip
    cues: str | None = option(
        Text("a TOML file of cues", "FILE"), None, "Play a list of cues; N goes on to the next.", unset="none"
    )  # fmt: skip
    playlist: str | None = option(
        Text("a folder or an .m3u file", "FOLDER|FILE"), None, "Play these songs; J goes on to the next.", unset="none"
    )  # fmt: skip
    crossfade: float = option(
        Number(0, LONGEST_CROSSFADE, "seconds", "S"), 4.0, "How long songs of the playlist overlap, {span}.",
        in_file=True,
    )  # fmt: skip
    output: str | None = option(
        OutputNames(), None, "Hand pictures to other programs: {span}, with where to after a colon.", unset="none"
    )
    output_size: tuple[int, int] | None = option(
        Size((64, 64), (3840, 2160)),
        None,
        "Size of those pictures.",
        in_file=True,
        unset="the window's, up to 1920x1080",
    )
    output_fps: Fraction | None = option(
        Rate(1, 120), None, "Those pictures a second, at most.", in_file=True, unset="30"
    )
    output_alpha: bool = option(
        Flag(), False, "There the dancer alone, on nothing; cameras show it on black.", in_file=True
    )
    lights: str | None = option(
        Text("a TOML file of lamps", "FILE"), None, "Lamps follow the dance, by Art-Net or sACN.", unset="none"
    )  # fmt: skip
    kiosk: bool = option(Flag(), False, "A show that is left to itself: no Esc, started again where it fails.")
    remember: bool = option(
        Opposite(), True, "What keys choose is not kept for the next show.", flags=("--no-remember",)
    )  # fmt: skip
    stats: bool = option(Flag(), False, "Print frame times at the end.")
    stage: str = option(Choice(STAGES), "auto", "Who paints: {span}.", in_file=True, hidden=True)
    fps: Fraction | None = differently(
        "fps", None, kind=Rate(0, 1000), hidden=True, help="Frames a second; 0: as fast as it goes.",
        unset="the display's own rate",
    )  # fmt: skip
    screenshot: str | None = option(Text("a PNG file", "FILE"), None, "Save the last picture.", hidden=True)
    dev: bool = option(Flag(), False, "Read looks again when their files change.", hidden=True)
    favourite_looks: tuple[str, ...] = option(
        Names(), (), "Looks that come more often in auto mode.", in_file=True, on_command_line=False
    )
    favourite_styles: tuple[str, ...] = option(
        Names(), (), "Styles that come more often.", in_file=True, on_command_line=False
    )
    favourite_dances: tuple[str, ...] = option(
        Names(), (), "Dances that come more often.", in_file=True, on_command_line=False
    )
    favourite_figures: tuple[str, ...] = option(
        Names(), (), "Figures that come more often.", in_file=True, on_command_line=False
    )
    never_looks: tuple[str, ...] = option(
        Names(), (), "Looks that never come unless asked for by name.", in_file=True, on_command_line=False
    )
    never_styles: tuple[str, ...] = option(
        Names(), (), "Styles that never come.", in_file=True, on_command_line=False
    )  # fmt: skip
    never_dances: tuple[str, ...] = option(
        Names(), (), "Dances that never come.", in_file=True, on_command_line=False
    )  # fmt: skip
    never_figures: tuple[str, ...] = option(
        Names(), (), "Figures that never come.", in_file=True, on_command_line=False
    )  # fmt: skip
    hint: bool = option(
        Flag(), True, "A line of keys at the start; the first key that is pressed takes it away for good.",
        in_file=True, on_command_line=False,
    )  # fmt: skip
    from_file: frozenset[str] = frozenset()  # which of these the settings file decided
    from_cli: frozenset[str] = frozenset()  # and which the command line


@dataclass(frozen=True, kw_only=True)
class FilmOptions(SharedOptions):
    """All choices for a film. The settings file has no say: the same command makes the same film for everybody."""

    out: str = option(
        Text("a file name, or a folder with a slash at its end", "FILE", "-o needs the name of the film"), "",
        "The film: .mp4, .mkv, .mov, .webm, .gif, .webp, or a folder with a slash at its end.",
        flags=("-o", "--out"), required=True,
    )  # fmt: skip
    size: tuple[int, int] | None = option(
        Size((64, 64), (7680, 4320)), None, "Up to 7680x4320; 1280x720 if not given.", unset="1280x720"
    )
    portrait: bool = option(Flag(), False, "Upright, for phones: 1080x1920.")
    start: float = option(Duration(0, 86_400), 0.0, "Begin so far into the song, such as 75 or 1:15.")
    beats: int | None = option(Number(2, 128, "beats", whole=True), None, "A loop of that many beats.", unset="no loop")
    transparent: bool = option(Flag(), False, "The dancer alone, on nothing.")
    force: bool = option(Flag(), False, "Overwrite the film if it exists.")
    seed: int = differently("seed", 0, help="The same seed makes the same film.", unset="")
    look: str | None = differently("look", None, help="Look of the picture.", unset="paper")
    auto: bool = differently("auto", False, help="Change look, style and dance with the phrases.")
    fps: Fraction | None = differently("fps", None, unset="30; 25 for .gif and .webp")
    seconds: float | None = differently("seconds", None, unset="to the end of the song; 15 without one")
    from_cli: frozenset[str] = frozenset()  # which of these the command line decided


Options = TypeVar("Options", Settings, FilmOptions)


def options_of(table: type[SharedOptions]) -> dict[str, Option]:
    """The options of show or film, by name."""
    return {
        each.name: dataclasses.replace(each.metadata["option"], name=each.name, default=each.default)
        for each in dataclasses.fields(table)
        if "option" in each.metadata
    }


def old_names(table: type[SharedOptions]) -> dict[str, str]:
    """Old name of an option -> the name that it has now."""
    return {old: name for name, each in options_of(table).items() for old in each.old_names}


def check(options: Options) -> Options:
    """The same options, names as they are written in full; UserError if a value makes no sense.

    Styles and dances are the pack's to check, displays the window's, songs the ear's.
    """
    changed = {}
    for name, each in options_of(type(options)).items():
        value = getattr(options, name)
        if value is not None and value != each.default:
            checked = each.kind.check(name, value)
            if checked != value:
                changed[name] = checked
    return dataclasses.replace(options, **changed) if changed else options


def check_value(table: type[SharedOptions], name: str, value: Any) -> Any:
    """The value of one option, as it is used from here on; UserError if it makes no sense."""
    return options_of(table)[name].kind.check(name, value)


def merged(options: Options, **chosen: Any) -> Options:
    """`options` with what was chosen on the command line; None means: not chosen. Checked."""
    chosen = {key: value for key, value in chosen.items() if value is not None}
    more: dict[str, Any] = {"from_cli": options.from_cli | set(chosen)}
    if isinstance(options, Settings):
        more["from_file"] = options.from_file - set(chosen)
    return check(dataclasses.replace(options, **chosen, **more))
