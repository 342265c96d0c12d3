"""Logistic regression on principal components: the class by a linear code of the same size."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from lstm_ae.core.files import write_bytes
from lstm_ae.core.splits import Split

Array = NDArray[np.float64]

PENALTIES = (1e-2, 1e-1, 1.0)  # inverse strengths of the L2 penalty; validation chooses


@dataclass(frozen=True)
class Logistic:
    """Classes by a linear map of D = T m numbers.

    Parameters
    ----------
    weights
        (D, classes), of the components and of the regression together.
    intercept
        (classes,).
    """

    weights: Array
    intercept: Array

    def probabilities(self, sequences: Array) -> Array:
        """Sequences (N, T, m) to probabilities (N, classes)."""
        flat = sequences.reshape(len(sequences), -1)
        return np.asarray(softmax(flat @ self.weights + self.intercept, axis=1))


def fit_logistic(
    train: Split,
    validation: Split,
    code_size: int,
) -> Logistic:
    """Fit to the labels by as many principal components, each at variance 1."""
    pca = PCA(code_size, whiten=True, svd_solver="covariance_eigh")
    codes = pca.fit_transform(_flat(train))
    held_out = pca.transform(_flat(validation))
    fitted = []
    for penalty in PENALTIES:
        regression = LogisticRegression(C=penalty, max_iter=1000)
        fitted.append(regression.fit(codes, train.labels))
    best = max(fitted, key=lambda one: one.score(held_out, validation.labels))
    spread = np.sqrt(pca.explained_variance_)
    components = pca.components_.T / spread
    weights = components @ best.coef_.T
    intercept = best.intercept_ - pca.mean_ @ weights
    return Logistic(weights, intercept)


def save_logistic(logistic: Logistic, path: Path) -> None:
    """Write the maps as safetensors."""
    arrays = {
        "weights": np.ascontiguousarray(logistic.weights),
        "intercept": logistic.intercept,
    }
    write_bytes(path, save(arrays))


def load_logistic(path: Path) -> Logistic:
    """Read what `save_logistic` wrote."""
    return Logistic(**load_file(path))


def _flat(split: Split) -> Array:
    values = split.values()
    return values.reshape(len(values), -1)
