import numpy as np
import pytest

from lstm_ae.evaluation.significance import clark_west, diebold_mariano, skill_interval

DAYS = 250


def test_diebold_mariano_finds_a_difference_where_there_is_one() -> None:
    random = np.random.default_rng(0)
    p_values = np.array([diebold_mariano(random.normal(0, 1, 125)) for _ in range(2000)])
    # Newey and West's variance is a little low in small samples.
    assert 0.03 < (p_values < 0.05).mean() < 0.09
    assert diebold_mariano(random.normal(0.5, 1, 125)) < 0.01


def test_diebold_mariano_by_hand() -> None:
    stats = pytest.importorskip("scipy.stats")
    differences = np.array([0.3, -0.1, 0.4])  # floor(4 * 0.03^(2/9)) = 1 lag, at weight 1 / 2
    n, centred = 3, differences - differences.mean()
    variance = centred @ centred / n + centred[1:] @ centred[:-1] / n
    statistic = differences.mean() / np.sqrt(variance / n) * np.sqrt((n - 1) / n)
    p_value = 2 * stats.t.sf(abs(statistic), n - 1)
    assert diebold_mariano(differences) == pytest.approx(p_value)


def nested(strength: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors of a mean of zero and of a regression on one variable, fitted on 250 other days."""
    random = np.random.default_rng(seed)
    known = random.normal(size=2 * DAYS)
    truth = strength * known + random.normal(size=2 * DAYS)
    past, coming = slice(DAYS), slice(DAYS, None)
    slope = known[past] @ truth[past] / (known[past] @ known[past])
    forecast = slope * known[coming]
    return np.square(truth[coming]), np.square(truth[coming] - forecast), np.square(forecast)


def test_clark_west_forgives_a_larger_model_the_noise_of_its_parameters() -> None:
    of_nothing = np.array([clark_west(*nested(0.0, seed)) for seed in range(1000)])
    assert 0.01 < (of_nothing < 0.05).mean() < 0.08
    of_something = np.array([clark_west(*nested(0.15, seed)) for seed in range(200)])
    small, large, _ = zip(*(nested(0.15, seed) for seed in range(200)), strict=True)
    by_errors = [diebold_mariano(a - b) for a, b in zip(small, large, strict=True)]
    assert (of_something < 0.05).mean() > (np.array(by_errors) < 0.05).mean() + 0.2


def test_an_interval_of_a_skill_holds_it_as_often_as_it_says() -> None:
    inside = []
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(size=(2, DAYS)) * [[0.8], [1.0]]
        low, high = skill_interval(*np.square(errors))
        inside.append(low < 1 - 0.8**2 < high)
    assert 0.88 < np.mean(inside) <= 1


def test_an_interval_is_wider_where_neighbouring_days_are_alike() -> None:
    random = np.random.default_rng(0)
    apart = np.square(random.normal(size=DAYS))
    together = np.repeat(np.square(random.normal(size=DAYS // 5)), 5)
    reference = np.ones(DAYS)
    low, high = skill_interval(apart, reference)
    lower, higher = skill_interval(together, reference)
    assert higher - lower > 1.5 * (high - low)


def test_a_skill_without_spread_has_an_interval_of_one_number() -> None:
    assert skill_interval(np.full(20, 0.5), np.ones(20)) == pytest.approx((0.5, 0.5))
