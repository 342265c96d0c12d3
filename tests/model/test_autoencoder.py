import pytest
import torch

from lstm_ae.core.errors import InputError
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder, as_input
from lstm_ae.model.saving import save_autoencoder
from lstm_ae.package.loading import load_autoencoder

FORMS = [
    (enters, decoding, output, code_size, layers)
    for enters in ("state", "input")
    for decoding in ("backward", "forward")
    for output in ("linear", "sigmoid")
    for code_size, layers in ((4, 1), (8, 2))
]


def build(
    enters="state", decoding="backward", output="linear", code_size=4, layers=1, period=1
) -> LSTMAutoencoder:
    return LSTMAutoencoder(
        Architecture(
            3, 7, 8, 6, code_size, layers, period, enters, decoding, output, 5, 16, period == 1
        )
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_what_it_promises(form) -> None:
    output = build(*form)(torch.rand(6, 7, 3))
    assert output.reconstruction.shape == output.predictions.shape == (6, 7, 3)
    assert output.code.shape == (6, form[3])
    assert output.logits.shape == (6, 5)
    if form[2] == "sigmoid":
        assert output.reconstruction.min() > 0 and output.reconstruction.max() < 1


def test_the_decoder_sees_the_code_alone() -> None:
    model = build()
    sequences = torch.rand(2, 7, 3)
    output = model(sequences)
    assert torch.equal(model.decode(output.code), output.reconstruction)


@pytest.mark.parametrize("decoding", ["backward", "forward"])
def test_upper_layers_refine_each_step_of_their_tick(decoding: str) -> None:
    model = build(decoding=decoding, layers=2, period=7)
    with torch.no_grad():
        model.upper_readout.weight.zero_()
        plain = model.decode(torch.ones(2, 4))
        model.upper_readout.weight[3] = 1.0  # the first feature of the second step
        refined = model.decode(torch.ones(2, 4)) - plain
    step = 5 if decoding == "backward" else 1
    assert refined[:, step, 0].abs().min() > 0
    refined[:, step, 0] = 0
    assert not refined.any()


def test_a_prediction_sees_nothing_after_its_step() -> None:
    model = build()
    sequences = torch.rand(2, 7, 3)
    changed = sequences.clone()
    changed[:, 4:] += 1
    before, after = model(sequences).predictions, model(changed).predictions
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_rolling_forward_begins_with_the_prediction_of_the_next_step_and_feeds_it_back() -> None:
    model = build().eval()
    sequences = torch.rand(2, 7, 3)
    rolled = model.roll_forward(sequences[:, :4], 2)
    assert torch.allclose(rolled[:, 0], model(sequences).predictions[:, 3], atol=1e-6)
    fed = torch.cat([sequences[:, :4], rolled[:, :1], sequences[:, 5:]], 1)
    assert torch.allclose(rolled[:, 1], model(fed).predictions[:, 4], atol=1e-6)


def test_every_parameter_has_one_rate_group() -> None:
    model = build()
    groups = model.groups()
    assert sum(len(group) for group in groups.values()) == len(list(model.parameters()))
    assert len(groups["biases"]) == 4


def test_bytes_are_read_as_the_unit_interval() -> None:
    assert torch.equal(
        as_input(torch.tensor([0, 255], dtype=torch.uint8)), torch.tensor([0.0, 1.0])
    )


def test_a_saved_model_comes_back(tmp_path) -> None:
    model, sequences = build(), torch.rand(2, 7, 3)
    save_autoencoder(model, tmp_path)
    assert torch.equal(
        load_autoencoder(tmp_path)(sequences).reconstruction, model(sequences).reconstruction
    )


def test_weights_of_another_shape_are_refused(tmp_path) -> None:
    save_autoencoder(build(code_size=5), tmp_path)
    (tmp_path / "weights.safetensors").rename(tmp_path / "other.safetensors")
    save_autoencoder(build(), tmp_path)
    with pytest.raises(InputError, match=r"not the weights of model\.json"):
        load_autoencoder(tmp_path, "other.safetensors")
