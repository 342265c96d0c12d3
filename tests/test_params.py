import pytest

from lstm_ae.errors import InputError
from lstm_ae.params import Params, load_yaml


def test_the_committed_params_are_valid(params: Params) -> None:
    assert params.sections == ["toy", "mnist_rows", "mnist_rows_class", "mnist_pixels_class", "snp", "snp_forecast"]
    assert set(params.blocks) == set(params.sections)


@pytest.mark.parametrize("written", ["1e-05", "1e-5", "1.0E-5", "0.00001"])
def test_floats_are_numbers_however_they_are_written(tmp_path, written: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"lr: {written}\nname: e5\n")
    assert load_yaml(path) == {"lr": 1e-5, "name": "e5"}


def test_an_unlisted_section_is_an_error(params: Params) -> None:
    with pytest.raises(InputError, match=r"section toys: not listed; params\.yaml lists toy, mnist_rows"):
        params.section("toys")
