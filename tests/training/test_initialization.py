import numpy as np
import pytest
import torch

from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder
from lstm_ae.model.regression import beside, exponential_averages, last_steps, least_squares
from lstm_ae.training.initialization import Initialization, chrono, initialize
from lstm_ae.training.linear_memory import delay_line, frequency_basis, running_averages


def autoencoder(
    sequences: torch.Tensor,
    hidden_size: int,
    code_size: int,
    layers: int = 1,
    predicts: bool = False,
) -> LSTMAutoencoder:
    _, length, features = sequences.shape
    return LSTMAutoencoder(
        Architecture(
            features,
            length,
            hidden_size,
            hidden_size,
            code_size,
            layers,
            1,
            "state",
            "backward",
            "linear",
            None,
            16,
            predicts,
        )
    )


def truncated(sequences: torch.Tensor, units: int) -> torch.Tensor:
    """The sequences through the linear recurrence and its inverse, in float64."""
    mean = sequences.double().mean(0)
    centred = sequences.double() - mean
    basis = frequency_basis(centred, units)
    state = torch.zeros(len(sequences), units).double()
    for t in range(sequences.shape[1]):
        state = state @ basis.transition.T + centred[:, t] @ basis.write.T
    steps = []
    for _ in range(sequences.shape[1]):
        steps.append(state @ basis.read.T)
        state = state @ basis.transition
    return torch.stack(steps[::-1], 1) + mean


@pytest.mark.parametrize(
    ("length", "features", "hidden_size", "amplitude"),
    [(28, 28, 64, 0.01), (50, 1, 32, 0.01), (784, 1, 64, 0.005)],
)
def test_an_untrained_spectral_start_reproduces_its_truncation(
    length, features, hidden_size, amplitude
) -> None:
    noise = torch.rand(300, length, features)
    sequences = noise.cumsum(1) / length**0.5 if features == 1 else noise * torch.rand(features)
    model = autoencoder(sequences, hidden_size, hidden_size)
    initialize(model, Initialization("spectral", amplitude), sequences)
    with torch.no_grad():
        found = model(sequences).reconstruction.double()
    wanted = truncated(sequences, hidden_size)
    variance = (sequences - sequences.mean(0)).double().square().mean()
    assert (found - wanted).square().mean() < 0.002 * variance


def test_a_full_basis_loses_nothing() -> None:
    sequences = torch.rand(100, 20, 2)
    assert torch.allclose(truncated(sequences, 40), sequences.double(), atol=1e-9)


def test_the_code_of_a_wider_memory_starts_as_pca() -> None:
    sequences = torch.rand(2000, 20, 1)
    model = autoencoder(sequences, 20, 8)
    initialize(model, Initialization("spectral", 0.005), sequences)
    with torch.no_grad():
        error = (model(sequences).reconstruction - sequences).square().mean()
    flat = sequences.flatten(1).double()
    flat = flat - flat.mean(0)
    pca = torch.linalg.eigvalsh(flat.T @ flat / len(flat))[:-8].sum() / 20
    assert float(error) == pytest.approx(float(pca), rel=0.03)


def test_the_code_knows_the_sequences_at_the_end_of_the_split_too() -> None:
    weak, strong = (
        torch.sin(2 * torch.pi * k * (torch.arange(20) / 20 + torch.rand(6000, 1)))[:, :, None]
        for k in (1, 2)
    )
    sequences = torch.where((torch.arange(6000) < 4500)[:, None, None], weak, 3 * strong)
    model = autoencoder(sequences, 20, 2)
    initialize(model, Initialization("spectral", 0.005), sequences)
    with torch.no_grad():
        error = (model(sequences).reconstruction - sequences).square().mean()
    assert float(error) < 0.3 * float(sequences.var())  # the strong kind alone is three quarters


@pytest.mark.parametrize("code_size", [8, 16])
def test_layers_above_the_first_start_unread_and_learn(code_size: int) -> None:
    sequences = torch.rand(200, 20, 1)
    reconstructions = []
    for layers in (1, 3):
        model = autoencoder(sequences, 16, code_size, layers)
        initialize(model, Initialization("spectral", 0.01), sequences)
        reconstructions.append(model(sequences).reconstruction)
    one_layer, three_layers = reconstructions
    assert torch.allclose(one_layer, three_layers, atol=1e-5)
    reconstructions[1].square().sum().backward()
    assert model.upper_readout.weight.grad.abs().max() > 0
    assert model.to_code.weight.grad[:, 16:].abs().max() > 0


def test_a_spectral_code_is_white() -> None:
    sequences = torch.rand(2000, 20, 1)
    model = autoencoder(sequences, 20, 8)
    initialize(model, Initialization("spectral", 0.005), sequences)
    with torch.no_grad():
        code = model(sequences).code
    assert torch.allclose(code.T @ code / len(code), torch.eye(8), atol=0.1)


def test_a_predicting_model_starts_with_a_mean_constant_in_time() -> None:
    sequences = torch.rand(200, 20, 3) + torch.arange(20)[:, None]
    model = autoencoder(sequences, 16, 8, predicts=True)
    initialize(model, Initialization("spectral", 0.01), sequences)
    assert torch.equal(model.mean, model.mean[:1].expand(20, 3))


def test_chrono_biases_span_the_sequence() -> None:
    lstm = torch.nn.LSTM(1, 64)
    chrono(lstm, 100)
    parameters = dict(lstm.named_parameters())
    input_gate, forget_gate, _, _ = parameters["bias_ih_l0"].detach().chunk(4)
    assert torch.equal(input_gate, -forget_gate)
    assert forget_gate.min() >= 0 and forget_gate.max() <= torch.tensor(99.0).log()
    assert parameters["bias_hh_l0"].abs().max() == 0


def test_a_delay_line_holds_the_last_steps_as_they_were() -> None:
    sequences = torch.rand(5, 12, 2).double()
    basis = delay_line(sequences, 3)
    state = torch.zeros(5, 6).double()
    for t in range(12):
        state = state @ basis.transition.T + sequences[:, t] @ basis.write.T
    assert torch.equal(state, sequences[:, -3:].flip(1).flatten(1))


def test_a_running_average_keeps_a_share_of_itself() -> None:
    sequences = torch.rand(5, 12, 2).double()
    basis = running_averages(sequences, [3, 5])
    state = torch.zeros(5, 4).double()
    average = torch.zeros(5, 2).double()
    for t in range(12):
        state = state @ basis.transition.T + sequences[:, t] @ basis.write.T
        average += (sequences[:, t] - average) / 5
    assert torch.allclose(state[:, 2:], average)
    assert torch.allclose(basis.rms, state.square().mean(0).sqrt())


def test_a_feature_that_stands_still_is_no_unit_of_full_size() -> None:
    random = torch.Generator().manual_seed(0)
    centred = torch.randn(200, 6, 3, generator=random).double()
    centred[..., 0] = 0
    rms = delay_line(centred, 2).rms
    size = centred.square().mean().sqrt()
    assert rms[0] == pytest.approx(0.1 * size)
    assert torch.equal(rms[:3], rms[3:])
    assert rms[1:3].tolist() == pytest.approx(
        centred[..., 1:].square().mean((0, 1)).sqrt().tolist()
    )


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("averages", [[], [3, 6]])
def test_a_forecaster_starts_at_least_squares(layers: int, averages: list[int]) -> None:
    sequences = torch.randn(400, 30, 2).cumsum(2) + 1
    group = np.repeat(np.arange(4), 100)
    model = autoencoder(sequences, 24, 6, layers, predicts=True)
    start = Initialization("spectral", 0.002, 4, averages)
    initialize(model, start, sequences, group)
    read = last_steps(4)
    if averages:
        read = beside(read, exponential_averages(averages, 12))
    steps, following = sequences[:, :-1].double().numpy(), sequences[:, -1].double().numpy()
    line = least_squares(steps, following, read, group)
    wanted = line.predict(sequences.double().numpy())
    with torch.no_grad():
        found = model(sequences).predictions[:, len(read) - 1 :].double().numpy()
    if averages:  # of later steps the memory also holds a little of what the line does not read
        found, wanted = found[:, 0], wanted[:, 0]
    assert np.abs(found - wanted).max() < 0.02 * wanted.std()
