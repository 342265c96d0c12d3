"""The processes of one training, each with a device: the first starts the others, writes and reports for all, and they end with it."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric

from lstm_ae.errors import InputError

FIRST = "LSTM_AE_FIRST_PROCESS"  # its number, in the environment of those that it starts


def accelerate(device: torch.device, precision: str, devices: int = 1) -> Fabric:
    """The Fabric that trains on a device, or on several in as many processes, each of which runs the whole script.

    Raises
    ------
    InputError
        There are fewer devices of the kind.
    """
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type, devices)
    if devices > there:
        raise InputError(f"devices: found {devices}; here is {there} of {device.type}, at most that is allowed")
    fabric = Fabric(accelerator=device.type, devices=devices, strategy="ddp" if devices > 1 else "auto", precision=precision)  # type: ignore[arg-type]
    threads = torch.get_num_threads()
    if follows():
        logging.disable()
        end_with(int(os.environ[FIRST]))
        fabric.launch()
    else:
        os.environ[FIRST] = str(os.getpid())
        fabric.launch()
        del os.environ[FIRST]
    torch.set_num_threads(threads)  # a launch would take all cores
    return fabric


@contextmanager
def together(fabric: Fabric) -> Iterator[None]:
    """While the block runs in the first process, end all processes where one of them dies, or where the block fails: the others would wait
    for it in a collective, half an hour at most, and then tell of that at length.
    """
    started, over = getattr(fabric.strategy.launcher, "procs", []), threading.Event()
    others = started.copy()
    started.clear()  # Fabric, which would kill this one too and say nothing, watches them no more

    def kill() -> None:
        for process in others:
            process.kill()

    def watch() -> None:
        while not over.wait(0.2):
            if any(process.poll() for process in others):
                print(f"error: devices {1 + len(others)}: a process died, perhaps for its memory; fewer need less", file=sys.stderr)
                kill()
                os._exit(2)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    except BaseException as error:
        if others and isinstance(error, RuntimeError):
            time.sleep(1)  # a collective fails where another process died: `watch` says so
        over.set()
        kill()
        raise
    over.set()


def follows() -> bool:
    """Whether the first process of a training started this one."""
    return FIRST in os.environ


def end_with(parent: int) -> None:
    """Leave Ctrl-C to the process that started this one, and end when it is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
