"""The text of `python -m training … --help` below the options; see visualizer/manual.py."""

from __future__ import annotations

from visualizer.manual import CODES, Page

RESUMED = (*CODES[:3], ("130", "ended by Ctrl-C; the same command goes on where it was"))
RUNS = ("runs/NAME/", "data, checkpoints and curves of a training")
_CALL = "python -m training"

PAGES = {
    f"{_CALL}": Page(((f"{_CALL} fit --out models/mine", "a dancer, from the written dances alone"),), (RUNS,)),
    f"{_CALL} fit": Page(
        (
            (f"{_CALL} fit --out models/mine --motion clips", "from your clips too"),
            (f"{_CALL} fit --out models/mine --tiny", "all of it in a minute, to see that it works"),
            (f"{_CALL} fit --out models/mine --only dancer", "one half; the other elsewhere"),
        ),
        (RUNS,),
        RESUMED,
    ),
    f"{_CALL} evaluate": Page(
        ((f"{_CALL} evaluate models/mine --motion clips --sheets sheets", "figures, and pictures to look at"),),
        (RUNS,),
    ),
    f"{_CALL} beats": Page(((f"{_CALL} beats --motion clips --plots sheets", "to be checked by eye"),)),
    f"{_CALL} compare": Page(
        ((f"{_CALL} compare --motion clips --out sheets/compare", "the tables of the history"),), (RUNS,), RESUMED
    ),
    f"{_CALL} ear": Page(
        ((f"{_CALL} ear --out models/ear --clips music", "writes music, plays it, learns from it"),), (RUNS,), RESUMED
    ),
    f"{_CALL} figure": Page(
        (
            (f"{_CALL} figure my.toml --sheet me.png", "your own figure in eight poses"),
            (f"{_CALL} figure --sheet all.png", "everybody who ships"),
        ),
    ),
    f"{_CALL} new-figure": Page(
        (
            (f"{_CALL} new-figure my.toml --out mine", "the pack that ships, and you"),
            (f"{_CALL} new-figure my.toml --pack anna --out both", "a pack of your own"),
        ),
        (RUNS,),
        RESUMED,
    ),
    f"{_CALL} footage": Page(
        (
            (f"{_CALL} footage party.mp4 --out frames", "how the dancer is found is chosen, and said"),
            (f"{_CALL} footage party.mp4 --out frames --method shadow", "a shadow on a wall"),
        ),
        (),
        RESUMED,
    ),
    f"{_CALL} person-model": Page(
        (
            (f"{_CALL} person-model", "fetched from its maker; any other command fetches nothing"),
            (f"{_CALL} person-model --person-model pose_landmarker_full.task", "the same from a file"),
        ),
        (("DATA/person/", "the network and its SHA-256; DATA is the user's data folder"),),
    ),
    f"{_CALL} new-dancer": Page(
        (
            (f"{_CALL} new-dancer anna.mp4 --name anna", "a film in, a pack out"),
            (f"{_CALL} new-dancer duo.mp4 --name anna --who left", "the left one of two"),
        ),
        (RUNS,),
        RESUMED,
    ),
    f"{_CALL} motion": Page(((f"{_CALL} motion captured/ --out clips --style house", "BVH files become clips"),)),
}
