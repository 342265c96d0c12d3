"""Optuna's search over the ranges of a section, scored on validation."""

import logging
from typing import Any

import optuna
import pandas as pd
import torch
from lightning_fabric import Fabric

from lstm_ae.datasets.base import Split
from lstm_ae.errors import InputError
from lstm_ae.model import LSTMAutoencoder
from lstm_ae.objectives import Metrics
from lstm_ae.params import TUNABLE, Hyperparameters, Section
from lstm_ae.training import build, fit

log = logging.getLogger(__name__)

STARTUP_TRIALS = 5  # drawn at random before TPE takes over, and complete before a trial may be pruned
TRIAL_COLUMNS = ["trial", "state", "loss", "best_epoch", *TUNABLE]


def search(
    fabric: Fabric,
    section: Section,
    train: Split,
    validation: Split,
    classes: int | None,
    trials: int,
    epochs: int,
    seed: int,
    training_seed: int,
) -> optuna.Study:
    """Run the trials one after the other: TPE (Bergstra et al. 2011) with median pruning, the lowest validation loss wins.

    A trial that diverges in its first epoch is failed and the search goes on.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = section.search.space

    def objective(trial: optuna.Trial) -> float:
        chosen = Hyperparameters(
            hidden_size=trial.suggest_int("hidden_size", *space.hidden_size),
            lr=trial.suggest_float("lr", *space.lr, log=True),
            gradient_clip=trial.suggest_float("gradient_clip", *space.gradient_clip, log=True),
            layers=trial.suggest_int("layers", *space.layers),
            epochs=epochs,
        )

        def report(epoch: int, _: Metrics, scores: Metrics, __: LSTMAutoencoder) -> None:
            if epoch:
                trial.report(scores["loss"], epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned

        torch.manual_seed(training_seed)
        model = build(section.model, chosen, train, classes)
        name = f"trial {trial.number + 1} of {trials}"
        trained = fit(fabric, model, train, validation, section.training, chosen, training_seed, report, name)
        trial.set_user_attr("best_epoch", trained.best_epoch)
        return trained.best_loss

    def log_trial(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        value = "" if trial.value is None else f", validation loss {trial.value:.6f}"
        log.info("trial %d %s%s: %s", trial.number, trial.state.name.lower(), value, trial.params)

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=1),
    )
    study.optimize(objective, n_trials=trials, catch=(InputError,), callbacks=[log_trial])
    return study


def trials_table(study: optuna.Study) -> pd.DataFrame:
    """Every trial: number, state, validation loss (a pruned one's last), best epoch, and what was tried."""
    rows: list[dict[str, Any]] = []
    for trial in study.trials:
        last = trial.intermediate_values[max(trial.intermediate_values)] if trial.intermediate_values else None
        rows.append({
            "trial": trial.number, "state": trial.state.name.lower(), "loss": trial.value if trial.value is not None else last,
            "best_epoch": trial.user_attrs.get("best_epoch"), **{name: trial.params[name] for name in TUNABLE},
        })  # fmt: skip
    return pd.DataFrame(rows, columns=TRIAL_COLUMNS).astype({"best_epoch": "Int64"})


def importances_table(study: optuna.Study, seed: int) -> pd.DataFrame:
    """Share of each parameter in the variance of the loss (fANOVA, Hutter et al. 2014); empty with fewer than two complete trials."""
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    shares: dict[str, float] = {}
    if len({trial.value for trial in complete}) > 1:
        shares = optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed))
    table = pd.DataFrame({"parameter": list(shares), "importance": list(shares.values())})
    return table.sort_values(["importance", "parameter"], ascending=[False, True])


def best_values(study: optuna.Study) -> dict[str, float]:
    """The values of the best complete trial; none where there were no trials.

    Raises
    ------
    InputError
        There were trials and none is complete.
    """
    if not study.trials:
        return {}
    if not study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)):
        raise InputError(f"search: all {len(study.trials)} trials diverged; a lower range of lr is needed")
    return dict(study.best_trial.params)
