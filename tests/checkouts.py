"""Fresh checkouts of the project, their runs and what these write."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = ("toy", "mnist_rows_class", "snp_forecast")
OUTPUTS = ("data", "models", "metrics", "plots", "report")


def checkout(directory: Path) -> Path:
    """A new repository with the files of this one, small budget, three sections."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, directory / name)
    path = directory / "params.yaml"
    text = re.sub(r"^sections: .*$", f"sections: [{', '.join(SECTIONS)}]", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace("budget: full", "budget: smoke"))
    pipeline = directory / "dvc.yaml"
    kept = [line for line in pipeline.read_text().splitlines(keepends=True) if not absent(line)]
    pipeline.write_text("".join(kept))
    for command in (
        ["git", "init", "--quiet"],
        ["git", "config", "user.name", "test"],
        ["git", "config", "user.email", "test@example.org"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "start"],
    ):
        subprocess.run(command, cwd=directory, check=True)
    return directory


def absent(line: str) -> bool:
    """Whether a line of dvc.yaml is a dependency of the report on a section that is left out here."""
    found = re.fullmatch(r"      - (?:metrics|plots)/(\w+)(?:/test\.json)?\n", line)
    return found is not None and found[1] not in SECTIONS


def run(directory: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=1100)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for name in OUTPUTS for path in sorted((directory / name).rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files} | {"dvc.lock": (directory / "dvc.lock").read_bytes()}
