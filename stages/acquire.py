"""acquire@<section>: raw bytes, generated, brought from a source whose SHA-256 is known, or a person's own table.

python stages/acquire.py toy
"""

import shutil

import numpy as np

from lstm_ae.core import paths
from lstm_ae.core.files import replacing, write_json
from lstm_ae.data import table, toy
from lstm_ae.data.sources import bring_mnist, bring_stocks
from lstm_ae.params import MnistData, Params, TableData, ToyData
from lstm_ae.stage import run


def acquire(params: Params, section: str) -> None:
    data, directory = params.section(section).data, paths.raw(section)
    if isinstance(data, ToyData):
        sequences, centres = toy.generate(data, params.seed)
        with replacing(directory / "toy.npz") as temporary:
            np.savez(temporary, sequences=sequences, centres=centres)
        source = "generated"
    elif isinstance(data, MnistData):
        source = bring_mnist(directory)
    elif isinstance(data, TableData):
        found = table.find(section)
        with replacing(directory / f"table{table.suffix(found)}") as temporary:
            shutil.copyfile(found, temporary)
        source = found.as_posix()
    else:
        source = bring_stocks(directory / "all_stocks_5yr.csv")
    write_json(directory / "source.json", {"data_source": source})


if __name__ == "__main__":
    run(acquire)
