"""Times of new data: those that follow, and all of them as the table writes its own."""

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from lstm_ae.data.cells import UNITS

OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
DAY = np.timedelta64(1, "D")
SHORTEST_MONTH = 28 * DAY
RECENT_DATES = (None, 12, 4)  # of so many last dates the calendar is told
FEWEST_DATES = 3  # that tell a frequency
LONGEST_BREAK = 400  # steps in which a clock may stand still


@dataclass(frozen=True)
class TimeForm:
    """How a table writes its times.

    Parameters
    ----------
    time_format
        As in the layout.
    zone
        None: dates without an offset from UTC.
    """

    time_format: str | None = None
    zone: tzinfo | None = None

    def written(self, times: NDArray[Any]) -> Any:
        """Times (n,) for a column of an answer: dates, numbers or text."""
        if times.dtype.kind != "M":
            return exact_times(times)
        if self.time_format in UNITS:
            return times.astype(f"datetime64[{self.time_format}]").astype(np.int64)
        dates = pd.DatetimeIndex(times)
        if self.zone is not None:
            dates = dates.tz_localize("UTC").tz_convert(self.zone)
        if self.time_format is not None:
            has_quarters = "%q" in self.time_format
            periods = dates.to_period("Q") if has_quarters else dates
            return periods.strftime(self.time_format).to_numpy(object)
        return dates if self.zone is not None else times


def time_form(cells: pd.Series, time_format: str | None) -> TimeForm:
    """The form of a column of times; where offsets from UTC differ, that of UTC."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return TimeForm(time_format, cells.dtype.tz)
    is_text = pd.api.types.is_string_dtype(cells.dtype)
    if not is_text or time_format in UNITS:
        return TimeForm(time_format)
    texts = cells.astype(str).str.strip()
    offsets = texts.str.extract(OFFSET, expand=False).dropna().unique()
    if len(offsets) == 0:
        return TimeForm(time_format)
    offset = offsets[0] if len(offsets) == 1 else "Z"
    any_time = pd.Timestamp(f"2000-01-01T00:00:00{offset}")
    return TimeForm(time_format, any_time.tz)


def exact_times(times: NDArray[Any]) -> NDArray[Any]:
    """Whole times as integers, which a text file keeps to the last digit."""
    if times.dtype.kind != "f":
        return times
    is_whole = times == times.round()
    is_exact = np.abs(times) < 2**53
    whole = (is_whole & is_exact).all()
    return times.astype(np.int64) if whole else times


def following_times(times: NDArray[Any], count: int) -> NDArray[Any]:
    """The times (count,) after those of a series, at its median distance.

    Months, quarters and years go on by the calendar, other dates on the weekdays and at the times
    of day that the series has.
    """
    steps = np.diff(times)
    step = np.sort(steps)[len(steps) // 2]
    if times.dtype.kind != "M":
        return times[-1] + step * np.arange(1, count + 1)
    if step >= SHORTEST_MONTH:
        dates = _by_calendar(times, count)
        if dates is not None:
            return dates
    return _on_known_weekdays(times, step, count)


def _by_calendar(times: NDArray[Any], count: int) -> NDArray[Any] | None:
    """Dates by the frequency that pandas tells, if it tells one."""
    for most in RECENT_DATES:
        recent = pd.DatetimeIndex(times[-most:] if most else times)
        if len(recent) < FEWEST_DATES:
            return None
        frequency = pd.infer_freq(recent)
        if frequency is None:
            continue
        dates = pd.date_range(
            recent[-1],
            periods=count + 1,
            freq=to_offset(frequency),
        )
        return dates[1:].to_numpy(times.dtype)
    return None


def _on_known_weekdays(
    times: NDArray[Any],
    step: np.timedelta64,
    count: int,
) -> NDArray[Any]:
    """Dates a step apart, less those on weekdays and at times of day that never occur."""
    ahead = times[-1] + step * np.arange(1, count * LONGEST_BREAK + 1)
    usual = np.ones(len(ahead), bool)
    span = times[-1] - times[0]
    if span >= 7 * DAY:
        usual &= np.isin(_weekdays(ahead), _weekdays(times))
    if span >= 2 * DAY:
        usual &= np.isin(_times_of_day(ahead), _times_of_day(times))
    found = ahead[usual]
    return found[:count] if len(found) >= count else ahead[:count]


def _weekdays(times: NDArray[Any]) -> NDArray[np.int64]:
    return times.astype("datetime64[D]").astype(np.int64) % 7


def _times_of_day(times: NDArray[Any]) -> NDArray[Any]:
    return times - times.astype("datetime64[D]")
