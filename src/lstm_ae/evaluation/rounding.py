"""What a code is worth when its numbers have few bits.

A real number could hide as much as one likes in its digits. Shapes: N sequences, k numbers.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lstm_ae.core.splits import Split
from lstm_ae.evaluation.baselines import fit_pca
from lstm_ae.evaluation.metrics import scored_steps, squared_error
from lstm_ae.package.answers import decode
from lstm_ae.package.package import Package

Array = NDArray[np.float64]

BITS = (2, 3, 4, 5, 6, 8)
SEQUENCES = 500


def errors_by_bits(
    package: Package,
    train: Split,
    test: Split,
    codes: Array,
) -> dict[str, list[float]]:
    """Mean squared errors of test sequences from codes of so many bits a number.

    Parameters
    ----------
    codes
        (N, k) of the test sequences.

    Returns
    -------
    dict
        `bits`, and as many `mse` and `pca_mse`: of the model and of PCA with k components, whose
        codes are rounded in the same way.
    """
    count = min(len(test), SEQUENCES)
    rows = np.linspace(0, len(test) - 1, count).astype(int)
    some = test.take(rows)
    truth = some.values()
    scored = scored_steps(some)
    pca = fit_pca(train.values(), codes.shape[1])
    flat = truth.reshape(count, -1)
    of_pca = pca.transform(flat)

    def from_model(own: Array) -> Array:
        return decode(package.model, own, package.device)

    def from_pca(own: Array) -> Array:
        return np.asarray(pca.inverse_transform(own)).reshape(truth.shape)

    def errors(own: Array, reconstruct: Callable[[Array], Array]) -> list[float]:
        by_bits = []
        for bits in BITS:
            reconstruction = reconstruct(rounded(own, bits))
            by_bits.append(squared_error(reconstruction, truth, scored))
        return by_bits

    return {
        "bits": list(BITS),
        "mse": errors(codes[rows], from_model),
        "pca_mse": errors(of_pca, from_pca),
    }


def rounded(codes: Array, bits: int) -> Array:
    """Codes (N, k) at the nearest of 2 ** bits values, evenly spaced over the range of each."""
    low = codes.min(axis=0)
    high = codes.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    step = width / (2**bits - 1)
    places = np.round((codes - low) / step)
    return np.asarray(low + places * step)
