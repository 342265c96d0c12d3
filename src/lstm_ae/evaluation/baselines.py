"""Reconstructions that a model stands beside: the training mean and PCA.

Sequences are (N, T, m).
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

Array = NDArray[np.float64]


def mean_reconstruction(train: Array, test: Array) -> Array:
    """The training mean of every step and variable, in place of each test sequence."""
    return np.broadcast_to(train.mean(axis=0), test.shape)


def fit_pca(train: Array, components: int) -> PCA:
    """That many principal components of the training sequences, or as many as there are.

    A sequence is taken as one vector of T m numbers; the solver is a full, deterministic one.
    """
    flat = train.reshape(len(train), -1)
    solver = "covariance_eigh" if len(flat) > flat.shape[1] else "full"
    return PCA(min(components, *flat.shape), svd_solver=solver).fit(flat)


def pca_reconstruction(
    train: Array,
    test: Array,
    components: int,
) -> Array:
    """Test sequences through principal components of the training sequences (`fit_pca`)."""
    pca = fit_pca(train, components)
    codes = pca.transform(test.reshape(len(test), -1))
    return np.asarray(pca.inverse_transform(codes)).reshape(test.shape)
