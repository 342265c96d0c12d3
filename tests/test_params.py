import pytest

from lstm_ae.errors import InputError
from lstm_ae.params import Params, load_params, load_yaml, resolve

FOUND = {"hidden_size": 40, "lr": 2e-3, "gradient_clip": 0.5, "layers": 2}


def test_the_committed_params_are_valid(params: Params) -> None:
    assert params.sections == ["toy", "mnist_rows", "mnist_rows_class", "mnist_pixels_class", "snp", "snp_forecast"]
    assert set(params.blocks) == set(params.sections)


def test_lr_at_the_top_wins_over_the_section_and_the_search(changed_params) -> None:
    chosen = resolve(load_params(changed_params("lr: null", "lr: 0.5")), "toy", FOUND)
    assert (chosen.lr, chosen.hidden_size) == (0.5, 40)


def test_a_number_in_the_section_wins_over_the_search(changed_params) -> None:
    chosen = resolve(load_params(changed_params("toy:\n  lr: tuned\n", "toy:\n  lr: 3e-4\n")), "toy", FOUND)
    assert (chosen.lr, chosen.layers) == (3e-4, 2)


def test_a_tuned_value_comes_from_the_search(params: Params) -> None:
    assert resolve(params, "toy", FOUND).lr == 2e-3


def test_a_tuned_value_that_was_never_found_is_an_error(params: Params) -> None:
    with pytest.raises(InputError, match=r"toy\.hidden_size: tuned, but the search wrote no value"):
        resolve(params, "toy", {})


def test_a_budget_caps_epochs(changed_params) -> None:
    assert resolve(load_params(changed_params("budget: full", "budget: smoke")), "toy", FOUND).epochs == 1


@pytest.mark.parametrize("written", ["1e-05", "1e-5", "1.0E-5", "0.00001"])
def test_floats_are_numbers_however_they_are_written(tmp_path, written: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"lr: {written}\nname: e5\n")
    assert load_yaml(path) == {"lr": 1e-5, "name": "e5"}


def test_an_unlisted_section_is_an_error(params: Params) -> None:
    with pytest.raises(InputError, match=r"section toys: not listed; params\.yaml lists toy, mnist_rows"):
        params.section("toys")
