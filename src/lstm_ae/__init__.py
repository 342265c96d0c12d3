"""LSTM autoencoders: a code of fixed size for sequences, and the study of how good it is.

Six names use a trained model; they are read, and torch with them, when one is first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_ae.use.inference import encode, export, forecast, load_model, reconstruct, score

__all__ = ["encode", "export", "forecast", "load_model", "reconstruct", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lstm_ae.use import inference

    return getattr(inference, name)
