import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from lstm_ae.core.splits import Split
from lstm_ae.params import Params
from lstm_ae.rivals.fitting import Task, fit_network, save_network
from lstm_ae.rivals.networks import Convolution, ResidualAutoencoder, Shape, load_network
from lstm_ae.training.hyperparameters import Hyperparameters
from lstm_ae.training.processes import accelerate

IMAGE = [8, 12]
SIZES = {"length": 8, "features": 12, "code_size": 5, "hidden_size": 16}
SHAPES = pytest.mark.parametrize(
    "shape",
    [Shape(**SIZES), Shape(**SIZES, image=IMAGE, classes=3)],
    ids=["dense", "convolutional"],
)


def split(count: int, seed: int = 0) -> Split:
    """Images of two bright squares, whose classes are where the first one lies."""
    random = np.random.default_rng(seed)
    images = random.random((count, *IMAGE)).astype(np.float32) / 10
    labels = random.integers(3, size=count)
    for image, label, row in zip(images, labels, random.integers(6, size=count), strict=True):
        image[row : row + 2, 4 * label : 4 * label + 2] += 1
    return Split(images, labels=labels, image_shape=np.array(IMAGE))


@SHAPES
def test_a_network_starts_as_pca(shape: Shape) -> None:
    train, test = split(300), split(50, seed=1)
    network = ResidualAutoencoder(shape)
    network.start_at_pca(train)
    flat = train.values().reshape(len(train), -1)
    pca = PCA(shape.code_size).fit(flat)
    expected = pca.inverse_transform(pca.transform(test.values().reshape(len(test), -1)))
    with torch.no_grad():
        output = network(torch.from_numpy(test.sequences))
    assert output.code.shape == (50, 5)
    assert np.allclose(output.reconstruction.numpy().reshape(50, -1), expected, atol=1e-5)
    assert (output.logits is None) == (shape.classes is None)


def test_a_convolution_is_that_of_torch() -> None:
    convolution = Convolution(3, 4, stride=2)
    images = torch.rand(2, 3, 8, 12)
    weight = convolution.linear.weight.view(4, 3, 3, 3)
    expected = torch.nn.functional.conv2d(
        images,
        weight,
        convolution.linear.bias,
        stride=2,
        padding=1,
    )
    assert torch.allclose(convolution(images), expected, atol=1e-6)


@SHAPES
def test_a_network_learns_what_is_not_linear_and_is_saved(
    shape: Shape, params: Params, tmp_path
) -> None:
    task = Task(
        train=split(600),
        validation=split(200, seed=1),
        classes=3,
        code_size=shape.code_size,
        training=params.section("mnist_rows_class").training.model_copy(update={"shift": 0}),
        hyperparameters=Hyperparameters(
            hidden_size=16,
            lr=3e-3,
            gradient_clip=1.0,
            layers=1,
            epochs=10,
        ),
        seed=0,
    )
    trained = fit_network(accelerate(torch.device("cpu"), "32-true"), task, shape)
    at_start, *_ = trained.history
    assert trained.best_loss < 0.9 * at_start["validation"]["loss"]
    save_network(trained, tmp_path)
    sequences = torch.from_numpy(split(5, seed=2).sequences)
    with torch.no_grad():
        expected = trained.model(sequences)
        found = load_network(tmp_path)(sequences)
    assert torch.equal(found.reconstruction, expected.reconstruction)


def test_a_section_of_images_has_both_and_one_of_series_the_dense_one(params: Params) -> None:
    images = split(10)
    series = Split(images.sequences)
    hyperparameters = Hyperparameters(16, 1e-3, 1.0, 1, 1)
    training = params.section("toy").training
    of_images, of_series = (
        Task(some, some, None, 5, training, hyperparameters, 0).shapes()
        for some in (images, series)
    )
    assert list(of_images) == ["feed_forward", "convolutional"]
    assert list(of_series) == ["feed_forward"]
