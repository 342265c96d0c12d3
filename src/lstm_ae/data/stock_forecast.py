"""The kind `stock_forecast`: daily returns of five columns, split by time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Description
from lstm_ae.data.prepared import Prepared
from lstm_ae.data.prices import CLOSE, COLUMNS, FILE, VOLUME, acquire_prices, read_prices
from lstm_ae.data.raw import RawData
from lstm_ae.data.splitting import Part, Stretch, scored_part, split_of, training_part
from lstm_ae.params import StockForecastData
from lstm_ae.units.layout import Layout
from lstm_ae.units.windows import Series, log_returns, time_label

Array = NDArray[np.float64]

SCORED = 20  # days that a window of test scores at most; those before are its past


def acquire(data: StockForecastData, raw: RawData) -> str:
    """Bring the file of daily prices."""
    return acquire_prices(raw)


def prepare(data: StockForecastData, raw: RawData) -> Prepared:
    """Windows of daily returns of all five columns, standardised by the training days.

    Prices count from the close of the day before, volumes from the volume of the day before.
    Training windows and the day after them lie in training days. Validation and test score each of
    their days once, as the next day of a window that may begin before the border. `rollouts` are
    the multi-step windows of test: `fed` days, then days of test alone.
    """
    path = raw.directory / FILE
    prices = read_prices(path, data.first_day, data.last_day)
    values = prices.values.copy()
    values[:, :, VOLUME] = traded_volume(values[:, :, VOLUME])
    series = replace(prices, values=values).series(COLUMNS)
    times = series[0].times
    last_days = (data.last_train_day, data.last_validation_day, data.last_day)
    days = np.array(last_days, times.dtype)
    ends = np.searchsorted(times, days, side="right").tolist()
    _check_lengths(path, data, ends)
    train_end, validation_end, test_end = ends

    layout = standardised(path, layout_of(data), series, train_end)
    count = len(series)
    ahead = data.window - data.fed
    origins = range(validation_end - data.fed, test_end - data.window + 1, data.origin_stride)
    of_train = [[Stretch(0, train_end)]] * count
    of_validation = [[Stretch(train_end, validation_end)]] * count
    of_test = [[Stretch(validation_end, test_end)]] * count
    train = training_part(of_train, layout)
    validation = scored_part(of_validation, layout, ahead)
    test = scored_part(of_test, layout, min(ahead, SCORED))
    last_fed = [data.fed - 1] * len(origins)
    rollouts = Part([list(origins)] * count, [last_fed] * count)
    splits = {
        "train": split_of(series, layout, train, following=True, grouped=True),
        "validation": split_of(series, layout, validation, following=True),
        "test": split_of(series, layout, test, following=True),
        "rollouts": split_of(series, layout, rollouts),
    }
    description = Description(
        data_source=raw.data_source,
        unit_interval=False,
        series=prices.symbols,
        clock=str(times.dtype),
        first_times={
            "validation": time_label(times[train_end]),
            "test": time_label(times[validation_end]),
        },
    )
    return Prepared(splits, description, layout, whole=("test", "rollouts"))


def layout_of(data: StockForecastData) -> Layout:
    """How a table of prices and volumes is read, before its scaling is known."""
    return Layout(
        columns=list(COLUMNS),
        columns_are="variables",
        series="Name",
        time="date",
        window=data.window,
        stride=data.stride,
        predict=True,
        scaling="log_return",
        centre=[0.0] * len(COLUMNS),
        scale=[1.0] * len(COLUMNS),
        after=[CLOSE, CLOSE, CLOSE, CLOSE, VOLUME],
    )


def traded_volume(volume: Array) -> Array:
    """Volumes (symbols, days) in which a day without trade has the last volume above 0, at least 1.

    So a log return is finite.
    """
    days = np.arange(volume.shape[1])
    last_traded = np.maximum.accumulate(np.where(volume > 0, days, 0), axis=1)
    return np.maximum(np.take_along_axis(volume, last_traded, 1), 1)


def standardised(
    path: Path,
    layout: Layout,
    series: list[Series],
    train_end: int,
) -> Layout:
    """The layout with the mean and standard deviation of the log returns of all training days.

    Raises
    ------
    InputError
        A column never changes in them.
    """
    returns = np.stack([log_returns(one_series, layout) for one_series in series])
    training = returns[:, : train_end - layout.before]
    centre = training.mean(axis=(0, 1))
    scale = training.std(axis=(0, 1))
    if not scale.all():
        column = COLUMNS[int(scale.argmin())]
        raise InputError(f"{path}: column {column} never changes in the training days")
    return replace(layout, centre=centre.tolist(), scale=scale.tolist())


def _check_lengths(
    path: Path,
    data: StockForecastData,
    ends: list[int],
) -> None:
    """Raise an error where a part has too few days; `ends` are the rows after each part."""
    train_end, validation_end, test_end = ends
    train = train_end - 1  # the first day has no return
    validation, test = validation_end - train_end, test_end - validation_end
    ahead = data.window - data.fed
    if train < data.window + 1 or validation < 1 or test < ahead:
        raise InputError(
            f"{path}: found {train}, {validation} and {test} days of train, validation and test; "
            f"at least {data.window + 1}, 1 and {ahead} are needed"
        )
