"""What a process sets before its first tensor: memory, threads, seed, device."""

import ctypes
import os
import sys

import torch
from threadpoolctl import threadpool_limits

from lstm_ae.core.errors import InputError

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8


def keep_memory() -> None:
    """Let glibc keep what is freed: an LSTM over 784 steps frees hundreds of megabytes a batch, and faulting the pages in again costs as
    much as the arithmetic. One arena, so that the thread of the backward pass finds them too.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_ARENA_MAX, 1)):
                mallopt(option, value)


def start(device: str, threads: int, seed: int) -> torch.device:
    """Prepare the process and give the device it computes on.

    Parameters
    ----------
    device
        "auto" takes CUDA, then MPS, then the CPU.

    Raises
    ------
    InputError
        The device is not there.
    """
    keep_memory()
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        device = next(name for name, there in available.items() if there)
    if not available.get(device):
        raise InputError(
            f"device: found {device}; here are {', '.join(name for name, there in available.items() if there)}"
        )
    torch.set_num_threads(threads)
    threadpool_limits(threads, user_api="blas")  # NumPy's, whose last bits depend on it too
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)  # SciPy's, where it is not loaded yet
    torch.set_flush_denormal(True)
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # it writes every new tensor twice
    torch.manual_seed(seed)
    return torch.device(device)
