"""The processes of one training, each with a device: the first starts the others, writes and reports for all, and they end with it."""

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
from tqdm import tqdm

from lstm_ae.core.errors import InputError

FIRST = "LSTM_AE_FIRST_PROCESS"  # its number, in the environment of those that it starts


def accelerate(device: torch.device, precision: str, devices: int = 1) -> Fabric:
    """The Fabric that trains on a device, or on several once it is `launched`.

    Raises
    ------
    InputError
        There are fewer devices of the kind, or something else has started a process for each.
    """
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type, devices)
    if devices > there:
        raise InputError(
            f"devices: found {devices}; here is {there} of {device.type}, at most that is allowed"
        )
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    if devices == 1:
        fabric.launch()
    elif not follows() and fabric.strategy.cluster_environment.creates_processes_externally:  # type: ignore[attr-defined]
        raise InputError(
            f"devices: found {devices} under a launcher, or with LOCAL_RANK set; the stage starts its processes itself"
        )
    return fabric


@contextmanager
def launched(fabric: Fabric) -> Iterator[None]:
    """Start a process for each device but the first, each of which runs the whole script. All end when one dies or when the block ends:
    the others would wait for it in a collective, half an hour at most, and then tell of that at length.
    """
    threads = torch.get_num_threads()
    if fabric.world_size == 1 or follows():
        fabric.launch()
        torch.set_num_threads(threads)  # a launch would take all cores
        yield
        return
    others: list[subprocess.Popen[bytes]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            while started := fabric.strategy.launcher.procs:  # type: ignore[union-attr]
                others.append(
                    started.pop()
                )  # which Fabric watches no more: it would kill this one too and say nothing
            if status := next(filter(None, [process.poll() for process in others]), 0):
                hint = (
                    "was killed, perhaps for its memory; fewer need less"
                    if status == -signal.SIGKILL
                    else f"ended with status {status}"
                )
                print(f"error: devices {fabric.world_size}: a process {hint}", file=sys.stderr)
                kill()
                os._exit(2)

    def kill() -> None:
        for process in others:
            process.kill()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        os.environ[FIRST] = str(os.getpid())
        fabric.launch()
        del os.environ[FIRST]
        torch.set_num_threads(threads)
        yield
    except RuntimeError:
        time.sleep(1)  # a collective fails where another process died: `watch` says so
        raise
    finally:
        over.set()
        watching.join()
        kill()


def follows() -> bool:
    """Whether the first process of a training started this one."""
    return FIRST in os.environ


def follow() -> None:
    """Be one of the other processes of a training: silent, and not there without the first."""
    logging.disable()
    serve(int(os.environ[FIRST]))


def serve(parent: int) -> None:
    """Leave Ctrl-C to the process that started this one, end when it is gone, however it went, and leave nothing behind when killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
