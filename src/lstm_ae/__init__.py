"""LSTM autoencoders: a code of fixed size for sequences, and the study of how good it is.

Six functions use a trained model. They are imported, and torch with them, on their first use.
"""

from typing import TYPE_CHECKING, Any

from lstm_ae.core import processor

processor.cap()

if TYPE_CHECKING:
    from lstm_ae.use.inference import encode, export, forecast, load_model, reconstruct, score

__version__ = "0.2.0"

__all__ = ["encode", "export", "forecast", "load_model", "reconstruct", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lstm_ae.use import inference

    return getattr(inference, name)
