"""What `make repro` does first. DVC writes dvc.lock and the list of who uses which file in place, and refuses to go on where a
kill left one cut short. The last whole dvc.lock comes back, a list of the dead goes.

python tools/recover.py
"""

import json
import logging
import subprocess
from hashlib import sha256
from itertools import chain
from pathlib import Path

import psutil
import voluptuous
import yaml
from dvc.lock import Lock, LockError
from dvc.schema import COMPILED_LOCKFILE_SCHEMA

from lstm_ae.core.files import write_text

log = logging.getLogger("recover")

DVC_LOCK, DVC_TMP = Path("dvc.lock"), Path(".dvc/tmp")


def recover() -> None:
    """Keep a whole dvc.lock, or put back the one kept. DVC holds these two locks where it writes, so that a living one is not disturbed."""
    DVC_TMP.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(str(DVC_TMP / "lock")), Lock(str(DVC_TMP / "rwlock.lock")):
            if DVC_LOCK.exists():
                keep_or_restore()
            remove_dead(DVC_TMP / "rwlock")
    except LockError:
        log.info("another dvc is at work here; its files are left alone")


def keep_or_restore() -> None:
    """Without a whole dvc.lock, that of before this run or of git, DVC looks every stage up in its run cache."""
    found = DVC_LOCK.read_text(encoding="utf-8", errors="replace")
    git = subprocess.run(
        ["git", "show", f"HEAD:./{DVC_LOCK}"], capture_output=True, encoding="utf-8", check=False
    )
    committed = git.stdout if git.returncode == 0 else None
    kept = (
        DVC_TMP / f"dvc.lock.{sha256((committed or '').encode()).hexdigest()[:16]}"
    )  # beside another commit's, fewer stages may be all
    known = kept.read_text(encoding="utf-8") if kept.is_file() else committed
    if found == committed or is_whole(found, known or ""):
        write_text(kept, found)
        for other in set(DVC_TMP.glob("dvc.lock.*")) - {kept}:
            other.unlink()
    elif known:
        write_text(DVC_LOCK, known)
        log.warning(
            "%s was cut short; %s is back",
            DVC_LOCK,
            "git's" if known == committed else "the one before this run",
        )
    else:
        DVC_LOCK.unlink()
        log.warning("%s was cut short and git has none; it begins anew", DVC_LOCK)


def is_whole(lock: str, known: str) -> bool:
    """Whether a dvc.lock was written to its end: DVC never drops a stage, and a lock cut between two lines is YAML too. One that git holds,
    of an older experiment that was applied for example, may know fewer.
    """
    names = stage_names(lock)
    return names is not None and ((stage_names(known) or set()) <= names or is_in_git(lock))


def is_in_git(content: str) -> bool:
    """Whether a commit, an experiment's too, holds these bytes as a file."""
    hashed = subprocess.run(
        ["git", "hash-object", "--stdin"],
        input=content,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    log_of = [
        "git",
        "log",
        "--all",
        "--max-count=1",
        "--format=%h",
        f"--find-object={hashed.stdout.strip()}",
    ]
    found = subprocess.run(log_of, capture_output=True, encoding="utf-8", check=False)
    return found.returncode == 0 and bool(found.stdout)


def stage_names(lock: str) -> set[str] | None:
    """The stages of a dvc.lock; None if it breaks off, or is none that DVC would read."""
    try:
        content = yaml.load(lock, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        COMPILED_LOCKFILE_SCHEMA(content)
    except (yaml.YAMLError, voluptuous.Invalid):
        return None
    return set(content["stages"]) if lock.endswith("\n") and "stages" in content else None


def remove_dead(users: Path) -> None:
    """Remove the list of who uses which file if it was cut short, or if nobody in it lives: a number of theirs may be another's today."""
    try:
        known = json.loads(users.read_text(encoding="utf-8"))
        listed = [
            *known.get("write", {}).values(),
            *chain.from_iterable(known.get("read", {}).values()),
        ]
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
