"""How full the lines of the code are: tokens a line, lines over 100 columns, nested comprehensions.

python tools/code_counts.py src
python tools/code_counts.py --check src
"""

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOST_TOKENS_A_LINE = 8.0
COLUMNS = 100
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Counts:
    """Counts of one file, or of several together.

    Parameters
    ----------
    tokens
        Names, numbers, strings, operators and brackets; no comments, no docstrings.
    code_lines
        Lines on which such a token begins.
    lines
        All lines.
    long_lines
        Lines over 100 columns.
    nested
        Comprehensions within a comprehension.
    """

    tokens: int = 0
    code_lines: int = 0
    lines: int = 0
    long_lines: int = 0
    nested: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.tokens + other.tokens,
            self.code_lines + other.code_lines,
            self.lines + other.lines,
            self.long_lines + other.long_lines,
            self.nested + other.nested,
        )

    @property
    def tokens_a_line(self) -> float:
        return self.tokens / max(self.code_lines, 1)


def counts_of(text: str) -> Counts:
    """Counts of a module's text."""
    tree = ast.parse(text)
    docstrings = docstring_lines(tree)
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in LAYOUT and token.start[0] not in docstrings
    ]
    lines = text.splitlines()
    return Counts(
        tokens=len(tokens),
        code_lines=len({token.start[0] for token in tokens}),
        lines=len(lines),
        long_lines=sum(len(line) > COLUMNS for line in lines),
        nested=nested_comprehensions(tree),
    )


def docstring_lines(tree: ast.Module) -> set[int]:
    """The numbers of the lines that docstrings take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            lines.update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return lines


def nested_comprehensions(tree: ast.Module) -> int:
    """How many comprehensions stand within each comprehension, in all."""
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS):
            inside = sum(isinstance(part, COMPREHENSIONS) for part in ast.walk(node))
            count += inside - 1
    return count


def modules(paths: Iterable[Path]) -> list[Path]:
    """The Python files among the paths and in the folders among them."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, help="files and folders")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"print the sum alone; fail at {MOST_TOKENS_A_LINE:g} tokens a line or above, "
        "or where a comprehension stands within another",
    )
    arguments = parser.parse_args()
    total = Counts()
    for path in modules(arguments.paths):
        counts = counts_of(path.read_text(encoding="utf-8"))
        total += counts
        if counts.nested or not arguments.check:
            nested = f"{counts.nested} nested comprehensions"
            print(f"{counts.tokens_a_line:5.1f} tokens a line, {nested}: {path}")
    print(
        f"{total.tokens_a_line:.2f} tokens a line on {total.code_lines} lines of code, "
        f"{total.long_lines} of {total.lines} lines over {COLUMNS} columns, "
        f"{total.nested} nested comprehensions"
    )
    is_full = total.tokens_a_line >= MOST_TOKENS_A_LINE or total.nested > 0
    if arguments.check and is_full:
        sys.exit(f"fewer than {MOST_TOKENS_A_LINE:g} tokens a line and none nested are allowed")


if __name__ == "__main__":
    main()
