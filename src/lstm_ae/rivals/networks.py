"""Autoencoders without a recurrence: principal components with residual networks.

Shapes: B sequences, T steps, m features, D = T m numbers, k numbers of a code.
"""

from pathlib import Path

import numpy as np
import pydantic.dataclasses
import torch
from pydantic import PositiveInt
from safetensors.torch import load_file
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn import functional

from lstm_ae.core.files import read_record
from lstm_ae.core.splits import Split
from lstm_ae.model.autoencoder import STRICT, Autoencoder, Output
from lstm_ae.model.layers import Linear

CHANNELS = (16, 32)  # of the two convolutions
PCA_SEQUENCES = 20_000  # enough to estimate the principal components


@pydantic.dataclasses.dataclass(frozen=True, config=STRICT)
class Shape:
    """Everything that decides the shapes of a rival.

    Parameters
    ----------
    image
        Height and width where the residuals are convolutions; None where they are dense.
    hidden_size
        Of the dense residuals and the class head.
    classes
        How many the class head tells apart. None: there is no class head.
    """

    length: PositiveInt
    features: PositiveInt
    code_size: PositiveInt
    hidden_size: PositiveInt
    image: list[PositiveInt] | None = None
    classes: PositiveInt | None = None


class ResidualAutoencoder(Autoencoder):
    """Linear maps to a code and back, each beside a network that starts at zero.

    With the linear maps at principal components it starts as PCA, and what it gains over PCA the
    networks have learnt (He et al. 2016, for layers that learn a difference).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        numbers = shape.length * shape.features
        code_size = shape.code_size
        self.register_buffer("mean", torch.zeros(shape.length, shape.features))
        self.to_code = Linear(numbers, code_size, bias=False)
        self.from_code = Linear(code_size, numbers, bias=False)
        if shape.image is None:
            self.encoder = _dense(numbers, shape.hidden_size, code_size)
            self.decoder = _dense(code_size, shape.hidden_size, numbers)
        else:
            self.encoder = _convolutions(shape.image, code_size)
            self.decoder = _sub_pixel_convolutions(shape.image, code_size)
        for network in (self.encoder, self.decoder):
            last = _last_linear(network)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.classifier: nn.Sequential | None = None
        if shape.classes:
            self.classifier = nn.Sequential(
                nn.LayerNorm(code_size),
                Linear(code_size, shape.hidden_size),
                nn.ReLU(),
                Linear(shape.hidden_size, shape.classes),
            )

    @torch.no_grad()
    def start_at_pca(self, train: Split) -> None:
        """Set the linear maps to principal components of the training sequences, at rms 1."""
        values = train.thinned(PCA_SEQUENCES).values()
        flat = values.reshape(len(values), -1)
        count = min(self.shape.code_size, *flat.shape)
        pca = PCA(count, svd_solver="covariance_eigh").fit(flat)
        smallest = np.finfo(np.float32).eps
        variances = np.maximum(pca.explained_variance_, smallest)
        spread = np.sqrt(variances)
        components = pca.components_.T
        mean = torch.from_numpy(pca.mean_)
        self.mean.copy_(mean.view_as(self.mean))
        self.to_code.weight.zero_()
        self.to_code.weight[:count] = torch.from_numpy((components / spread).T)
        self.from_code.weight.zero_()
        self.from_code.weight[:, :count] = torch.from_numpy(components * spread)

    def forward(self, sequences: Tensor) -> Output:
        """One pass over sequences (B, T, m)."""
        flat = (sequences - self.mean).flatten(1)
        code = self.to_code(flat) + self.encoder(flat)
        centred = self.from_code(code) + self.decoder(code)
        reconstruction = centred.view_as(sequences) + self.mean
        logits = None
        if self.classifier is not None:
            logits = self.classifier(code)
        return Output(reconstruction, code, logits, None)


class Convolution(nn.Module):
    """A convolution of 3 by 3 pixels, as a product of patches: the same bytes everywhere."""

    def __init__(
        self,
        channels: int,
        filters: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.linear = Linear(9 * channels, filters)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, channels, height, width) to (B, filters, height / stride, width / stride)."""
        patches = functional.unfold(images, 3, padding=1, stride=self.stride)
        filtered = self.linear(patches.transpose(1, 2))
        height = -(-images.shape[2] // self.stride)
        return filtered.transpose(1, 2).unflatten(2, (height, -1))


def _dense(
    inputs: int,
    hidden_size: int,
    outputs: int,
) -> nn.Sequential:
    return nn.Sequential(
        Linear(inputs, hidden_size),
        nn.ReLU(),
        Linear(hidden_size, outputs),
    )


def _convolutions(image: list[int], code_size: int) -> nn.Sequential:
    first, second = CHANNELS
    quarter = _quarter(image)
    return nn.Sequential(
        nn.Unflatten(1, (1, *image)),
        Convolution(1, first, stride=2),
        nn.ReLU(),
        Convolution(first, second, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        Linear(second * quarter[0] * quarter[1], code_size),
    )


def _sub_pixel_convolutions(image: list[int], code_size: int) -> nn.Sequential:
    """Convolutions of which each gives four pixels for one (Shi et al. 2016)."""
    first, second = CHANNELS
    quarter = _quarter(image)
    return nn.Sequential(
        Linear(code_size, second * quarter[0] * quarter[1]),
        nn.ReLU(),
        nn.Unflatten(1, (second, *quarter)),
        Convolution(second, 4 * first),
        nn.PixelShuffle(2),
        nn.ReLU(),
        Convolution(first, 4),
        nn.PixelShuffle(2),
        nn.Flatten(),
    )


def _quarter(image: list[int]) -> tuple[int, int]:
    """Height and width of an image after two strides of two."""
    height, width = image
    return height // 4, width // 4


def _last_linear(network: nn.Sequential) -> nn.Linear:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    return layers[-1]


def load_network(directory: Path) -> ResidualAutoencoder:
    """Read a network that `lstm_ae.rivals.fitting` saved."""
    network = ResidualAutoencoder(read_record(directory / "shape.json", Shape))
    network.load_state_dict(load_file(directory / "weights.safetensors"))
    return network.eval()
