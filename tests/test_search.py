import numpy as np
import optuna
import pytest

from lstm_ae.datasets.base import Split
from lstm_ae.errors import InputError
from lstm_ae.runtime import start
from lstm_ae.search import best_values, importances_table, search, trials_table
from lstm_ae.training import accelerate


@pytest.fixture(scope="module")
def study(params):
    return run(params)


def run(params, trials: int = 7, seed: int = 0):
    random = np.random.default_rng(0)
    splits = [Split(random.random((count, 50, 1), dtype=np.float32)) for count in (150, 50)]
    section = params.section("toy")
    return search(accelerate(start("cpu", 1, 0), "32-true"), section, *splits, None, trials, 2, seed, 0)


def test_the_best_of_the_complete_trials_wins(study) -> None:
    table = trials_table(study)
    complete = table[table["state"] == "complete"]
    assert best_values(study)["lr"] == complete.loc[complete["loss"].idxmin(), "lr"]


def test_values_stay_in_the_ranges_of_the_section(study, params) -> None:
    for name, (low, high) in params.section("toy").search.space.model_dump().items():
        assert trials_table(study)[name].between(low, high).all()


def test_the_seed_decides_every_byte(study, params) -> None:
    assert trials_table(study).to_csv() == trials_table(run(params)).to_csv()
    assert trials_table(study).to_csv() != trials_table(run(params, seed=1)).to_csv()


def test_the_table_has_neither_dates_nor_durations(study) -> None:
    assert list(trials_table(study)) == ["trial", "state", "loss", "best_epoch", "hidden_size", "lr", "gradient_clip", "layers"]


def test_importances_are_shares(study) -> None:
    table = importances_table(study, 0)
    assert set(table["parameter"]) == {"hidden_size", "lr", "gradient_clip", "layers"}
    assert table["importance"].sum() == pytest.approx(1)


def test_no_trials_find_no_values() -> None:
    study = optuna.create_study()
    assert best_values(study) == {}
    assert trials_table(study).empty and importances_table(study, 0).empty


def test_a_search_in_which_everything_diverged_is_an_error() -> None:
    study = optuna.create_study()
    study.optimize(lambda trial: 1 / 0, n_trials=1, catch=(ZeroDivisionError,))
    with pytest.raises(InputError, match="all 1 trials diverged"):
        best_values(study)
