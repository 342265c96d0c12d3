"""Three starts: plain (torch's own), chrono (Tallec and Ollivier 2018), spectral (frequency-domain PCA, Brillinger 1981)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.regression import least_squares

GATE = 5.0  # sigmoid(5) = 0.993: the gates of a spectral start stand nearly open (input, output) or shut (forget)
FORGET, OPEN = float(torch.sigmoid(torch.tensor(-GATE))), float(torch.sigmoid(torch.tensor(GATE)))
PROJECTION_SEQUENCES = 4096  # enough to estimate the principal components of the last state


def initialize(
    model: LSTMAutoencoder,
    kind: str,
    sequences: Tensor,
    amplitude: float,
    lags: int = 0,
    group: NDArray[np.int64] | None = None,
) -> None:
    """Set the start of a model in place.

    Parameters
    ----------
    kind
        "plain", "chrono" or "spectral".
    sequences
        (N, T, m) of the training split, as the model reads them; only the spectral start looks at them.
    amplitude
        Root mean square of a hidden unit at the end of a sequence, for the spectral start.
    lags
        Steps that the spectral start keeps as they were, for the prediction head, which starts at least squares on them.
    group
        (N,) sequences of one group cover the same days (`least_squares`).
    """
    if kind == "chrono":
        for stack in (model.encoder, model.decoder):
            chrono(stack.first, model.architecture.sequence_length)
    elif kind == "spectral":
        spectral(model, sequences, amplitude, lags, group)


@torch.no_grad()
def chrono(lstm: nn.LSTM, sequence_length: int) -> None:
    """Forget biases log U(1, T - 1), input biases their negative (Tallec and Ollivier 2018, eq. 16)."""
    _, _, bias, other_bias = lstm.all_weights[0]
    bias.zero_()
    other_bias.zero_()
    input_gate, forget_gate, _, _ = bias.chunk(4)
    forget_gate.copy_(torch.empty_like(forget_gate).uniform_(1, max(sequence_length - 1, 1)).log())
    input_gate.copy_(-forget_gate)


class Basis(NamedTuple):
    """Linear memory h_t = transition h_(t-1) + write x_t and its inverse x_T = read h_T, at most H units."""

    transition: Tensor  # (H, H), orthogonal where the memory loses nothing
    write: Tensor  # (H, m)
    read: Tensor  # (m, H)
    rms: Tensor  # (H,) of each unit of h_T over the training sequences
    weight: Tensor  # (H,) energy in the sequence of one unit of h_T
    used: int  # units that carry a component


def frequency_basis(centred: Tensor, units: int) -> Basis:
    """Frequency-domain principal components (Brillinger 1981, ch. 9) that hold most energy in that many real numbers.

    At frequency k = 0..T/2 the eigenvectors v of S_k = E[X_k X_k^H] are candidates. A component with rotation angle 2 pi k / T
    costs two units (real and imaginary part of v^H X_k), one at k = 0 and at the Nyquist frequency; its energy per unit is its
    eigenvalue / T in each case.

    Parameters
    ----------
    centred
        (N, T, m) float64, the mean over N removed.
    """
    count, length, features = centred.shape
    spectrum = torch.fft.rfft(centred, dim=1)
    covariance = torch.einsum("nki,nkj->kij", spectrum, spectrum.conj()) / count
    values, vectors = torch.linalg.eigh(covariance)
    order = values.flatten().argsort(descending=True, stable=True)
    floor = values.max() * 1e-10

    transition, write, read = (
        torch.eye(units).double(),
        torch.zeros(units, features).double(),
        torch.zeros(features, units).double(),
    )
    rms, weight = torch.ones(units).double(), torch.ones(units).double()
    used = 0
    for index in order.tolist():
        k, j = divmod(index, features)
        value, v = values[k, j], vectors[k, :, j]
        real = k == 0 or 2 * k == length
        width = 1 if real else 2
        if value <= floor or used == units:
            break
        if used + width > units:
            continue
        unit = slice(used, used + width)
        if real:
            v = (v * v[v.abs().argmax()].conj()).real
            v = v / v.norm()
            transition[unit, unit] = 1.0 if k == 0 else -1.0
            write[unit], read[:, unit] = v[None], v[:, None] / length
        else:
            angle = torch.tensor(2 * torch.pi * k / length, dtype=torch.float64)
            transition[unit, unit] = torch.stack(
                [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
            )
            write[unit] = torch.stack([v.real, -v.imag])
            read[:, unit] = torch.stack([v.real, -v.imag], dim=1) * 2 / length
        rms[unit], weight[unit] = (value / width).sqrt(), width / length
        used += width
    return Basis(transition, write, read, rms, weight, used)


def delay_line(centred: Tensor, lags: int) -> Basis:
    """The last `lags` steps of (N, T, m) as they were, in lags m units: a shift register, which forgets what is older."""
    features = centred.shape[2]
    units = lags * features
    write = torch.eye(units, features).double()
    rms = centred.square().mean(dim=(0, 1)).sqrt().repeat(lags)
    return Basis(
        torch.diag(torch.ones(units - features).double(), -features),
        write,
        write.T * 0,
        rms,
        torch.zeros(units).double(),
        units,
    )


def side_by_side(first: Basis, second: Basis) -> Basis:
    """One memory of two; the units without a component, if any, must be the second's."""
    return Basis(
        torch.block_diag(first.transition, second.transition),
        torch.cat([first.write, second.write]),
        torch.cat([first.read, second.read], dim=1),
        torch.cat([first.rms, second.rms]),
        torch.cat([first.weight, second.weight]),
        first.used + second.used,
    )


@torch.no_grad()
def spectral(
    model: LSTMAutoencoder,
    sequences: Tensor,
    amplitude: float,
    lags: int = 0,
    group: NDArray[np.int64] | None = None,
) -> None:
    """Start the encoder as a lossless linear memory and the decoder as its inverse, running backwards.

    With gates i, o near 1 and f near 0 and small signals an LSTM computes h_t = f h_(t-1) + o i (W h_(t-1) + U x_t), so
    W = (R - f I) / (o i) makes it the linear recurrence of `frequency_basis`, beside the delay line of the lags. Every unit ends a
    sequence at rms `amplitude`, where tanh is nearly linear; fixed gains keep the weights at the size torch draws. With more hidden units
    than code numbers the code is the principal components of the last state, measured in the energy they carry. The prediction head
    starts at least squares on the lags. Layers above the first keep torch's start and are read with weight zero: they begin to count as
    they learn.
    """
    a = model.architecture
    hidden = a.hidden_size
    sequences = sequences.double()
    mean = sequences.mean(dim=0)
    if a.predicts:
        mean = mean.mean(dim=0, keepdim=True).expand(a.sequence_length, -1)
    centred = sequences - mean
    basis = frequency_basis(centred, hidden - lags * a.features)
    if lags:
        basis = side_by_side(delay_line(centred, lags), basis)
    scale = amplitude / basis.rms
    usual = (3 * hidden) ** -0.5  # rms of torch's uniform(-1/sqrt(H), 1/sqrt(H))

    model.mean.copy_(mean)
    write = basis.write * scale[:, None]
    input_gain = _rms(write[: basis.used]) / usual
    model.input_gain.copy_(input_gain)
    _linear_recurrence(model.encoder.first, basis.transition, write / input_gain, basis.used)
    _linear_recurrence(model.decoder.first, basis.transition.T, None, basis.used)
    for stack in (model.encoder, model.decoder):
        stack.gain.fill_(1 / amplitude)

    # One step of the decoder has passed before the first readout: undo it.
    read = basis.read @ basis.transition * basis.rms
    output_gain = _rms(read[:, : basis.used]) / usual
    model.output_gain.copy_(output_gain)
    model.readout.weight.copy_(read / output_gain)
    model.readout.bias.zero_()
    if model.upper_readout is not None:
        model.upper_readout.weight.zero_()

    if isinstance(model.to_code, nn.Linear):
        weights, inverse = torch.eye(hidden).double(), None
        if isinstance(model.from_code, nn.Linear):
            sample = sequences[
                :: -(-len(sequences) // PROJECTION_SEQUENCES)
            ]  # evenly spaced: stocks lie by symbol
            known, _ = model.encode(sample.to(model.mean.dtype))
            weights, inverse = _projection(known.memory[-1].double(), basis, a.code_size)
            model.from_code.weight.copy_(inverse)
        model.to_code.weight.zero_()
        model.to_code.weight[:, :hidden] = weights.to(model.to_code.weight)
    if model.predictor is not None and lags:
        line = least_squares(centred[:, :-1].numpy(), centred[:, -1].numpy(), lags, group)
        slopes = (
            torch.from_numpy(line.coefficients).flatten(0, 1).T * basis.rms[: lags * a.features]
        )
        model.predictor.weight.zero_()
        model.predictor.weight[:, : lags * a.features] = slopes.to(model.predictor.weight)
        model.predictor.bias.copy_(torch.from_numpy(line.intercept) + mean[0])


def _projection(states: Tensor, basis: Basis, code_size: int) -> tuple[Tensor, Tensor]:
    """Last states (N, H) to their principal components (code_size, H), each at rms 1, and back (H, code_size)."""
    energy = basis.weight.sqrt() * basis.rms
    energy[basis.used :] = 0
    weighted = states * energy
    values, vectors = torch.linalg.eigh(weighted.T @ weighted / len(weighted))
    components = vectors[:, -code_size:].flip(1)
    spread = values[-code_size:].flip(0).clamp(min=values[-1] * 1e-10).sqrt()
    inverse = torch.where(energy > 0, 1 / energy.clamp(min=torch.finfo(energy.dtype).tiny), 0)
    return (components / spread).T * energy, inverse[:, None] * components * spread


def _linear_recurrence(lstm: nn.LSTM, transition: Tensor, write: Tensor | None, used: int) -> None:
    """Make a layer compute h_t = transition h_(t-1) + write x_t. `write` None ignores the input."""
    weight_ih, weight_hh, bias_ih, bias_hh = lstm.all_weights[0]
    hidden = lstm.hidden_size
    candidate = slice(2 * hidden, 3 * hidden)
    spare = weight_ih[candidate][
        used:
    ].clone()  # units without a component keep torch's draw, so that they can learn
    for tensor in (weight_ih, weight_hh, bias_ih, bias_hh):
        tensor.zero_()
    weight_hh[candidate] = ((transition - FORGET * torch.eye(hidden).double()) / OPEN**2).to(
        weight_hh
    )
    if write is not None:
        weight_ih[candidate] = (write / OPEN**2).to(weight_ih)
        weight_ih[candidate][used:] = spare
        weight_hh[candidate][used:] = 0
    bias_ih.copy_(torch.tensor([GATE, -GATE, 0.0, GATE]).repeat_interleave(hidden))


def _rms(tensor: Tensor) -> float:
    return float(tensor.square().mean().sqrt())
