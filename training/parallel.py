"""Work spread over processes, or with Dask over machines: each item done once, results as they come.

When a process or machine dies, another one does its item again. Only an item that brings down every process that works
on it is given up, with an error.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from visualizer.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 10.0  # seconds in which a Dask scheduler must answer
DEATHS = 3  # workers that may die while they work on one item, before the item is taken for the cause
AHEAD = 2  # items that each worker of Dask has queued: no worker waits, and a long list is not submitted at once


def map_parallel(
    function: Callable[[T], R], items: Sequence[T], *, workers: int | None = None, scheduler: str | None = None
) -> Iterator[R]:
    """Yield what `function` makes of each of `items`, in order of completion.

    Here in `workers` processes (as many as there are processors if not given; 1: in this one), or, given the address
    of a Dask `scheduler` such as tcp://10.0.0.5:8786, by the workers that are connected to it. `function` and items
    must be picklable, and doing an item twice must do no harm; machines must see the same files. What `function` raises
    is raised here, and no further items are begun. UserError where the scheduler cannot be reached or is lost, or an
    item brought down its worker `DEATHS` times.
    """
    if scheduler is not None:
        return _by_dask(function, items, scheduler)
    count = min(workers or _cores(), len(items))
    if count <= 1:
        return map(function, items)
    return _by_processes(function, items, count)


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- here ------------------------------------------------------------------------------------------------------------


def _end_quietly() -> None:
    """Make Ctrl-C, which reaches every process of a terminal, end this one without a message."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Block Ctrl-C for processes that are started inside, until they call `_end_quietly`."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pool(context: multiprocessing.context.SpawnContext) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=context, initializer=_end_quietly)


def _by_processes(function: Callable[[T], R], items: Sequence[T], count: int) -> Iterator[R]:
    """Each process is a pool of its own with one item at a time: when one dies, its item is known, and the others go
    on."""
    # Spawned processes: one that is forked from a program with threads can hang for ever.
    context = multiprocessing.get_context("spawn")
    pools = [_pool(context) for _ in range(count)]
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # which takes the block off when it is begun, so it is begun before
    waiting = deque(range(len(items)))
    idle = list(range(count))
    running: dict[Future[R], tuple[int, int]] = {}
    deaths = Counter[int]()
    hopeless: list[int] = []
    try:
        while waiting or running:
            while waiting and idle:
                number, slot = waiting.popleft(), idle.pop()
                with _ctrl_c_waits():  # the pool begins its process with its first item
                    running[pools[slot].submit(function, items[number])] = number, slot
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                number, slot = running.pop(done)
                try:
                    result = done.result()
                except BrokenProcessPool:
                    pools[slot].shutdown()
                    pools[slot] = _pool(context)
                    deaths[number] += 1
                    # After all others; and where it is hopeless, not again.
                    (waiting if deaths[number] < DEATHS else hopeless).append(number)
                else:
                    yield result
                idle.append(slot)
        if hopeless:  # reported when everything else is done
            raise UserError(
                f"the process that worked on {str(items[hopeless[0]])[:200]} died each of {DEATHS} times; "
                f"{len(items) - len(hopeless)} of {len(items)} are done"
            )
    finally:
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


# --- on other machines -----------------------------------------------------------------------------------------------


def _by_dask(function: Callable[[T], R], items: Sequence[T], scheduler: str) -> Iterator[R]:
    """Dask gives the items of a dead worker to another, and gives up an item that killed more than three workers."""
    try:
        from distributed import Client, KilledWorker, as_completed
        from distributed.comm.core import CommClosedError
    except ImportError as error:
        raise UserError("other machines are reached by Dask: install the extra training") from error
    try:
        client: Any = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        said = " ".join(str(error).split())[:120]
        raise UserError(f"no Dask scheduler answers at {scheduler} ({said})") from error
    with client:
        left = iter(items)
        coming: Any = as_completed(loop=client.loop)

        def hand_out(most: int) -> None:
            for item in islice(left, most):
                coming.add(client.submit(function, item, pure=False))  # equal items are each worked on

        hand_out(AHEAD * max(1, sum(client.nthreads().values())))
        try:
            for future in coming:
                result = future.result()
                future.release()
                hand_out(1)
                yield result
        except KilledWorker as error:
            raise UserError(f"an item brought down one worker after another ({str(error)[:160]})") from error
        except (CancelledError, CommClosedError) as error:
            raise UserError(f"the Dask scheduler at {scheduler} was lost") from error
