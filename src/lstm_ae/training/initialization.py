"""Three starts of a model: plain (torch's own), chrono and spectral.

Chrono: Tallec and Ollivier 2018. Spectral: frequency-domain PCA, Brillinger 1981.
Shapes: N sequences, T steps, m features, H hidden units.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import EVALUATION_BATCH
from lstm_ae.model.regression import (
    Autoregression,
    beside,
    exponential_averages,
    last_steps,
    least_squares,
)
from lstm_ae.model.runtime import in_parallel
from lstm_ae.training.linear_memory import (
    SMALLEST_EIGENVALUE,
    Basis,
    delay_line,
    frequency_basis,
    running_averages,
    side_by_side,
    square_root,
)

# sigmoid(5) = 0.993: the gates of a spectral start stand nearly open (input, output) or shut
# (forget).
GATE = 5.0
FORGET = float(torch.sigmoid(torch.tensor(-GATE)))
OPEN = float(torch.sigmoid(torch.tensor(GATE)))
AVERAGED_SPANS = 2  # spans of the longest average that its fit reads
PROJECTION_SEQUENCES = 4096  # enough to estimate the principal components of the last state


@dataclass(frozen=True)
class Initialization:
    """How a model starts.

    Parameters
    ----------
    kind
        "plain", "chrono" or "spectral".
    amplitude
        Root mean square of a hidden unit at the end of a sequence, for the spectral start.
    lags
        The last steps that the spectral start keeps as they were. The layers above the first see
        them so, and the prediction head starts at least squares on them.
    averages
        The spans, in steps, of exponential averages that stand beside the lags.
    """

    kind: str
    amplitude: float
    lags: int = 0
    averages: Sequence[int] = ()

    @property
    def kept(self) -> int:
        """How many numbers of each feature the lags and averages are."""
        return self.lags + len(self.averages)


def initialize(
    model: LSTMAutoencoder,
    initialization: Initialization,
    sequences: Tensor,
    group: NDArray[np.int64] | None = None,
) -> None:
    """Set the start of a model in place.

    Parameters
    ----------
    sequences
        (N, T, m) of the training split, as the model reads them; only the spectral start looks at
        them.
    group
        (N,) sequences of one group cover the same days (`least_squares`).
    """
    if initialization.kind == "chrono":
        for stack in (model.encoder, model.decoder):
            chrono(stack.first, model.architecture.sequence_length)
    elif initialization.kind == "spectral":
        spectral(model, initialization, sequences, group)


@torch.no_grad()
def chrono(lstm: nn.LSTM, sequence_length: int) -> None:
    """Forget biases log U(1, T - 1), input biases their negative (Tallec and Ollivier, eq. 16)."""
    _, _, bias, other_bias = lstm.all_weights[0]
    bias.zero_()
    other_bias.zero_()
    input_gate, forget_gate, _, _ = bias.chunk(4)
    longest = max(sequence_length - 1, 1)
    steps = torch.empty_like(forget_gate).uniform_(1, longest)
    forget_gate.copy_(steps.log())
    input_gate.copy_(-forget_gate)


@torch.no_grad()
def spectral(
    model: LSTMAutoencoder,
    initialization: Initialization,
    sequences: Tensor,
    group: NDArray[np.int64] | None = None,
) -> None:
    """Start the encoder as a lossless linear memory and the decoder as its inverse.

    The decoder runs backwards. With gates i, o near 1 and f near 0 and small signals an LSTM
    computes h_t = f h_(t-1) + o i (W h_(t-1) + U x_t), so W = (R - f I) / (o i) makes it the linear
    recurrence of `frequency_basis`, beside those of the lags and of the running averages. Every
    unit ends a sequence at rms `amplitude`, where tanh is nearly linear; fixed gains keep the
    weights at the size torch draws. With more hidden units than code numbers the code is the
    principal components of the last state, measured in the energy they carry. The prediction head
    starts at least squares on lags and averages. Layers above the first keep torch's start and are
    read with weight zero: they begin to count as they learn.
    """
    architecture = model.architecture
    kept = initialization.kept * architecture.features
    sequences = sequences.double()
    mean = sequences.mean(dim=0)
    if architecture.predicts:
        constant = mean.mean(dim=0, keepdim=True)
        mean = constant.expand(architecture.sequence_length, -1)
    centred = sequences - mean
    basis = frequency_basis(centred, architecture.hidden_size - kept)
    if initialization.averages:
        basis = side_by_side(running_averages(centred, initialization.averages), basis)
    if initialization.lags:
        basis = side_by_side(delay_line(centred, initialization.lags), basis)

    model.mean.copy_(mean)
    _set_memory(model, basis, initialization.amplitude)
    _set_readout(model, basis)
    if isinstance(model.to_code, nn.Linear):
        _set_code(model, model.to_code, basis, sequences)
    if model.predictor is not None and kept:
        steps = centred[:, :-1].numpy()
        following = centred[:, -1].numpy()
        read = _numbers_read(initialization, steps.shape[1])
        fit = least_squares(steps, following, read, group)
        _set_predictor(model.predictor, basis, fit, mean[0])


def _numbers_read(initialization: Initialization, steps: int) -> NDArray[np.float64]:
    """The weights of at most so many last steps in the lags and averages."""
    lags = last_steps(initialization.lags)
    spans = initialization.averages
    if not spans:
        return lags
    past = min(AVERAGED_SPANS * max(spans), steps)
    return beside(lags, exponential_averages(spans, past))


def _set_memory(
    model: LSTMAutoencoder,
    basis: Basis,
    amplitude: float,
) -> None:
    """Make the first layers of encoder and decoder the memory and its inverse."""
    used = basis.used
    scale = amplitude / basis.rms
    write = basis.write * scale[:, None]
    input_gain = _rms(write[:used]) / _usual_rms(model)
    model.input_gain.fill_(input_gain)
    encoder = model.encoder.first
    decoder = model.decoder.first
    _set_recurrence(encoder, basis.transition, write / input_gain, used)
    _set_recurrence(decoder, basis.transition.T, None, used)
    for stack in (model.encoder, model.decoder):
        stack.gain.fill_(1 / amplitude)


def _set_readout(model: LSTMAutoencoder, basis: Basis) -> None:
    # One step of the decoder has passed before the first readout: undo it.
    read = basis.read @ basis.transition * basis.rms
    of_components = read[:, : basis.used]
    output_gain = _rms(of_components) / _usual_rms(model)
    model.output_gain.fill_(output_gain)
    model.readout.weight.copy_(read / output_gain)
    model.readout.bias.zero_()
    if model.upper_readout is not None:
        model.upper_readout.weight.zero_()


def _set_code(
    model: LSTMAutoencoder,
    to_code: nn.Linear,
    basis: Basis,
    sequences: Tensor,
) -> None:
    """Make the code the last state of the memory, or its principal components."""
    hidden_size = model.architecture.hidden_size
    weights = torch.eye(hidden_size).double()
    if isinstance(model.from_code, nn.Linear):
        # Evenly spaced, since neighbours may be alike: stocks lie by symbol.
        stride = -(-len(sequences) // PROJECTION_SEQUENCES)
        sample = sequences[::stride].to(model.mean.dtype)
        last_states = _last_of_memory(model, sample)
        code_size = model.architecture.code_size
        weights, inverse = _principal_components(last_states, basis, code_size)
        model.from_code.weight.copy_(inverse)
    to_code.weight.zero_()
    to_code.weight[:, :hidden_size] = weights.to(to_code.weight)


def _last_of_memory(model: LSTMAutoencoder, sequences: Tensor) -> Tensor:
    """What the encoder's first layer holds at the end of sequences (N, T, m): (N, H) float64."""

    @torch.no_grad()
    def of_some(some: Tensor) -> Tensor:
        return model.encoder.first_states(model.encoder_input(some))[-1]

    parts = in_parallel(of_some, sequences.split(EVALUATION_BATCH))
    return torch.cat(parts).double()


def _set_predictor(
    predictor: nn.Linear,
    basis: Basis,
    fit: Autoregression,
    mean: Tensor,
) -> None:
    """Make the prediction head read lags and averages as the autoregression says.

    Parameters
    ----------
    mean
        (m,), which was removed from what `fit` was fitted to.
    """
    slopes = torch.from_numpy(fit.slopes).flatten(0, 1)
    units = len(slopes)
    of_units = slopes.T * basis.rms[:units]
    predictor.weight.zero_()
    predictor.weight[:, :units] = of_units.to(predictor.weight)
    intercept = torch.from_numpy(fit.intercept)
    predictor.bias.copy_(intercept + mean)


def _principal_components(
    states: Tensor,
    basis: Basis,
    code_size: int,
) -> tuple[Tensor, Tensor]:
    """The maps of last states (N, H) to their principal components and back.

    Returns
    -------
    (code_size, H), which gives each component at rms 1, and its inverse (H, code_size).
    """
    energy = square_root(basis.weight) * basis.rms
    energy[basis.used :] = 0
    weighted = states * energy
    covariance = weighted.T @ weighted / len(weighted)
    values, vectors = torch.linalg.eigh(covariance)
    components = vectors[:, -code_size:].flip(1)
    floor = values[-1] * SMALLEST_EIGENVALUE
    variances = values[-code_size:].flip(0)
    spread = square_root(variances.clamp(min=floor))
    smallest = torch.finfo(energy.dtype).tiny
    inverse_energy = 1 / energy.clamp(min=smallest)
    inverse_energy = torch.where(energy > 0, inverse_energy, 0)
    to_code = (components / spread).T * energy
    from_code = inverse_energy[:, None] * components * spread
    return to_code, from_code


def _set_recurrence(
    lstm: nn.LSTM,
    transition: Tensor,
    write: Tensor | None,
    used: int,
) -> None:
    """Make a layer compute h_t = transition h_(t-1) + write x_t. `write` None ignores the input.

    Units of the encoder without a component, those from `used` on, keep torch's draw of the input
    weights, so that they can learn.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = lstm.all_weights[0]
    hidden_size = lstm.hidden_size
    candidate = slice(2 * hidden_size, 3 * hidden_size)
    drawn = weight_ih[candidate][used:].clone()
    for tensor in (weight_ih, weight_hh, bias_ih, bias_hh):
        tensor.zero_()
    identity = torch.eye(hidden_size).double()
    recurrent = (transition - FORGET * identity) / OPEN**2
    weight_hh[candidate] = recurrent.to(weight_hh)
    if write is not None:
        weight_ih[candidate] = (write / OPEN**2).to(weight_ih)
        weight_ih[candidate][used:] = drawn
        weight_hh[candidate][used:] = 0
    gates = torch.tensor([GATE, -GATE, 0.0, GATE])  # input, forget, candidate, output
    bias_ih.copy_(gates.repeat_interleave(hidden_size))


def _usual_rms(model: LSTMAutoencoder) -> float:
    """Root mean square of the weights that torch draws, uniform(-1/sqrt(H), 1/sqrt(H))."""
    return float((3 * model.architecture.hidden_size) ** -0.5)


def _rms(tensor: Tensor) -> float:
    return math.sqrt(float(tensor.square().mean()))
