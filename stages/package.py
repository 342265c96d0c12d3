"""package@<section>: the trained model as a folder that a person takes away.

python stages/package.py toy
"""

from pathlib import Path

from lstm_ae.stage import run

from lstm_ae.core import paths
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.model.runtime import start
from lstm_ae.package.calibration import calibrate
from lstm_ae.package.loading import load_autoencoder
from lstm_ae.package.package import Package, save_package
from lstm_ae.package.provenance import provenance
from lstm_ae.params import Params
from lstm_ae.units.layout import load_layout

DECISIVE = ("budget", "seed", "training_seed", "device", "precision", "devices")


def package(params: Params, name: str) -> None:
    section = params.section(name)
    prepared, trained = paths.prepared(name), paths.weights(name)
    device = start(params.device, params.threads)
    model, layout = load_autoencoder(trained), load_layout(prepared)
    calibration = calibrate(
        model,
        load_split(prepared, "validation"),
        layout,
        device,
    )
    about = {
        "section": name,
        **provenance(Path()),
        "data_source": load_description(prepared).data_source,
        "code_size": model.architecture.code_size,
        **read_json(trained / "training.json"),
        "initialization": section.model.initialization,
        "training": section.training.model_dump(),
        "data": section.data.model_dump(mode="json"),
        **{key: getattr(params, key) for key in DECISIVE},
    }
    save_package(Package(model, layout, calibration, about), paths.model(name))


if __name__ == "__main__":
    run(package)
