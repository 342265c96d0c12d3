"""prepare@<section>: raw bytes become train, validation and test sequences, and how to undo their scaling.

python stages/prepare.py toy
"""

import logging
from dataclasses import replace
from pathlib import Path

from lstm_ae.core import paths
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import Prepared, save_prepared
from lstm_ae.data import mnist, stocks, table, toy
from lstm_ae.params import Data, MnistData, Params, StockWindowsData, TableData, ToyData
from lstm_ae.stage import run


def prepare(params: Params, section: str) -> None:
    prepared = read(params, section, params.section(section).data)
    most = params.caps.sequences
    # A stock split of test is small and shows whole years: only the others are thinned.
    thinned = {
        name: split
        if name in ("test", "rollouts") and "days" in prepared.description
        else split.thinned(most)
        for name, split in prepared.splits.items()
    }
    logging.info(
        "%s", ", ".join(f"{name} {split.sequences.shape}" for name, split in thinned.items())
    )
    save_prepared(replace(prepared, splits=thinned), paths.prepared(section))


def read(params: Params, section: str, data: Data) -> Prepared:
    raw = paths.raw(section)
    if isinstance(data, ToyData):
        return toy.prepare(raw, data)
    if isinstance(data, MnistData):
        return mnist.prepare(raw, data, params.seed)
    source = read_json(raw / "source.json")["data_source"]
    if isinstance(data, TableData):
        return table.prepare(raw / f"table{table.suffix(Path(source))}", data, params.seed, source)
    if isinstance(data, StockWindowsData):
        return stocks.prepare_windows(raw / "all_stocks_5yr.csv", data, params.seed, source)
    return stocks.prepare_forecast(raw / "all_stocks_5yr.csv", data, source)


if __name__ == "__main__":
    run(prepare)
