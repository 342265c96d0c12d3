"""Which windows of which series fall to which part, so that nothing leaks from one to another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_ae.core.splits import Split
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Rows, Series, cut, tiles

ROLLOUTS = 500  # origins of forecasts fed back; over all of test, so each horizon meets each hour


@dataclass(frozen=True)
class Stretch:
    """Rows begin..end - 1 of a part; windows may reach back to row `earliest` of the series."""

    begin: int
    end: int
    earliest: int = 0


Ranges = list[list[Stretch]]  # of a part, for each series


@dataclass(frozen=True)
class Part:
    """The windows of one part.

    Parameters
    ----------
    first_rows
        For each series the first rows of its windows.
    first_scored
        For each series and window the first step whose target is scored. None: all are.
    """

    first_rows: list[list[int]]
    first_scored: list[list[int]] | None = None


def horizon(window: int) -> int:
    """Steps of a window that are scored in validation and test; those before them are its past."""
    return window // 2


def stretches(series: Series, rows: Rows) -> list[Stretch]:
    """The pieces of a series inside rows."""
    first, end_of_rows = rows
    inside = []
    for begin, end in series.unbroken:
        stretch = Stretch(max(begin, first), min(end, end_of_rows), begin)
        if stretch.begin < stretch.end:
            inside.append(stretch)
    return inside


def parts_of(ranges: dict[str, Ranges], layout: Layout) -> dict[str, Part]:
    """The windows of each part, and the `rollouts` of test where the next step is predicted."""
    parts = {"train": training_part(ranges["train"], layout)}
    for name in ("validation", "test"):
        if layout.predict:
            parts[name] = scored_part(ranges[name], layout, horizon(layout.window))
        else:
            parts[name] = covering_part(ranges[name], layout)
    if layout.predict:
        parts["rollouts"] = rollout_part(ranges["test"], layout)
    return parts


def training_part(ranges: Ranges, layout: Layout) -> Part:
    """Windows a stride apart that lie in the stretches, as does the step after each."""
    first_rows = []
    for stretches_of_series in ranges:
        starts: list[int] = []
        for stretch in stretches_of_series:
            last = stretch.end - layout.window - layout.predict
            starts += range(stretch.begin + layout.before, last + 1, layout.stride)
        first_rows.append(starts)
    return Part(first_rows)


def covering_part(ranges: Ranges, layout: Layout) -> Part:
    """Windows that cover the stretches."""
    first_rows = []
    for stretches_of_series in ranges:
        starts: list[int] = []
        for stretch in stretches_of_series:
            starts += tiles(stretch.begin, stretch.end, layout.window)
        first_rows.append(starts)
    return Part(first_rows)


def scored_part(ranges: Ranges, layout: Layout, ahead: int) -> Part:
    """Windows that score each row once, as the next of a window that may begin before the stretch.

    Parameters
    ----------
    ahead
        Steps that a window scores.
    """
    first_rows, first_scored = [], []
    for stretches_of_series in ranges:
        starts: list[int] = []
        scored: list[int] = []
        for stretch in stretches_of_series:
            earliest = stretch.earliest + layout.before
            begin = max(stretch.begin, earliest + layout.window - ahead + 1)
            for row in range(begin, stretch.end, ahead):
                last = min(row + ahead, stretch.end) - 1
                start = last - layout.window
                if start >= earliest:
                    starts.append(start)
                    scored.append(row - 1 - start)
        first_rows.append(starts)
        first_scored.append(scored)
    return Part(first_rows, first_scored)


def rollout_part(ranges: Ranges, layout: Layout) -> Part:
    """Windows whose last steps, and the one after, lie in a stretch: the steps before are fed.

    They are evenly spaced, about `ROLLOUTS` over all stretches.
    """
    fed = layout.window + 1 - horizon(layout.window)
    most = max(1, ROLLOUTS // max(1, sum(map(len, ranges))))
    first_rows = []
    for stretches_of_series in ranges:
        starts: list[int] = []
        for stretch in stretches_of_series:
            first = max(stretch.begin - fed, stretch.earliest + layout.before)
            last = stretch.end - 1 - layout.window
            count = max(min(last - first + 1, most), 0)
            starts += np.linspace(first, last, count).astype(int).tolist()
        first_rows.append(starts)
    first_scored = [[fed - 1] * len(starts) for starts in first_rows]
    return Part(first_rows, first_scored)


def split_of(
    series: Sequence[Series],
    layout: Layout,
    part: Part,
    following: bool = False,
    grouped: bool = False,
) -> Split:
    """Cut a part out of series.

    Parameters
    ----------
    following
        Give the step after the last as well.
    grouped
        Windows that begin at the same time are one group.
    """
    windows = cut(series, layout, part.first_rows, following)
    first_scored = None
    if part.first_scored is not None:
        first_scored = np.concatenate([np.array(steps, np.int64) for steps in part.first_scored])
    group = None
    if grouped:
        _, places = np.unique(windows.times[:, 0], return_inverse=True)
        group = places.astype(np.int64)
    return Split(
        windows.sequences,
        following=windows.following,
        first_scored=first_scored,
        group=group,
        base=windows.base,
        series=windows.series,
        times=windows.times.view(np.int64),
    )
