"""params.yaml as typed, frozen, validated objects."""

from lstm_ae.params.blocks import Block, CountRange, Fractions, PositiveRange, Range
from lstm_ae.params.data import (
    KINDS,
    Data,
    MnistData,
    StockForecastData,
    StockWindowsData,
    TableData,
    ToyData,
)
from lstm_ae.params.loading import load_params
from lstm_ae.params.params import Budget, Params, Rivals
from lstm_ae.params.section import (
    TUNABLE,
    LossWeights,
    Model,
    RateFactors,
    Search,
    Section,
    Space,
    Training,
)

__all__ = [
    "KINDS",
    "TUNABLE",
    "Block",
    "Budget",
    "CountRange",
    "Data",
    "Fractions",
    "LossWeights",
    "MnistData",
    "Model",
    "Params",
    "PositiveRange",
    "Range",
    "RateFactors",
    "Rivals",
    "Search",
    "Section",
    "Space",
    "StockForecastData",
    "StockWindowsData",
    "TableData",
    "ToyData",
    "Training",
    "load_params",
]
