"""The block of a section: its hyperparameters, its data, model, training and search."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lstm_ae.params.blocks import Block, Count, CountRange, NonNegative, Positive, PositiveRange
from lstm_ae.params.data import Data

Tuned = Literal["tuned"]
TUNABLE = ("hidden_size", "lr", "gradient_clip", "layers")


class Model(Block):
    code_size: Count | None
    code_enters: Literal["state", "input"]
    decoding: Literal["backward", "forward"]
    output: Literal["linear", "sigmoid"]
    initialization: Literal["plain", "chrono", "spectral"]
    amplitude: Positive
    period: Count
    lags: Annotated[int, Field(ge=0)]
    averages: list[Annotated[int, Field(ge=2)]]
    upper_size: Count | None
    class_hidden_size: Count

    @model_validator(mode="after")
    def spectral_start_fits(self) -> "Model":
        form = (self.code_enters, self.decoding, self.output)
        if self.initialization == "spectral" and form != ("state", "backward", "linear"):
            raise ValueError(
                f"initialization: spectral cannot start a model of the form {', '.join(form)}; set "
                "code_enters: state, decoding: backward, output: linear, or another initialization"
            )
        for name, kept in (("lags", self.lags), ("averages", self.averages)):
            if kept and self.initialization != "spectral":
                raise ValueError(
                    f"{name} {kept}: a {self.initialization} start keeps none; set {name} to "
                    f"{'0' if name == 'lags' else '[]'}, or initialization to spectral"
                )
        return self


class LossWeights(Block):
    reconstruction: NonNegative
    classification: NonNegative
    prediction: NonNegative

    @model_validator(mode="after")
    def any_positive(self) -> "LossWeights":
        if not self.reconstruction + self.classification + self.prediction > 0:
            raise ValueError("at least one weight above 0 is needed")
        return self


class RateFactors(Block):
    encoder: NonNegative
    decoder: NonNegative
    biases: NonNegative
    heads: NonNegative

    @model_validator(mode="after")
    def any_positive(self) -> "RateFactors":
        if not self.encoder + self.decoder + self.biases + self.heads > 0:
            raise ValueError("at least one factor above 0 is needed")
        return self

    def frozen(self) -> list[str]:
        """The names of factor 0."""
        return [name for name, factor in self.model_dump().items() if not factor]


class Training(Block):
    """How a model is trained.

    Parameters
    ----------
    part_size
        Sequences of a batch that one thread computes at once.
    """

    batch_size: Count
    part_size: Count
    optimizer: Literal["adam", "adamw", "muon", "sgd"]
    weight_decay: NonNegative
    momentum: Annotated[float, Field(ge=0, lt=1)]
    loss: Literal["mse", "l1", "smooth_l1"]
    loss_weights: LossWeights
    error_correlation: Annotated[float, Field(ge=0, lt=1)]
    shift: Annotated[int, Field(ge=0)]
    schedule: Literal["one_cycle", "cosine", "constant"]
    warmup: Annotated[float, Field(gt=0, lt=1)]
    lr_factors: RateFactors


class Space(Block):
    """The ranges that a search draws its hyperparameters from."""

    hidden_size: CountRange
    lr: PositiveRange
    gradient_clip: PositiveRange
    layers: CountRange

    def bounds(self) -> dict[str, tuple[float, float]]:
        """The lower and the upper bound of each hyperparameter, by its name."""
        ranges = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: (values.low, values.high) for name, values in ranges.items()}


class Search(Block):
    trials: Annotated[int, Field(ge=0)]
    concurrency: Count
    epochs: Count
    sequences: Count
    storage: str | None
    space: Space


class Section(Block):
    """One study: a data set, a model, how it is trained and how its hyperparameters are searched.

    Parameters
    ----------
    lr, hidden_size, layers, gradient_clip
        A number, or `tuned`: what the search found.
    """

    lr: Positive | Tuned
    hidden_size: Count | Tuned
    layers: Count | Tuned
    gradient_clip: Positive | Tuned
    epochs: Count
    data: Data
    model: Model
    training: Training
    search: Search

    @model_validator(mode="after")
    def tuned_needs_a_search(self) -> "Section":
        if self.search.trials > 0:
            return self
        for name in TUNABLE:
            if getattr(self, name) == "tuned":
                raise ValueError(
                    f"{name}: tuned, but search.trials is 0; set a number, or trials above 0"
                )
        return self

    @model_validator(mode="after")
    def code_fits_the_hidden_state(self) -> "Section":
        smallest = self.hidden_size
        if smallest == "tuned":
            smallest = self.search.space.hidden_size.low
        if self.model.code_size is not None and smallest < self.model.code_size:
            raise ValueError(
                f"hidden_size {smallest} is below code_size {self.model.code_size}; "
                "set it to at least the code size"
            )
        return self

    @model_validator(mode="after")
    def training_fits_the_data(self) -> "Section":
        if self.training.loss_weights.classification > 0 and not self.data.has_labels:
            raise ValueError(
                "training.loss_weights.classification is above 0, but the data have no labels; "
                "set it to 0"
            )
        if self.training.shift and not self.data.has_images:
            raise ValueError(
                f"training.shift is {self.training.shift}, but only images can be shifted; set it "
                "to 0"
            )
        return self

    @model_validator(mode="after")
    def prediction_fits_the_data(self) -> "Section":
        if self.data.has_next_step:
            return self._checked_for_prediction()
        if self.training.loss_weights.prediction or self.training.error_correlation:
            raise ValueError(
                "training.loss_weights.prediction or training.error_correlation is above 0, but no "
                "next step of these data is predicted; set them to 0"
            )
        return self

    def _checked_for_prediction(self) -> "Section":
        if self.model.period > 1:
            raise ValueError(
                f"model.period is {self.model.period}, but each step is predicted, so that upper "
                "layers must tick at each; set it to 1"
            )
        if self.training.error_correlation and not self.data.has_groups:
            raise ValueError(
                "training.error_correlation is above 0, but batches are not grouped by time; set "
                "it to 0, or data.group_by_time to true"
            )
        return self
