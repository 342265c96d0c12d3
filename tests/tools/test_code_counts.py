import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tools.code_counts import counts_of

MODULE = '''\
"""A docstring
of two lines."""

x = [1, 2]  # a comment


def f(a):
    """One line."""
    return [[b for b in a] for _ in a]
'''


def test_docstrings_and_comments_are_no_tokens() -> None:
    counts = counts_of(MODULE)
    assert (counts.code_lines, counts.lines, counts.nested) == (3, 9, 1)
    assert counts.tokens == 7 + 6 + 14


def test_lines_over_a_hundred_columns_are_counted() -> None:
    assert counts_of(f"{'x' * 100}\n{'y' * 101}\n").long_lines == 1


def test_the_check_fails_where_a_comprehension_stands_within_another(tmp_path: Path) -> None:
    (tmp_path / "full.py").write_text(MODULE)
    (tmp_path / "light.py").write_text("x = 1\n")
    for name, status in (("full.py", 1), ("light.py", 0)):
        command = [sys.executable, "tools/code_counts.py", "--check", str(tmp_path / name)]
        assert subprocess.run(command, cwd=ROOT, check=False).returncode == status
