"""The processes of one training, each with a device.

The first starts the others, writes and reports for all, and they end with it.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn
from tqdm import tqdm

from lstm_ae.core.errors import InputError

# The number of the first process, in the environment of those that it starts.
FIRST_PROCESS = "LSTM_AE_FIRST_PROCESS"
WATCH_SECONDS = 0.2


def accelerate(
    device: torch.device,
    precision: str,
    devices: int = 1,
) -> Fabric:
    """Make the Fabric that trains on a device, or on several once it is `launched`.

    Raises
    ------
    InputError
        There are fewer devices of the kind, the CPU was asked for half precision, or something
        else has started a process for each.
    """
    if device.type == "cpu" and precision.endswith("mixed"):
        raise InputError(
            f"precision {precision}: the CPU trains without autocast; set precision to 32-true, "
            "or device to cuda"
        )
    counts = {"cuda": torch.cuda.device_count(), "mps": 1}
    available = counts.get(device.type, devices)
    if devices > available:
        raise InputError(
            f"devices {devices}: this machine has {available} of {device.type}; "
            f"set devices to at most {available}"
        )
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        strategy=_Together() if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    if devices == 1:
        fabric.launch()
    elif not is_follower() and _is_launched_from_outside(fabric):
        raise InputError(
            f"devices {devices}: started by a launcher, or with LOCAL_RANK set; start the stage "
            "without it, since the stage starts its processes itself"
        )
    return fabric


class _Together(DDPStrategy):
    """Processes that share a batch by `parts`, where DDP would add gradients in its own order."""

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        return module


@contextmanager
def launched(fabric: Fabric) -> Iterator[None]:
    """Start a process for each device but the first, each of which runs the whole script.

    All end when one dies or when the block ends: the others would wait for it in a collective,
    half an hour at most, and then tell of that at length.
    """
    threads = torch.get_num_threads()
    if fabric.world_size == 1 or is_follower():
        fabric.launch()
        torch.set_num_threads(threads)  # a launch changes it
        yield
        return
    followers = _Followers(fabric)
    followers.watch()
    try:
        os.environ[FIRST_PROCESS] = str(os.getpid())
        fabric.launch()
        del os.environ[FIRST_PROCESS]
        torch.set_num_threads(threads)
        yield
    except RuntimeError:
        # A collective fails where another process died: give the watch time to say so.
        time.sleep(1)
        raise
    finally:
        followers.end()


class _Followers:
    """The other processes of a training, watched by the first one in a thread."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.processes: list[subprocess.Popen[bytes]] = []
        self.training_over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def watch(self) -> None:
        """Begin to watch: when one dies, all others end, this process too."""
        self.thread.start()

    def end(self) -> None:
        """Watch no more, and end the processes."""
        self.training_over.set()
        self.thread.join()
        self._kill()

    def _watch(self) -> None:
        while not self.training_over.wait(WATCH_SECONDS):
            self._take_from_fabric()
            for process in self.processes:
                if process.poll():
                    self._give_up(process.returncode)

    def _take_from_fabric(self) -> None:
        """Take the processes from Fabric's own watch, which would kill this one in silence."""
        started = self.fabric.strategy.launcher.procs  # type: ignore[union-attr]
        while started:
            self.processes.append(started.pop())

    def _give_up(self, status: int) -> None:
        reason = f"ended with status {status}"
        if status == -signal.SIGKILL:
            reason = "was killed, perhaps for its memory; fewer devices need less"
        print(f"error: devices {self.fabric.world_size}: a process {reason}", file=sys.stderr)
        self._kill()
        os._exit(2)

    def _kill(self) -> None:
        for process in self.processes:
            process.kill()


def is_follower() -> bool:
    """Whether the first process of a training started this one."""
    return FIRST_PROCESS in os.environ


def follow_first_process() -> None:
    """Be one of the other processes of a training: silent, and gone when the first is."""
    logging.disable()
    end_with(int(os.environ[FIRST_PROCESS]))


def end_with(parent: int) -> None:
    """End when the process that started this one is gone, however it went.

    Ctrl-C is left to that process, and nothing stays behind when this one is killed.

    Parameters
    ----------
    parent
        The number of that process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _is_launched_from_outside(fabric: Fabric) -> bool:
    environment = fabric.strategy.cluster_environment  # type: ignore[attr-defined]
    return bool(environment.creates_processes_externally)
