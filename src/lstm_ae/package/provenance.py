"""Which code made a model: the version of this library, and the commit it was at."""

import subprocess
from pathlib import Path

from lstm_ae import __version__

CODE = ("src", "stages")  # the folders of the project that a model is made by


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
    """The last commit that touched the code: it stays when only texts or results change.

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
