"""Figures from arrays. Each is written under 100 KB, with the same bytes for the same arrays."""

from lstm_ae.evaluation.figures.anomalies import AlarmPanel, alarms, row_alarms
from lstm_ae.evaluation.figures.horizons import error_by_horizon
from lstm_ae.evaluation.figures.learning import comparison, learning_curves
from lstm_ae.evaluation.figures.rounding import error_by_bits
from lstm_ae.evaluation.figures.sequences import digits, sequence_reconstructions, toy_examples
from lstm_ae.evaluation.figures.stocks import (
    ForecastPanel,
    forecasts,
    prices,
    stock_reconstructions,
)
from lstm_ae.evaluation.figures.style import (
    FIFTH,
    FOURTH,
    MODEL,
    ORIGINAL,
    SECOND,
    THIRD,
    plain,
    plain_log,
    save,
    save_vector,
    titled,
    to_svg,
)
from lstm_ae.evaluation.figures.trials import search
from lstm_ae.evaluation.figures.windows import WindowPanel, table_windows

__all__ = [
    "FIFTH",
    "FOURTH",
    "MODEL",
    "ORIGINAL",
    "SECOND",
    "THIRD",
    "AlarmPanel",
    "ForecastPanel",
    "WindowPanel",
    "alarms",
    "comparison",
    "digits",
    "error_by_bits",
    "error_by_horizon",
    "forecasts",
    "learning_curves",
    "plain",
    "plain_log",
    "prices",
    "row_alarms",
    "save",
    "save_vector",
    "search",
    "sequence_reconstructions",
    "stock_reconstructions",
    "table_windows",
    "titled",
    "to_svg",
    "toy_examples",
]
