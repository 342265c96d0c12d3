from functools import partial

import numpy as np
import pytest

from lstm_ae.evaluation.baselines import mean_reconstruction, pca_reconstruction
from lstm_ae.model.regression import least_squares


def test_pca_reproduces_data_of_its_rank() -> None:
    random = np.random.default_rng(0)
    data = (random.normal(size=(200, 3)) @ random.normal(size=(3, 20))).reshape(200, 10, 2) + 5
    assert np.allclose(pca_reconstruction(data[:150], data[150:], 3), data[150:])
    assert not np.allclose(pca_reconstruction(data[:150], data[150:], 2), data[150:])


def test_pca_error_is_the_energy_of_what_was_left_out() -> None:
    data = np.random.default_rng(0).normal(size=(300, 6, 1)) * np.arange(1, 7)[:, None]
    error = np.square(pca_reconstruction(data, data, 4) - data).mean()
    eigenvalues = np.linalg.eigvalsh(np.cov(data[:, :, 0].T, bias=True))
    assert error == pytest.approx(eigenvalues[:2].sum() / 6)


def test_a_baseline_knows_nothing_of_the_other_test_sequences() -> None:
    train, test = np.random.default_rng(0).normal(size=(2, 40, 6, 1))
    for rebuilt in (mean_reconstruction, partial(pca_reconstruction, components=4)):
        assert np.allclose(rebuilt(train, test)[:1], rebuilt(train, test[:1]))


def test_the_mean_is_that_of_training() -> None:
    assert (mean_reconstruction(np.ones((5, 4, 1)), np.zeros((2, 4, 1))) == 1).all()


def test_least_squares_recovers_an_autoregression() -> None:
    random = np.random.default_rng(0)
    true = np.array([[0.5, 0.2], [-0.1, 0.3]])
    series = np.zeros((50, 61, 2))
    for t in range(60):
        series[:, t + 1] = 0.1 + series[:, t] @ true + random.normal(scale=0.1, size=(50, 2))
    line = least_squares(series[:, :60], series[:, 60], lags=2)
    assert np.allclose(line.coefficients[0], true, atol=0.05)
    assert np.allclose(line.coefficients[1], 0, atol=0.05)


def test_rolling_forward_feeds_predictions_back() -> None:
    random = np.random.default_rng(0)
    series = random.normal(size=(20, 30, 2))
    line = least_squares(series[:, :29], series[:, 29], lags=3)
    first = line.predict(series[:, :10])[:, -1]
    second = line.predict(np.concatenate([series[:, :10], first[:, None]], axis=1))[:, -1]
    assert np.allclose(line.roll_forward(series[:, :10], 2), np.stack([first, second], 1))


def test_what_moves_all_of_a_day_alike_does_not_move_the_slopes_within_days() -> None:
    random = np.random.default_rng(0)
    series, group = random.normal(size=(60, 13, 2)), np.repeat([3, 5, 9], 20)
    shaken = series + np.repeat(random.normal(size=(3, 13, 2)), 20, axis=0)
    still, moved = (least_squares(x[:, :12], x[:, 12], 2, group) for x in (series, shaken))
    assert np.allclose(still.coefficients, moved.coefficients)
    assert not np.allclose(
        least_squares(series[:, :12], series[:, 12], 2).coefficients, still.coefficients
    )


def test_least_squares_leaves_no_error_on_average() -> None:
    series, group = (
        np.random.default_rng(0).normal(1.0, 2.0, size=(60, 13, 2)),
        np.repeat([3, 5, 9], 20),
    )
    for groups in (None, group):
        line = least_squares(series[:, :12], series[:, 12], 3, groups)
        errors = line.predict(series[:, :12]) - series[:, 3:]
        assert np.allclose(errors.mean(axis=(0, 1)), 0)
