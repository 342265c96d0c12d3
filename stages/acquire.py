"""acquire@<section>: raw bytes, drawn, brought from a checked source, or a person's own table.

python stages/acquire.py toy
"""

from lstm_ae.stage import run

from lstm_ae.core import paths
from lstm_ae.core.files import write_json
from lstm_ae.data.raw import RawData
from lstm_ae.data.registry import kind_of
from lstm_ae.params import Params


def acquire(params: Params, name: str) -> None:
    data = params.section(name).data
    raw = RawData(name, paths.raw(name), params.seed)
    data_source = kind_of(data.dataset).acquire(data, raw)
    write_json(raw.directory / "source.json", {"data_source": data_source})


if __name__ == "__main__":
    run(acquire)
