"""Interlaced pictures, of which every other line was filmed a fiftieth of a second later, made whole."""

from __future__ import annotations

from collections.abc import Iterator

import av
import av.error
import av.filter

FILTER = "bwdif"  # FFmpeg's; one picture for each that comes


def whole_pictures(frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The same pictures at the same times, those that are interlaced with all their lines of one moment."""
    graph: av.filter.Graph | None = None
    size = (0, 0)
    for frame in frames:
        if graph is not None and (not frame.interlaced_frame or (frame.width, frame.height) != size):
            yield from _last_of(graph)
            graph = None
        if not frame.interlaced_frame:
            yield frame
            continue
        if graph is None:
            graph, size = _make_graph(frame), (frame.width, frame.height)
        graph.vpush(frame)
        yield from _ready(graph)
    if graph is not None:
        yield from _last_of(graph)


def _make_graph(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    weave, sink = graph.add(FILTER, "mode=send_frame"), graph.add("buffersink")
    source.link_to(weave)
    weave.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    """What the filter has finished: it wants to see the picture after one first."""
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _last_of(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    graph.vpush(None)
    yield from _ready(graph)
