"""Which code made a model: the version of this library, and the commit it was at."""

import subprocess
from pathlib import Path

from lstm_ae import __version__

ROOMS = ("core", "params", "units", "data", "model", "training", "search", "package")
STAGES = ("acquire", "prepare", "search", "train", "package")
# What a model is made by: a later change to the page or to a figure makes no other model.
CODE = (
    *(f"src/lstm_ae/{room}" for room in ROOMS),
    *(f"stages/{stage}.py" for stage in STAGES),
)


def provenance(root: Path) -> dict[str, str | None]:
    """Version and commit of the code, as a model's about.json keeps them.

    Parameters
    ----------
    root
        The project's folder.

    Returns
    -------
    `version`, and `commit`: see `code_commit`.
    """
    return {"version": __version__, "commit": code_commit(root)}


def code_commit(root: Path) -> str | None:
    """The last commit that touched the code that makes models.

    Returns
    -------
    The hash, with `+changes` where the files differ from that commit; None where the folder is in
    no git repository, or its code in no commit.
    """
    commit = _git(root, "log", "-1", "--format=%H", "--", *CODE)
    if not commit:
        return None
    changes = _git(root, "status", "--porcelain", "--", *CODE)
    return f"{commit}+changes" if changes else commit


def _git(root: Path, *arguments: str) -> str:
    """What git prints, without the last line break; nothing where it fails or is not installed."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
