from functools import partial

import numpy as np
import pytest

from lstm_ae.evaluation.baselines import mean_reconstruction, pca_reconstruction
from lstm_ae.model.regression import (
    beside,
    exponential_averages,
    last_steps,
    least_squares,
    moving_averages,
)


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
    line = least_squares(series[:, :60], series[:, 60], last_steps(2))
    assert np.allclose(line.coefficients[0], true, atol=0.05)
    assert np.allclose(line.coefficients[1], 0, atol=0.05)


def test_rolling_forward_feeds_predictions_back() -> None:
    random = np.random.default_rng(0)
    series = random.normal(size=(20, 30, 2))
    line = least_squares(series[:, :29], series[:, 29], last_steps(3))
    first = line.predict(series[:, :10])[:, -1]
    second = line.predict(np.concatenate([series[:, :10], first[:, None]], axis=1))[:, -1]
    assert np.allclose(line.roll_forward(series[:, :10], 2), np.stack([first, second], 1))


def test_what_moves_all_of_a_day_alike_does_not_move_the_slopes_within_days() -> None:
    random = np.random.default_rng(0)
    series, group = random.normal(size=(60, 13, 2)), np.repeat([3, 5, 9], 20)
    shaken = series + np.repeat(random.normal(size=(3, 13, 2)), 20, axis=0)
    read = last_steps(2)
    still, moved = (least_squares(x[:, :12], x[:, 12], read, group) for x in (series, shaken))
    assert np.allclose(still.coefficients, moved.coefficients)
    assert not np.allclose(
        least_squares(series[:, :12], series[:, 12], last_steps(2)).coefficients, still.coefficients
    )


def test_least_squares_leaves_no_error_on_average() -> None:
    series, group = (
        np.random.default_rng(0).normal(1.0, 2.0, size=(60, 13, 2)),
        np.repeat([3, 5, 9], 20),
    )
    for groups in (None, group):
        line = least_squares(series[:, :12], series[:, 12], last_steps(3), groups)
        errors = line.predict(series[:, :12]) - series[:, 3:]
        assert np.allclose(errors.mean(axis=(0, 1)), 0)


def test_averages_of_many_steps_are_read_beside_the_last_ones() -> None:
    random = np.random.default_rng(0)
    series = random.normal(size=(300, 13, 2))
    windows, following = series[:, :12], series[:, 12]
    line = least_squares(windows, following, beside(last_steps(2), moving_averages([5, 9])))
    assert line.lags == 9
    rows, targets = [], []
    for t in range(8, 12):
        means = [series[:, t + 1 - steps : t + 1].mean(axis=1) for steps in (5, 9)]
        rows.append(np.concatenate([series[:, t], series[:, t - 1], *means], axis=1))
        targets.append(series[:, t + 1])
    inputs = np.concatenate([np.concatenate(rows), np.ones((1200, 1))], axis=1)
    expected = np.linalg.lstsq(inputs, np.concatenate(targets), rcond=None)[0]
    found = line.predict(windows)[:, -1]
    assert np.allclose(found, inputs[900:] @ expected)


def test_averages_that_the_lags_span_change_no_forecast() -> None:
    series = np.random.default_rng(0).normal(size=(100, 13, 2))
    lags = last_steps(5)
    spanned = beside(lags, moving_averages([3]))
    alone, both = (least_squares(series[:, :12], series[:, 12], read) for read in (lags, spanned))
    assert np.allclose(alone.coefficients, both.coefficients)


def test_an_exponential_average_forgets_a_share_with_every_step() -> None:
    values = np.random.default_rng(0).normal(size=40)
    average = 0.0
    for value in values:
        average += (value - average) / 4
    weights = exponential_averages([4], len(values))[:, 0]
    assert np.isclose(weights @ values[::-1], average)
