"""A person's own table as windows of its series, and back in its units.

A row is a step. Times order the rows and label the steps; the clock between two rows is not read.
"""

import csv
import gzip
import io
import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveInt
from pydantic import dataclasses as checked

from lstm_ae.core.errors import InputError
from lstm_ae.core.paths import TABLES
from lstm_ae.core.splits import Prepared, Split, group_sizes
from lstm_ae.params import TableData

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

SUFFIXES = (".csv", ".csv.gz", ".parquet")
DELIMITERS = ",;\t"
PARTS = ("train", "validation", "test")
ROLLOUTS = 500  # origins of forecasts fed back; spread over test, so that each horizon meets each hour of a day


@checked.dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Layout:
    """How a table is read, cut and scaled: all that new data need to be treated as the training data were.

    Parameters
    ----------
    columns
        Of the values.
    columns_are
        "variables": a row holds the m variables of one series at one time. "series": each column is a series of one variable.
    series
        The column that names the series of a row; None where the rows are one series, or the columns are.
    time
        The column of dates or numbers that rise within a series; None where the rows count.
    window, stride
        Steps of a window, and between the first steps of two training windows.
    predict
        The step after each step is predicted.
    scaling
        "none", "minmax", "zscore", or "log_return": the log of a value over the one before it where the next step is predicted, over the
        first of its window elsewhere.
    centre, scale
        (m,) of each variable in the training windows: a step is read as (step - centre) / scale.
    after
        (m,) the variable after whose last value each log return counts, where the next step is predicted; None is its own.
    """

    columns: list[str]
    columns_are: Literal["variables", "series"]
    series: str | None
    time: str | None
    window: PositiveInt
    stride: PositiveInt
    predict: bool
    scaling: Literal["none", "minmax", "zscore", "log_return"]
    centre: list[FiniteFloat]
    scale: list[Annotated[FiniteFloat, Field(gt=0)]]
    after: list[NonNegativeInt] | None = None

    @classmethod
    def of(cls, data: TableData) -> "Layout":
        """The layout of a section before its scaling is known."""
        features = len(data.columns) if data.columns_are == "variables" else 1
        return cls(
            columns=data.columns,
            columns_are=data.columns_are,
            series=data.series,
            time=data.time,
            window=data.window,
            stride=data.stride,
            predict=data.predict,
            scaling=data.scaling,
            centre=[0.0] * features,
            scale=[1.0] * features,
        )

    @classmethod
    def stored(cls, description: dict[str, Any]) -> "Layout":
        """The layout that prepare wrote to description.json."""
        return cls(**description["layout"])

    @property
    def variables(self) -> list[str]:
        """The names of the m numbers of a step."""
        return self.columns if self.columns_are == "variables" else ["value"]

    @property
    def bases(self) -> list[int]:
        """`after`, in numbers."""
        return list(range(len(self.scale))) if self.after is None else self.after

    @property
    def before(self) -> int:
        """Rows that a window needs before its first step."""
        return int(self.predict and self.scaling == "log_return")


class Series(NamedTuple):
    """One series of L steps, in the units of its table."""

    name: str  # "" where the table is one series
    times: NDArray[Any]  # (L,) datetime64[us], float64, or int64 where the rows count
    values: Array  # (L, m)


@dataclass(frozen=True)
class Windows:
    """N windows of T steps as a model reads them, and what brings its answers back into the units of the table.

    Parameters
    ----------
    sequences
        (N, T, m) float32, scaled.
    base
        (N, m) the log value from which the window's log returns count; 0 where the scaling is another (`unscaled`).
    series
        (N,) int64, the place of each window's series in the list it was cut from.
    times
        (N, T) of the steps, and in a column T of the following one where that was asked for.
    following
        (N, m) float32, the step after the last, scaled; None where it was not asked for.
    """

    sequences: NDArray[np.float32]
    base: Array
    series: NDArray[np.int64]
    times: NDArray[Any]
    following: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.sequences)


def suffix(path: Path) -> str:
    """The suffix of a table's file, one of `SUFFIXES`.

    Raises
    ------
    InputError
        It is another.
    """
    found = next((known for known in SUFFIXES if path.name.lower().endswith(known)), None)
    if found is None:
        raise InputError(
            f"{path}: found the suffix {path.suffix!r}; {', '.join(SUFFIXES)} are allowed"
        )
    return found


def find(section: str) -> Path:
    """The table of a section under `TABLES`.

    Raises
    ------
    InputError
        There is none, or more than one.
    """
    there = [
        path for path in (TABLES / f"{section}{known}" for known in SUFFIXES) if path.is_file()
    ]
    if len(there) != 1:
        found = " and ".join(path.name for path in there) or "no table of the section"
        raise InputError(
            f"{TABLES}: found {found}; one of {', '.join(section + known for known in SUFFIXES)} is allowed"
        )
    return there[0]


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV, the cells as text, or a Parquet file. The index is the line or row where a person finds it, and has that name.

    The first line of a CSV names the columns; the delimiter is whichever of comma, semicolon and tab that line has most of.

    Raises
    ------
    InputError
        The file is missing, of another format, or empty; its columns have no or equal names, or rows more fields than names.
    """
    kind = suffix(path)
    try:
        if kind == ".parquet":
            table = pd.read_parquet(path).reset_index(drop=True)
            header = [str(name) for name in table.columns]
        else:
            content = path.read_bytes()
            text = (gzip.decompress(content) if kind == ".csv.gz" else content).decode("utf-8-sig")
            first = text.partition("\n")[0]
            delimiter = max(DELIMITERS, key=first.count)
            header = next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])
            table = pd.read_csv(
                io.StringIO(text),
                dtype=str,
                keep_default_na=False,
                na_values=[],
                sep=delimiter,
                skip_blank_lines=False,
                header=0,
            )
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (OSError, ValueError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(
            f"{path}: not a {kind.removeprefix('.')} table ({' '.join(str(error).split())})"
        ) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path}: the first lines have more fields than the header")
    for place, name in enumerate(header, 1):
        if not name or header.count(name) > 1:
            raise InputError(
                f"{path}: column {place}: found {f'the name {name} again' if name else 'no name'}; a name of its own is allowed"
            )
    table.columns = pd.Index(header)
    if kind == ".parquet":
        table.index = pd.RangeIndex(1, len(table) + 1, name="row")
        return table
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")
    filled = np.flatnonzero((table.fillna("") != "").any(axis=1).to_numpy())
    return table.iloc[: filled[-1] + 1 if len(filled) else 0]


def read_series(path: Path, layout: Layout) -> list[Series]:
    """The series of a table's file (`series_of`)."""
    return series_of(read_table(path), layout, path)


def series_of(table: pd.DataFrame, layout: Layout, path: Path) -> list[Series]:
    """The series of a table, sorted by name, each number checked. An error names the path.

    Raises
    ------
    InputError
        A column is missing; a cell holds no finite number, or for log returns none above 0; a time is neither a date nor a number; the
        times of a series do not rise; there are no rows.
    """
    needed = [*layout.columns, *(name for name in (layout.series, layout.time) if name is not None)]
    if missing := [name for name in needed if name not in table.columns]:
        raise InputError(
            f"{path}: column {missing[0]} is missing; found {', '.join(table.columns)}"
        )
    if table.empty:
        raise InputError(f"{path}: found no rows")
    values = np.stack(
        [
            finite_numbers(path, table[name], layout.scaling == "log_return")
            for name in layout.columns
        ],
        axis=1,
    )
    times = np.arange(len(table)) if layout.time is None else _times(path, table[layout.time])
    if layout.columns_are == "series":
        found = [
            (name, np.arange(len(table)), values[:, c : c + 1])
            for c, name in enumerate(layout.columns)
        ]
    elif layout.series is None:
        found = [("", np.arange(len(table)), values)]
    else:
        codes, names = pd.factorize(_names(path, table[layout.series]), sort=True)
        rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
        found = [
            (str(name), chosen, values[chosen]) for name, chosen in zip(names, rows, strict=True)
        ]
    series = []
    for name, rows_of, numbers in found:
        own = times[rows_of] if layout.time is not None else np.arange(len(rows_of))
        if (wrong := np.flatnonzero(own[1:] <= own[:-1])).size:
            where = f"{path}: column {layout.time}, {table.index.name} {table.index[rows_of[wrong[0] + 1]]}"
            of = f" in series {name}" if layout.series else ""
            raise InputError(
                f"{where}: found {label(own[wrong[0] + 1])} after {label(own[wrong[0]])}{of}; a later time is allowed"
            )
        series.append(Series(name, own, numbers))
    return series


def label(time: Any) -> str:
    """A time as a person writes it: a date, with the hour where it is not midnight, or a number."""
    if isinstance(time, np.datetime64):
        stamp = pd.Timestamp(time)
        return str(stamp.date()) if stamp == stamp.normalize() else str(stamp)
    return f"{float(time):.15g}"


def finite_numbers(path: Path, cells: pd.Series, above_zero: bool) -> Array:
    numbers = _numbers(cells)
    wrong = ~np.isfinite(numbers) | (above_zero & ~(numbers > 0))
    if wrong.any():
        row = int(wrong.argmax())
        allowed = (
            "a number above 0 is allowed for log returns" if above_zero else "a number is allowed"
        )
        raise InputError(f"{_place(path, cells, row)}: found {_shown(cells.iloc[row])}; {allowed}")
    return numbers


def _numbers(cells: pd.Series) -> Array:
    """Cells as numbers; NaN where one is none, a date or a duration too, whose number would depend on its unit."""
    if cells.dtype.kind in "mM":
        return np.full(len(cells), np.nan)
    return pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _names(path: Path, cells: pd.Series) -> pd.Series:
    names = cells.astype(str).where(cells.notna(), "")
    if (names == "").any():
        raise InputError(
            f"{_place(path, cells, int((names == '').to_numpy().argmax()))}: found nothing; the name of a series is allowed"
        )
    return names


def _times(path: Path, cells: pd.Series) -> NDArray[Any]:
    numbers, dated = _numbers(cells), pd.api.types.is_datetime64_any_dtype(cells)
    if np.isfinite(numbers).all():
        return numbers
    dates = pd.to_datetime(
        cells if dated else cells.astype(str), format="ISO8601", utc=True, errors="coerce"
    )
    if dates.notna().all():
        return dates.dt.tz_localize(None).to_numpy("datetime64[us]")
    wrong = min(
        dates.isna().to_numpy(), ~np.isfinite(numbers), key=np.count_nonzero
    )  # of the kind that most cells are
    row = int(wrong.argmax())
    allowed = "dates like 2014-01-02 or 2014-01-02 13:30 in all rows are allowed, or numbers in all"
    raise InputError(f"{_place(path, cells, row)}: found {_shown(cells.iloc[row])}; {allowed}")


def _place(path: Path, cells: pd.Series, row: int) -> str:
    return f"{path}: column {cells.name}, {cells.index.name} {cells.index[row]}"


def _shown(cell: Any) -> str:
    if isinstance(cell, str):
        return repr(cell) if cell else "nothing"
    return "nothing" if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)


def tiles(begin: int, end: int, window: int) -> list[int]:
    """First rows of windows that cover rows begin..end - 1, one after the other, the last one ending on the last row."""
    return (
        sorted({*range(begin, end - window + 1, window), end - window})
        if end - begin >= window
        else []
    )


def tiled(series: Sequence[Series], layout: Layout) -> Windows:
    """The windows of a new table, one after the other over the whole of each series, the last one ending on its last row.

    Raises
    ------
    InputError
        A series is shorter than a window.
    """
    needed = layout.window + layout.before
    for one in series:
        if len(one.times) < needed:
            of = f"series {one.name}: " if one.name else ""
            raise InputError(f"{of}found {len(one.times)} rows; a window needs {needed}")
    return cut(
        series, layout, [tiles(layout.before, len(one.times), layout.window) for one in series]
    )


def cut(
    series: Sequence[Series],
    layout: Layout,
    starts: Sequence[Sequence[int]],
    following: bool = False,
) -> Windows:
    """Windows from these rows of each series, scaled.

    Parameters
    ----------
    starts
        The first rows of the windows of each series, at least `layout.before`.
    following
        Give the step after the last as well, which the series must have.
    """
    steps, base = _steps(series, layout, starts, layout.window + following)
    scaled = ((steps - layout.centre) / layout.scale).astype(np.float32)
    times = [
        one.times[_rows(firsts, layout.window + following)]
        for one, firsts in zip(series, starts, strict=True)
    ]
    return Windows(
        np.ascontiguousarray(scaled[:, : layout.window]),
        base,
        np.repeat(np.arange(len(series)), [len(firsts) for firsts in starts]),
        np.concatenate(times),
        scaled[:, layout.window].copy() if following else None,
    )


def _rows(firsts: Sequence[int], length: int) -> NDArray[np.int64]:
    return np.asarray(firsts, np.int64)[:, None] + np.arange(length)


def _steps(
    series: Sequence[Series], layout: Layout, starts: Sequence[Sequence[int]], length: int
) -> tuple[Array, Array]:
    """Windows before scaling, (N, length, m), and the base of each, (N, m)."""
    steps, bases = [], []
    for one, firsts in zip(series, starts, strict=True):
        rows = _rows(firsts, length)
        if layout.scaling == "log_return":
            logs = np.log(one.values)
            bases.append(logs[rows[:, 0] - layout.before])
            steps.append(
                logs[rows]
                - (logs[rows - 1][:, :, layout.bases] if layout.predict else bases[-1][:, None])
            )
        else:
            bases.append(np.zeros((len(rows), one.values.shape[1])))
            steps.append(one.values[rows])
    return np.concatenate(steps), np.concatenate(bases)


def fitted(path: Path, layout: Layout, steps: Array) -> Layout:
    """The layout with the centre and scale of training windows before scaling, (N, T, m).

    Raises
    ------
    InputError
        A variable never changes in them, or its numbers are too large or too small to be scaled.
    """
    centre, scale = np.zeros(steps.shape[2]), np.ones(steps.shape[2])
    with np.errstate(over="ignore", invalid="ignore"):
        if layout.scaling == "minmax":
            centre, scale = steps.min(axis=(0, 1)), np.ptp(steps, axis=(0, 1))
        elif layout.scaling != "none":
            counts_from_zero = layout.scaling == "log_return" and not layout.predict
            centre = centre if counts_from_zero else steps.mean(axis=(0, 1))
            scale = steps.std(axis=(0, 1))
        constant = np.ptp(steps, axis=(0, 1)) == 0
    if layout.scaling != "none" and constant.any():
        raise InputError(
            f"{path}: column {layout.variables[int(constant.argmax())]} never changes in the training windows"
        )
    if not (usable := np.isfinite(centre) & np.isfinite(scale) & (scale > 0)).all():
        raise InputError(
            f"{path}: column {layout.variables[int(usable.argmin())]} has numbers too large or too small to be scaled"
        )
    return replace(layout, centre=centre.tolist(), scale=scale.tolist())


def unscaled(sequences: NDArray[Any], base: Array, layout: Layout) -> Array:
    """Scaled windows (N, T, m), or forecasts of the T steps after those whose `last_base` is given, in the units of the table."""
    steps = np.asarray(sequences, np.float64) * layout.scale + layout.centre
    if layout.scaling != "log_return":
        return np.asarray(steps)
    if not layout.predict:
        return np.asarray(np.exp(base[:, None] + steps))
    levels = base[:, None] + np.cumsum(steps, axis=1)
    if layout.after is not None:
        before = np.concatenate([base[:, None], levels[:, :-1]], axis=1)
        levels = before[:, :, layout.bases] + steps
    return np.asarray(np.exp(levels))


def last_base(sequences: NDArray[Any], base: Array, layout: Layout) -> Array:
    """(N, m) from which the log returns of the steps after these windows count: a forecast of them is `unscaled` with it."""
    return (
        np.log(unscaled(sequences, base, layout)[:, -1]) if layout.scaling == "log_return" else base
    )


def unscaled_next(
    predictions: NDArray[Any], sequences: NDArray[Any], base: Array, layout: Layout
) -> Array:
    """One-step predictions (N, T, m), at t that of step t + 1 from the steps up to t of `sequences`, in the units of the table."""
    steps = np.asarray(predictions, np.float64) * layout.scale + layout.centre
    return (
        unscaled(sequences, base, layout)[:, :, layout.bases] * np.exp(steps)
        if layout.scaling == "log_return"
        else np.asarray(steps)
    )


def comparable(values: Array, layout: Layout) -> Array:
    """Values (.., m) in the units of the table as errors of several variables can be put together: logs for log returns, else scaled."""
    return (
        np.log(values)
        if layout.scaling == "log_return"
        else np.asarray((values - layout.centre) / layout.scale)
    )


class Part(NamedTuple):
    """The windows of one split: for each series their first rows, and where it is predicted the first step that is scored."""

    starts: list[list[int]]
    first_scored: list[list[int]] | None


def horizon(window: int) -> int:
    """Steps of a window that are scored in validation and test; the others are the past they are predicted from."""
    return window // 2


def prepare(path: Path, data: TableData, seed: int, source: str) -> Prepared:
    """Windows of every series, split by time or by series, scaled by the training windows.

    `rollouts` are the multi-step windows of test, where the next step is predicted: the steps up to the last `horizon` are fed.

    Split by time, no training window and no step predicted from it reaches into validation, none of validation into test. Validation and
    test are covered once; where the next step is predicted, each of their steps is scored once, as the next of a window that may
    begin before the border.
    """
    layout = Layout.of(data)
    series = read_series(path, layout)
    parts, about = (
        _by_time(path, series, layout, data)
        if data.split_by == "time"
        else _by_series(path, series, layout, data, seed)
    )
    for name, part in parts.items():
        if not any(part.starts):
            needed = (
                horizon(layout.window)
                if name == "rollouts"
                else layout.window + layout.before + layout.predict
            )
            where = "test" if name == "rollouts" else name
            raise InputError(
                f"{path}: {where} has no window: no series has {needed} rows there; a longer table or a shorter window is allowed"
            )
    if short := [
        one.name
        for one, *firsts in zip(series, *(part.starts for part in parts.values()), strict=True)
        if not any(firsts)
    ]:
        log.info(
            "%d of %d series are too short and left out: %s",
            len(short),
            len(series),
            " ".join(short),
        )
    layout = fitted(path, layout, _steps(series, layout, parts["train"].starts, layout.window)[0])
    splits = {}
    for name, part in parts.items():
        windows = cut(series, layout, part.starts, layout.predict)
        group = np.unique(windows.times[:, 0], return_inverse=True)[1].astype(np.int64)
        splits[name] = Split(
            windows.sequences,
            following=windows.following,
            first_scored=np.array([step for steps in part.first_scored for step in steps], np.int64)
            if part.first_scored
            else None,
            group=group if data.group_by_time and name == "train" else None,
            extras={
                "base": windows.base,
                "series": windows.series,
                "times": windows.times.view(np.int64),
            },
        )
    description = {
        "data_source": source,
        "unit_interval": False,
        "layout": asdict(layout),
        "clock": str(series[0].times.dtype),
        "names": [one.name for one in series],
    }
    return Prepared(splits, description | about)


def _by_time(
    path: Path, series: Sequence[Series], layout: Layout, data: TableData
) -> tuple[dict[str, Part], dict[str, Any]]:
    """Parts whose borders are the same times in all series; `first_times` of validation and test."""
    times = np.unique(np.concatenate([one.times for one in series]))
    train, validation, test = group_sizes(data.split, len(times))
    if min(train, validation, test) < 1:
        raise InputError(
            f"{path}: split: found {train}, {validation} and {test} times a part; at least one in each is allowed"
        )
    borders = times[[train, train + validation]]
    ends = [[0, *np.searchsorted(one.times, borders).tolist(), len(one.times)] for one in series]
    ranges = {
        name: [(end[place], end[place + 1]) for end in ends] for place, name in enumerate(PARTS)
    }
    return _parts(ranges, layout), {
        "first_times": {name: label(time) for name, time in zip(PARTS[1:], borders, strict=True)}
    }


def _by_series(
    path: Path, series: Sequence[Series], layout: Layout, data: TableData, seed: int
) -> tuple[dict[str, Part], dict[str, Any]]:
    """Parts of whole series, drawn at random; the `members` of each."""
    train, validation, test = group_sizes(data.split, len(series))
    if min(train, validation, test) < 1:
        raise InputError(
            f"{path}: split: found {train}, {validation} and {test} series a part; at least one in each is allowed"
        )
    order = np.random.default_rng(seed).permutation(len(series))
    members = dict(
        zip(
            PARTS,
            (set(rows.tolist()) for rows in np.split(order, [train, train + validation])),
            strict=True,
        )
    )
    ranges = {
        name: [(0, len(one.times) if place in chosen else 0) for place, one in enumerate(series)]
        for name, chosen in members.items()
    }
    return _parts(ranges, layout), {
        "members": {
            name: [one.name for place, one in enumerate(series) if place in chosen]
            for name, chosen in members.items()
        }
    }


def _parts(ranges: dict[str, list[tuple[int, int]]], layout: Layout) -> dict[str, Part]:
    """The parts from the rows of each series that belong to them; where the next step is predicted the `rollouts` of test as well."""
    parts = {
        "train": Part([_training(begin, end, layout) for begin, end in ranges["train"]], None),
        **{name: _covering(ranges[name], layout) for name in PARTS[1:]},
    }
    return parts | {"rollouts": _rollouts(ranges["test"], layout)} if layout.predict else parts


def _training(begin: int, end: int, layout: Layout) -> list[int]:
    """First rows of windows a stride apart which lie in rows begin..end - 1, the step predicted from their last included."""
    return list(
        range(begin + layout.before, end - layout.window - layout.predict + 1, layout.stride)
    )


def _covering(ranges: Sequence[tuple[int, int]], layout: Layout) -> Part:
    """Windows that cover rows begin..end - 1 of each series, or where the next step is predicted score each of these rows once."""
    if not layout.predict:
        return Part([tiles(begin, end, layout.window) for begin, end in ranges], None)
    starts, scored = [], []
    ahead = horizon(layout.window)
    for begin, end in ranges:
        first = max(begin, layout.before + layout.window - ahead + 1)
        targets = [(row, min(row + ahead, end) - 1) for row in range(first, end, ahead)]
        inside = [
            (row, last - layout.window)
            for row, last in targets
            if last - layout.window >= layout.before
        ]
        starts.append([start for _, start in inside])
        scored.append([row - 1 - start for row, start in inside])
    return Part(starts, scored)


def _rollouts(ranges: Sequence[tuple[int, int]], layout: Layout) -> Part:
    """Windows whose last steps, and the one after, lie in rows begin..end - 1 of each series: at most `ROLLOUTS`, evenly spaced."""
    fed = layout.window + 1 - horizon(layout.window)
    starts: list[list[int]] = []
    for begin, end in ranges:
        first, last = max(begin - fed, layout.before), end - 1 - layout.window
        count = min(last - first + 1, max(1, ROLLOUTS // len(ranges)))
        starts.append(np.linspace(first, last, count).astype(int).tolist() if count > 0 else [])
    return Part(starts, [[fed - 1] * len(firsts) for firsts in starts])
