"""Codes of few bits: rounded as said, and no better than whole ones."""

import numpy as np
import pytest
import torch

from lstm_ae.evaluation.metrics import squared_error
from lstm_ae.evaluation.rounding import BITS, errors_by_bits, rounded
from lstm_ae.package.answers import compute_answers
from tests.packages import toy_package


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_a_rounded_number_has_as_many_values_as_its_bits_tell(bits: int) -> None:
    codes = np.random.default_rng(0).normal(size=(5000, 3)) * [1.0, 10.0, 0.1]
    few = rounded(codes, bits)
    for whole, number in zip(codes.T, few.T, strict=True):
        assert len(np.unique(number.round(9))) <= 2**bits
        assert (number.min(), number.max()) == pytest.approx((whole.min(), whole.max()))
        step = np.ptp(whole) / (2**bits - 1)
        assert np.abs(number - whole).max() <= step / 2 + 1e-9


def test_a_number_that_is_always_the_same_stays_so() -> None:
    torch.set_flush_denormal(True)  # as in every stage
    assert np.array_equal(rounded(np.full((4, 2), 3.0), 2), np.full((4, 2), 3.0))


def test_more_bits_come_to_the_error_of_whole_codes(params, tmp_path) -> None:
    package, prepared = toy_package(params, tmp_path)
    train, test = prepared.splits["train"], prepared.splits["test"]
    answers = compute_answers(package.model, test.sequences, package.device)
    errors = errors_by_bits(package, train, test, answers.codes)
    assert errors["bits"] == list(BITS)
    scored = np.ones(test.sequences.shape[:2], bool)
    whole = squared_error(answers.reconstruction, test.values(), scored)
    assert errors["mse"][-1] == pytest.approx(whole, rel=0.01)
    assert errors["mse"][0] > errors["mse"][-1] and errors["pca_mse"][0] > errors["pca_mse"][-1]
