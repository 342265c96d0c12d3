"""The study of stocks that were never trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.studies.case import Case, Findings
from lstm_ae.evaluation.studies.table import table_view
from lstm_ae.units.layout import to_units

Array = NDArray[np.float64]


def study(case: Case) -> Findings:
    """The daily prices of two stocks, and three unseen ones stitched from windows (3.3.1, 3.3.2).

    Prices are in dollars, over dates.
    """
    test = case.test
    layout = case.package.layout
    assert test.base is not None and test.times is not None and test.series is not None
    assert case.description.members is not None
    prices = to_units(test.sequences, test.base, layout)[:, :, 0]
    reconstruction = to_units(case.answers.reconstruction, test.base, layout)[:, :, 0]
    error = float(100 * np.abs(reconstruction / prices - 1).mean())
    days = np.unique(test.times)
    dates = np.datetime_as_string(case.description.read_times(days), unit="D").tolist()
    names = case.description.series
    originals = {}
    reconstructions = {}
    for symbol in shown_symbols(case.description.members["test"], 3):
        rows = np.flatnonzero(test.series == names.index(symbol))
        originals[symbol] = stitched(prices, test, rows, days)
        reconstructions[symbol] = stitched(reconstruction, test, rows, days)
    pairs = {symbol: (originals[symbol], reconstructions[symbol]) for symbol in originals}
    two = dict(list(originals.items())[:2])
    title = f"Companies never trained on, {error:.2f} % off on average; {case.result}"
    drawn = {
        "prices": figures.prices(dates, two, layout.columns[0], case.note),
        "reconstructions": figures.stock_reconstructions(
            dates, pairs, layout.window, title, case.note
        ),
        "loss": case.loss_figure(),
    }
    return Findings({"mape": error}, drawn)


def shown_symbols(symbols: Sequence[str], count: int) -> list[str]:
    """The two stocks that the report names, where they are, then from the middle of the others."""
    named = [symbol for symbol in ("AMZN", "GOOGL") if symbol in symbols]
    others = [symbol for symbol in symbols if symbol not in named]
    middle = len(others) // 2
    return [*named, *others[middle:], *others[:middle]][:count]


def stitched(
    windows: Array,
    test: Split,
    rows: NDArray[np.int64],
    days: NDArray[np.int64],
) -> Array:
    """The windows (N, T) of some rows as one series over days; where two meet, the first counts."""
    assert test.times is not None
    series = np.full(len(days), np.nan)
    for row in rows[::-1]:
        series[np.searchsorted(days, test.times[row])] = windows[row]
    return series


def view(case: Case) -> View:
    """How a person reads a window: in dollars, over dates."""
    return table_view(case, unit="dollars")
