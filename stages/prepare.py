"""prepare@<section>: raw bytes become train, validation and test sequences, and their layout.

python stages/prepare.py toy
"""

from lstm_ae.stage import run

from lstm_ae.core import paths
from lstm_ae.core.files import read_json
from lstm_ae.data.prepared import save_prepared
from lstm_ae.data.raw import RawData
from lstm_ae.data.registry import kind_of
from lstm_ae.params import Params


def prepare(params: Params, name: str) -> None:
    data = params.section(name).data
    directory = paths.raw(name)
    data_source = read_json(directory / "source.json")["data_source"]
    raw = RawData(name, directory, params.seed, data_source)
    prepared = kind_of(data.dataset).prepare(data, raw)
    save_prepared(prepared, paths.prepared(name), most=params.caps.sequences)


if __name__ == "__main__":
    run(prepare)
