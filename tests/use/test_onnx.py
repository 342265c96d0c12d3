import json
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import lstm_ae
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder, as_input
from lstm_ae.use.onnx import graph_of
from tests.packages import digits_package, hourly_package, stocks_package, toy_package


def run(graph: bytes, sequences: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"sequences": sequences}), strict=True))


@torch.no_grad()
def assert_same(
    model: LSTMAutoencoder, graph: bytes, sequences: torch.Tensor, tolerance: float
) -> None:
    """ONNX answers what torch answers.

    The tolerance is of the root mean square of the difference, beside that of torch's answer, or
    beside 1 where that is larger.
    """
    output = model(sequences)
    expected = {key: value.numpy() for key, value in output._asdict().items() if value is not None}
    answers = run(graph, sequences.numpy())
    assert answers.keys() == expected.keys()
    for name, value in expected.items():
        assert answers[name].shape == value.shape
        size = max(1.0, float(np.square(value).mean()) ** 0.5)
        assert np.square(answers[name] - value).mean() ** 0.5 < tolerance * size, name


FORMS = ("toy", "mnist_rows_class", "mnist_pixels_class", "snp", "snp_forecast")


@pytest.mark.parametrize("section", FORMS)
def test_onnx_says_what_torch_says_on_real_data(section: str, params, mirror, tmp_path) -> None:
    if section == "toy":
        package, prepared = toy_package(params, tmp_path)
    elif section.startswith("mnist"):
        package, prepared = digits_package(params, section, mirror, 40)
    else:
        lines = (mirror / "all_stocks_5yr.csv").read_text().splitlines(keepends=True)
        symbols = ("Name", "AAPL", "AMZN", "GOOGL", "IBM", "KO", "XOM")
        few = [line for line in lines if line.rstrip().rpartition(",")[2] in symbols]
        (tmp_path / "prices.csv").write_text("".join(few))
        package, prepared = stocks_package(params, section, tmp_path / "prices.csv")
    lstm_ae.export(package, tmp_path / "model.onnx")
    sequences = as_input(torch.from_numpy(prepared.splits["test"].sequences[:30].copy()))
    tolerance = 1e-4 if "pixels" in section else 2e-5
    assert_same(package.model, (tmp_path / "model.onnx").read_bytes(), sequences, tolerance)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("code_size", [5, 8])
@pytest.mark.parametrize(
    ("enters", "decoding", "output"),
    [("input", "forward", "sigmoid"), ("state", "backward", "linear")],
)
def test_every_form_of_decoder_is_the_same(
    layers: int, code_size: int, enters: Any, decoding: Any, output: Any
) -> None:
    model = LSTMAutoencoder(
        Architecture(2, 12, 8, 6, code_size, layers, 1, enters, decoding, output, 3, 6, True)
    ).eval()
    assert_same(model, graph_of(model).SerializeToString(), torch.randn(7, 12, 2), 1e-5)


def test_the_file_says_how_values_are_scaled_and_has_the_same_bytes_again(params, tmp_path) -> None:
    package = hourly_package(params, tmp_path / "hourly.csv")
    for name in ("first.onnx", "second.onnx"):
        lstm_ae.export(package, tmp_path / name)
    assert (tmp_path / "first.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()
    entries = onnx.load(tmp_path / "first.onnx").metadata_props
    metadata = {entry.key: entry.value for entry in entries}
    assert json.loads(metadata["layout"])["scale"] == package.layout.scale
