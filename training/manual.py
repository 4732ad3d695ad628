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
    f"{_CALL} footage": Page(
        ((f"{_CALL} footage party.mp4 --out frames --method shadow", "a shadow on a wall"),), (), RESUMED
    ),
    f"{_CALL} new-dancer": Page(
        ((f"{_CALL} new-dancer anna.mp4 --name anna --method shadow", "films in, a pack out"),), (RUNS,), RESUMED
    ),
    f"{_CALL} motion": Page(((f"{_CALL} motion captured/ --out clips --style house", "BVH files become clips"),)),
}
