"""A study of Optuna: what its trials draw, what is noted of them, and its tables."""

import logging
from collections.abc import Iterable
from typing import Any

import optuna
import pandas as pd
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from lstm_ae.core.errors import InputError
from lstm_ae.params import TUNABLE, Space
from lstm_ae.search.trial import Outcome

log = logging.getLogger(__name__)

# So many trials are told before TPE takes over from chance, and so many are complete before one
# may be pruned.
STARTUP_TRIALS = 4
TRIAL_COLUMNS = ["trial", "state", "loss", "best_epoch", *TUNABLE]

optuna.logging.set_verbosity(optuna.logging.ERROR)  # what is worth a line is logged here


def suggest(trial: BaseTrial, space: Space) -> None:
    """Draw a value from each range."""
    hidden_size = space.hidden_size
    lr = space.lr
    gradient_clip = space.gradient_clip
    layers = space.layers
    trial.suggest_int("hidden_size", hidden_size.low, hidden_size.high)
    trial.suggest_float("lr", lr.low, lr.high, log=True)
    trial.suggest_float(
        "gradient_clip",
        gradient_clip.low,
        gradient_clip.high,
        log=True,
    )
    trial.suggest_int("layers", layers.low, layers.high)


def note_outcome(trial: Trial, outcome: Outcome) -> None:
    """Log a trial and write to it what Optuna does not know."""
    if outcome.state == "complete":
        trial.set_user_attr("best_epoch", outcome.best_epoch)
    if outcome.state == "fail":
        trial.set_user_attr("problem", outcome.problem)
        result = outcome.problem
    else:
        result = f"validation loss {outcome.losses[-1]:.6f}"
    log.info(
        "trial %d %s, %s: %s",
        trial.number,
        outcome.state,
        result,
        trial.params,
    )


def counted_trials(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that count.

    Those do not that failed without a problem of their own: their process died, or there were
    enough without them.
    """
    return [
        trial for trial in trials if trial.state != TrialState.FAIL or "problem" in trial.user_attrs
    ]


def trials_table(study: optuna.Study) -> pd.DataFrame:
    """Every finished trial: number, state, validation loss, best epoch, hyperparameters.

    The loss of a pruned trial is its last.
    """
    rows: list[dict[str, Any]] = []
    for trial in counted_trials(study.trials):
        if not trial.state.is_finished():
            continue
        row = {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "loss": trial.value,
            "best_epoch": trial.user_attrs.get("best_epoch"),
        }
        for name in TUNABLE:
            row[name] = trial.params[name]
        rows.append(row)
    table = pd.DataFrame(rows, columns=TRIAL_COLUMNS)
    return table.astype({"best_epoch": "Int64"})


def importances_table(study: optuna.Study, seed: int) -> pd.DataFrame:
    """Share of each hyperparameter in the variance of the loss (fANOVA, Hutter et al. 2014).

    It is empty with fewer than two complete trials of different loss.
    """
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    shares: dict[str, float] = {}
    if len({trial.value for trial in complete}) > 1:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    columns = {
        "parameter": list(shares),
        "importance": list(shares.values()),
    }
    table = pd.DataFrame(columns)
    return table.sort_values(["importance", "parameter"], ascending=[False, True])


def best_values(study: optuna.Study) -> dict[str, float]:
    """The hyperparameters of the best complete trial; none where there were no trials.

    Raises
    ------
    InputError
        There were trials and none is complete.
    """
    trials = counted_trials(study.trials)
    if not trials:
        return {}
    if not any(trial.state == TrialState.COMPLETE for trial in trials):
        problem = trials[-1].user_attrs["problem"]
        raise InputError(
            f"search: all {len(trials)} trials failed, the last of them: {problem}; "
            "change the section's search.space"
        )
    return dict(study.best_trial.params)
