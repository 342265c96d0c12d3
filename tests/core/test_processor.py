import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_ae.core.processor import CAPS

STAGES = sorted(Path("stages").glob("*.py"))
START = """
import os, runpy, sys
CAPPED = ("numpy", "scipy", "torch")

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in CAPPED:
            capped = "OPENBLAS_CORETYPE" in os.environ
            sys.exit(0 if capped else f"{name} is imported before it is capped")

sys.meta_path.insert(0, Watch())
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize("script", STAGES, ids=lambda script: script.stem)
def test_a_stage_caps_libraries_before_it_imports_them(script: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in CAPS}
    done = subprocess.run(
        [sys.executable, "-c", START, str(script), "--help"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
