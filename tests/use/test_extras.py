import importlib

import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.use.extras import needs_extra


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    message = r"the package nowhere is not installed; run pip install 'lstm-ae\[onnx\]'"
    with pytest.raises(InputError, match=message), needs_extra("onnx"):
        importlib.import_module("nowhere")


def test_a_missing_module_of_this_library_is_an_error_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError), needs_extra("onnx"):
        importlib.import_module("lstm_ae.nowhere")
