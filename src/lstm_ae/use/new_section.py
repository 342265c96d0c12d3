"""A section proposed for a person's table: what the table holds, the block for params.yaml, the lines for dvc.yaml."""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import replacing, write_text
from lstm_ae.core.paths import PARAMS, TABLES
from lstm_ae.core.splits import Split
from lstm_ae.data import table
from lstm_ae.params import TableData, load_params

PIPELINE = Path("dvc.yaml")
CYCLES = {
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}  # seconds
SHORTEST_CYCLE = 12  # steps
WITHOUT_CYCLE = 48
MOST_WINDOWS = 20_000
UPDATES = 2500  # of a training, as many as the sections of the study have
EXPLAINED = 0.99  # of the variance, by PCA with as many components as the code has numbers
TIMES = re.compile(
    r"(?i)(time|date|year|step|index|instant|t)(_?stamp)?"
)  # names of columns of numbers that may be times
PARTS_OF_DATES = re.compile(r"(?i)year|quarter|month|week|weekday|day|hour|minute|second")
PANEL = 32  # series that share their times; from so many on a time's surprise can be told from a series' own


@dataclass(frozen=True)
class Sight:
    """What a table was found to hold.

    Parameters
    ----------
    interval
        Between two rows of a series, mostly: seconds of dates, or a difference of numbers; None where the rows count.
    jumps
        How often the next row comes later than that.
    left_out
        Columns that cannot be values, and why.
    """

    rows: int
    time: str | None
    series: str | None
    columns: list[str]
    dates: bool
    interval: float | None
    jumps: int
    left_out: dict[str, str]


def look(path: Path, wanted: list[str] | None = None) -> Sight:
    """Find the time, the series and the columns of numbers of a table.

    Time is the first column of dates, or a column of rising numbers whose name says so. Where times repeat, the series are the first
    column within whose values they rise.

    Parameters
    ----------
    wanted
        The columns of values; None takes all that hold numbers and change.

    Raises
    ------
    InputError
        No column holds numbers alone, or times repeat and no column tells the series apart.
    """
    found = table.read_table(path)
    if found.empty:
        raise InputError(f"{path}: found no rows")
    names = [str(name) for name in found.columns]
    numbers = {
        name: pd.to_numeric(found[name], errors="coerce")
        for name in names
        if not _is_dated(found[name])
    }
    dates = {
        name: _dates(found[name])
        for name in names
        if name not in numbers or numbers[name].isna().all()
    }
    dates = {name: values for name, values in dates.items() if values.notna().all()}
    values_of = [name for name in numbers if name not in dates]
    counts = {
        name: numbers[name]
        for name in values_of
        if TIMES.fullmatch(name) and numbers[name].notna().all()
    }
    texts_first = sorted(values_of, key=lambda name: bool(numbers[name].notna().any()))
    time, series = None, None
    for name, times in (dates or counts).items():
        rising, within = _rising(times, found, [other for other in texts_first if other != name])
        if rising:
            time, series = name, within
            break
    else:
        if dates:
            name, times = next(iter(dates.items()))
            row = int((times.to_numpy()[1:] <= times.to_numpy()[:-1]).argmax()) + 1
            before, now = found[name].iloc[row - 1], found[name].iloc[row]
            where = f"{path}: column {name}, {found.index.name} {found.index[row]}"
            raise InputError(
                f"{where}: found {str(now)!r} after {str(before)!r}, and no column of series within which times rise; "
                "rows in the order of time are allowed"
            )
    if wanted and (missing := [name for name in wanted if name not in numbers]):
        raise InputError(
            f"{path}: column {missing[0]} is missing or holds dates; found {', '.join(names)}"
        )
    columns, left_out = [], {}
    for name in wanted or values_of:
        if name in (time, series):
            continue
        values = numbers[name].replace([np.inf, -np.inf], np.nan)
        if values.isna().all():
            left_out[name] = "neither numbers nor dates like 2014-01-31"
        elif values.isna().any():
            left_out[name] = f"{int(values.isna().sum())} of {len(values)} rows without a number"
        elif values.nunique() == 1:
            left_out[name] = "never changes"
        elif (
            time is not None
            and not wanted
            and (PARTS_OF_DATES.fullmatch(name) or (values.diff().dropna() == 1).all())
        ):
            left_out[name] = "says what the time says"
        else:
            columns.append(name)
    if not columns:
        raise InputError(
            f"{path}: no column of numbers; {', '.join(f'{name}: {why}' for name, why in left_out.items())}"
        )
    if time is None:
        return Sight(len(found), None, series, columns, False, None, 0, left_out)
    times, dated = (dates | counts)[time], time in dates
    rises = (times.groupby(found[series]) if series else times).diff().dropna()
    intervals = rises.dt.total_seconds() if dated else rises
    usual = float(intervals.median())
    return Sight(
        len(found),
        time,
        series,
        columns,
        dated,
        usual,
        int((intervals > 1.5 * usual).sum()),
        left_out,
    )


def told(path: Path, sight: Sight, reasons: list[str]) -> str:
    """What was seen, and why the proposal is as it is, a line each."""
    interval = (
        f"{sight.interval:g}{' s' if sight.dates else ''} from row to row"
        if sight.interval
        else "no interval"
    )
    lines = [
        f"{path}: {sight.rows} rows",
        f"time: {sight.time or 'the rows count'}"
        + (f", {interval}, {sight.jumps} longer ones" if sight.time else ""),
        f"series: {sight.series or 'one'}",
        f"columns: {', '.join(sight.columns)}",
        *(f"left out: {name}, {why}" for name, why in sight.left_out.items()),
        *reasons,
    ]
    return "\n".join(lines)


def _is_dated(cells: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(cells)


def _dates(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(
        cells if _is_dated(cells) else cells.astype(str),
        format="ISO8601",
        utc=True,
        errors="coerce",
    )


def _rising(times: pd.Series, found: pd.DataFrame, others: list[str]) -> tuple[bool, str | None]:
    """Whether times rise, from row to row or within the values of a column, and that column, the first of these."""

    def rise(of: pd.Series) -> bool:
        return of.is_monotonic_increasing and of.is_unique

    if rise(times):
        return True, None
    few = [name for name in others if found[name].nunique() * SHORTEST_CYCLE <= len(found)]
    within = next((name for name in few if times.groupby(found[name]).apply(rise).all()), None)
    return within is not None, within


def propose(
    path: Path, sight: Sight, predict: bool, columns_are: str
) -> tuple[dict[str, Any], list[str]]:
    """The block of a section, and what speaks for its numbers.

    Raises
    ------
    InputError
        The table is too short, or cannot be read with that layout.
    """
    window, why = _window(sight)
    data: dict[str, Any] = {
        "dataset": "table",
        "columns": sight.columns,
        "columns_are": columns_are,
        "series": sight.series,
        "time": sight.time,
        "window": window,
        "stride": 1,
        "split_by": "time",
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "scaling": "none",
        "predict": predict,
        "group_by_time": False,
    }
    if columns_are == "series" and sight.series:
        raise InputError(
            f"{path}: times rise within {sight.series} alone: a row a series and time, whose columns are variables"
        )
    series = table.read_series(path, table.Layout.of(TableData(**data)))
    lengths = [len(one.times) for one in series]
    fewest = int(np.median(lengths)) // 5 - 2  # rows of a part of a fifth
    if fewest < window and not predict and len(series) >= 10:
        data["split_by"] = "series"
    elif fewest < window:
        window = data["window"] = max(fewest, 4 if predict else 2)
        why = f"a fifth of {int(np.median(lengths))} rows, the part that is validation"
    data["stride"] = max(1, -(-sum(lengths) * 6 // 10 // MOST_WINDOWS))
    columns = np.concatenate([one.values for one in series])
    tenfold = (columns > 0).all() and (columns.max(axis=0) > 10 * columns.min(axis=0)).any()
    data["scaling"] = "log_return" if tenfold else "zscore"
    data["group_by_time"] = predict and len(series) >= PANEL

    train = table.prepare(path, TableData(**data), seed=0, source=str(path)).splits["train"]
    features = train.sequences.shape[2]
    numbers = window * features
    needed = _components(train, EXPLAINED)
    code = max(1, min(needed, numbers // 4))
    lags = min(10, window // 2) if predict else 0
    smallest = code + lags * features
    batch = 64 if len(train) < 10_000 else 128
    epochs = int(np.clip(round(UPDATES * batch / len(train)), 3, 100))
    walks = tenfold and not predict
    levels = (
        "all values are above 0 and differ more than tenfold"
        if tenfold
        else "the values do not differ tenfold, or reach 0"
    )
    bar = f"PCA needs {needed} for {EXPLAINED:.0%} of the variance"
    reasons = [
        f"window {window}: {why}",
        f"scaling {data['scaling']}: {levels}",
        f"code_size {code}: {bar}, a quarter of {window} steps of {features} is {numbers // 4}",
        f"{len(train)} training windows, {sum(lengths)} rows of {len(series)} series",
    ]
    return {
        "epochs": epochs,
        "data": data,
        "model": {
            "code_size": code,
            "code_enters": "state",
            "decoding": "backward",
            "output": "linear",
            "initialization": "spectral",
            "amplitude": 0.005 if walks else 0.02,
            "period": 1,
            "lags": lags,
            "class_hidden_size": 256,
        },
        "training": {
            "batch_size": batch,
            "optimizer": "adam",
            "weight_decay": 0.0,
            "momentum": 0.9,
            "loss": "mse",
            "loss_weights": {"reconstruction": 0.2, "classification": 0.0, "prediction": 0.8}
            if predict
            else {"reconstruction": 1.0, "classification": 0.0, "prediction": 0.0},
            "error_correlation": 0.3 if data["group_by_time"] else 0.0,
            "shift": 0,
            "schedule": "one_cycle",
            "warmup": 0.15,
            "lr_factors": {"encoder": 0.02, "decoder": 0.02, "biases": 0.0005, "heads": 1.0},
        },
        "search": {
            "trials": 12,
            "concurrency": 4,
            "epochs": max(1, epochs // 4),
            "sequences": 6000,
            "space": {
                "hidden_size": {"low": smallest, "high": max(4 * code, 32) + lags * features},
                "lr": {"low": 3.0e-4, "high": 5.0e-3},
                "gradient_clip": {"low": 0.1, "high": 10.0},
                "layers": {"low": 2, "high": 3},
            },
        },
    }, reasons


def _window(sight: Sight) -> tuple[int, str]:
    if sight.dates and sight.interval:
        for name, seconds in CYCLES.items():
            if (steps := round(seconds / sight.interval)) >= SHORTEST_CYCLE:
                return steps, f"a {name}"
    return WITHOUT_CYCLE, "nothing tells how long a cycle is"


def _components(train: Split, share: float) -> int:
    """Principal components that hold this share of the variance of the training windows."""
    sample = train.thinned(5000).values()
    flat = sample.reshape(len(sample), -1)
    energy = np.square(np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False))
    return int(np.searchsorted(np.cumsum(energy), share * energy.sum())) + 1


def block_text(name: str, proposal: dict[str, Any]) -> str:
    """The block as it stands in params.yaml."""
    data, model, training, search = (
        proposal[key] for key in ("data", "model", "training", "search")
    )
    lines = [
        f"{name}:",
        *(f"  {key}: tuned" for key in ("lr", "hidden_size", "layers", "gradient_clip")),
        f"  epochs: {proposal['epochs']}",
    ]
    lines += [
        "  data:",
        *(f"    {_padded(f'{key}: {_flow(value)}', KEYS.get(key))}" for key, value in data.items()),
    ]
    lines += [f"  model: {_flow(model)}"]
    lines += ["  training:", *(f"    {key}: {_flow(value)}" for key, value in training.items())]
    lines += ["  search:", *(f"    {key}: {_flow(value)}" for key, value in search.items())]
    return "\n".join(lines) + "\n"


# What a key of `data` means, beside it in params.yaml.
KEYS = {
    "columns_are": "variables of the series of a row, or series of one variable each",
    "series": "the column that names the series of a row; null: one series",
    "time": "the column of dates or numbers that rise; null: the rows count",
    "window": "steps, which are rows",
    "stride": "steps between the first steps of two training windows",
    "split_by": "time or series",
    "scaling": "none, minmax, zscore or log_return, of the training windows",
    "predict": "the step after each step",
    "group_by_time": "windows that begin at one time come in one batch, for error_correlation",
}


def _padded(text: str, comment: str | None) -> str:
    return f"{text:<25} # {comment}" if comment else text


def _flow(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
        .removesuffix("\n")
        .removesuffix("\n...")
    )


def pipeline_texts(name: str, predict: bool) -> dict[str, str]:
    """What dvc.yaml gets under `artifacts` and `plots`."""
    plots = "".join(
        f"""\
- {name} {measure} loss:
    title: {name} {measure} loss
    x: epoch
    y:
      metrics/{name}/curves.csv:
      - train/{measure}
      - validation/{measure}
    y_label: {measure} loss
"""
        for measure in ("reconstruction", "prediction")[: 1 + predict]
    )
    artifact = f"  {name.replace('_', '-')}:\n    path: models/{name}\n    type: model\n"
    return {"artifacts": artifact, "plots": plots}


def inserted(text: str, key: str, addition: str) -> str:
    """A YAML text with lines added at the end of a key of its top level; the rest stays as it is, to the byte."""
    lines = text.splitlines(keepends=True)
    begin = next((i for i, line in enumerate(lines) if line.startswith(f"{key}:")), None)
    if begin is None:
        return text.rstrip("\n") + f"\n\n{key}:\n{addition}"
    end = next(
        (i for i in range(begin + 1, len(lines)) if re.match(r"[^\s#-]", lines[i])), len(lines)
    )
    while not lines[end - 1].strip() or lines[end - 1].startswith(
        "#"
    ):  # what stands before the next key belongs to it
        end -= 1
    lines[end - 1] = lines[end - 1].rstrip("\n") + "\n"
    return "".join([*lines[:end], addition, *lines[end:]])


def listed(text: str, name: str) -> str:
    """params.yaml with the name appended to `sections`, which may stand in brackets or a line each."""
    if found := re.search(r"^sections:\s*\[([^\]]*)\]", text, re.MULTILINE):
        return f"{text[: found.end(1)].rstrip()}{', ' if found[1].strip() else ''}{name}{text[found.end(1) :]}"
    item = re.search(r"^sections:.*\n(?:\s*#.*\n)*(\s*)- ", text, re.MULTILINE)
    return inserted(text, "sections", f"{item[1] if item else '  '}- {name}\n")


def section_name(path: Path, wanted: str | None) -> str:
    """The name of a section: what was wanted, or the file's in small letters."""
    stem = path.name.lower().removesuffix(table.suffix(path))
    return wanted or re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9]+", "_", stem)).strip("_") or "table"


def extended(name: str, proposal: dict[str, Any]) -> dict[Path, str]:
    """params.yaml and dvc.yaml with the section in them, all else as it stands.

    Raises
    ------
    InputError
        There is no project here, the name is taken or not allowed, or a file is written in a way that lines cannot be added to.
    """
    for path in (PARAMS, PIPELINE):
        if not path.is_file():
            raise InputError(
                f"{path}: not found; the folder of the project is where a section can be added"
            )
    params, pipeline = (path.read_text(encoding="utf-8") for path in (PARAMS, PIPELINE))
    known = load_params(PARAMS)
    if name in yaml.safe_load(params):
        raise InputError(f"section {name}: {PARAMS} has a key of that name; --name gives another")
    params = listed(params.rstrip("\n") + "\n\n" + block_text(name, proposal), name)
    for key, addition in pipeline_texts(name, proposal["data"]["predict"]).items():
        pipeline = inserted(pipeline, key, addition)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PARAMS
        path.write_text(params, encoding="utf-8")
        added = load_params(path)
    if added.sections != [*known.sections, name] or known.blocks != {
        key: block for key, block in added.blocks.items() if key != name
    }:
        raise InputError(
            f"{PARAMS}: its sections are written in a way that none can be added to; the block goes there by hand"
        )
    before, after = yaml.safe_load(PIPELINE.read_text(encoding="utf-8")), yaml.safe_load(pipeline)
    plots = before.get("plots", [])
    if (
        not before.get("artifacts", {}).items() <= after["artifacts"].items()
        or after["plots"][: len(plots)] != plots
    ):
        raise InputError(
            f"{PIPELINE}: artifacts or plots are written in a way that none can be added to; the lines go there by hand"
        )
    return {PARAMS: params, PIPELINE: pipeline}


def add(path: Path, name: str, content: dict[Path, str]) -> Path:
    """Copy the table to `data/tables`, give it to DVC, and write params.yaml and dvc.yaml.

    Raises
    ------
    InputError
        Another table of that name is there, or DVC does not take it.
    """
    place = TABLES / f"{name}{table.suffix(path)}"
    if place.exists() and not place.samefile(path):
        raise InputError(f"{place}: is there already; --name gives the section another name")
    new = not place.exists()
    if new:
        with replacing(place) as temporary:
            shutil.copyfile(path, temporary)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if new:
            place.unlink()
        raise InputError(f"dvc add {place}: {' '.join(done.stderr.split())}")
    for written, text in content.items():
        write_text(written, text)
    return place
