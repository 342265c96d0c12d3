"""No stage: what `make repro` does first. DVC writes dvc.lock and the list of who uses which file in place, and refuses to go on where a
kill left one cut short. The last whole dvc.lock comes back, a list of the dead goes.

python stages/recover.py
"""

import json
import logging
import subprocess
from itertools import chain
from pathlib import Path

import psutil
import yaml
from dvc.lock import Lock, LockError

from lstm_ae.files import write_text

log = logging.getLogger("recover")

DVC_LOCK, DVC_TMP = Path("dvc.lock"), Path(".dvc/tmp")
KEPT = DVC_TMP / "dvc.lock.whole"


def recover() -> None:
    """Keep a whole dvc.lock, or put back the one kept. DVC holds these two locks where it writes, so that a living one is not disturbed."""
    DVC_TMP.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(str(DVC_TMP / "lock")), Lock(str(DVC_TMP / "rwlock.lock")):
            if is_whole(DVC_LOCK):
                write_text(KEPT, DVC_LOCK.read_text(encoding="utf-8"))
            elif DVC_LOCK.exists():
                restore()
            remove_dead(DVC_TMP / "rwlock")
    except LockError:
        log.info("another dvc is at work here; its files are left alone")


def is_whole(lock: Path) -> bool:
    """Whether dvc.lock was written to its end."""
    try:
        text = lock.read_text(encoding="utf-8")
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return text.endswith("\n") and isinstance(content, dict) and "stages" in content


def restore() -> None:
    """The dvc.lock kept, else the one that git knows, else none: then DVC looks every stage up in its run cache."""
    committed = subprocess.run(["git", "show", f"HEAD:./{DVC_LOCK}"], capture_output=True, text=True, encoding="utf-8", check=False)
    if KEPT.is_file():
        write_text(DVC_LOCK, KEPT.read_text(encoding="utf-8"))
        log.warning("%s was cut short; the one before this run is back", DVC_LOCK)
    elif committed.returncode == 0:
        write_text(DVC_LOCK, committed.stdout)
        log.warning("%s was cut short; git's is back", DVC_LOCK)
    else:
        DVC_LOCK.unlink()
        log.warning("%s was cut short and git has none; it begins anew", DVC_LOCK)


def remove_dead(users: Path) -> None:
    """Remove the list of who uses which file if it was cut short, or if nobody in it lives: a number of theirs may be another's today."""
    try:
        known = json.loads(users.read_text(encoding="utf-8"))
        listed = [*known.get("write", {}).values(), *chain.from_iterable(known.get("read", {}).values())]
    except FileNotFoundError:
        return
    except ValueError:
        log.warning("%s was cut short and is gone", users)
        users.unlink()
        return
    if listed and not any(is_running(**user) for user in listed):
        log.info("%s lists only processes that are no more, and is gone", users)
        users.unlink()


def is_running(pid: int, cmd: str) -> bool:
    try:
        return " ".join(psutil.Process(pid).cmdline()).endswith(cmd)
    except psutil.Error:
        return False


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recover()
