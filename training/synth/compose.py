"""Music written by rule to train the ear: a tune is a score in musical time, performed with human timing.

Every tune knows when its beats and bars fall, because they were there first. No song of anybody's is in it: grooves
are the common stock of their genres, melodies and chords are drawn at random. What the ear must not learn is as
much a part of it as what it must: kicks off the beat, bars without drums, singers who pull, bass lines that push.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# Letters of the grooves -> keys of General MIDI percussion, which the synthesised drums answer to as well.
VOICES = {
    "K": 36, "S": 38, "R": 37, "H": 42, "O": 46, "F": 44, "C": 51, "B": 53, "T": 45, "t": 50, "P": 39, "M": 54,
    "G": 70, "W": 56, "V": 75, "Q": 62, "q": 64, "A": 67, "a": 68, "U": 65, "Z": 49, "g": 69, "f": 41,
}  # fmt: skip
LOUDNESS = {"x": 0.72, "X": 1.0, "o": 0.36, "?": 0.6, "-": 0.25}
CRASH = VOICES["Z"]


@dataclass(frozen=True)
class Genre:
    """How a genre goes. Grooves name a drum and its pattern, one sign a step, `steps` steps a beat; a pattern of
    several bars is played through. `x` plays, `X` is an accent, `o` soft, `?` now and then, `-` a rare ghost."""

    tempo: tuple[float, float]
    grooves: tuple[str, ...]
    bass: str = "roots eighths kick wander"
    chords: str = "pad eighths strum stabs"
    lead: str = "sax guitar synth voice organ"
    kits: str = "standard room power"  # of the soundfont, or 808, 909, noise: synthesised
    steps: int = 4
    meter: int = 4
    swing: tuple[float, float] = (0.5, 0.5)  # where the off-beat falls, 0.5 straight, 0.67 triplets
    swung: float = 0.5  # beats: swing of eighths (0.5) or sixteenths (0.25)
    pump: float = 0.0  # chance that the kick ducks the rest
    human: float = 1.0  # spread of the timing, 1 is a band
    drums: float = 0.95  # chance that there are drums at all
    weight: float = 1.0


GENRES: dict[str, Genre] = {
    "rock": Genre((85, 165), (
        "K x.....x.x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.......x.x..... S ....X.......X..? H X.x.X.x.X.x.X.x.",
        "K x.x....x..x...?. S ....X.......X... C x.x.x.x.x.x.x.x.",
        "K x..x..x...x..x.. S ....X..-.-..X..- H x.x.x.x.x.x.x.O.",
        "K x.....x...x..... S ....X.......X... O x...x...x...x...",
        "K x.x...x.....x... S ....X.......X.X. C X...X...X...X...",
        "K x...x...x...x... S X...X...X...X... Z x......."
    ), chords="power eighths strum pad anticipate", lead="guitar guitar voice voice organ", weight=2.5),
    "pop": Genre((75, 135), (
        "K x.....x.x....... S ....X.......X... H x.x.x.x.x.x.x.x. M ..x...x...x...x.",
        "K x...x...x...x... S ....X.......X... H ..x...x...x...x. P ....x.......x...",
        "K x..x....x..x.... S ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x......x..x..... R ....X.......X... G x.xxx.xxx.xxx.xx",
        "K x..x..x.x..x..x. P ....X.......X... H ..x...x...x...x.",
        "K x.........x..... P ....X.......X...",
    ), bass="roots eighths kick octaves sub", chords="pad eighths arpeggio stabs anticipate piano",
        lead="voice voice voice synth sax", kits="standard room 808 909 noise", pump=0.3, human=0.5, weight=2.5),
    "disco": Genre((105, 132), (
        "K x...x...x...x... S ....X.......X... O ..x...x...x...x. H x.xxx.xxx.xxx.xx",
        "K x...x...x...x... P ....X.......X... H xoxoxoxoxoxoxoxo M ..x...x...x...x.",
        "K x...x...x...x... S ....X..-....X.-. O ..X...X...X...X. Q ..x..x....x.xx..",
    ), bass="octaves octaves wander kick", chords="stabs sixteenths pad offbeat", lead="voice strings brass sax"),
    "house": Genre((116, 130), (
        "K X...X...X...X... P ....x.......x... O ..X...X...X...X.",
        "K X...X...X...X... P ....x.......x... H xoxxxoxxxoxxxoxx",
        "K X...X...X...X..? S ....x.......x... O ..x...x...x...x. G xxxxxxxxxxxxxxxx",
        "K X...X...X...X... R ...x..x...x..x.. O ..x...x...x...x. Q ..xx..x..xx...x.",
        "K X...X...X...X...",
    ), bass="offbeat wander kick sub octaves", chords="stabs offbeat pad organ anticipate",
        lead="voice synth sax piano", kits="909 909 808 noise", swing=(0.5, 0.58), swung=0.25, pump=0.6, human=0.15,
        weight=2.0),
    "techno": Genre((122, 150), (
        "K X...X...X...X... H ..x...x...x...x. ",
        "K X...X...X...X... O ..x...x...x...x. P ............x... g x.xxx.xxx.xxx.xx",
        "K X...X...X...X.x. H xxxxxxxxxxxxxxxx R ...x.....x..x... C ..x...x...x...x.",
        "K X...X...X...X... T ..x..x..x..x..x. H ..X...X...X...X.",
    ), bass="offbeat sixteenths sub pedal", chords="stabs none pad", lead="none synth", kits="909 noise 808",
        pump=0.7, human=0.0, weight=1.5),
    "trance": Genre((128, 145), (
        "K X...X...X...X... P ....x.......x... O ..X...X...X...X. H xxxxxxxxxxxxxxxx",
        "K X...X...X...X... O ..x...x...x...x.",
    ), bass="offbeat gallop pedal", chords="pad sixteenths arpeggio", lead="synth synth voice", kits="909 909 808",
        pump=0.8, human=0.0),
    "electro": Genre((100, 135), (
        "K x.....x...x..... S ....X.......X... H xxxxxxxxxxxxxxxx W ..x..x....x..x..",
        "K x..x..x...x..x.. P ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.....xx..x...x. S ....X..x....X..x O ..x...x...x...x.",
    ), bass="sub sixteenths octaves kick", chords="stabs arpeggio none pad", lead="synth voice none",
        kits="808 808 noise", pump=0.3, human=0.0),
    "dubstep": Genre((66, 75), (
        "K x.........x..... S ....X.......X... H x..x..x.x..x..x.",
        "K x..x..x..x...... S ....X.......X... H x...x...x...x.x.",
        "K x.......x....... S ....X.......X... H x.x.x.x.x.x.xxxx",
        "K x..x......x..x.. S ....X.......X... H xxoxxoxxoxxoxxox",
    ), bass="wobble sub", chords="pad stabs none", lead="synth voice none", kits="noise 909 808", pump=0.5, human=0.0),
    "drum and bass": Genre((160, 180), (
        "K x.........x..... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.x.......x..... S ....X..-.-..X..- C x.x.x.x.x.x.x.x.",
        "K x.x.......xx.... S ....X..x.x..X..x C x.x.x.x.x.x.x.x.",
        "K x......x..x..... S ....X..o....X... H xoxoxoxoxoxoxoxo",
    ), bass="sub wobble wander", chords="pad stabs none", lead="none voice synth", kits="room standard noise 909",
        pump=0.3, human=0.2, weight=1.3),
    "breakbeat": Genre((118, 142), (
        "K x.x.......x..x.. S ....X..x.x..X..x H x.x.x.x.x.x.x.x.",
        "K x.x...x...xx.... S ....X..x.x....X. C x.x.x.x.x.x.x.x.",
        "K x.....x..xx..... S ....X..o.o..X.oo H xoxoxoxoxoxoxoxo",
        "K x..x..x..x.....x S ....X..o....X... H x.x.x.xOx.x.x.x.",
    ), bass="sub kick wander", chords="stabs pad none", lead="none synth voice", kits="room standard power", human=0.4,
        weight=1.5),
    "trap": Genre((62, 80), (
        "K x.....x...x....x S ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x..x......x..x.. P ....X.......X... H x.xxx.xxx.xxxxxx",
        "K x......x..x..... P ....X.......X... H xxoxxoxxoxxoxxox O ......x.........",
    ), bass="sub sub glide", chords="pad arpeggio piano none", lead="rap rap voice synth", kits="808", human=0.1),
    "hip-hop": Genre((78, 104), (
        "K x......x..x..... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.x....x.xx..... S ....X..-....X-.- H xoxoxoxoxoxoxoxo",
        "K x..x..x....x..x. P ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.....xx.x...... S ....X.......X..o C x.x.x.x.x.x.x.x.",
        "K x..x......x..... S ....X.......X... O ......x.......x.",
    ), bass="kick sub wander roots", chords="piano stabs pad none", lead="rap rap rap voice",
        kits="808 standard noise room", swing=(0.5, 0.64), swung=0.25, human=0.8, weight=2.0),
    "funk": Genre((88, 122), (
        "K X.x.......x..x.. S ....X..o.o..X..o H xxxxxxxxxxxxxxxx",
        "K X..x..x....x.... S ....X..-.o..X.o. H x.x.x.xOx.x.x.x.",
        "K X.......x.x..... S ....X.o..o.oX..o H xoXoxoXoxoXoxoXo",
        "K X.x..x....xx.... S .o..X..o.o..X..o O ..............x. H x.x.x.x.x.x.x...",
        "K X.....x..x.x.... S ....X..o.o....X. C x.x.x.x.x.x.x.x.",
    ), bass="slap wander kick", chords="sixteenths stabs", lead="brass sax voice organ", swing=(0.5, 0.57), swung=0.25,
        weight=2.0),
    "soul": Genre((70, 125), (
        "K x.....x...x..... S X...X...X...X... H x.x.x.x.x.x.x.x.",
        "K x.....x.x....... S ....X.......X... M ....x.......x... H x.x.x.x.x.x.x.x.",
        "K x..x....x..x.... R ....X.......X... C x.x.x.x.x.x.x.x.",
    ), bass="wander kick roots", chords="organ stabs piano eighths", lead="voice voice brass sax", swing=(0.5, 0.6)),
    "reggae": Genre((118, 165), (
        "K ........X....... R ........X....... H x.x.x.x.x.x.x.x.",
        "K ........X....... S ........X......- H X.x.X.x.X.x.X.x.",
        "K x...x...x...x... R ........X....... H x.x.x.x.x.x.x.xO",
        "K x.......x....... S ........X...o.o. O ....x.......x...",
    ), bass="dub dub wander", chords="skank skank bubble", lead="voice brass organ melodica", swing=(0.5, 0.64),
        weight=1.5),
    "ska": Genre((120, 180), (
        "K x.......x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K ....x.......x... S ....X.......X... C x.x.x.x.x.x.x.x.",
    ), bass="walking eighths", chords="offbeat", lead="brass sax voice organ", weight=0.6),
    "reggaeton": Genre((86, 104), (
        "K x...x...x...x... S ...x..x....x..x. H x.x.x.x.x.x.x.x.",
        "K x...x...x...x... S ...X..x....X..x. G xxxxxxxxxxxxxxxx P ......x.......x.",
    ), bass="kick sub roots", chords="stabs pad arpeggio", lead="rap voice voice", kits="808 909 noise standard",
        human=0.2),
    "salsa": Genre((80, 118), (
        "V x..x..x...x.x... W x.x.x.x.x.x.x.x. q x.......xx...... Q ....X.........xx U ?...?...?...?...",
        "V ..x.x...x..x..x. A x..xx.x.x..xx.x. q ......xx......xx Q ....X.......X... G x.x.x.x.x.x.x.x.",
        "V x..x..x...x.x... G xxoxxxoxxxoxxxox q ..x...xx..x...xx K ......x.......x.",
    ), bass="tumbao2 tumbao2 tumbao", chords="montuno montuno anticipate", lead="brass voice flute", weight=1.5),
    "latin": Genre((90, 140), (
        "K x..x..x.x..x..x. R ...x..x...x..x.. C x.x.x.x.x.x.x.x. G xxxxxxxxxxxxxxxx",
        "K x.......x....... S X.xxX.xxX.xxX.xx g x.xxx.xxx.xxx.xx U ..x...x...x...x.",
        "K x...x...x...x... q ..xx..xx..xx..xx U x..x..x.x..x..x. W x.x.x.x.x.x.x.x.",
        "K x.....x.x.....x. S o..oX..oo..oX.oo A x.xx.x.xx.xx.x.x f ........X.......",
    ), bass="tumbao roots kick wander", chords="montuno stabs strum", lead="brass voice flute guitar"),
    "samba": Genre((90, 125), (
        "K o...X...o...X... S xoxxoxoxxoxxoxox G xoxxxoxxxoxxxoxx A x.x.xx.x.x.xx.x.",
        "f ....X.......X... S XooXooXoXooXooXo g xxxxxxxxxxxxxxxx M x.xx.x.xx.x.xx.x",
    ), bass="roots kick", chords="strum stabs", lead="voice flute guitar", swing=(0.5, 0.55), swung=0.25),
    "bossa": Genre((60, 90), (
        "K x..xx..xx..xx..x R x..x..x...x..x.. H xxxxxxxxxxxxxxxx",
        "K x..xx..xx..xx..x R ..x..x....x..x.. G xoxoxoxoxoxoxoxo",
    ), bass="bossa", chords="bossa strum", lead="voice sax flute guitar", kits="brush standard"),
    "afrobeat": Genre((98, 130), (
        "K x..x..x...x.x... S ..-.X..o.-..X.o. H x.xxx.xxx.xxx.xx G xxxxxxxxxxxxxxxx",
        "K x.x...x.x.x...x. R ...x..x....x..x. H ..x...x...x...x. A x..x..x...x.x... Q ..x..xx...x..xx.",
        "K x...x...x...x... R x..x..x...x.x... O ..x...x...x...x. q ..xx..x...xx..x.",
    ), bass="wander wander tumbao", chords="sixteenths stabs", lead="brass sax voice guitar", weight=1.3),
    "jazz": Genre((90, 190), (
        "C x..x.xx..x.x F ...x.....x.. K o..o..o..o.. S -..--.-.-..-",
        "C x..x.xx..x.x F ...x.....x.. S ..?..-..?.-. K ..-....?....",
        "C x..x..x..x.. F ...x.....x..",
    ), bass="walking walking walking roots", chords="comp comp piano none", lead="sax trumpet piano vibes voice",
        kits="jazz standard brush", steps=3, human=1.3, weight=1.5),
    "shuffle": Genre((66, 140), (
        "K x.....x..x.. S ...X.....X.. H x.xx.xx.xx.x",
        "K x..x..x..x.. S ...X.-...X.- C x.xx.xx.xx.x",
        "K x....xx..... S ..-X.-..-X.- H x.xx.xx.xx.x",
        "K x.....x....x S ......X..... H xxxxxxxxxxxx",
    ), bass="walking roots boogie", chords="organ comp eighths piano", lead="guitar harmonica voice sax", steps=3,
        weight=1.5),
    "swing": Genre((100, 180), (
        "K x..x..x..x.. S ...X.....X.. C x..x.xx..x.x",
        "K x..x..x..x.. T x.xx.xx.xx.x F ...x.....x..",
    ), bass="walking", chords="quarters comp stabs", lead="brass clarinet trumpet voice",
        kits="jazz standard", steps=3),
    "waltz": Genre((84, 190), (
        "K x........... S ....x...x... H x...x...x...",
        "K x........... H x.x.x.x.x.x. R ....x...x...",
        "C x...x.x.x.x. F ....x....... K o...........",
    ), bass="roots oom", chords="waltz waltz pad strum", lead="strings accordion voice clarinet guitar", meter=3,
        drums=0.6, weight=1.5),
    "six-eight": Genre((45, 88), (
        "K x..... S ...X.. H xxxxxx",
        "K x...xx S ...X.. C x.xx.x",
        "K x..x.x S ...X.. G xxxxxx q ..x..x",
    ), bass="roots kick", chords="arpeggio strum pad triplets", lead="voice voice guitar strings", steps=3, meter=2,
        weight=1.2),
    "slow twelve-eight": Genre((55, 85), (
        "K x.....x.x... S ...X.....X.. H xxxxxxxxxxxx",
        "K x....xx..... R ...X.....X.. H xxxxxxxxxxxx",
    ), bass="roots walking", chords="triplets arpeggio organ", lead="voice sax guitar", steps=3),
    "five-four": Genre((100, 180), (
        "K x.....x.....x....... S ........X.......X... C x...x.x.x...x...x...",
        "K x..x........x....... S ........x.......x... H x.x.x.x.x.x.x.x.x.x.",
    ), bass="roots wander", chords="comp stabs pad", lead="sax guitar piano", meter=5, weight=0.5),
    "seven-four": Genre((120, 185), (
        "K x.......x.......x........... S ....X.......X.......X...X... H x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
        "K x...x...............x....... S ........X...X.......X....... C x...x...x...x...x...x...x...",
    ), bass="roots wander eighths", chords="power pad stabs", lead="guitar synth flute", meter=7, weight=0.5),
    "metal": Genre((90, 190), (
        "K xxxxxxxxxxxxxxxx S ....X.......X... Z x...x...x...x...",
        "K xx.xxx.xxx.xxx.x S ....X.......X... C x...x...x...x...",
        "K x.x.x.x.x.x.x.x. S .x.x.x.x.x.x.x.x C x.x.x.x.x.x.x.x.",
        "K x..x..x.x..x..x. S ........X....... Z x...x...x...x...",
        "K x...x...x...x... S ..x...x...x...x. H x...x...x...x...",
        "K x.xxx...x.xx..xx S ....X.......X... O x...x...x...x...",
    ), bass="eighths sixteenths gallop kick", chords="power gallop sixteenths power", lead="guitar growl growl none",
        kits="power room standard", human=0.7, weight=2.5),
    "punk": Genre((140, 190), (
        "K x.....x.x.x..... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.......x....... S ....X.......X... C x...x...x...x...",
        "K x...x...x...x... S ..X...X...X...X. H x...x...x...x...",
    ), bass="eighths", chords="power strum", lead="growl voice guitar", kits="power room standard"),
    "country": Genre((75, 170), (
        "K x.......x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.......x....... S ..oxX.ox..oxX.ox",
        "K x...x...x...x... S ..x...x...x...x.",
    ), bass="oom roots", chords="strum offbeat arpeggio", lead="guitar harmonica fiddle voice", weight=1.2),
    "folk": Genre((80, 150), (
        "M x...X...x...X...", "K x...x...x...x...", "G x.x.X.x.x.x.X.x.",
    ), bass="roots oom none", chords="strum strum arpeggio waltz", lead="fiddle flute accordion voice", drums=0.35),
    "polka": Genre((95, 130), ("K x...x...x...x... S ..X...X...X...X.", "K x...x... R ..x...x."),
        bass="oom", chords="offbeat", lead="accordion clarinet trumpet", weight=0.5),
    "bhangra": Genre((85, 110), (
        "f X.....X...X..... Q ..xx..xx..xx..xx M x.x.x.x.x.x.x.x.",
        "f X..X..X...X..X.. Q ..x..xx...x..xx. P ....x.......x...",
        "K x...x...x...x... f X.....x...X..... Q .xx.xx.x.xx.xx.x",
    ), bass="roots sub kick", chords="none pad stabs", lead="sitar voice flute", swing=(0.56, 0.66), swung=0.25),
    "oriental": Genre((85, 130), (
        "f X..X....X....... Q ....x..x....x.xx M x.xxx.xxx.xxx.xx",
        "f X.X...X.X....... Q ...x.x....x.xx.. G x.x.x.x.x.x.x.x.",
    ), bass="roots none wander", chords="none pad arpeggio", lead="strings sitar fiddle flute", weight=0.8),
    "ballad": Genre((56, 92), (
        "K x.......x....... R ....x.......x... H x.x.x.x.x.x.x.x.",
        "K x......x..x..... S ....x.......x... H x.x.x.x.x.x.x.x.",
    ), bass="roots none", chords="piano piano arpeggio strum pad", lead="voice voice strings flute", drums=0.35,
        human=1.4, weight=1.5),
    "orchestra": Genre((60, 150), ("f x...............", "K x.......x.......", "Z x..............."),
        bass="roots walking none", chords="pad quarters eighths waltz arpeggio", lead="strings brass flute clarinet",
        kits="orchestra", drums=0.25, human=1.5),
    "ambient": Genre((60, 120), ("H ..x...x...x...x.", "K x.......x......."),
        bass="roots sub none", chords="pad arpeggio pad", lead="synth voice none", kits="808 noise", drums=0.3,
        weight=0.6),
    "drums alone": Genre((70, 180), (
        "K x.....x.x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x..x..x...x..... S ..-.X..o.o..X.oo C x.x.x.x.x.x.x.x.",
        "K x.x....x..x..x.. S ....X..o.o..X..o H xoxoxoxoxoxoxoxo",
        "K x...x...x...x... S oooooooXoooooooX",
        "K x.....x...x..... T x.x.o.x.x.x.o.x. S ....X.......X...",
        "K x...x...x...x... U x..x..x...x.x... W x.x.x.x.x.x.x.x. S ..oo..o...oo..o.",
        "K x.......x....... f x..x..x.x.x.x... S ....X..o....X..o F ....x.......x...",
    ), bass="none", chords="none", lead="none", swing=(0.5, 0.62), swung=0.25, human=1.6, drums=1.0, weight=3.0),
    "drums alone, triplets": Genre((60, 185), (
        "K x.....x....o S ...X.-.-.X.- C x..x.xx..x.x F ...x.....x..",
        "K x..x..x..x.. S -.-X.-.-.X.- H x.xx.xx.xx.x",
        "K x....xx..... S ooXooXooXooX",
    ), bass="none", chords="none", lead="none", steps=3, human=1.6, drums=1.0),
    "anything": Genre((60, 190), (), kits="standard room 808 909 noise jazz power electronic",
        bass="roots eighths kick wander octaves walking sub tumbao offbeat none",
        chords="pad eighths strum stabs arpeggio piano sixteenths anticipate none offbeat",
        lead="voice rap synth guitar sax none", swing=(0.5, 0.62), swung=0.25, pump=0.2, drums=0.9, weight=4.0),
}  # fmt: skip

# General MIDI programs of each colour.
PROGRAMS = {
    "bass": (32, 33, 34, 35, 36, 37), "sub": (38, 39, 87), "pad": (48, 49, 50, 51, 52, 88, 89, 90, 91, 92, 94, 95),
    "piano": (0, 1, 2, 4, 5), "strum": (24, 25, 27, 105), "power": (29, 30), "clean": (27, 28, 7),
    "organ": (16, 17, 18, 19), "stabs": (4, 5, 7, 61, 62, 63, 81, 80, 48, 1), "pluck": (11, 12, 46, 45, 80, 81, 24, 98),
    "guitar": (26, 27, 29, 30), "sax": (64, 65, 66), "synth": (80, 81, 82, 84, 86, 87), "strings": (48, 40, 44, 42),
    "brass": (61, 56, 57, 62), "flute": (73, 74, 75, 79), "trumpet": (56, 59), "vibes": (11, 12), "clarinet": (71, 68),
    "harmonica": (22,), "accordion": (21, 23), "fiddle": (110, 40), "sitar": (104, 107, 111), "melodica": (22, 21),
}  # fmt: skip
KITS = {"standard": 0, "room": 8, "power": 16, "electronic": 24, "jazz": 32, "brush": 40, "orchestra": 48}
MACHINES = ("808", "909", "noise")  # synthesised kits
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 5, 7, 9, 10))


class Sound(NamedTuple):
    """One note to be played: when it sounds (s), for how long (s), by which part, MIDI pitch, loudness 0..1."""

    time: float
    seconds: float
    part: str
    pitch: int
    loud: float


@dataclass(frozen=True)
class Part:
    """Who plays: a General MIDI program, a kit's program (`drums`), or a synthesised voice by name."""

    program: int = 0
    machine: str = ""  # "808", "909", "noise", "sub", "wobble", "voice", "rap", "growl"; "" is the soundfont
    gain: float = 1.0


@dataclass(frozen=True)
class Tune:
    """A performed score. beats, downbeats: seconds at which they sound. rises: (from, to, loudness) of noise sweeps."""

    genre: str
    sounds: list[Sound]
    parts: dict[str, Part]
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    bars: NDArray[np.int64]  # beats in the bar of each downbeat
    seconds: float
    pump: float = 0.0  # 0..1, how far a kick ducks the rest
    rises: list[tuple[float, float, float]] = field(default_factory=list)
    drive: float = 1.0  # into the limiter of the master


class _Note(NamedTuple):
    beat: float
    beats: float
    part: str
    pitch: int
    loud: float


def compose(seed: int, seconds: float = 30.0, genre: str | None = None) -> Tune:
    """A tune of about `seconds` (whole bars), decided by the seed. `genre` is one of GENRES, or drawn by weight."""
    rng = np.random.default_rng((seed, 20))
    names = list(GENRES)
    weights = np.array([GENRES[n].weight for n in names])
    name = genre or names[rng.choice(len(names), p=weights / weights.sum())]
    style = GENRES[name]
    meter, steps = style.meter, style.steps
    if name == "anything":
        meter = int(rng.choice([4, 4, 4, 4, 4, 3]))
        steps = int(rng.choice([4, 4, 4, 3]))
    low, high = style.tempo
    bpm = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    bars = _form(rng, max(round(seconds * bpm / 60 / meter), 2), meter)
    writer = _Writer(rng, style, meter, steps, name == "anything")
    notes, rises = writer.write(bars)
    total = sum(b.beats for b in bars)
    clock = _Clock(rng, bpm, total + 1, style, bars)
    sounds = _perform(rng, notes, clock, style, steps)
    # A tune may start in the middle of a bar: recordings and listeners do.
    starts = np.cumsum([0] + [b.beats for b in bars])
    beats = clock.at(np.arange(total))
    lead_in = float(rng.uniform(0.02, 0.8))
    return Tune(
        genre=name,
        sounds=[s._replace(time=max(s.time + lead_in, 0.0)) for s in sounds],
        parts=writer.parts,
        beats=beats + lead_in,
        downbeats=clock.at(starts[:-1]) + lead_in,
        bars=np.array([b.beats for b in bars]),
        seconds=float(clock.at(np.array([total]))[0]) + lead_in,
        pump=float(rng.uniform(0.3, 0.95)) if rng.random() < style.pump else 0.0,
        rises=[(*(clock.at(np.array([a, b])) + lead_in).tolist(), loud) for a, b, loud in rises],
        drive=float(rng.choice([1.0, rng.uniform(1, 4)])),
    )


@dataclass(frozen=True)
class _Bar:
    beats: int
    section: int
    first: bool  # of its section
    last: bool
    layers: frozenset[str]


LAYERS = ("drums", "bass", "chords", "lead", "perc", "hats")


def _form(rng: Generator, count: int, meter: int) -> list[_Bar]:
    """Sections of 1 to 8 bars, each with some of the layers: intros without drums, breaks, builds and drops."""
    bars: list[_Bar] = []
    section = 0
    odd = rng.random() < 0.06
    calm = rng.random() < 0.3  # everybody plays from beginning to end
    while len(bars) < count:
        length = int(rng.choice([2, 4, 4, 4, 8, 8, 3, 1], p=[0.15, 0.2, 0.15, 0.15, 0.15, 0.1, 0.05, 0.05]))
        length = min(length, count - len(bars))
        if calm:
            layers = {"drums", "bass", "chords", "lead", "perc"}
        else:
            kind = rng.random()
            if kind < 0.5:
                layers = {"drums", "bass", "chords", "perc"} | ({"lead"} if rng.random() < 0.65 else set())
            elif kind < 0.6:
                layers = {"drums", "bass", "perc"}
            elif kind < 0.68:
                layers = {"drums"}
            elif kind < 0.76:
                layers = {"chords", "lead"}
            elif kind < 0.82:
                layers = {"chords", "bass"} | ({"lead"} if rng.random() < 0.5 else set())
            elif kind < 0.88:
                layers = {"hats", "chords", "lead", "bass"}
            elif kind < 0.93:
                layers = {"build", "chords"}
            elif kind < 0.96:
                layers = {"lead"}
            else:
                layers = {"drums", "lead"}
        for i in range(length):
            beats = meter
            if odd and meter == 4 and i == length - 1 and rng.random() < 0.4:
                beats = int(rng.choice([2, 3, 6]))
            bars.append(_Bar(beats, section, i == 0, i == length - 1, frozenset(layers)))
        section += 1
    return bars


class _Writer:
    """Writes the notes of one tune. It draws the tune's patterns once, and varies them bar by bar."""

    def __init__(self, rng: Generator, style: Genre, meter: int, steps: int, anything: bool) -> None:
        self.rng, self.style, self.meter, self.steps = rng, style, meter, steps
        self.anything = anything
        self.parts: dict[str, Part] = {}
        self.key = int(rng.integers(0, 12))
        self.scale = SCALES[rng.integers(len(SCALES))]
        self.loop = [int(x) for x in rng.choice([0, 3, 4, 5, 1, 2, 6], int(rng.choice([1, 2, 4, 4, 4])),
                                                p=[0.3, 0.18, 0.18, 0.15, 0.09, 0.06, 0.04])]  # fmt: skip
        self.harmonic = float(rng.choice([1, 1, 1, 2, 0.5]))  # bars a chord
        self.drummed = rng.random() < style.drums
        kit = self._pick(style.kits)
        if kit in MACHINES:
            self.parts["drums"] = Part(machine=kit, gain=float(rng.uniform(0.5, 1.3)))
        else:
            self.parts["drums"] = Part(program=KITS[kit], gain=float(rng.uniform(0.5, 1.4)))
        self.grooves = [self._groove() for _ in range(2)]
        self.bass = self._pick(style.bass)
        self.chords = self._pick(style.chords)
        self.lead = self._pick(style.lead)
        self.busy = float(rng.uniform(0.1, 0.9))
        self.pattern = self._syncopation()
        self.bass_pattern = self._syncopation()
        self.motif: list[tuple[float, float, int]] | None = None
        self.dull = rng.random() < 0.25  # nothing varied: a loop
        bass_kind = "sub" if self.bass in ("sub", "wobble", "glide") or rng.random() < 0.1 else "bass"
        machine = {"wobble": "wobble", "glide": "sub"}.get(
            self.bass, "sub" if self.bass == "sub" and rng.random() < 0.7 else ""
        )
        self.parts["bass"] = Part(self._program(bass_kind), machine, float(rng.uniform(0.4, 1.2)))
        colour = {
            "pad": "pad", "anticipate": "pad stabs piano", "eighths": "piano power clean strum", "strum": "strum",
            "stabs": "stabs", "arpeggio": "pluck piano", "piano": "piano", "sixteenths": "clean pluck",
            "skank": "clean organ",
            "bubble": "organ", "montuno": "piano", "power": "power", "gallop": "power", "comp": "piano strum",
            "quarters": "piano strum organ strings", "organ": "organ", "triplets": "piano organ",
            "waltz": "piano strum accordion",
            "bossa": "strum piano", "offbeat": "stabs clean accordion organ piano",
        }.get(self.chords, "piano")  # fmt: skip
        self.parts["chords"] = Part(self._program(self._pick(colour)), gain=float(rng.uniform(0.3, 1.1)))
        if self.lead in ("voice", "rap", "growl"):
            self.parts["lead"] = Part(machine=self.lead, gain=float(rng.uniform(0.4, 1.6)))
        else:
            self.parts["lead"] = Part(
                self._program(self.lead if self.lead != "none" else "piano"), gain=float(rng.uniform(0.4, 1.3))
            )

    def _pick(self, words: str) -> str:
        return str(self.rng.choice(words.split()))

    def _program(self, colour: str) -> int:
        return int(self.rng.choice(PROGRAMS[colour]))

    # --- drums ---

    def _groove(self) -> dict[str, str]:
        """Voice -> pattern; out of the genre's, changed a little, or drawn from nothing."""
        rng = self.rng
        if not self.style.grooves or (rng.random() < 0.12 and self.style.weight < 2.9):
            groove = self._made_up()
        else:
            words = str(self.style.grooves[rng.integers(len(self.style.grooves))]).split()
            groove = dict(zip(words[::2], words[1::2], strict=True))
        if rng.random() < 0.35 and "K" in groove:  # a kick of this tune's own
            signs = list(groove["K"])
            for _ in range(int(rng.integers(1, 4))):
                i = int(rng.integers(len(signs)))
                signs[i] = "x" if signs[i] == "." else (signs[i] if i == 0 and rng.random() < 0.7 else ".")
            groove["K"] = "".join(signs)
        if rng.random() < 0.15:  # the hats go elsewhere
            for a, b in (("H", "C"), ("C", "H")):
                if a in groove and b not in groove:
                    groove[b] = groove.pop(a)
                    break
        if rng.random() < 0.12 and len(groove) > 1:
            del groove[str(rng.choice(list(groove)))]
        return groove

    def _made_up(self) -> dict[str, str]:
        rng, steps, meter = self.rng, self.steps, self.meter
        length = steps * meter
        beat = np.arange(length) % steps == 0
        bars = int(rng.choice([1, 1, 2]))
        kick = "".join(
            "x" if rng.random() < p else "."
            for _ in range(bars)
            for p in np.where(
                np.arange(length) == 0, 0.92, np.where(beat, 0.35, np.where(np.arange(length) % 2 == 0, 0.25, 0.1))
            )
        )
        if rng.random() < 0.25:
            kick = ("x" + "." * (steps - 1)) * meter
        snare = ["."] * length
        for i in range(meter):
            if (i % 2 == 1) if meter != 3 else (i > 0):
                snare[i * steps] = "X"
        if rng.random() < 0.2:  # half time
            snare = ["."] * length
            snare[(meter // 2) * steps] = "X"
        for i in range(length):
            if snare[i] == "." and rng.random() < 0.08:
                snare[i] = rng.choice(["o", "x", "?", "-"])
        straight = steps == 4
        hats = (
            "x" * length,
            ("x" + "." * (steps - 1)) * meter,
            "x." * (length // 2) if straight else "x.x" * meter,
            "..x." * meter if straight else "..x" * meter,
            "xo" * (length // 2 + 1),
        )[int(rng.integers(5))][:length]
        groove = {
            "K": kick,
            str(rng.choice(["S", "S", "P", "R"])): "".join(snare),
            str(rng.choice(["H", "H", "C", "G", "O", "M"])): hats,
        }
        for voice in rng.choice(list("QqUWATtVBf"), int(rng.integers(0, 3)), replace=False):
            groove[str(voice)] = "".join("x" if rng.random() < 0.22 else "." for _ in range(length))
        return groove

    def _drums(self, bar: _Bar, start: int, number: int) -> list[_Note]:
        rng, steps = self.rng, self.steps
        notes: list[_Note] = []
        if not self.drummed or "drums" not in bar.layers:
            if self.drummed and "hats" in bar.layers:
                for i in range(bar.beats * 2):
                    notes.append(_Note(start + i / 2, 0.2, "drums", VOICES["H"], 0.6 + 0.2 * (i % 2)))
            if "build" in bar.layers and self.drummed:
                each = 2 if not bar.last else 4
                for i in range(bar.beats * each):
                    notes.append(_Note(start + i / each, 0.2, "drums", VOICES["S"], 0.4 + 0.5 * i / (bar.beats * each)))
            return notes
        groove = self.grooves[0] if bar.section % 3 or rng.random() < 0.5 else self.grooves[1]
        fill_from = bar.beats
        if bar.last and rng.random() < 0.6 and not self.dull:
            fill_from = bar.beats - float(rng.choice([0.5, 1, 1, 2, 4]))
        length = bar.beats * steps
        for voice, signs in groove.items():
            if voice in "QqUWAaGMVBg" and "perc" not in bar.layers:
                continue
            offset = (number * self.meter * steps) % len(signs)
            for i in range(length):
                sign = signs[(offset + i) % len(signs)]
                if sign == "." or (i / steps >= max(fill_from, 0) and voice not in "F"):
                    continue
                if (sign == "?" and rng.random() < 0.5) or (sign == "-" and rng.random() < 0.6):
                    continue
                if not self.dull and rng.random() < 0.025:
                    continue
                key = VOICES[sign if sign in VOICES else voice]  # an O among the H is an open hat
                notes.append(_Note(start + i / steps, 0.2, "drums", key, LOUDNESS.get(sign, 0.72)))
        if not self.dull:
            for _ in range(rng.poisson(0.5)):  # ghosts and slips
                at = rng.integers(length) / steps
                notes.append(
                    _Note(start + at, 0.2, "drums", int(rng.choice([36, 38, 38, 42, 46])), float(rng.uniform(0.2, 0.6)))
                )
        if fill_from < bar.beats:
            density = rng.uniform(0.4, 1.0)
            keys = [38, 38, 50, 48, 45, 43, 41] if rng.random() < 0.7 else [38]
            at = max(fill_from, 0.0)
            grid = float(rng.choice([1 / steps, 1 / steps, 0.5 / steps * 2, 1 / 3]))
            while at < bar.beats - 1e-6:
                if rng.random() < density:
                    k = min(int((at - fill_from) / max(bar.beats - fill_from, 0.1) * len(keys)), len(keys) - 1)
                    notes.append(_Note(start + at, 0.2, "drums", keys[k], float(rng.uniform(0.5, 1))))
                at += grid
        if bar.first and number and rng.random() < 0.6:
            notes.append(_Note(start, 0.5, "drums", CRASH, 0.9))
        return notes

    # --- pitches ---

    def _degree(self, degree: int) -> int:
        """Semitones above the key of a step of the scale."""
        return 12 * (degree // 7) + self.scale[degree % 7]

    def _root(self, number: int, beat: float = 0.0) -> int:
        at = (number + beat / self.meter) / self.harmonic
        return self.loop[int(at) % len(self.loop)]

    def _syncopation(self) -> list[float]:
        """Beats within the bar at which this tune's stabs fall."""
        rng = self.rng
        grid = np.arange(self.meter * self.steps) / self.steps
        chance = np.where(grid % 1 == 0, 0.3, np.where(grid % 0.5 == 0, 0.3, 0.15)) * rng.uniform(0.5, 2.0)
        picked = [float(g) for g, c in zip(grid, chance, strict=True) if rng.random() < c]
        if rng.random() < 0.6:
            picked = sorted({0.0, *picked})
        return picked or [0.0]

    def _bass(self, bar: _Bar, start: int, number: int) -> list[_Note]:
        rng, b, steps = self.rng, bar.beats, self.steps
        if "bass" not in bar.layers or self.bass == "none":
            return []
        base = 28 + (self.key + 8) % 12
        off = 0.5 if steps == 4 else 2 / 3
        root = lambda at=0.0: base + self._degree(self._root(number, at))  # noqa: E731
        out: list[tuple[float, float, int]] = []
        kind = self.bass
        if kind in ("roots", "glide", "wobble"):
            out = [(0, b, root())]
            if rng.random() < 0.4:
                out = [(0, b / 2, root()), (b / 2, b / 2, root(b / 2))] if b % 2 == 0 else out
        elif kind == "eighths":
            for i in range(b):
                out += [(i, 0.45, root(i)), (i + off, 0.45, root(i))]
        elif kind == "octaves":
            for i in range(b):
                out += [(i, 0.4, root(i)), (i + off, 0.4, root(i) + 12)]
        elif kind == "offbeat":
            out = [(i + off, 0.4, root(i)) for i in range(b)]
        elif kind == "sixteenths":
            out = [(i + j / steps, 0.9 / steps, root(i)) for i in range(b) for j in range(steps)]
        elif kind in ("gallop", "pedal"):
            out = [(i + j / 4, 0.2, root(i)) for i in range(b) for j in ((0, 2, 3) if kind == "gallop" else (1, 2, 3))]
        elif kind == "kick":
            signs = self.grooves[0].get("K", "x...")
            offset = (number * self.meter * steps) % len(signs)
            out = [
                (i / steps, 0.4, root(i / steps)) for i in range(b * steps) if signs[(offset + i) % len(signs)] != "."
            ]
        elif kind in ("wander", "slap", "dub", "sub"):
            for at in self.bass_pattern:
                if at < b:
                    out.append((at, 0.4, root(at) + int(rng.choice([0, 0, 0, 7, 12, -5, 10]))))
            if kind == "slap":
                out += [(i + 0.75, 0.1, root(i) + 12) for i in range(b) if rng.random() < 0.3]
            if kind == "dub" and out and out[0][0] == 0 and rng.random() < 0.5:
                out = out[1:]  # the one is left out
        elif kind == "walking":
            now = self._root(number)
            for i in range(b):
                out.append((i, 0.9, base + self._degree(now)))
                now += int(rng.choice([-1, 1, 1, 2, -2]))
                if rng.random() < 0.08:
                    out.append((i + off, 0.3, base + self._degree(now)))
        elif kind == "boogie":
            for i in range(b):
                out += [(i, 0.5, root(i) + (0, 4, 7, 9)[i % 4]), (i + off, 0.3, root(i) + (0, 4, 7, 9)[i % 4])]
        elif kind == "tumbao":
            following = base + self._degree(self._root(number + 1))
            out = [(1.5, 1.4, root() + 7), (3.0, 1.4, following)]
            if rng.random() < 0.15:
                out = [(0.0, 1.4, root()), *out]
        elif kind == "tumbao2":  # counted in halves
            out = [(at, 0.7, root(at) + 7 * (i % 2)) for i, at in enumerate((0.75, 1.5, 2.75, 3.5))]
        elif kind == "bossa":
            out = [(0, 1.4, root()), (1.5, 0.4, root() + 7), (2, 1.4, root() + 7), (3.5, 0.4, root())]
        elif kind == "oom":
            out = [(i, 0.8, root(i) + (7 if i % 4 == 2 else 0)) for i in range(0, b, 2 if b % 2 == 0 else 3)]
        return [
            _Note(start + at, length, "bass", int(p), float(rng.uniform(0.65, 0.95))) for at, length, p in out if at < b
        ]

    def _chord(self, number: int, beat: float = 0.0) -> list[int]:
        root = self._root(number, beat)
        base = 48 + self.key
        tones = [base + self._degree(root + d) for d in ((0, 2, 4, 6) if self.busy > 0.6 else (0, 2, 4))]
        if self.chords in ("power", "gallop"):
            tones = [base - 12 + self._degree(root), base - 5 + self._degree(root), base + self._degree(root)]
        return tones

    def _chording(self, bar: _Bar, start: int, number: int) -> list[_Note]:
        rng, b, steps = self.rng, bar.beats, self.steps
        kind = self.chords
        if "chords" not in bar.layers or kind == "none":
            return []
        off = 0.5 if steps == 4 else 2 / 3
        hits: list[tuple[float, float, float]] = []
        if kind in ("pad", "organ"):
            hits = [(0, b, 0.7)] if self.harmonic >= 1 else [(0, b / 2, 0.7), (b / 2, b / 2, 0.7)]
        elif kind == "anticipate":  # the chord comes before the bar
            hits = [(-off if rng.random() < 0.7 else 0.0, b, 0.85)]
        elif kind in ("eighths", "strum", "power"):
            for i in range(b):
                hits += [(i, 0.45, 0.9 if i % 2 == 0 else 0.75), (i + off, 0.4, 0.6)]
            if kind == "strum":
                hits = [h for h in hits if rng.random() < 0.8]
                hits += [(i + 0.75, 0.2, 0.5) for i in range(b) if rng.random() < 0.3 and steps == 4]
            if kind == "power" and self.busy < 0.4:
                hits = [(at, 0.9, 0.85) for at in self.pattern if at < b]
        elif kind == "sixteenths":
            hits = [
                (i / steps, 0.15, float(rng.uniform(0.3, 0.9)))
                for i in range(b * steps)
                if rng.random() < 0.4 + 0.5 * self.busy
            ]
        elif kind == "gallop":
            hits = [(i + j / 4, 0.2, 0.8) for i in range(b) for j in (0, 2, 3)]
        elif kind in ("skank", "offbeat"):
            at = [1.0, 3.0] if kind == "skank" else [i + off for i in range(b)]
            hits = [(a, 0.2, 0.85) for a in at if a < b]
            if kind == "skank" and self.busy > 0.5:
                hits += [(a + 0.5, 0.15, 0.6) for a in at if a + 0.5 < b]
        elif kind == "bubble":
            hits = [(i + j, 0.2, 0.7) for i in range(b) for j in (0.5, 0.75)]
        elif kind in ("stabs", "comp"):
            hits = [(at, float(rng.choice([0.2, 0.4, 0.9])), 0.8) for at in self.pattern if at < b]
            if kind == "comp":
                hits = [
                    (at, 0.4, 0.7) for at in (0, 1 + off, 2 + off, 3 + off, 1, off) if at < b and rng.random() < 0.33
                ]
        elif kind in ("quarters", "piano"):
            hits = [(i, 0.9, 0.8 if i == 0 else 0.6) for i in range(b)]
            if kind == "piano":
                hits = [h for h in hits if h[0] == 0 or rng.random() < 0.7]
                hits += [(i + off, 0.5, 0.55) for i in range(b) if rng.random() < self.busy]
        elif kind == "triplets":
            hits = [(i + j / 3, 0.3, 0.8 if j == 0 else 0.55) for i in range(b) for j in range(3)]
        elif kind == "waltz":
            hits = [(i, 0.7, 0.65) for i in range(1, b)]
        elif kind == "bossa":
            hits = [
                (at, 0.4, 0.7) for at in ((0, 1, 1.75, 2.5, 3.5) if number % 2 else (0, 0.75, 2, 2.75, 3.5)) if at < b
            ]
        notes: list[_Note] = []
        if kind in ("arpeggio", "montuno"):
            each = 0.5 if self.busy < 0.5 else 0.25
            each = 1 / 3 if steps == 3 else each
            tones = [*self._chord(number), self._chord(number)[0] + 12]
            for i in range(round(b / each)):
                if kind == "montuno" and (i % 8 in (2, 4) or rng.random() < 0.1):
                    continue
                pitch = tones[(i * (1 if kind == "arpeggio" else 3)) % len(tones)]
                notes.append(_Note(start + i * each, each * 1.2, "chords", pitch + 12, 0.6 + 0.2 * (i % 4 == 0)))
            return notes
        for at, length, loud in hits:
            tones = self._chord(number, max(at, 0.0))
            spread = 0.012 if kind == "strum" else 0.0
            for k, pitch in enumerate(tones):
                notes.append(
                    _Note(start + at + spread * k, length, "chords", pitch, loud * float(rng.uniform(0.85, 1.1)))
                )
        return notes

    def _melody(self, bar: _Bar, start: int, number: int) -> list[_Note]:
        rng, b = self.rng, bar.beats
        if "lead" not in bar.layers or self.lead == "none" or rng.random() < 0.15:
            return []
        if self.motif is None or rng.random() < 0.35:
            motif: list[tuple[float, float, int]] = []
            at = float(rng.choice([0, 0, 0.5, 1, -0.5, -1, 0.25]))
            degree = int(rng.integers(-2, 6))
            while at < b:
                unit = 1 / self.steps
                length = unit * float(rng.choice([1, 2, 3, 4, 6, 8], p=[0.2, 0.3, 0.12, 0.2, 0.1, 0.08]))
                if self.lead == "rap":
                    length = unit * float(rng.choice([1, 1, 2, 3]))
                if rng.random() < 0.8:
                    motif.append((at, length * 0.95, degree))
                at += length
                degree = int(np.clip(degree + rng.choice([-2, -1, -1, 0, 1, 1, 2, 3]), -4, 10))
            self.motif = motif
        base = 60 + self.key
        shift = self._root(number)
        return [
            _Note(start + at, length, "lead", base + self._degree(degree + shift), float(rng.uniform(0.6, 1.0)))
            for at, length, degree in self.motif
            if at < b
        ]

    def write(self, bars: list[_Bar]) -> tuple[list[_Note], list[tuple[float, float, float]]]:
        """The notes of all bars, and noise sweeps as (from beat, to beat, loudness)."""
        notes: list[_Note] = []
        rises: list[tuple[float, float, float]] = []
        start = 0
        for number, bar in enumerate(bars):
            for write in (self._drums, self._bass, self._chording, self._melody):
                notes += write(bar, start, number)
            start += bar.beats
            if "build" in bar.layers and bar.last and self.rng.random() < 0.7:
                rises.append((max(start - 2 * bar.beats, 0), start, float(self.rng.uniform(0.1, 0.5))))
        notes = [n for n in notes if n.beat >= 0]
        return notes, rises


class _Clock:
    """Musical time -> seconds: steady, or drifting, stepping, or kept by a human."""

    def __init__(self, rng: Generator, bpm: float, beats: int, style: Genre, bars: list[_Bar]) -> None:
        pace = np.full(beats + 1, np.log(60 / bpm))
        kind = rng.random()
        if style.human >= 0.3 and kind < 0.45:  # a band without a click
            slow = np.cumsum(rng.standard_normal(beats + 1)) * rng.uniform(0.001, 0.006) * min(style.human, 1.5)
            pace = pace + np.clip(slow - np.linspace(0, slow[-1], beats + 1) * 0.5, -0.12, 0.12)
            pace += rng.standard_normal(beats + 1) * 0.006 * style.human
        elif kind < 0.55:  # faster or slower all along
            pace += np.linspace(0, rng.uniform(-0.15, 0.15), beats + 1)
        elif kind < 0.63 and len(bars) > 3:  # another tempo from some bar on
            starts = np.cumsum([0] + [b.beats for b in bars])[:-1]
            pace[int(starts[rng.integers(1, len(starts))]) :] += rng.uniform(-0.35, 0.35)
        seconds = np.exp(np.clip(pace, np.log(60 / 205), np.log(60 / 42)))
        self.times = np.concatenate([[0.0], np.cumsum(seconds)])

    def at(self, beat: NDArray) -> NDArray[np.float64]:
        return np.interp(beat, np.arange(len(self.times)), self.times)


def _perform(rng: Generator, notes: list[_Note], clock: _Clock, style: Genre, steps: int) -> list[Sound]:
    """Swing, then hands: each part has its own place before or after the beat, and its own spread about it."""
    swing = rng.uniform(*style.swing) if steps == 4 else 0.5
    unit = style.swung
    lag = {"drums": 0.0, "bass": rng.normal(0, 0.006), "chords": rng.normal(0, 0.008), "lead": rng.normal(0.005, 0.02)}
    spread = {"drums": 0.005, "bass": 0.007, "chords": 0.008, "lead": 0.018}
    if style.human < 0.3:
        lag = dict.fromkeys(lag, 0.0) | {"lead": rng.normal(0.005, 0.015)}
    loose = style.human * rng.uniform(0.2, 1.8)
    pushes = {key: rng.normal(0, 0.006 * min(style.human, 1.3)) for key in VOICES.values() if key != VOICES["K"]}
    at = np.array([n.beat for n in notes]) if notes else np.zeros(0)
    ends = np.array([n.beat + n.beats for n in notes]) if notes else np.zeros(0)
    if swing != 0.5:
        whole = np.floor(at / (2 * unit) + 1e-6) * 2 * unit
        inside = (at - whole) / (2 * unit)
        warped = np.where(inside < 0.5, inside * 2 * swing, swing + (inside - 0.5) * 2 * (1 - swing))
        at = whole + warped * 2 * unit
    times, stops = clock.at(at), clock.at(ends)
    out = []
    for note, time, stop in zip(notes, times, stops, strict=True):
        jitter = rng.standard_normal() * spread[note.part] * (loose if note.part != "lead" else max(loose, 0.3))
        push = pushes.get(note.pitch, 0.0) if note.part == "drums" else lag[note.part]
        loud = float(np.clip(note.loud * (1 + 0.12 * style.human * rng.standard_normal()), 0.08, 1.0))
        out.append(Sound(float(time + jitter + push), float(max(stop - time, 0.05)), note.part, int(note.pitch), loud))
    return sorted(out)
