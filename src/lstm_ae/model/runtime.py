"""What a process sets before its first tensor: memory, device, and how many threads compute."""

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

import torch
from threadpoolctl import threadpool_limits

from lstm_ae.core import processor
from lstm_ae.core.errors import InputError

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")

# Options of glibc's mallopt (malloc.h).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
M_ARENA_MAX = -8


def keep_memory() -> None:
    """Let glibc keep what is freed.

    An LSTM over 784 steps frees hundreds of megabytes a batch, and faulting the pages in again
    costs as much as the arithmetic. One arena, so that the thread of the backward pass finds them
    too.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
        mallopt(M_ARENA_MAX, 1)


class _Workers:
    """The threads that compute the parts of a batch, each with one thread of torch."""

    pool: ThreadPoolExecutor | None = None

    @classmethod
    def set(cls, count: int) -> None:
        if cls.pool is not None:
            cls.pool.shutdown()
        cls.pool = None
        if count > 1:
            cls.pool = ThreadPoolExecutor(
                count,
                thread_name_prefix="worker",
                initializer=torch.set_flush_denormal,
                initargs=(True,),
            )


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function on each item, on as many threads as `start` was told; results in order.

    Contexts of torch hold in one thread alone: the function enters those that it needs.
    """
    if _Workers.pool is None:
        return [function(item) for item in items]
    return list(_Workers.pool.map(function, items))


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start(device: str, threads: int | Literal["auto"]) -> torch.device:
    """Prepare the process and give the device it computes on.

    Parameters
    ----------
    device
        "auto" takes CUDA, then MPS, then the CPU.
    threads
        How many compute at once on the CPU; "auto" is one for each core. No result depends on it.

    Raises
    ------
    InputError
        The device is not available.
    """
    keep_memory()
    name = _available_device(device)
    if processor.is_native():
        log.info("%s is set: results may differ in their last bits elsewhere", processor.NATIVE)
    if name == "cpu":
        # Threads of OpenMP would wait for each other at every step of a layer.
        torch.set_num_threads(1)
        _Workers.set(usable_cores() if threads == "auto" else threads)
    threadpool_limits(1, user_api="blas")
    torch.set_flush_denormal(True)
    torch.set_deterministic_debug_mode("error" if name == "cpu" else "warn")
    # It would write every new tensor twice.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device(name)


def _available_device(device: str) -> str:
    available = []
    if torch.cuda.is_available():
        available.append("cuda")
    if torch.backends.mps.is_available():
        available.append("mps")
    available.append("cpu")
    if device == "auto":
        return available[0]
    if device not in available:
        raise InputError(
            f"device: {device} is not available on this machine; "
            f"set it to auto or to one of: {', '.join(available)}"
        )
    return device
