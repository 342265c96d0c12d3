"""train@<section>: prepared sequences become a trained autoencoder.

python stages/train.py toy
"""

import logging
from functools import partial

from lstm_ae.stage import run

from dvclive.live import Live

from lstm_ae.core import paths
from lstm_ae.params import Params
from lstm_ae.training.processes import is_follower
from lstm_ae.training.records import Epoch
from lstm_ae.training.section import follow_training, load_training


def train(params: Params, name: str) -> None:
    if is_follower():
        follow_training(params, name)
        return
    training = load_training(params, name)
    logging.info("%s: %s", name, training.recipe.hyperparameters)
    directory = str(paths.training(name))
    with (
        training.unfinished() as unfinished,
        Live(
            directory,
            dvcyaml=None,
            save_dvc_exp=False,
            report=None,
        ) as live,
    ):
        trained = training.run(unfinished, partial(log_epoch, live))
        training.save(trained, unfinished)


def log_epoch(live: Live, epoch: Epoch) -> None:
    live.step = epoch.number
    for name, value in epoch.training.items():
        live.log_metric(f"train/{name}", value)
    for name, value in epoch.validation.items():
        live.log_metric(f"validation/{name}", value)
    live.make_summary()


if __name__ == "__main__":
    run(train)
