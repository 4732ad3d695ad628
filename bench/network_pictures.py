"""What each network sees and says, as one picture each: what goes in on the left or above, what comes out beside it.

The networks that ship run as in a show; the dance and the music are the program's own.
"""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visualizer import paths
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER, Pack, find_pack, load_pack
from visualizer.music.analysis.beat_pipeline import FrontEnd, find_model
from visualizer.music.analysis.features import HOPS_A_SECOND, RATE
from visualizer.music.song_file import read_song
from visualizer.networks.session import open_session

BEATS = 8  # of the dance that is shown
SEED, STYLE = 11, "disco"
MOMENT = 3.25  # beats: the frame that the encoder is shown
SECONDS = (20.0, 28.0)  # of our own music that are shown
INK, RED, BLUE, GREY = "#222222", "#dc2828", "#288cc8", "#9a9a9a"
DPI, WIDTH = 84, 10.0  # inches


class Recorded:
    """A session that keeps what it was given and what it gave."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.calls: list[dict[str, NDArray]] = []

    def run(self, outputs: list[str], feed: dict[str, NDArray]) -> list[NDArray]:
        made = self.session.run(outputs, feed)
        self.calls.append({**{k: v.copy() for k, v in feed.items()}, **dict(zip(outputs, made, strict=True))})
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


def record_dance() -> tuple[Pack, list[dict[str, NDArray]], list[dict[str, NDArray]], list[NDArray]]:
    """A pack, the calls of its choreographer and its dancer in `BEATS` beats, and a frame (128, 128) for each step."""
    pack = load_pack(find_pack(None), "cpu")
    choreographer, body = Recorded(pack.choreographer), Recorded(pack.dancer)
    style = STYLE if STYLE in pack.styles else pack.styles[0]
    dancer = Dancer(dataclasses.replace(pack, choreographer=choreographer, dancer=body), SEED, style)
    dancer.step_to(8.0, 0.7)
    choreographer.calls.clear()
    body.calls.clear()
    frames = []
    for step in range(BEATS * STEPS_PER_BEAT):
        beat = 8 + (step + 1) / STEPS_PER_BEAT
        dancer.step_to(beat, 0.7)
        frames.append(dancer.picture(beat).frames[0, 0])
    return pack, choreographer.calls, body.calls, frames


def draw_encoder(pack: Pack, frame: NDArray[np.float32]) -> Figure:
    """A frame, its code, and what the decoder makes of the code."""
    encoder, _ = open_session(pack.folder / "encoder.onnx")
    decoder, _ = open_session(pack.folder / "decoder.onnx")
    (latent,) = encoder.run(["latent"], {"frame": frame[None, None]})
    again, joints = decoder.run(["frame", "joints"], {"latent": latent})
    figure = Figure((WIDTH, 2.9), DPI, layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.7, 1))
    _show_body(left, frame, "what the encoder sees")
    code = (latent[0] - pack.latent_mean) / pack.latent_spread
    middle.bar(np.arange(len(code)), code, color=np.where(code < 0, BLUE, RED), width=0.8)
    middle.set(title=f"what it says: {len(code)} numbers", xlabel="number", ylabel="in spreads of all dances")
    middle.spines[["top", "right"]].set_visible(False)
    _show_body(right, again[0, 0], "what the decoder draws")
    right.plot(*(joints[0].T * len(frame)), "o", color=RED, markersize=3)
    return figure


def draw_choreographer(pack: Pack, calls: list[dict[str, NDArray]], frames: list[NDArray]) -> Figure:
    """The letters that were written, a row of bodies for what they became."""
    letters = [int(call["letter_out"].ravel()[0]) for call in calls][: 2 * BEATS]
    figure = Figure((WIDTH, 2.6), DPI, layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.35))
    above.step(np.arange(len(letters)) / 2, letters, where="post", color=INK)
    above.plot(np.arange(len(letters)) / 2 + 0.02, letters, "o", color=RED, markersize=4)
    above.set(title=f"what the choreographer writes: one of {pack.letters} letters each half beat", ylabel="letter")
    above.set(xlim=(0, BEATS), ylim=(0, pack.letters), xticks=range(BEATS + 1))
    above.spines[["top", "right"]].set_visible(False)
    row = np.concatenate([frame[24:, 24:104] for frame in frames[STEPS_PER_LETTER // 2 :: STEPS_PER_LETTER]], axis=1)
    _show_body(below, row, "and what was danced of them")
    return figure


def draw_dancer(pack: Pack, calls: list[dict[str, NDArray]]) -> Figure:
    """The latents that the dancer gave, step by step, and how far the body travels."""
    latents = np.concatenate([call["latent_out"][:1] for call in calls])
    code = (latents - pack.latent_mean) / pack.latent_spread
    travel = np.concatenate([call["travel"][:1] for call in calls])
    across = (0, len(code) / STEPS_PER_BEAT)
    figure = Figure((WIDTH, 3.6), DPI, layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(2.4, 1), sharex=True)
    above.imshow(code.T, aspect="auto", cmap="RdBu_r", vmin=-2.5, vmax=2.5, interpolation="nearest",
                 extent=(*across, code.shape[1], 0))  # fmt: skip
    above.set(title="what the dancer says: the body, sixteen times a beat", ylabel="number of the code")
    beats = np.arange(len(travel)) / STEPS_PER_BEAT
    for column, (name, colour) in enumerate((("sideways", RED), ("towards the viewer", BLUE))):
        if column < travel.shape[1]:
            below.plot(beats, travel[:, column], color=colour, label=name)
    below.set(xlabel="beats", ylabel="travel", xlim=across)
    below.spines[["top", "right"]].set_visible(False)
    below.legend(frameon=False, ncols=2, loc="upper right", fontsize=8)
    return figure


def draw_beats() -> Figure:
    """Bands of our own music as the beat network hears them, and what it says of beats, bars and music."""
    sound = np.concatenate([block[:, 0] for block in read_song(paths.assets() / "own_music.ogg", RATE, 1)])
    front = FrontEnd(find_model())
    begin, end = (round(each * HOPS_A_SECOND) for each in SECONDS)
    rows = front.push(sound[: round((SECONDS[1] + 0.5) * RATE)])
    mel, said = front.features.mel[begin:end], rows.activations
    seconds = np.arange(begin, end) / HOPS_A_SECOND
    figure = Figure((WIDTH, 3.6), DPI, layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(1.3, 1), sharex=True)
    above.imshow(mel.T, aspect="auto", origin="lower", cmap="magma", extent=(*SECONDS, 0, mel.shape[1]),
                 vmin=float(np.percentile(mel, 5)))  # fmt: skip
    above.set(title="what the beat network hears: 64 bands, a hundred times a second", ylabel="band")
    below.plot(seconds, said.music[begin:end], color=GREY, label="music")
    below.plot(seconds, said.beat[begin:end], color=INK, label="beat")
    below.plot(seconds, said.downbeat[begin:end], color=RED, label="first of a bar")
    below.set(xlabel="seconds", ylabel="how likely", xlim=SECONDS, ylim=(0, 1.35))
    below.spines[["top", "right"]].set_visible(False)
    below.legend(frameon=False, ncols=3, loc="upper right", fontsize=8)
    return figure


def _show_body(axes: Axes, field: NDArray[np.float32], title: str) -> None:
    """Inside of an outline dark, as it is drawn."""
    axes.imshow(np.clip(field * 128 + 0.5, 0, 1), cmap="gray", vmin=-0.15, vmax=1, interpolation="bilinear")
    axes.set(title=title, xticks=[], yticks=[])


def draw_networks(folder: Path) -> dict[str, int]:
    """Write `sees-NAME.png` for each network; their sizes in bytes."""
    pack, written, danced, frames = record_dance()
    figures = {
        "encoder": draw_encoder(pack, frames[round(MOMENT * STEPS_PER_BEAT)]),
        "choreographer": draw_choreographer(pack, written, frames),
        "dancer": draw_dancer(pack, danced),
        "beats": draw_beats(),
    }
    sizes = {}
    for name, figure in figures.items():
        drawn = BytesIO()
        figure.savefig(drawn, format="png")
        path = folder / f"sees-{name}.png"
        path.write_bytes(drawn.getvalue())
        sizes[path.name] = len(drawn.getvalue())
    return sizes
