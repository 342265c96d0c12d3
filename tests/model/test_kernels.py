"""The arithmetic of the layers: right, and the same bytes however it is cut and compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measuring import AVX2
from lstm_ae.model.compiling import compiled
from lstm_ae.model.products import BLOCK_DEPTH, inner_product, panel_width, product
from lstm_ae.model.tiles import tanh

SOURCE = Path(__file__).parents[2] / "src"
# Prints a digest of layers of several sizes, forwards and backwards.
LAYERS = """
import hashlib, torch
from lstm_ae.model.layers import LSTM, Linear
whole = hashlib.sha256()
sizes = [(1, 1, 1, 1), (7, 13, 5, 11), (9, 64, 44, 44), (5, 33, 28, 198)]
for steps, count, inputs, units in sizes:
    torch.manual_seed(0)
    layer, readout = LSTM(inputs, units, 2), Linear(units, 3)
    sequences = torch.randn(steps, count, inputs, requires_grad=True)
    readout(layer(sequences)[0]).square().sum().backward()
    for tensor in (sequences, *layer.parameters(), *readout.parameters()):
        whole.update(tensor.grad.contiguous().numpy().tobytes())
print(whole.hexdigest())
"""


@compiled
def each_tanh(values):
    results = np.empty_like(values)
    for n in range(len(values)):
        results[n] = tanh(values[n])
    return results


def matrices(rows: int, depth: int, columns: int, dtype: str = "float32"):
    random = np.random.default_rng(rows + depth + columns)
    a = random.normal(size=(rows, depth)).astype(dtype)
    b = random.normal(size=(depth, columns)).astype(dtype)
    return a, b


WIDTH = panel_width(np.empty(0, np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 6, 7, 123])
@pytest.mark.parametrize("depth", [1, 30, BLOCK_DEPTH + 3])
@pytest.mark.parametrize("columns", [1, WIDTH // 2, WIDTH, 2 * WIDTH + 5])
def test_a_product_is_right(dtype: str, rows: int, depth: int, columns: int) -> None:
    a, b = matrices(rows, depth, columns, dtype)
    wanted = a.astype("f8") @ b.astype("f8")
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(product(a, b), wanted, atol=tolerance * np.sqrt(depth))
    transposed = np.ascontiguousarray(a.T)
    np.testing.assert_array_equal(inner_product(transposed, b), product(a, b))


def test_a_row_of_a_product_does_not_depend_on_the_others() -> None:
    a, b = matrices(131, 300, 45)
    whole = product(a, b)
    for begin, end in [(0, 1), (3, 10), (50, 131)]:
        np.testing.assert_array_equal(product(a[begin:end], b), whole[begin:end])
    np.testing.assert_array_equal(product(a, np.ascontiguousarray(b[:, :7])), whole[:, :7])


def test_tanh_is_right_to_rounding() -> None:
    values = np.linspace(-12, 12, 1_000_001).astype("f4")
    found, wanted = each_tanh(values), np.tanh(values.astype("f8"))
    ulp = np.spacing(np.abs(wanted).astype("f4"))
    assert np.abs(found - wanted).max() < 6e-7
    assert (np.abs(found - wanted) < 6 * ulp).all()
    np.testing.assert_array_equal(found, -each_tanh(-values))
    assert np.abs(found).max() == 1


def test_tanh_of_what_is_no_number_is_none() -> None:
    for count in (1, 67):  # alone, and among others in vectors
        values = np.full(count, np.nan, "f4")
        assert np.isnan(each_tanh(values)).all()
    np.testing.assert_array_equal(each_tanh(np.array([np.inf, -np.inf, 0], "f4")), [1, -1, 0])


def test_tanh_of_tiny_numbers_is_exact() -> None:
    values = np.float32([1e-30, 1e-10, 1e-5])
    np.testing.assert_allclose(each_tanh(values), values, rtol=2e-7)


@pytest.mark.slow
def test_the_bytes_are_those_of_another_processor(tmp_path: Path) -> None:
    """Vectors of AVX2 and those that this processor has, or one number at a time."""

    def digest(**processor: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", LAYERS],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **processor},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    own = digest(NUMBA_CACHE_DIR=str(tmp_path / "own"))
    assert own == digest(NUMBA_CACHE_DIR=str(tmp_path / "avx2"), **AVX2)
    assert own == digest(
        NUMBA_CACHE_DIR=str(tmp_path / "plain"), NUMBA_OPT="1", NUMBA_LOOP_VECTORIZE="0"
    )
