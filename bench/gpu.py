"""Everything that needs a graphics card, measured beside the processor in one run of less than eight minutes.

    python -m bench.gpu [--write docs/gpu.md] [--seconds 0.5] [--only PART]…
    python -m bench.gpu --dry

Networks (one step, one decode, nine dancers, the beat network) by the CUDA provider, with what truly ran where;
inputs and outputs on the card (IoBinding) against copies; the shader by EGL at 1280x720 and 3840x2160 with every look;
steps of training; a film with the card's own encoder where PyAV has it. A part that fails is a row that says why.
Without a card it says so and ends; `--dry` then runs every part on the processor alone, small and short, which shows
that the code runs and nothing of a card. `--write` puts the table into a page, between its marks.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pygame
from rich.console import Console

from bench import gpu_tasks as tasks
from bench.gallery import dance
from bench.networks import inputs
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.music.analysis.beat_pipeline import find_model
from visualizer.networks.contract import expected_inputs, networks_of
from visualizer.networks.session import has_nvidia
from visualizer.stage.looks import shipped_looks

LIMIT = 7 * 60  # seconds after which nothing new is begun
DRAW_GOAL = 4.0  # ms a picture at 2160p
SMALL, LARGE = (1280, 720), (3840, 2160)
PICTURES = {SMALL: 12, LARGE: 5}  # that each look is painted
MARK = re.compile(r"(<!-- python -m bench\.gpu -->\n).*?(<!-- end -->)", re.DOTALL)
FAILURES = (RuntimeError, OSError, ValueError, ImportError, AttributeError)


@dataclass(frozen=True)
class Plan:
    """What this run measures: on which devices, how long each, at which sizes."""

    devices: tuple[str, ...]
    seconds: float
    sizes: tuple[tuple[int, int], ...]
    looks: int | None  # None: all
    batch: int = 24  # pieces of music or bodies in a step of training


@dataclass(frozen=True)
class Row:
    """A line of the table: ms on processor and card, None where it was not measured."""

    what: str
    processor: float | None
    card: float | None
    goal: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """As they are printed."""
        ms = ["" if each is None else f"{each:.3f}" for each in (self.processor, self.card)]
        times = f"{self.processor / self.card:.1f}" if self.processor and self.card else ""
        return self.what, *ms, times, self.goal, self.note


def compare(what: str, plan: Plan, measure: Callable[[str], float], goal: str = "", note: str = "") -> Row:
    """Measure on each device of the plan; what fails is said in the row."""
    found: dict[str, float] = {}
    notes = [note] if note else []
    for device in plan.devices:
        try:
            found[device] = measure(device)
        except FAILURES as error:
            notes.append(f"{device}: {str(error).splitlines()[0][:80] if str(error) else type(error).__name__}")
    return Row(what, found.get("cpu"), found.get("cuda"), goal, "; ".join(notes))


def measure_networks(plan: Plan) -> Iterator[Row]:
    """Each network of the pack for one dancer and nine, and the beat network; then whole beats of a dance."""
    folder = find_pack(None)
    pack = load_pack(folder, "cpu")
    for network in reversed(networks_of(pack.info)):
        path, shapes = folder / f"{network}.onnx", expected_inputs(pack.info)[network]
        for troupe in (1, 9):
            feed = inputs(shapes, pack.letters, troupe)
            note = _say_nodes(path, plan.devices[-1], feed) if troupe == 1 else ""
            yield compare(
                f"{network}, {troupe}", plan,
                lambda device, path=path, feed=feed: tasks.time_network(path, device, feed, plan.seconds), note=note,
            )  # fmt: skip
            if network == "decoder":
                yield compare(
                    f"{network}, {troupe}, nothing copied", plan,
                    lambda device, path=path, feed=feed: tasks.time_bound(path, device, feed, plan.seconds),
                )  # fmt: skip
    ear, feed = find_model(), _feed_ear()
    yield compare(
        "beat network, a call", plan, lambda device: tasks.time_network(ear, device, feed, plan.seconds),
        note=_say_nodes(ear, plan.devices[-1], feed),
    )  # fmt: skip
    for troupe in (1, 9):
        yield compare(
            f"a beat of {troupe}: 16 steps and decodes", plan,
            lambda device, troupe=troupe: tasks.time_beat(load_pack(folder, device), troupe, plan.seconds),
        )  # fmt: skip


def _feed_ear() -> dict[str, np.ndarray]:
    import onnxruntime as ort

    session = ort.InferenceSession(find_model().read_bytes(), providers=["CPUExecutionProvider"])
    return {
        each.name: np.zeros([size if isinstance(size, int) else 1 for size in each.shape], np.float32)
        for each in session.get_inputs()
    }


def _say_nodes(path: Path, device: str, feed: dict[str, np.ndarray]) -> str:
    try:
        ran = tasks.count_nodes(path, device, feed)
    except FAILURES as error:
        return f"no profile: {error}"
    return ", ".join(f"{count} operations on {name}" for name, count in sorted(ran.items()))


def measure_shader(plan: Plan) -> Iterator[Row]:
    """Every look at each size: the painter, and the shader by EGL."""
    import moderngl

    from visualizer.stage.gpu.software_gl import on_processor

    gl, why = None, ""
    try:
        gl = moderngl.create_context(standalone=True, require=330, backend="egl")  # pyright: ignore[reportArgumentType]
        name = str(gl.info["GL_RENDERER"])
        why = "OpenGL on the processor" if on_processor(name) else ""
        yield Row("OpenGL", None, None, "", name)
    except (*FAILURES, moderngl.Error) as error:
        why = f"no OpenGL by EGL ({error})"
        yield Row("OpenGL", None, None, "", why)
    moments = dance(11, 8.0, 1, None, 1.0)
    for size in plan.sizes:
        chosen = moments[: PICTURES.get(size, 3)]
        for look in shipped_looks()[: plan.looks]:
            shader = None if gl is None else tasks.time_shader(gl, look, chosen, size)
            goal = f"≤ {DRAW_GOAL:g}" if size == LARGE else ""
            painter = tasks.time_painter(look, chosen[:3], size)
            yield Row(f"{look.name}, {size[0]}x{size[1]}", painter, shader, goal, why)


def measure_training(plan: Plan) -> Iterator[Row]:
    """Steps of training, as ms and as steps a second."""
    for name, task in (("beat network", tasks.time_training_ear), ("decoder", tasks.time_training_body)):
        row = compare(
            f"training {name}, a step", plan, lambda device, task=task: task(device, plan.seconds, plan.batch)
        )
        rates = [f"{1000 / ms:.1f} steps/s on the {where}"
                 for where, ms in (("processor", row.processor), ("card", row.card)) if ms]  # fmt: skip
        yield Row(row.what, row.processor, row.card, "", "; ".join(filter(None, (*rates, row.note))))


def measure_film(plan: Plan) -> Iterator[Row]:
    """Frames of a film by the processor's encoder and by the card's."""
    from bench.gallery import painted

    size = plan.sizes[-1]
    frames = []
    for surface in painted(shipped_looks()[0], dance(11, 8.0, 1, None, 0.5)[: PICTURES.get(size, 3)], size):
        shown = surface.convert(32) if pygame.display.get_init() and pygame.display.get_surface() else surface
        raw = pygame.image.tobytes(shown, "BGRA")
        frames.append(np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 4).copy())
    frames *= max(1, int(4 * plan.seconds))
    yield compare(
        f"film, a frame of {size[0]}x{size[1]}", plan, lambda device: tasks.time_encoder(device, size, frames),
        note="libx264, h264_nvenc",
    )  # fmt: skip


PARTS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "networks": measure_networks, "shader": measure_shader, "training": measure_training, "film": measure_film,
}  # fmt: skip


def measure_all(plan: Plan, parts: list[str], until: float, say: Callable[[str], None]) -> list[Row]:
    """The rows of all parts; what is not begun by `until`, on time.monotonic, is left out, and that is a row."""
    rows: list[Row] = []
    for part in parts:
        try:
            for row in PARTS[part](plan):
                rows.append(row)
                say("  ".join(row.cells()))
                if time.monotonic() > until:
                    rows.append(Row(f"{part}: the rest", None, None, "", "left out: the time is over"))
                    return rows
        except FAILURES as error:
            rows.append(Row(part, None, None, "", f"failed: {error}"))
            say(f"{part} failed: {error}")
    return rows


def make_table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| what | processor, ms | card, ms | times as fast | goal, ms | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([*lines, *(f"| {' | '.join(row.cells())} |" for row in rows)])


def name_card() -> str:
    """The card and its driver, as nvidia-smi has them; "no card" without."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "no card"
    return done.stdout.strip().splitlines()[0]


def main() -> None:
    """Print the table, or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="this part; may be given again")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--dry", action="store_true", help="on the processor alone, small and short")
    given = parser.parse_args()
    console = Console(width=160, highlight=False)
    if not given.dry and not has_nvidia():
        console.print("bench.gpu: no NVIDIA card here; --dry tries the code on the processor")
        return
    if given.dry:
        plan = Plan(("cpu",), 0.01, ((320, 180),), 2, batch=1)
    else:
        plan = Plan(("cpu", "cuda"), given.seconds, (SMALL, LARGE), None)
    begun = time.monotonic()
    rows = measure_all(plan, given.only or list(PARTS), begun + LIMIT, console.print)
    head = f"{name_card()}; {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    text = f"{head}; {time.monotonic() - begun:.0f} s in all. Milliseconds of one call.\n\n{make_table(rows)}\n"
    if given.write is None:
        print(text)
        return
    page, found = MARK.subn(lambda m: f"{m[1]}\n{text}\n{m[2]}", given.write.read_text(encoding="utf-8"))
    if not found:
        parser.error(f"{given.write} has no <!-- python -m bench.gpu --> … <!-- end -->")
    given.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
