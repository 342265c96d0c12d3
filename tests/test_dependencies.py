"""What the code imports against what pyproject.toml declares."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DISTRIBUTIONS = packages_distributions()
# Imported by other packages, not by this project.
UNSEEN = {"pyarrow", "psycopg"}
# `pip install .` alone must be enough for these rooms, except for what an extra is there for.
BASE_ROOMS = ("core", "params", "units", "model", "training", "package", "use", "stage", "cli")
NOT_BASE = {"lstm_ae.use.alarms", "lstm_ae.use.onnx"}


def names(requirements: list[str]) -> set[str]:
    """The names of the packages, without versions and extras."""
    return {normalized(re.split(r"[\[<>=;~! ]", requirement)[0]) for requirement in requirements}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


BASE = names(PROJECT["project"]["dependencies"])
EXTRAS = {
    extra: names(requirements)
    for extra, requirements in PROJECT["project"]["optional-dependencies"].items()
}
DEV = names(PROJECT["dependency-groups"]["dev"])


@dataclass(frozen=True)
class Import:
    """One name that a module imports.

    Parameters
    ----------
    module
        The dotted name; of `from a import b` both `a` and `a.b`.
    lazy
        It stands in a function.
    extra
        The extra that a `with needs_extra(...)` around it names.
    """

    module: str
    lazy: bool = False
    extra: str | None = None


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """The imports of a file, those for type checkers alone left out."""
    return tuple(_imports(ast.parse(path.read_text()), lazy=False, extra=None))


def _imports(node: ast.AST, lazy: bool, extra: str | None) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, lazy, extra)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield Import(child.module, lazy, extra)
            for alias in child.names:
                yield Import(f"{child.module}.{alias.name}", lazy, extra)
        in_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _imports(child, lazy or in_function, extra_of(child) or extra)


def extra_of(node: ast.AST) -> str | None:
    """The extra that `with needs_extra(extra):` names."""
    if not isinstance(node, ast.With):
        return None
    for item in node.items:
        call = ast.unparse(item.context_expr)
        if match := re.fullmatch(r"needs_extra\('(\w+)'\)", call):
            return match[1]
    return None


def own_file(module: str) -> Path | None:
    """The file of a module of this library."""
    path = SOURCE / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def is_foreign(module: str) -> bool:
    """Whether a module comes neither with Python nor from this repository."""
    package = module.split(".")[0]
    ours = {"lstm_ae", "stages", "tools", "tests", "__future__"}
    return package not in sys.stdlib_module_names and package not in ours


def distributions(module: str) -> set[str]:
    """The packages that bring a module; by its own name where none is installed."""
    package = module.split(".")[0]
    return {normalized(name) for name in DISTRIBUTIONS.get(package, [package])}


def eager(path: Path) -> set[Path]:
    """The file and every file of this library that is read when it is imported."""
    files: set[Path] = set()
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current in files:
            continue
        files.add(current)
        for imported in imports(current):
            target = own_file(imported.module)
            if target and not imported.lazy:
                waiting.append(target)
    return files


def missing(module: str, allowed: set[str]) -> set[str]:
    """The foreign modules that are imported with this one and that no allowed package brings."""
    target = own_file(module)
    modules = {module}
    if target:
        modules = set()
        for path in eager(target):
            modules |= {imported.module for imported in imports(path) if not imported.lazy}
    return {
        name.split(".")[0]
        for name in modules
        if is_foreign(name) and not distributions(name) & allowed
    }


def base_modules() -> list[str]:
    modules = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        if len(parts) > 1 and parts[1] in BASE_ROOMS and module not in NOT_BASE:
            modules.append(module)
    return modules


@pytest.mark.parametrize("module", base_modules())
def test_a_room_of_the_library_alone_needs_no_extra(module: str) -> None:
    assert missing(module, BASE) == set()


@pytest.mark.parametrize("module", base_modules())
def test_what_an_extra_brings_is_imported_where_its_absence_names_the_extra(module: str) -> None:
    path = own_file(module)
    assert path
    for imported in imports(path):
        if imported.lazy and (own_file(imported.module) or is_foreign(imported.module)):
            brought = EXTRAS[imported.extra] if imported.extra else set()
            assert missing(imported.module, BASE | brought) == set(), imported


@pytest.mark.parametrize("folder", ["src", "stages", "tools"])
def test_what_is_imported_is_declared(folder: str) -> None:
    declared = BASE.union(*EXTRAS.values())
    if folder == "tools":
        declared |= DEV
    for path in sorted((ROOT / folder).rglob("*.py")):
        for imported in imports(path):
            if is_foreign(imported.module):
                assert distributions(imported.module) & declared, f"{path}: {imported.module}"


def test_what_is_declared_is_imported() -> None:
    imported = set(UNSEEN)
    for folder in ("src", "stages", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            for one_import in imports(path):
                imported |= distributions(one_import.module)
    assert BASE.union(*EXTRAS.values()) - imported == set()


def test_the_lock_has_what_is_declared() -> None:
    locked = re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?==", (ROOT / "requirements.txt").read_text(), re.M
    )
    declared = BASE.union(DEV, *EXTRAS.values())
    assert declared <= {normalized(name) for name in locked}
