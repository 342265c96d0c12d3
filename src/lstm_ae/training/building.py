"""A model at its start: of the section's form, of the size that the hyperparameters say."""

import torch

from lstm_ae.core.errors import InputError
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import Architecture, LSTMAutoencoder, as_input
from lstm_ae.params import Model
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.initialization import Initialization, initialize

SPECTRUM_SEQUENCES = 20_000  # enough to estimate the spectrum of a spectral start


def build(
    form: Model,
    hyperparameters: Hyperparameters,
    train: Split,
    classes: int | None,
    seed: int,
) -> LSTMAutoencoder:
    """Build a model at its start.

    Parameters
    ----------
    form
        The block `model` of the section.
    train
        The training split, which decides the shape of a sequence and the spectral start.
    classes
        Of the labels, or None.
    seed
        Of the weights. They depend on nothing that was drawn before, and change nothing that is
        drawn later.

    Raises
    ------
    InputError
        The code, lags and averages need more than the hidden state, the code or the lags are as
        large as a sequence, or the period does not divide it.
    """
    architecture = _architecture(form, hyperparameters, train, classes)
    sample = train.thinned(SPECTRUM_SEQUENCES)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = LSTMAutoencoder(architecture)
        initialize(
            model,
            Initialization(
                form.initialization,
                form.amplitude,
                form.lags,
                form.averages,
            ),
            as_input(torch.from_numpy(sample.sequences)),
            sample.group,
        )
    return model


def _architecture(
    form: Model,
    hyperparameters: Hyperparameters,
    train: Split,
    classes: int | None,
) -> Architecture:
    length, features = train.sequences.shape[1:]
    hidden_size = hyperparameters.hidden_size
    code_size = form.code_size or hidden_size
    _check_sizes(form, hidden_size, length, features)
    return Architecture(
        features=features,
        sequence_length=length,
        hidden_size=hidden_size,
        code_size=code_size,
        layers=hyperparameters.layers,
        period=form.period,
        code_enters=form.code_enters,
        decoding=form.decoding,
        output=form.output,
        classes=classes,
        upper_size=form.upper_size or hidden_size,
        class_hidden_size=form.class_hidden_size,
        predicts=train.following is not None,
    )


def _check_sizes(
    form: Model,
    hidden_size: int,
    length: int,
    features: int,
) -> None:
    code_size = form.code_size or hidden_size
    if length < form.lags + 2:
        raise InputError(
            f"model.lags {form.lags}: too many for sequences of {length} steps; "
            f"set it to at most {length - 2}"
        )
    kept = form.lags + len(form.averages)
    smallest = code_size + kept * features
    if hidden_size < smallest:
        beside = f" and {kept} lags and averages of {features} numbers" if kept else ""
        raise InputError(
            f"hidden_size {hidden_size}: too small for a code of {code_size}{beside}; "
            f"set it to at least {smallest}"
        )
    numbers = length * features
    if code_size >= numbers:
        raise InputError(
            f"model.code_size {code_size}: no smaller than a sequence, which has {numbers} "
            f"numbers; set it to at most {numbers - 1}"
        )
    if length % form.period:
        raise InputError(
            f"model.period {form.period}: does not divide the {length} steps of a sequence; "
            f"set it to a divisor of {length}"
        )
