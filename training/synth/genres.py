"""Genres: their tempi, grooves, kits and what each part plays, all of it common to the genre."""

from __future__ import annotations

from dataclasses import dataclass

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
    "drum and bass": Genre((158, 182), (
        "K x.........x..... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x.x.......x..... S ....X..-.-..X..- C x.x.x.x.x.x.x.x.",
        "K x.x.......xx.... S ....X..x.x..X..x C x.x.x.x.x.x.x.x.",
        "K x......x..x..... S ....X..o....X... H xoxoxoxoxoxoxoxo",
    ), bass="sub wobble wander", chords="pad stabs none", lead="none voice synth", kits="room standard noise 909",
        pump=0.3, human=0.2, weight=2.0),
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
    "slow rock": Genre((50, 88), (
        "K x.....x.x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x..x..x.x..x.... S ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x......xx.x..... S ....X..-....X..- C x.x.x.x.x.x.x.x.",
        "K x.......x.x..... S ....X.......X... C x...x...x...x... M x.xxx.xxx.xxx.xx",
    ), chords="eighths power strum sixteenths arpeggio", lead="guitar voice voice organ",
        bass="roots eighths kick wander", weight=2.5),
    "slow pop": Genre((52, 92), (
        "K x.....x.x..x.... S ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x..x....x.x..... P ....X.......X... H x.x.x.x.x.x.x.x. G xoxxxoxxxoxxxoxx",
        "K x......x..x..... R ....X.......X... H x.xxx.xxx.xxx.xx",
        "K x..x..x...x..x.. P ....X.......X... H x.x.x.x.x.x.xxxx",
    ), bass="roots eighths kick wander sub", chords="sixteenths eighths arpeggio piano pad stabs",
        lead="voice voice voice synth guitar", kits="standard room 808 909 noise", human=0.5, weight=2.5),
    "slow hip-hop": Genre((62, 95), (
        "K x......x..x..... S ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x.x....x..x..... S ....X..-....X-.- H x.x.x.x.x.x.x.x.",
        "K x..x..x....x..x. P ....X.......X... H x.x.x.x.x.x.xxxx",
        "K x.........x..x.. S ....X.......X..o H xxoxxxoxxxoxxxox",
        "K x..x......x..x.x P ....X.......X... H xxxxxxxxxxxxxxxx O ......x.......x.",
    ), bass="kick sub wander roots", chords="piano stabs pad arpeggio none", lead="rap rap rap voice",
        kits="808 standard noise room", swing=(0.5, 0.64), swung=0.25, human=0.6, weight=2.5),
    "slow soul": Genre((50, 82), (
        "K x.....x...x..... R ....X.......X... H xxxxxxxxxxxxxxxx",
        "K x..x....x.....x. S ....X..o....X... H x.x.x.x.x.x.x.x.",
        "K x......xx....... R ....X.......X... C x.x.x.x.x.x.x.x. G xxxxxxxxxxxxxxxx",
    ), bass="wander kick roots", chords="organ eighths sixteenths piano arpeggio", lead="voice voice sax strings",
        swing=(0.5, 0.6), swung=0.25, weight=1.3),
    "slow country": Genre((55, 90), (
        "K x.......x....... S ....X.......X... H x.x.x.x.x.x.x.x.",
        "K x......xx....... R ....X.......X... G xxxxxxxxxxxxxxxx",
    ), bass="roots oom", chords="strum strum arpeggio piano", lead="guitar harmonica fiddle voice", weight=1.0),
    # Counted as it is danced, on the kick and rim of two and four; the guitar is off the beat.
    "reggae": Genre((62, 95), (
        "K ....X.......X... R ....X.......X... H x.x.x.x.x.x.x.x.",
        "K ....X.......X... S ....X..-....X.-. H XoxoXoxoXoxoXoxo",
        "K x...x...x...x... R ....X.......X... H x.x.x.x.x.x.x.xO",
        "K x...x.x.x...x... S ....X..o....X..o O ..x...x...x...x. H x.x.x.x.x.x.x.x.",
        "K ....X.......X.x. R ....X..x....X... H xxxxxxxxxxxxxxxx",
    ), bass="dub dub wander kick", chords="offbeat offbeat bubble", lead="voice brass organ melodica",
        swing=(0.5, 0.64), swung=0.25, weight=2.5),
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
    "ballad": Genre((50, 90), (
        "K x.......x....... R ....x.......x... H x.x.x.x.x.x.x.x.",
        "K x......x..x..... S ....x.......x... H x.x.x.x.x.x.x.x.",
        "K x......x..x..... R ....x.......x... H xxxxxxxxxxxxxxxx",
    ), bass="roots none", chords="piano piano arpeggio arpeggio strum sixteenths pad", lead="voice voice strings flute",
        drums=0.5, human=1.4, weight=2.0),
    "orchestra": Genre((60, 150), ("f x...............", "K x.......x.......", "Z x..............."),
        bass="roots walking none", chords="pad quarters eighths waltz arpeggio", lead="strings brass flute clarinet",
        kits="orchestra", drums=0.25, human=1.5),
    "ambient": Genre((60, 120), ("H ..x...x...x...x.", "K x.......x......."),
        bass="roots sub none", chords="pad arpeggio pad", lead="synth voice none", kits="808 noise", drums=0.3,
        weight=0.6),
    "drums alone": Genre((55, 180), (
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
    "anything": Genre((55, 190), (), kits="standard room 808 909 noise jazz power electronic",
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
