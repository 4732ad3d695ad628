"""What `bench.gpu` measures, each on the processor and on the card. Every function returns milliseconds of one call
unless it says otherwise, and works on any device, so that it can be tried where there is no card."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import STEPS_PER_BEAT, Pack
from visualizer.moment import Moment
from visualizer.networks.session import open_session
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import Look

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
ENCODERS = {"cpu": "libx264", "cuda": "h264_nvenc"}
WARM_UP = 3  # calls that do not count
LEAST_CALLS, MOST_CALLS = 3, 400
FPS = 30
CALLS, JOINTS, MOTION = 300, 21, 256  # of training: calls that a piece of music is long; joints, bodies

Feed = dict[str, NDArray]


def time_calls(call: Callable[[], object], seconds: float) -> float:
    """Median ms of as many calls as fit into `seconds`."""
    for _ in range(WARM_UP):
        call()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < LEAST_CALLS or (time.perf_counter() < end and len(taken) < MOST_CALLS):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    return float(np.median(taken))


def time_network(path: Path, device: str, feed: Feed, seconds: float) -> float:
    """One call as the show makes it: inputs are copied to the device, outputs back. RuntimeError where the network ends
    up on another device."""
    session, running = open_session(path, device)
    if running != device:
        raise RuntimeError(f"runs on {running}, not on {device}")
    return time_calls(lambda: session.run(None, feed), seconds)


def time_bound(path: Path, device: str, feed: Feed, seconds: float) -> float:
    """The same with inputs and outputs that lie on the device, by IoBinding: what a call takes without the copies."""
    import onnxruntime as ort

    session, running = open_session(path, device)
    if running != device:
        raise RuntimeError(f"runs on {running}, not on {device}")
    binding = session.io_binding()
    values = {name: ort.OrtValue.ortvalue_from_numpy(value, device, 0) for name, value in feed.items()}
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name, device, 0)

    def call() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return time_calls(call, seconds)


def count_nodes(path: Path, device: str, feed: Feed) -> dict[str, int]:
    """How many operations of a network ran on each of onnxruntime's providers, by its own profile: a session that names
    CUDA may still leave parts of a network on the processor."""
    import onnxruntime as ort

    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.log_severity_level = 4
        session = ort.InferenceSession(
            path.read_bytes(), options, providers=list(dict.fromkeys((PROVIDERS[device], PROVIDERS["cpu"])))
        )
        session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    ran = [event["args"] for event in events if event.get("cat") == "Node" and "provider" in event.get("args", {})]
    return dict(Counter(each["provider"].removesuffix("ExecutionProvider") for each in ran))


def time_beat(pack: Pack, troupe: int, seconds: float) -> float:
    """A beat of a troupe: sixteen steps, and a decode for each."""
    dancer, beat = Dancer(pack, 0, troupe=troupe), 0.0

    def dance() -> None:
        nonlocal beat
        for _ in range(STEPS_PER_BEAT):
            beat += 1 / STEPS_PER_BEAT
            dancer.step_to(beat, 0.6)
            dancer.picture(beat)

    return time_calls(dance, seconds)


def time_painter(look: Look, moments: Sequence[Moment], size: tuple[int, int]) -> float:
    """A picture by the processor's painter."""
    painter, taken = Painter(size), []
    for moment in moments:
        begun = time.perf_counter()
        painter.paint(replace(moment, look=look))
        taken.append(1000 * (time.perf_counter() - begun))
    return float(np.median(taken[1:]))  # the first makes the backdrop


def time_shader(gl: Any, look: Look, moments: Sequence[Moment], size: tuple[int, int]) -> float:
    """A picture by the shader in that OpenGL context, until the card is done with it."""
    from visualizer.stage.gpu.shader import Shader

    target = gl.simple_framebuffer(size)
    shader, taken = Shader(gl, size, target), []
    try:
        for moment in moments:
            begun = time.perf_counter()
            shader.follow(replace(moment, look=look))
            shader.draw(replace(moment, look=look))
            gl.finish()
            taken.append(1000 * (time.perf_counter() - begun))
    finally:
        shader.release()
        target.release()
    return float(np.median(taken[1:]))


def time_training_ear(device: str, seconds: float, batch_size: int) -> float:
    """A step of training of the beat network, forwards and backwards, on so many pieces of noise."""
    import torch

    from training.models.beat_network import BeatNetwork, BeatNetworkConfig
    from training.synth.dataset import Batch
    from visualizer.music.analysis.features import MELS

    torch.manual_seed(0)
    network = BeatNetwork(BeatNetworkConfig()).to(device)
    widths = (2 * MELS, 2, 2, 1, 4, 1, 1)
    batch = Batch(*(torch.rand(batch_size, CALLS, width, device=device) for width in widths))
    return _time_steps(network, lambda: network.loss(batch)["total"], seconds, device)


def time_training_body(device: str, seconds: float, batch_size: int) -> float:
    """A step of training of the autoencoder's decoder on so many made-up bodies."""
    import torch

    from training.models.autoencoder import Autoencoder, AutoencoderConfig
    from training.models.pose_basis import pose_basis

    rng = np.random.default_rng(0)
    bodies = rng.normal(0, 0.1, (MOTION, JOINTS, 3)).astype(np.float32)
    network = Autoencoder(AutoencoderConfig(latent=60), pose_basis(bodies, 60)).to(device)
    joints = torch.from_numpy(bodies[:batch_size]).to(device)
    frame = torch.rand(batch_size, 1, 128, 128, device=device) - 0.3
    return _time_steps(network, lambda: network.drawing_loss(frame, joints)["total"], seconds, device)


def _time_steps(network: Any, loss: Callable[[], Any], seconds: float, device: str) -> float:
    import torch

    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return time_calls(step, seconds)


def time_encoder(device: str, size: tuple[int, int], frames: Sequence[NDArray[np.uint8]]) -> float:
    """A frame (height, width, 4) BGRX of a film by PyAV with the encoder of that device. RuntimeError where PyAV or the
    driver has none."""
    import av
    import av.error

    name = ENCODERS[device]
    if name not in av.codecs_available:
        raise RuntimeError(f"this PyAV has no {name}")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        try:
            with av.open(str(Path(folder) / "film.mp4"), "w") as file:
                stream: Any = file.add_stream(name, rate=FPS)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                for number, pixels in enumerate(frames):
                    frame = av.VideoFrame.from_numpy_buffer(pixels, format="bgra")
                    frame.pts, frame.time_base = number, Fraction(1, FPS)
                    file.mux(stream.encode(frame))
                file.mux(stream.encode(None))
        except (av.error.FFmpegError, OSError) as error:
            raise RuntimeError(f"{name} does not open here ({error})") from error
        return 1000 * (time.perf_counter() - begun) / len(frames)
