import numpy as np

from lstm_ae.core.splits import Split
from lstm_ae.rivals.boosting import fit_boosting, load_boosting, numbers_read, save_boosting

WINDOW = 24


def split(windows: int, seed: int, first_scored: int | None) -> Split:
    """Windows of two series; the first follows the sign of its mean over 20 steps."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(windows, WINDOW + 1, 2))
    for t in range(20, WINDOW + 1):
        values[:, t, 0] += np.sign(values[:, t - 20 : t, 0].mean(axis=1))
    values = values.astype(np.float32)
    scored = None if first_scored is None else np.full(windows, first_scored)
    return Split(values[:, :WINDOW], following=values[:, WINDOW], first_scored=scored)


def test_what_is_read_is_the_last_steps_and_the_means() -> None:
    sequences = np.random.default_rng(0).normal(size=(3, 9, 2))
    read = numbers_read(sequences, 2, [4])
    assert read.shape == (3, 6, 6)
    for place, t in enumerate(range(3, 9)):
        assert np.allclose(read[:, place, :2], sequences[:, t])
        assert np.allclose(read[:, place, 2:4], sequences[:, t - 1])
        assert np.allclose(read[:, place, 4:], sequences[:, t - 3 : t + 1].mean(axis=1))


def test_boosting_learns_what_no_line_can_and_is_saved(tmp_path) -> None:
    train, validation = split(2000, 0, None), split(200, 1, 19)
    boosting = fit_boosting(train, validation, seed=0)
    assert (boosting.recent, list(boosting.averages)) == (10, [20])
    test = split(200, 2, 19)
    predictions = boosting.predict(test.values())
    assert predictions.shape == (200, WINDOW - 19, 2)
    errors = predictions[:, -1] - test.following
    assert np.square(errors[:, 0]).mean() < 1.3 < np.square(test.following[:, 0]).mean()
    save_boosting(boosting, tmp_path)
    assert np.array_equal(load_boosting(tmp_path).predict(test.values()), predictions)
