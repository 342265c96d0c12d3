"""What the last bit of one input does to the result of a whole training."""

import numpy as np
import pytest
import torch

from lstm_ae.core.splits import Split
from lstm_ae.data import toy
from lstm_ae.params import Params
from lstm_ae.training.building import build
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.loop import fit
from lstm_ae.training.processes import accelerate
from lstm_ae.training.records import Recipe


@pytest.mark.long
@pytest.mark.parametrize("layers", [1, 2])
def test_the_last_bit_of_an_input_moves_no_result_at_the_largest_rate_of_a_search(
    params: Params, layers
) -> None:
    section = params.section("toy")
    sequences, _ = toy.generate(section.data, params.seed)
    train, validation, _ = np.split(sequences[..., None], [6000, 8000])
    moved = train.copy()
    moved[0, 0, 0] = np.nextafter(moved[0, 0, 0], np.float32(2))
    space = section.search.space
    hyperparameters = Hyperparameters(
        hidden_size=space.hidden_size.high,
        lr=space.lr.high,
        gradient_clip=space.gradient_clip.high,
        layers=layers,
        epochs=section.epochs,
    )
    recipe = Recipe(section.training, hyperparameters, params.training_seed)
    losses = []
    for given in (train, moved):
        model = build(section.model, hyperparameters, Split(given), None, recipe.seed)
        fabric = accelerate(torch.device("cpu"), params.precision)
        trained = fit(fabric, model, Split(given), Split(validation), recipe)
        losses.append(trained.best_loss)
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
