"""package@<section>: the trained model as a folder that a person takes away.

python stages/package.py toy
"""

from lstm_ae.core import paths
from lstm_ae.core.files import read_json
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.model.runtime import start
from lstm_ae.package.loading import load_autoencoder
from lstm_ae.package.package import Package, calibrate, layout_of, save_package
from lstm_ae.params import Params
from lstm_ae.stage import run


def package(params: Params, section: str) -> None:
    block, prepared, trained = (
        params.section(section),
        paths.prepared(section),
        paths.weights(section),
    )
    device = start(params.device, params.threads, params.seed)
    description, model = load_description(prepared), load_autoencoder(trained)
    layout, rows = layout_of(block.data, description, model)
    calibration = calibrate(model, load_split(prepared, "validation"), layout, device)
    about = {
        "section": section,
        "data_source": description["data_source"],
        "code_size": model.architecture.code_size,
        **read_json(trained / "training.json"),
        "initialization": block.model.initialization,
        "training": block.training.model_dump(),
        "data": block.data.model_dump(mode="json"),
        **{
            name: getattr(params, name)
            for name in (
                "budget",
                "seed",
                "training_seed",
                "device",
                "precision",
                "devices",
                "threads",
            )
        },
    }
    save_package(Package(model, layout, rows, calibration, about), paths.model(section))


if __name__ == "__main__":
    run(package)
