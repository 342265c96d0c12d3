"""The wheel of this project, installed alone in a fresh environment, scores a table there.

python -m tools.try_wheel [argument of pip ...]

The model is a small one of the tests. Arguments go to `pip install`; for example
`--index-url https://download.pytorch.org/whl/cpu --extra-index-url https://pypi.org/simple` takes
torch without CUDA.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lstm_ae import __version__
from lstm_ae.core.paths import PARAMS
from lstm_ae.package.package import save_package
from lstm_ae.params import load_params
from tests.packages import hourly, hourly_package

ROOT = Path(__file__).resolve().parents[1]
METERS = 2
HOURS = 100
FALSE_ALARMS = "0.05"
SCORE_IN_PYTHON = f"""
import lstm_ae
model = lstm_ae.load_model("model")
print(len(lstm_ae.score(model, "new.csv", {FALSE_ALARMS})), "windows")
"""


# Without PYTHONPATH, which would show pip and Python the files of this project.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def build_wheel(directory: Path) -> Path:
    """Build the wheel with the setuptools of this environment, from a copy of the sources.

    What an earlier build left beside the sources would get into the wheel.
    """
    sources = directory / "sources"
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", sources / "src", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, sources / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command = [*pip, "--wheel-dir", str(directory), str(sources)]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def make_model(directory: Path) -> None:
    """Write a packaged model and a new table of its form."""
    params = load_params(ROOT / PARAMS)
    package = hourly_package(params, directory / "hourly.csv")
    save_package(package, directory / "model")
    hourly(meters=METERS, hours=HOURS, seed=1).to_csv(directory / "new.csv", index=False)


def install(wheel: Path, directory: Path, arguments: Sequence[str]) -> Path:
    """Install the wheel in an environment of its own, and give the folder of its commands."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    commands = directory / "bin"
    pip = [str(commands / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments, str(wheel)], env=ENVIRONMENT, check=True)
    return commands


def output_of(directory: Path, *command: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def check(text: str, part: str) -> None:
    """End with the text where it lacks this part."""
    print(text, end="")
    if part not in text:
        sys.exit(f"error: the text above lacks {part!r}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_model(directory)
        wheel = build_wheel(directory)
        commands = install(wheel, directory / "venv", sys.argv[1:])
        lstm_ae = str(commands / "lstm-ae")
        check(output_of(directory, lstm_ae, "--version"), f"lstm-ae {__version__}\n")
        score = [lstm_ae, "score", "model", "new.csv", "--false-alarms", FALSE_ALARMS]
        check(output_of(directory, *score, "--out", "scores.csv"), "windows are alarms")
        with (directory / "scores.csv").open(newline="") as file:
            windows = len(list(csv.DictReader(file)))
        in_python = output_of(directory, str(commands / "python"), "-c", SCORE_IN_PYTHON)
        check(in_python, f"{windows} windows\n")
        exporting = output_of(directory, lstm_ae, "export", "model", "--out", "model.onnx")
        check(exporting, "pip install 'lstm-ae[onnx]'")


if __name__ == "__main__":
    main()
