"""A section added to a project: its table, its block in params.yaml, its lines in dvc.yaml."""

import filecmp
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock
from ruamel.yaml.comments import CommentedMap

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import replacing, write_text
from lstm_ae.core.paths import PARAMS, TABLES
from lstm_ae.core.yaml import load_yaml, to_text, with_added
from lstm_ae.data.reading import table_suffix
from lstm_ae.data.table import copy_table
from lstm_ae.params import load_params

PIPELINE = Path("dvc.yaml")
LOCK = Path(".dvc/tmp/new_section.lock")
COMMENT_COLUMN = 30
# What a key of `data` means, beside it in params.yaml.
COMMENTS = {
    "columns_are": "variables of the series of a row, or series of one variable each",
    "series": "the column that names the series of a row; empty: one series",
    "time": "the column of dates or numbers that rise; empty: the rows count",
    "longest_step": "from a row of a window to the next: seconds of dates, or a difference",
    "window": "steps, which are rows",
    "stride": "steps between the first steps of two training windows",
    "split_by": "time or series",
    "scaling": "none, minmax, zscore or log_return, of the training windows",
    "predict": "the step after each step",
    "group_by_time": "windows of one time come in one batch, for error_correlation",
}


def section_name(path: Path, wanted: str | None) -> str:
    """The name of a section: the wanted one, or the file's in small letters."""
    if wanted:
        return wanted
    stem = path.name.lower().removesuffix(table_suffix(path))
    words = re.sub(r"[^a-z0-9]+", "_", stem)
    return re.sub(r"^[^a-z]+", "", words).strip("_") or "table"


def section_text(name: str, section: dict[str, Any]) -> str:
    """The block of a section as it stands in params.yaml."""
    data = CommentedMap(section["data"])
    for key, comment in COMMENTS.items():
        if key in data:
            data.yaml_add_eol_comment(comment, key, column=COMMENT_COLUMN)
    return to_text({name: {**section, "data": data}})


def pipeline_items(name: str, predict: bool) -> dict[str, Any]:
    """What dvc.yaml gets under `artifacts` and `plots`."""
    measures = ["reconstruction", "prediction"] if predict else ["reconstruction"]
    return {
        "artifacts": {name.replace("_", "-"): {"path": f"models/{name}", "type": "model"}},
        "plots": [_loss_plot(name, measure) for measure in measures],
    }


def _loss_plot(name: str, measure: str) -> dict[str, Any]:
    title = f"{name} {measure} loss"
    curves = [f"train/{measure}", f"validation/{measure}"]
    return {
        title: {
            "title": title,
            "x": "epoch",
            "y": {f"metrics/{name}/curves.csv": curves},
            "y_label": f"{measure} loss",
        }
    }


def extend_files(name: str, section: dict[str, Any]) -> dict[Path, str]:
    """The texts of params.yaml and dvc.yaml with the section in them, all else as it stands.

    A file that has this very section already is left out.

    Raises
    ------
    InputError
        There is no project here, the name is taken or not allowed, or a file is written in a way
        that nothing can be added to.
    """
    for path in (PARAMS, PIPELINE):
        if not path.is_file():
            raise InputError(
                f"{path}: not found; the folder of the project is where a section can be added"
            )
    texts = {}
    items = pipeline_items(name, section["data"]["predict"])
    with tempfile.TemporaryDirectory() as directory:
        if not _is_in_params(name, section):
            texts[PARAMS] = _extended_params(name, section, Path(directory))
        if not _is_in_pipeline(items):
            texts[PIPELINE] = _extended_pipeline(items, Path(directory))
    return texts


def _is_in_params(name: str, section: dict[str, Any]) -> bool:
    """Whether params.yaml has this very section, as after an addition that was cut short."""
    content = load_yaml(PARAMS)
    if name not in content:
        return False
    if content[name] != section or name not in content.get("sections", []):
        raise InputError(f"section {name}: {PARAMS} has a key of that name; --name gives another")
    return True


def _is_in_pipeline(items: dict[str, Any]) -> bool:
    """Whether dvc.yaml has the model and the plots already."""
    content = load_yaml(PIPELINE)
    has_models = items["artifacts"].items() <= (content.get("artifacts") or {}).items()
    plots = content.get("plots") or []
    return has_models and all(plot in plots for plot in items["plots"])


def _text(path: Path) -> str:
    """The text of a file with the line breaks it has."""
    return path.read_bytes().decode("utf-8")


def _extended_params(
    name: str,
    section: dict[str, Any],
    directory: Path,
) -> str:
    """params.yaml with the section; in a copy of it, it is valid, and no other has changed."""
    text = with_added(_text(PARAMS), "sections", [name])
    line_break = "\r\n" if "\r\n" in text else "\n"
    if not text.endswith("\n"):
        text += line_break
    block = "\n" + section_text(name, section)
    text += block.replace("\n", line_break)

    before = load_params(PARAMS)
    copy = directory / PARAMS
    write_text(copy, text)
    try:
        after = load_params(copy)
    except InputError as error:
        raise InputError(str(error).replace(str(copy), str(PARAMS))) from error
    others = {key: values for key, values in after.blocks.items() if key != name}
    if after.sections != [*before.sections, name] or others != before.blocks:
        raise InputError(
            f"{PARAMS}: its sections are written in a way that none can be added to; "
            "write the block there by hand"
        )
    return text


def _extended_pipeline(items: dict[str, Any], directory: Path) -> str:
    """dvc.yaml with the model and the plots; in a copy of it, nothing else has changed."""
    expected = load_yaml(PIPELINE)
    expected["artifacts"] = {**(expected.get("artifacts") or {}), **items["artifacts"]}
    expected["plots"] = [*(expected.get("plots") or []), *items["plots"]]
    text = _text(PIPELINE)
    try:
        for key, addition in items.items():
            text = with_added(text, key, addition)
        write_text(directory / PIPELINE, text)
        is_as_expected = load_yaml(directory / PIPELINE) == expected
    except InputError:
        is_as_expected = False
    if not is_as_expected:
        raise InputError(
            f"{PIPELINE}: artifacts or plots are written in a way that none can be added to, or "
            "hold this section already; write the lines there by hand"
        )
    return text


def add_section(
    path: Path,
    name: str,
    section: dict[str, Any],
) -> Path:
    """Copy the table to `data/tables`, give it to DVC, and write params.yaml and dvc.yaml.

    Two additions wait for each other, and one that was cut short is taken up again. What is new is
    staged in Git, so that experiments in copies have it.

    Raises
    ------
    InputError
        Another table of that name is there, DVC does not take it, or a file cannot be extended
        (`extend_files`).
    """
    place = TABLES / f"{name}{table_suffix(path)}"
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(LOCK):
        texts = extend_files(name, section)
        is_new = not place.exists()
        if is_new:
            with replacing(place) as temporary:
                copy_table(path, temporary)
        elif not same_content(path, place):
            raise InputError(f"{place}: is there already; --name gives the section another name")
        try:
            _run("dvc", "add", str(place))
        except InputError:
            if is_new:
                remove_table(place)
            raise
        for file, text in texts.items():
            write_text(file, text)
        if Path(".git").exists():
            _run(
                "git",
                "add",
                f"{place}.dvc",
                str(TABLES / ".gitignore"),
                str(PARAMS),
                str(PIPELINE),
            )
    return place


def remove_table(place: Path) -> None:
    """Remove a file, or a folder of parts."""
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()


def same_content(first: Path, second: Path) -> bool:
    """Whether two files, or two folders of files, are the same to the byte."""
    if first.is_dir() != second.is_dir():
        return False
    if not first.is_dir():
        return filecmp.cmp(first, second, shallow=False)
    names = sorted(path.name for path in first.iterdir())
    if names != sorted(path.name for path in second.iterdir()):
        return False
    return all(same_content(first / name, second / name) for name in names)


def _run(program: str, *arguments: str) -> None:
    """Run DVC or Git; what it says against it is an error."""
    start = [sys.executable, "-m", "dvc"] if program == "dvc" else [program]
    finished = subprocess.run(
        [*start, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        problem = " ".join(finished.stderr.split())
        raise InputError(f"{program} {' '.join(arguments)}: {problem}")
