"""The kind `table`: a person's own table, split by time or by series."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import replacing
from lstm_ae.core.splits import Description
from lstm_ae.data.clocks import usual_interval
from lstm_ae.data.prepared import PARTS, Prepared, part_sizes
from lstm_ae.data.raw import RawData
from lstm_ae.data.reading import find_table, table_suffix
from lstm_ae.data.series import read_series
from lstm_ae.data.splitting import Part, Ranges, horizon, parts_of, split_of, stretches
from lstm_ae.params import TableData
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series, fitted, time_label, unscaled_windows

log = logging.getLogger(__name__)


def acquire(data: TableData, raw: RawData) -> str:
    """Copy the section's table; the data source is where it lies."""
    path = find_table(raw.name)
    with replacing(raw.directory / f"table{table_suffix(path)}") as temporary:
        copy_table(path, temporary)
    return path.as_posix()


def copy_table(path: Path, place: Path) -> None:
    """Copy a file, or a folder of parts."""
    if path.is_dir():
        shutil.copytree(path, place)
    else:
        shutil.copyfile(path, place)


def prepare(data: TableData, raw: RawData) -> Prepared:
    """Windows of the section's table (`prepare_table`)."""
    suffix = table_suffix(Path(raw.data_source))
    return prepare_table(
        raw.directory / f"table{suffix}",
        data,
        raw.seed,
        raw.data_source,
    )


@dataclass(frozen=True)
class Plan:
    """Which windows of a table's series fall to which part, and how they are scaled.

    Parameters
    ----------
    first_times, members
        As in `Description`.
    """

    layout: Layout
    parts: dict[str, Part]
    first_times: dict[str, str] | None
    members: dict[str, list[str]] | None


def prepare_table(
    path: Path,
    data: TableData,
    seed: int,
    data_source: str,
) -> Prepared:
    """Windows of every series, split by time or by series, scaled by the training windows.

    `rollouts` are the multi-step windows of test, where the next step is predicted: the steps up to
    the last `horizon` are fed.

    Split by time, no training window and no step predicted from it reaches into validation, none of
    validation into test. Validation and test are covered once; where the next step is predicted,
    each of their steps is scored once, as the next of a window that may begin before the border.

    Raises
    ------
    InputError
        The table cannot be read, a part has no window, or a column cannot be scaled.
    """
    series = read_series(path, Layout.of_table(data))
    plan = planned(path, series, data, seed)
    _log_short_series(series, plan.parts)
    _log_gaps(series)
    description = Description(
        data_source=data_source,
        unit_interval=False,
        series=[one_series.name for one_series in series],
        clock=str(series[0].times.dtype),
        first_times=plan.first_times,
        members=plan.members,
    )
    splits = {}
    for name, part in plan.parts.items():
        grouped = data.group_by_time and name == "train"
        splits[name] = split_of(
            series,
            plan.layout,
            part,
            plan.layout.predict,
            grouped,
        )
    return Prepared(splits, description, plan.layout)


def planned(
    path: Path,
    series: Sequence[Series],
    data: TableData,
    seed: int,
) -> Plan:
    """The parts of series and their scale in training; errors as in `prepare_table`."""
    layout = Layout.of_table(data)
    first_times, members = None, None
    if data.split_by == "time":
        ranges, first_times = _ranges_by_time(path, series, data)
    else:
        ranges, members = _ranges_by_series(path, series, data, seed)
    parts = parts_of(ranges, layout)
    _check_parts(path, parts, layout, series)
    training, _ = unscaled_windows(
        series,
        layout,
        parts["train"].first_rows,
        layout.window,
    )
    layout = fitted(path, layout, training)
    layout = replace(layout, interval=usual_interval(series, layout))
    return Plan(layout, parts, first_times, members)


def _ranges_by_time(
    path: Path,
    series: Sequence[Series],
    data: TableData,
) -> tuple[dict[str, Ranges], dict[str, str]]:
    """The rows of each part, whose borders are the same times in all series, and these times."""
    times = np.unique(np.concatenate([one_series.times for one_series in series]))
    train, validation, test = part_sizes(data.split, len(times))
    if min(train, validation, test) < 1:
        raise InputError(
            f"{path}: split: found {train}, {validation} and {test} times a part; at least one in "
            "each is needed"
        )
    borders = times[[train, train + validation]]
    ranges: dict[str, Ranges] = {name: [] for name in PARTS}
    for one_series in series:
        inner = np.searchsorted(one_series.times, borders).tolist()
        ends = [0, *inner, len(one_series)]
        for name, rows in zip(PARTS, pairwise(ends), strict=True):
            ranges[name].append(stretches(one_series, rows))
    first_times = dict(zip(PARTS[1:], map(time_label, borders), strict=True))
    return ranges, first_times


def _ranges_by_series(
    path: Path,
    series: Sequence[Series],
    data: TableData,
    seed: int,
) -> tuple[dict[str, Ranges], dict[str, list[str]]]:
    """The rows of each part, which are whole series drawn at random, and their names."""
    train, validation, test = part_sizes(data.split, len(series))
    if min(train, validation, test) < 1:
        raise InputError(
            f"{path}: split: found {train}, {validation} and {test} series a part; at least one in "
            "each is needed"
        )
    order = np.random.default_rng(seed).permutation(len(series))
    drawn = np.split(order, [train, train + validation])
    ranges: dict[str, Ranges] = {}
    members: dict[str, list[str]] = {}
    for name, places in zip(PARTS, drawn, strict=True):
        inside = set(places.tolist())
        ranges[name] = [
            stretches(one_series, (0, len(one_series))) if place in inside else []
            for place, one_series in enumerate(series)
        ]
        members[name] = [series[place].name for place in sorted(inside)]
    return ranges, members


def _check_parts(
    path: Path,
    parts: dict[str, Part],
    layout: Layout,
    series: Sequence[Series],
) -> None:
    """Raise an error where a part has no window."""
    for name, part in parts.items():
        if any(part.first_rows):
            continue
        if name == "rollouts":
            where, needed = "test", horizon(layout.window)
        else:
            where, needed = name, layout.window + layout.before + layout.predict
        rows = "rows"
        remedy = "a longer table or a shorter window is needed"
        if any(len(one_series.unbroken) > 1 for one_series in series):
            rows = "rows in a row"
            remedy = f"{remedy}, or data.fill for missing values, or a larger data.longest_step"
        raise InputError(
            f"{path}: {where} has no window, since no series has {needed} {rows} there; {remedy}"
        )


def _log_short_series(series: Sequence[Series], parts: dict[str, Part]) -> None:
    """Name the series that no part has a window of."""
    short = []
    for place, one_series in enumerate(series):
        if not any(part.first_rows[place] for part in parts.values()):
            short.append(one_series.name)
    if short:
        names = " ".join(short)
        log.info(
            "%d of %d series are too short and left out: %s",
            len(short),
            len(series),
            names,
        )


def _log_gaps(series: Sequence[Series]) -> None:
    """Say in how many pieces the series are."""
    pieces = sum(len(one_series.unbroken) for one_series in series)
    if pieces == len(series):
        return
    missing = sum(int(np.isnan(each.values).any(axis=1).sum()) for each in series)
    log.info(
        "%d rows have a missing value; windows lie in %d pieces without one and without a jump of "
        "the clock",
        missing,
        pieces,
    )
