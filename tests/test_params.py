import re

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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch_size: 64", "batch_sise: 64", r"toy\.training\.batch_size: missing"),
        ("batch_size: 64", "batch_size: 64\n    batch_sise: 64", r"toy\.training\.batch_sise: unknown key; the nearest is batch_size"),
        ("epochs: 30", "epochs: 30.5", r"toy\.epochs: found 30\.5"),
        ("epochs: 30", "epochs: many", r"toy\.epochs: found 'many'"),
        ("lr: null", "lr: .nan", r"lr: found nan; a finite number is needed"),
        ("lr: null", "lr: -1.0", r"lr: found -1\.0; Input should be greater than 0"),
        ("threads: 2", "threads: 0", r"threads: found 0; Input should be greater than or equal to 1"),
        ("device: auto", "device: tpu", r"device: found 'tpu'; Input should be 'auto', 'cuda', 'mps' or 'cpu'"),
        ("budget: full", "budget: ful", r"budget: found 'ful'; allowed are full, smoke"),
        ("dataset: toy", "dataset: toys", r"toy\.data: .*toys"),
        ("code_size: 32", "code_size: 64", r"toy: hidden_size 32 is below code_size 64"),
        ("trials: 24", "trials: 0", r"toy: hidden_size: tuned, with search\.trials: 0; a number is needed"),
        ("decoding: backward, output", "decoding: forward, output", r"initialization: spectral needs .*decoding: backward"),
        ("classification: 0.0", "classification: 0.5", r"toy: .*data without labels"),
        ("amplitude: 0.05, period: 1", "amplitude: 0.05, period: 4", r"snp_forecast: model\.period: found 4; 1 is allowed"),
        ("sections: [toy,", "sections: [toys,", r"sections lists toys, but there is no block toys; the nearest is toy"),
        ("sections: [toy,", "sections: [toy, toy,", r"sections: toy stands twice"),
        ("sections: [toy,", "sections: [../toy,", r"sections: found '\.\./toy'"),
        ("dip_centre: [20, 30]", "dip_centre: [20, 60]", r"toy\.data: dip_centre \[20, 60\]"),
        ("seed: 0 ", "seed: 0\nseed: 1 ", r"key 'seed' stands twice"),
        ("sections: [", "sections: ]", r"not YAML"),
    ],
)  # fmt: skip
def test_bad_params_get_one_line_with_the_key_and_what_is_allowed(changed_params, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_params(changed_params(old, new))
    assert re.search(message, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


def test_an_unlisted_section_is_an_error(params: Params) -> None:
    with pytest.raises(InputError, match=r"section toys: not listed; params\.yaml lists toy, mnist_rows"):
        params.section("toys")
