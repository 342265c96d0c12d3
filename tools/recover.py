"""What `make repro` does first: repair the files that a kill of DVC left cut short.

DVC writes dvc.lock and the list of who uses which file in place, and refuses to go on where one of
them is not whole. Here the last whole dvc.lock comes back, and a list of dead processes goes.

python tools/recover.py
"""

import json
import logging
import subprocess
from hashlib import sha256
from pathlib import Path

import psutil
import voluptuous
import yaml
from dvc.lock import Lock, LockError
from dvc.schema import COMPILED_LOCKFILE_SCHEMA

from lstm_ae.core.files import write_text

log = logging.getLogger("recover")

DVC_LOCK = Path("dvc.lock")
DVC_TMP = Path(".dvc/tmp")


def recover() -> None:
    """Keep a whole dvc.lock or put the last whole one back, and remove a list of the dead.

    A running DVC holds one of two locks where it writes these files. They are held here too, so
    that a living one is not disturbed.
    """
    DVC_TMP.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(str(DVC_TMP / "lock")), Lock(str(DVC_TMP / "rwlock.lock")):
            if DVC_LOCK.exists():
                keep_or_restore()
            remove_dead(DVC_TMP / "rwlock")
    except LockError:
        log.info("another dvc is at work here; its files are left alone")


def keep_or_restore() -> None:
    """Keep a copy of dvc.lock where it is whole, else put a copy back.

    Without a whole dvc.lock DVC looks every stage up in its run cache.
    """
    current = DVC_LOCK.read_text(encoding="utf-8", errors="replace")
    committed = committed_lock()
    copy = copy_beside(committed)
    last_whole = copy.read_text(encoding="utf-8") if copy.is_file() else committed
    if current == committed or is_whole(current, last_whole or ""):
        write_text(copy, current)
        for other in set(DVC_TMP.glob("dvc.lock.*")) - {copy}:
            other.unlink()
    elif last_whole:
        write_text(DVC_LOCK, last_whole)
        source = "git's" if last_whole == committed else "the one before this run"
        log.warning("%s was cut short; %s is back", DVC_LOCK, source)
    else:
        DVC_LOCK.unlink()
        log.warning("%s was cut short and git has none; it begins anew", DVC_LOCK)


def committed_lock() -> str | None:
    """dvc.lock as the last commit holds it."""
    command = ["git", "show", f"HEAD:./{DVC_LOCK}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return done.stdout if done.returncode == 0 else None


def copy_beside(committed: str | None) -> Path:
    """Where the copy of dvc.lock lies: one for each committed dvc.lock.

    In another commit fewer stages may be all there are, so that its copy says nothing here.
    """
    digest = sha256((committed or "").encode()).hexdigest()
    return DVC_TMP / f"dvc.lock.{digest[:16]}"


def is_whole(lock: str, last_whole: str) -> bool:
    """Whether a dvc.lock was written to its end.

    DVC never drops a stage, and a lock cut between two lines is YAML too: a whole one has every
    stage of the last whole one. One that git holds, of an older experiment that was applied for
    example, may have fewer.
    """
    names = stage_names(lock)
    if names is None:
        return False
    earlier_names = stage_names(last_whole) or set()
    return earlier_names <= names or is_in_git(lock)


def is_in_git(content: str) -> bool:
    """Whether a commit, an experiment's too, holds these bytes as a file."""
    hashing = subprocess.run(
        ["git", "hash-object", "--stdin"],
        input=content,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    searching = subprocess.run(
        [
            "git",
            "log",
            "--all",
            "--max-count=1",
            "--format=%h",
            f"--find-object={hashing.stdout.strip()}",
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return searching.returncode == 0 and bool(searching.stdout)


def stage_names(lock: str) -> set[str] | None:
    """The stages of a dvc.lock; None if it breaks off, or is none that DVC would read."""
    try:
        content = yaml.load(lock, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        COMPILED_LOCKFILE_SCHEMA(content)
    except (yaml.YAMLError, voluptuous.Invalid):
        return None
    if not lock.endswith("\n") or "stages" not in content:
        return None
    return set(content["stages"])


def remove_dead(path: Path) -> None:
    """Remove the list of who uses which file if it was cut short, or if nobody in it lives.

    The number of a dead process may be another one's today, which DVC would wait for.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        users = list(content.get("write", {}).values())
        for readers in content.get("read", {}).values():
            users += readers
    except FileNotFoundError:
        return
    except ValueError:
        log.warning("%s was cut short and is gone", path)
        path.unlink()
        return
    if users and not any(is_running(**user) for user in users):
        log.info("%s lists only processes that are no more, and is gone", path)
        path.unlink()


def is_running(pid: int, cmd: str) -> bool:
    """Whether the process of that number still runs that command."""
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return command.endswith(cmd)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recover()
