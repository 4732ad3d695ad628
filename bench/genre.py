"""How well genres are heard: the classifier against the genres written on the clips, and the styles that follow.

    python -m bench.genre DIR [--tunes 6] [--pack PACK] [--true-beats]

DIR as for bench.ear: sounds, and an index.json with their genres and beats. None of them were learned from. Each clip
is heard live, as from a microphone, and judged by the answer at its end. Beside it: chance, and a listener who always
answers the commonest genre of these clips. `--tunes` adds made tunes of each genre that were not learned from; they
need FluidSynth. `--true-beats` takes the beats from the index, to show what the tracker's mistakes cost.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.ear_clips import read_clips
from visualizer.dancer.pack import find_pack, read_info
from visualizer.errors import UserError
from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model
from visualizer.music.analysis.features import RATE, FeatureStream, Floats
from visualizer.music.analysis.genre import DANCES, GenreClassifier, GenreScores
from visualizer.music.analysis.style_selector import StyleSelector, worth

# Words in the labels of clips -> our genres. The first word that a label has decides.
LABELS = {
    "latin": "latin", "punk": "rock", "metal": "metal", "funk": "funk", "soul": "funk", "hiphop": "hiphop",
    "jazz": "swing",
    "reggae": "reggae", "shuffle": "blues", "blues": "blues", "country": "blues", "breakbeat": "breaks",
    "afrobeat": "latin", "afrocuban": "latin", "highlife": "latin", "pop": "pop", "rock": "rock",
    "disco": "disco", "house": "house", "techno": "techno", "bhangra": "bhangra", "ballad": "ballad",
}  # fmt: skip
BLOCK = RATE // 50
FIRST_SEED = 700_000  # of the made tunes; far from those that were learned from


def label_of(genre: str) -> str | None:
    """Our genre for what is written on a clip; None for "drum loop" and the like."""
    return next((ours for word, ours in LABELS.items() if word in genre.lower()), None)


def hear(sound: Floats, beats: NDArray[np.float64] | None) -> GenreScores:
    """The classifier's answer at the end of a sound heard in blocks. `beats` in seconds, or None: the program's own
    tracker."""
    taste = GenreClassifier()
    if beats is None:
        model = find_model()
        listening = BeatPipeline(model if model.is_file() else None)
        for start in range(0, len(sound), BLOCK):
            heard = listening.push(sound[start : start + BLOCK])
            if heard is not None:
                taste.push(listening.heard_rows, heard.beat, heard.bpm, heard.steady)
        return taste.mix
    stream, index = FeatureStream(), np.arange(float(len(beats)))
    bpm = float(60 / np.median(np.diff(beats)))
    for start in range(0, len(sound), BLOCK):
        rows = stream.push(sound[start : start + BLOCK])
        taste.push(rows, float(np.interp((start + BLOCK) / RATE, beats, index)), bpm, True)
    return taste.mix


def clips(folder: Path) -> Iterator[tuple[str, str, Floats, NDArray[np.float64]]]:
    """Name, our genre, samples and beats of each clip that has a genre of ours."""
    for clip in read_clips(folder):
        genre = label_of(clip.genre)
        if genre is not None:
            yield clip.name, genre, clip.samples, clip.beats


def tunes(count: int) -> Iterator[tuple[str, str, Floats, NDArray[np.float64]]]:
    """The same of made tunes."""
    from training.genre import FAMILIES
    from training.synth.compose import compose
    from training.synth.render import play

    for n, (family, k) in enumerate((f, k) for f in FAMILIES for k in range(count)):
        genre = FAMILIES[family][k % len(FAMILIES[family])]
        tune = compose(FIRST_SEED + n, 30.0, genre)
        yield f"{genre} {n}", family, play(tune, FIRST_SEED + n), tune.beats


def report(title: str, said: list[tuple[str, str, GenreScores]], styles: tuple[str, ...]) -> None:
    """Print the table, and what it comes to. `said`: name, true genre and what was heard of each clip."""
    truths = sorted({genre for _, genre, _ in said}, key=list(DANCES).index)
    table = {genre: Counter() for genre in truths}
    stylist, suits = StyleSelector(styles), [0, 0]
    for _, genre, mix in said:
        table[genre][max(mix, key=lambda pair: pair[1])[0] if mix else "nothing"] += 1
        chosen = stylist.best(mix)
        suits[0] += chosen is not None and worth(genre, chosen) >= 0.5
        suits[1] += 1
    columns = [g for g in (*DANCES, "nothing") if any(row[g] for row in table.values()) or g in truths]
    print(f"\n{title}: rows are what it is, columns what is heard")
    print(" " * 9 + "".join(f"{c:>9}" for c in columns))
    for genre in truths:
        print(f"{genre:<9}" + "".join(f"{table[genre][c] or '·':>9}" for c in columns))
    right = sum(table[g][g] for g in truths)
    rank = [sorted(mix, key=lambda pair: -pair[1])[:3] for _, _, mix in said]
    among = sum(genre in [g for g, _ in best] for best, (_, genre, _) in zip(rank, said, strict=True))
    commonest = max(sum(row.values()) for row in table.values())
    recall = np.mean([table[g][g] / sum(table[g].values()) for g in truths])
    guess = np.mean([np.mean([worth(g, s) >= 0.5 for s in styles]) for _, g, _ in said])
    n = len(said)
    print(f"right {right / n:.2f} of {n}; mean over genres {recall:.2f}; among the first three {among / n:.2f}")
    print(f"chance {1 / len(DANCES):.2f}; always the commonest {commonest / n:.2f}, over genres {1 / len(truths):.2f}")
    print(f"styles: one that suits the true genre {suits[0] / suits[1]:.2f}; a style drawn at random {guess:.2f}")


def main() -> None:
    """Hear and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--tunes", type=int, default=0)
    parser.add_argument("--pack", default=None)
    parser.add_argument("--true-beats", action="store_true")
    parser.add_argument("--each", action="store_true", help="also what is said of each clip")
    arguments = parser.parse_args()
    styles = tuple(read_info(find_pack(arguments.pack))["styles"])
    sources = [(f"clips of {arguments.folder}", clips(arguments.folder))]
    if arguments.tunes:
        sources.append(("made tunes", tunes(arguments.tunes)))
    for title, source in sources:
        said = []
        for name, genre, sound, beats in source:
            mix = hear(sound, beats if arguments.true_beats else None)
            said.append((name, genre, mix))
            if arguments.each:
                best = sorted(mix, key=lambda pair: -pair[1])[:3]
                print(f"{genre:<8} {name[:48]:<48} " + ", ".join(f"{g} {share:.2f}" for g, share in best))
        report(title, said, styles)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"bench.genre: {error}") from None
