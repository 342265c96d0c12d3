"""What a process sets before its first tensor: memory, threads, device."""

import ctypes
import os
import sys

import torch
from threadpoolctl import threadpool_limits

from lstm_ae.core.errors import InputError

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


def start(device: str, threads: int) -> torch.device:
    """Prepare the process and give the device it computes on.

    Parameters
    ----------
    device
        "auto" takes CUDA, then MPS, then the CPU.

    Raises
    ------
    InputError
        The device is not available.
    """
    keep_memory()
    name = _available_device(device)
    torch.set_num_threads(threads)
    threadpool_limits(threads, user_api="blas")  # NumPy's, whose last bits depend on it too
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)  # SciPy's, where it is not loaded yet
    torch.set_flush_denormal(True)
    torch.use_deterministic_algorithms(True, warn_only=name != "cpu")
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
