import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.params import Params, load_params
from lstm_ae.training.hyperparameters import resolve

BEST = {"hidden_size": 40, "lr": 2e-3, "gradient_clip": 0.5, "layers": 2}


def test_lr_at_the_top_wins_over_the_section_and_the_search(changed_params) -> None:
    hyperparameters = resolve(load_params(changed_params({"lr": 0.5})), "toy", BEST)
    assert (hyperparameters.lr, hyperparameters.hidden_size) == (0.5, 40)


def test_a_number_in_the_section_wins_over_the_search(changed_params) -> None:
    hyperparameters = resolve(load_params(changed_params({"toy.lr": 3e-4})), "toy", BEST)
    assert (hyperparameters.lr, hyperparameters.layers) == (3e-4, 2)


def test_a_tuned_value_comes_from_the_search(params: Params) -> None:
    assert resolve(params, "toy", BEST).lr == 2e-3


def test_a_tuned_value_that_was_never_found_is_an_error(params: Params) -> None:
    with pytest.raises(InputError, match=r"toy\.hidden_size: tuned, but the search wrote no value"):
        resolve(params, "toy", {})


def test_a_budget_caps_epochs(changed_params) -> None:
    assert resolve(load_params(changed_params({"budget": "smoke"})), "toy", BEST).epochs == 1
