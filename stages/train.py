"""train@<section>: prepared sequences become a trained autoencoder.

python stages/train.py toy
"""

import logging
import shutil
from contextlib import suppress
from typing import Any

from dvclive.live import Live

from lstm_ae.core import paths
from lstm_ae.core.errors import InputError
from lstm_ae.core.files import write_json
from lstm_ae.core.splits import load_description, load_split
from lstm_ae.core.yaml import load_yaml
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import Metrics
from lstm_ae.model.runtime import start
from lstm_ae.model.saving import save_autoencoder, save_weights
from lstm_ae.params import Params
from lstm_ae.stage import run
from lstm_ae.training.hyperparameters import resolve
from lstm_ae.training.loop import Trained, build, fit
from lstm_ae.training.processes import accelerate, follow, follows, launched
from lstm_ae.training.scratch import scratch, versions


def train(params: Params, section: str) -> None:
    if follows():
        follow()
    block, prepared, directory = (
        params.section(section),
        paths.prepared(section),
        paths.weights(section),
    )
    chosen = resolve(params, section, load_yaml(paths.search(section) / "best.yaml"))
    device = start(params.device, max(1, params.threads // params.devices), params.training_seed)
    split, validation = load_split(prepared, "train"), load_split(prepared, "validation")
    classes = load_description(prepared).classes
    model = build(block.model, chosen, split, classes)
    fabric = accelerate(device, params.precision, params.devices)

    def fitted(**first: Any) -> Trained:
        with launched(fabric):
            return fit(
                fabric,
                model,
                split,
                validation,
                block.training,
                chosen,
                params.training_seed,
                **first,
            )

    if follows():
        with suppress(InputError):  # the first process ends with the same line
            fitted()
        return
    logging.info("%s: %s", section, chosen)
    settings = {
        "section": section,
        "chosen": chosen._asdict(),
        "model": block.model.model_dump(),
        "training": block.training.model_dump(),
        "seed": params.training_seed,
        "device": device.type,
        "precision": params.precision,
        "threads": params.threads,
        "devices": params.devices,
    }
    inputs = [
        prepared / name
        for name in ("train.safetensors", "validation.safetensors", "description.json")
    ]

    with (
        scratch(f"train-{section}", settings, inputs) as unfinished,
        Live(str(paths.training(section)), dvcyaml=None, save_dvc_exp=False, report=None) as live,
    ):

        def epoch_end(
            epoch: int, means: Metrics, scores: Metrics, current: LSTMAutoencoder | None
        ) -> None:
            live.step = epoch
            for name, metrics in (("train", means), ("validation", scores)):
                for key, value in metrics.items():
                    live.log_metric(f"{name}/{key}", value)
            live.make_summary()
            if classes and current:  # the test curve of each epoch is evaluate's to draw
                save_weights(current, unfinished / "epochs" / f"{epoch:03d}.safetensors")

        trained = fitted(
            epoch_end=epoch_end, progress=section, checkpoint=unfinished / "checkpoint.safetensors"
        )
        save_autoencoder(trained.model, directory)
        if classes:
            shutil.copytree(
                unfinished / "epochs",
                directory / "epochs",
                ignore=shutil.ignore_patterns(".*"),
                dirs_exist_ok=True,
            )
        epochs = {"best_epoch": trained.best_epoch, "diverged_at_epoch": trained.diverged_at_epoch}
        write_json(
            directory / "training.json", {**epochs, **chosen._asdict(), "versions": versions()}
        )


if __name__ == "__main__":
    run(train)
