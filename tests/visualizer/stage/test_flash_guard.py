"""The guard against a measure that was written apart from it: whatever comes in, what is shown keeps to the limit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bench.flash import LIMIT, Flashes, Party, measure, show_party
from tests.support.fakes import picture
from tests.support.made_insides import dressed
from visualizer.dancer.formation import span_of
from visualizer.moment import Bodies
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.flash_samples import COLUMNS, LINEAR, ROWS
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.looks import Look, shipped_looks

SIZE = WIDTH, HEIGHT = 192, 108
Frame = np.ndarray


def plain(red: int, green: int | None = None, blue: int | None = None) -> Frame:
    """(108, 192, 4), one colour, blue first."""
    colour = (red, red, red) if green is None or blue is None else (red, green, blue)
    frame = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    frame[:, :, :3] = colour[::-1]
    return frame


def shown(frames: Iterable[Frame], fps: float = 60.0) -> tuple[list[Frame], GuardedFrames]:
    """What is shown of the frames."""
    guarded, all_ = GuardedFrames(SIZE), []
    for k, frame in enumerate(frames):
        frame = frame.copy()
        guarded.show(frame, k / fps)
        all_.append(frame)
    return all_, guarded


def flashes(frames: Iterable[Frame], fps: float = 60.0) -> tuple[Flashes, Flashes]:
    return measure((frame[:, :, 2::-1] for frame in frames), fps, full=True)


def strobe(hertz: float, bright: Frame, dark: Frame, seconds: float = 1.6, fps: float = 60.0) -> list[Frame]:
    return [dark if int(2 * hertz * k / fps + 1e-9) % 2 else bright for k in range(round(seconds * fps))]


def checkers(size: int) -> Frame:
    y, x = np.indices((HEIGHT, WIDTH)) // size
    frame = plain(0)
    frame[(x + y) % 2 == 0, :3] = 255
    return frame


def masked(frame: Frame, mask: np.ndarray) -> Frame:
    """White where `mask` says, else as it is."""
    frame = frame.copy()
    frame[mask, :3] = 255
    return frame


WHITE, BLACK, RED = plain(255), plain(0), plain(255, 0, 0)
STROBES = {
    "full, 3.1 Hz": strobe(3.1, WHITE, BLACK),
    "full, 4 Hz": strobe(4, WHITE, BLACK),
    "full, 10 Hz": strobe(10, WHITE, BLACK),
    "full, 15 Hz": strobe(15, WHITE, BLACK),
    "full, 30 Hz": strobe(30, WHITE, BLACK),
    "faint, 8 Hz": strobe(8, plain(140), plain(100)),
    "checkers of 30 pixels, 6 Hz": strobe(6, checkers(30), 255 - checkers(30)),
    "checkers of 4 pixels, 12 Hz": strobe(12, checkers(4), 255 - checkers(4)),
    "half the screen, then the other, 5 Hz": strobe(5, masked(BLACK, np.indices((HEIGHT, WIDTH))[1] < 96),
                                                    masked(BLACK, np.indices((HEIGHT, WIDTH))[1] >= 96)),
    "red and black, 5 Hz": strobe(5, RED, BLACK),
    "red and a blue as bright, 8 Hz": strobe(8, plain(200, 0, 0), plain(0, 60, 210)),
    "dark red and black, 10 Hz": strobe(10, plain(120, 0, 0), BLACK),
    "bars of 24 that run": [masked(BLACK, (np.indices((HEIGHT, WIDTH))[1] + 6 * k) // 24 % 2 == 0) for k in range(100)],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", STROBES)
def test_a_strobe_is_held_back(name: str) -> None:
    frames = STROBES[name]
    before = max(found.worst for found in flashes(frames))
    after, guarded = shown(frames)
    assert before > LIMIT
    assert guarded.guard.held
    assert max(found.worst for found in flashes(after)) <= LIMIT


def test_three_flashes_a_second_are_none_too_many() -> None:
    frames = strobe(2.9, WHITE, BLACK)
    after, guarded = shown(frames)
    assert all((a == b).all() for a, b in zip(after, frames, strict=True))
    assert not guarded.guard.held


def unchanged(frames: list[Frame], fps: float = 60.0) -> bool:
    return all((a == b).all() for a, b in zip(shown(frames, fps)[0], frames, strict=True))


def test_slow_fades_pass_bit_for_bit() -> None:
    assert unchanged([plain(round(127.5 - 127.5 * np.cos(2 * np.pi * k / 60))) for k in range(240)])


def test_a_single_cut_to_white_passes_at_once() -> None:
    assert unchanged([BLACK] * 30 + [WHITE] * 30)
    assert unchanged([WHITE] * 30 + [BLACK] * 30)


def test_a_fifth_of_every_field_may_flash() -> None:
    y, x = np.indices((HEIGHT, WIDTH)) // 6
    fifth = (x + 2 * y) % 5 == 0
    assert unchanged(strobe(10, masked(BLACK, fifth), BLACK))


def test_a_third_of_one_field_may_not_flash_at_once() -> None:
    """It is a twenty-seventh of the screen: the standard looks at what lies within ten degrees."""
    block = np.zeros((HEIGHT, WIDTH), bool)
    block[60:96, 20:42] = True
    frames = strobe(10, masked(BLACK, block), BLACK)
    assert flashes(frames)[0].at_once > LIMIT
    assert flashes(shown(frames)[0])[0].at_once <= LIMIT


def test_bright_flicker_above_the_limit_of_brightness_is_no_flash() -> None:
    assert unchanged(strobe(10, WHITE, plain(235)))


def test_after_a_strobe_a_picture_is_whole_again_within_a_second() -> None:
    after, _ = shown([*strobe(15, WHITE, BLACK), *[plain(40)] * 66])
    assert (after[-1] == plain(40)).all()


def test_as_much_of_the_picture_is_shown_as_may_be() -> None:
    """Once three flashes are over, the fourth is as faint as none."""
    after, _ = shown(strobe(15, plain(140), BLACK))
    light = [float(LINEAR[int(frame[0, 0, 0])]) for frame in after[30:55]]
    assert 0.04 < max(light) - min(light) < 0.10


def test_time_counts_not_frames() -> None:
    frames = strobe(4, WHITE, BLACK, fps=25)
    after, _ = shown(frames, 25)
    assert max(found.worst for found in flashes(after, 25)) <= LIMIT
    assert unchanged(frames, 15)  # the same at 2.4 Hz


blocks = st.builds(
    lambda seed, columns, rows, few: np.random.default_rng(seed).choice(
        np.array(few, np.uint8), (rows, columns))[:, :, None],
    st.integers(0, 2**32), st.sampled_from([1, 2, 4, 8, 16, 32]), st.sampled_from([1, 2, 3, 6, 18]),
    st.lists(st.sampled_from([0, 30, 90, 100, 140, 200, 231, 255]), min_size=1, max_size=4),
)  # fmt: skip
scenes = st.lists(st.tuples(blocks, blocks, blocks, st.integers(1, 9)), min_size=2, max_size=12)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)  # shrinking takes minutes
@given(scenes, st.sampled_from([24.0, 30.0, 60.0]))
def test_whatever_comes_in_what_is_shown_keeps_to_the_limit(scenes, fps: float) -> None:
    """Patterns of blocks in any colours, each for some frames, over and over."""
    pictures = []
    for *channels, count in scenes:
        frame = plain(0)
        for k, channel in enumerate(channels):
            high, wide = HEIGHT // channel.shape[0], WIDTH // channel.shape[1]
            frame[:, :, k] = channel[:, :, 0].repeat(high, 0).repeat(wide, 1)
        pictures += [frame] * count
    frames = (pictures * 100)[: round(1.6 * fps)]
    after, _ = shown(frames, fps)
    assert max(found.worst for found in flashes(after, fps)) <= LIMIT


def test_the_samples_lie_in_the_picture() -> None:
    for size in ((1, 1), (64, 64), (1280, 720), (720, 1280)):
        x, y = GuardedFrames(size).guard.places(size)
        assert (len(x), len(y)) == (COLUMNS, ROWS)
        assert x.min() >= 0
        assert x.max() < size[0]
        assert y.min() >= 0
        assert y.max() < size[1]


def dancers(beat: float) -> Bodies:
    """Three who wave."""
    return picture(beat, (-0.5, 0.1 * np.sin(beat), 0.5), span_of(3))


@pytest.mark.slow
@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_every_look_keeps_to_the_limit_under_the_worst_music(each: Look) -> None:
    """With music that leaps, and with blackouts in between."""
    for dark in (np.inf, 0.15):
        party = Party((each,), 1.4, fps=30, dark_seconds=dark)
        frames = show_party(party, dancers, (256, 144), FlashGuard())
        assert max(found.worst for found in measure(frames, 30, full=True)) <= LIMIT


def people(beat: float) -> Bodies:
    """The same three, with what is inside of them."""
    return dressed(beat, (-0.5, 0.1 * np.sin(beat), 0.5), span_of(3))


@pytest.mark.slow
@pytest.mark.parametrize("each", [each for each in shipped_looks() if each.inside], ids=lambda each: each.name)
def test_what_is_inside_keeps_to_the_limit_under_the_worst_music(each: Look) -> None:
    frames = show_party(Party((each,), 1.4, fps=30), people, (256, 144), FlashGuard())
    assert max(found.worst for found in measure(frames, 30, full=True)) <= LIMIT


def test_looks_that_change_all_the_time_keep_to_the_limit() -> None:
    party = Party(tuple(shipped_looks()), 3.0, fps=30, look_seconds=0.2)
    frames = show_party(party, dancers, (256, 144), FlashGuard())
    assert max(found.worst for found in measure(frames, 30, full=True)) <= LIMIT
