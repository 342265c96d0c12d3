import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from lstm_ae.core.splits import Split
from lstm_ae.rivals.logistic import PENALTIES, fit_logistic, load_logistic, save_logistic


def test_it_is_logistic_regression_on_components(tmp_path) -> None:
    images, labels = load_digits(return_X_y=True)
    sequences = (images / 16).reshape(-1, 8, 8).astype(np.float32)
    train = Split(sequences[:1000], labels=labels[:1000])
    validation = Split(sequences[1000:1400], labels=labels[1000:1400])
    logistic = fit_logistic(train, validation, 20)
    test = sequences[1400:].astype(np.float64)
    found = logistic.probabilities(test)
    expected = []
    for c in PENALTIES:
        pipeline = make_pipeline(PCA(20, whiten=True), LogisticRegression(C=c, max_iter=1000))
        pipeline.fit(sequences[:1000].reshape(1000, -1), labels[:1000])
        expected.append(pipeline.predict_proba(test.reshape(len(test), -1)))
    assert min(np.abs(found - other).max() for other in expected) < 1e-3
    assert (found.argmax(axis=1) == labels[1400:]).mean() > 0.85
    save_logistic(logistic, tmp_path / "logistic.safetensors")
    again = load_logistic(tmp_path / "logistic.safetensors")
    assert np.array_equal(again.probabilities(test), found)
