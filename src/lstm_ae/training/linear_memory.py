"""Linear memories of a sequence: which numbers of it to keep, and how a recurrence keeps them.

Shapes: N sequences, T steps, m features, H units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_ae.model.regression import exponential_averages

# Components below this share of the largest eigenvalue carry rounding errors alone.
SMALLEST_EIGENVALUE = 1e-10
# Of the mean energy of the features: what stands still in the training sequences, as the edge of
# an image, may move in others.
SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Basis:
    """A linear memory h_t = transition h_(t-1) + write x_t and its inverse x_T = read h_T.

    Parameters
    ----------
    transition
        (H, H), orthogonal where the memory loses nothing.
    write
        (H, m).
    read
        (m, H).
    rms
        (H,) root mean square of each unit of h_T over the training sequences.
    weight
        (H,) energy in the sequence of one unit of h_T.
    used
        How many units carry a component.
    """

    transition: Tensor
    write: Tensor
    read: Tensor
    rms: Tensor
    weight: Tensor
    used: int


def frequency_basis(centred: Tensor, units: int) -> Basis:
    """Frequency-domain principal components (Brillinger 1981, ch. 9) of most energy in `units`.

    At frequency k = 0..T/2 the eigenvectors v of S_k = E[X_k X_k^H] are candidates. A component
    with rotation angle 2 pi k / T costs two units (real and imaginary part of v^H X_k), one at
    k = 0 and at the Nyquist frequency; its energy per unit is its eigenvalue / T in each case.

    Parameters
    ----------
    centred
        (N, T, m) float64, the mean over N removed.
    units
        H, how many real numbers the memory may hold.
    """
    count, length, features = centred.shape
    spectrum = torch.fft.rfft(centred, dim=1)
    covariance = torch.einsum("nki,nkj->kij", spectrum, spectrum.conj()) / count
    values, vectors = torch.linalg.eigh(covariance)
    order = values.flatten().argsort(descending=True, stable=True)
    floor = values.max() * SMALLEST_EIGENVALUE

    transition = torch.eye(units).double()
    write = torch.zeros(units, features).double()
    read = torch.zeros(features, units).double()
    rms = torch.ones(units).double()
    weight = torch.ones(units).double()
    used = 0
    for index in order.tolist():
        k, j = divmod(index, features)
        value = values[k, j]
        vector = vectors[k, :, j]
        is_real = k == 0 or 2 * k == length
        width = 1 if is_real else 2
        if value <= floor or used == units:
            break
        if used + width > units:
            continue
        unit = slice(used, used + width)
        if is_real:
            real = _real_vector(vector)
            transition[unit, unit] = 1.0 if k == 0 else -1.0
            write[unit] = real[None]
            read[:, unit] = real[:, None] / length
        else:
            angle = 2 * torch.pi * k / length
            parts = torch.stack([vector.real, -vector.imag])
            transition[unit, unit] = _rotation(angle)
            write[unit] = parts
            read[:, unit] = parts.T * 2 / length
        rms[unit] = square_root(value / width)
        weight[unit] = width / length
        used += width
    return Basis(transition, write, read, rms, weight, used)


def square_root(tensor: Tensor) -> Tensor:
    """Square roots to rounding; torch's own are approximations that differ by the processor."""
    return torch.as_tensor(np.sqrt(tensor.numpy()))


def delay_line(centred: Tensor, lags: int) -> Basis:
    """The last `lags` steps of (N, T, m) as they were, in lags m units.

    It is a shift register, which forgets what is older.
    """
    features = centred.shape[2]
    units = lags * features
    write = torch.eye(units, features).double()
    shifted = torch.ones(units - features).double()
    rms = _at_least_a_share(centred.square().mean(dim=(0, 1)))
    return Basis(
        transition=torch.diag(shifted, -features),
        write=write,
        read=write.T * 0,
        rms=rms.repeat(lags),
        weight=torch.zeros(units).double(),
        used=units,
    )


def running_averages(centred: Tensor, spans: Sequence[int]) -> Basis:
    """Exponential averages of each feature of (N, T, m), in spans m units.

    An average keeps 1 - 1 / span of itself at every step.
    """
    steps, features = centred.shape[1:]
    share = 1 / torch.tensor(spans).double()
    identity = torch.eye(features).double()
    latest_first = torch.from_numpy(exponential_averages(spans, steps))
    last = torch.einsum("ntm,tk->nkm", centred.flip(1), latest_first)
    energy = last.square().mean(dim=0)
    units = len(spans) * features
    return Basis(
        transition=torch.diag((1 - share).repeat_interleave(features)),
        write=torch.kron(share[:, None], identity),
        read=torch.zeros(features, units).double(),
        rms=_at_least_a_share(energy).flatten(),
        weight=torch.zeros(units).double(),
        used=units,
    )


def side_by_side(first: Basis, second: Basis) -> Basis:
    """One memory of two; the units without a component, if any, must be the second's."""
    return Basis(
        transition=torch.block_diag(first.transition, second.transition),
        write=torch.cat([first.write, second.write]),
        read=torch.cat([first.read, second.read], dim=1),
        rms=torch.cat([first.rms, second.rms]),
        weight=torch.cat([first.weight, second.weight]),
        used=first.used + second.used,
    )


def _at_least_a_share(energy: Tensor) -> Tensor:
    """Root mean squares of features (..., m), none of which is far below the others."""
    usual = energy.mean(dim=-1, keepdim=True)
    return square_root(torch.maximum(energy, SMALLEST_SHARE * usual))


def _real_vector(vector: Tensor) -> Tensor:
    """A complex eigenvector of a real matrix, turned so that it is real, of length 1."""
    largest = vector[vector.abs().argmax()]
    real = (vector * largest.conj()).real
    return real / real.norm()


def _rotation(angle: float) -> Tensor:
    """The matrix that turns the plane by an angle."""
    turn = torch.tensor(angle, dtype=torch.float64)
    cosine = turn.cos()
    sine = turn.sin()
    first_row = torch.stack([cosine, -sine])
    second_row = torch.stack([sine, cosine])
    return torch.stack([first_row, second_row])
