"""params.yaml as typed, frozen, validated objects."""

import datetime
import difflib
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lstm_ae.core.errors import InputError

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tuned = Literal["tuned"]
Date = Annotated[datetime.date, Field(strict=False)]
Fractions = Annotated[list[Positive], Field(min_length=3, max_length=3)]
CountRange = Annotated[list[Count], Field(min_length=2, max_length=2)]
PositiveRange = Annotated[list[Positive], Field(min_length=2, max_length=2)]
TUNABLE = ("hidden_size", "lr", "gradient_clip", "layers")


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ToyData(Block):
    dataset: Literal["toy"]
    sequences: Annotated[int, Field(ge=5)]
    length: Annotated[int, Field(ge=2)]
    dip_centre: CountRange
    dip_half_width: Count
    dip_factor: NonNegative
    split: Fractions

    @model_validator(mode="after")
    def dip_lies_inside(self) -> "ToyData":
        low, high = self.dip_centre
        if not self.dip_half_width <= low <= high < self.length - self.dip_half_width:
            raise ValueError(
                f"dip_centre {self.dip_centre} with dip_half_width {self.dip_half_width} leaves a sequence of {self.length} values"
            )
        return self


class MnistData(Block):
    dataset: Literal["mnist"]
    view: Literal["rows", "pixels"]
    labels: bool
    validation: Annotated[int, Field(ge=10, le=59_990)]


class StockWindowsData(Block):
    dataset: Literal["stock_windows"]
    column: Literal["open", "high", "low", "close"]
    first_day: Date
    last_day: Date
    window: Annotated[int, Field(ge=2)]
    stride: Count
    split: Fractions
    test_symbols: list[str]
    share_classes: list[list[str]]

    @model_validator(mode="after")
    def days_in_order(self) -> "StockWindowsData":
        if not self.first_day < self.last_day:
            raise ValueError("first_day < last_day is required")
        return self


class StockForecastData(Block):
    dataset: Literal["stock_forecast"]
    first_day: Date
    last_train_day: Date
    last_validation_day: Date
    last_day: Date
    window: Annotated[int, Field(ge=2)]
    fed: Count
    stride: Count
    origin_stride: Count

    @model_validator(mode="after")
    def days_in_order(self) -> "StockForecastData":
        if not self.first_day < self.last_train_day < self.last_validation_day < self.last_day:
            raise ValueError(
                "first_day < last_train_day < last_validation_day < last_day is required"
            )
        if self.fed > self.window - 2:
            raise ValueError(
                f"fed {self.fed}: at most {self.window - 2} is allowed, two days fewer than the window"
            )
        return self


class TableData(Block):
    dataset: Literal["table"]
    columns: Annotated[list[str], Field(min_length=1)]
    columns_are: Literal["variables", "series"]
    series: str | None
    time: str | None
    window: Annotated[int, Field(ge=2)]
    stride: Count
    split_by: Literal["time", "series"]
    split: Fractions
    scaling: Literal["none", "minmax", "zscore", "log_return"]
    predict: bool
    group_by_time: bool

    @model_validator(mode="after")
    def columns_fit(self) -> "TableData":
        named = [*self.columns, *(name for name in (self.series, self.time) if name is not None)]
        if twice := [name for name in named if named.count(name) > 1]:
            raise ValueError(f"column {twice[0]} stands twice among columns, series and time")
        if self.columns_are == "series" and self.series is not None:
            raise ValueError(
                f"series: found {self.series!r} with columns_are: series, where each column is a series; null is allowed"
            )
        several = self.series is not None or (
            self.columns_are == "series" and len(self.columns) > 1
        )
        if self.split_by == "series" and not several:
            raise ValueError("split_by: series, for a table of one series; time is allowed")
        if self.predict and self.window < 4:
            raise ValueError(
                f"window {self.window}: at least 4 is allowed where the next step is predicted"
            )
        if self.group_by_time and not (several and self.predict):
            raise ValueError(
                "group_by_time: true, which needs several series and predict: true; false is allowed"
            )
        return self


Data = Annotated[
    ToyData | MnistData | StockWindowsData | StockForecastData | TableData,
    Field(discriminator="dataset"),
]


class Model(Block):
    code_size: Count | None
    code_enters: Literal["state", "input"]
    decoding: Literal["backward", "forward"]
    output: Literal["linear", "sigmoid"]
    initialization: Literal["plain", "chrono", "spectral"]
    amplitude: Positive
    period: Count
    lags: Annotated[int, Field(ge=0)]
    class_hidden_size: Count

    @model_validator(mode="after")
    def spectral_form(self) -> "Model":
        form = (self.code_enters, self.decoding, self.output)
        if self.initialization == "spectral" and form != ("state", "backward", "linear"):
            raise ValueError(
                f"initialization: spectral needs code_enters: state, decoding: backward, output: linear; found {', '.join(form)}"
            )
        if self.lags and self.initialization != "spectral":
            raise ValueError(
                f"lags {self.lags} with initialization: {self.initialization}; 0 is allowed, or initialization: spectral"
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


class Training(Block):
    batch_size: Count
    optimizer: Literal["adam", "adamw", "sgd"]
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
    hidden_size: CountRange
    lr: PositiveRange
    gradient_clip: PositiveRange
    layers: CountRange

    @model_validator(mode="after")
    def ranges_in_order(self) -> "Space":
        for name in TUNABLE:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} [{low}, {high}]: the lower bound comes first")
        return self


class Search(Block):
    trials: Annotated[int, Field(ge=0)]
    concurrency: Count
    epochs: Count
    sequences: Count
    storage: str | None
    space: Space


class Section(Block):
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
    def consistent(self) -> "Section":
        if self.search.trials == 0:
            for name in TUNABLE:
                if getattr(self, name) == "tuned":
                    raise ValueError(f"{name}: tuned, with search.trials: 0; a number is needed")
        if self.model.code_size is not None:
            smallest = (
                self.search.space.hidden_size[0]
                if self.hidden_size == "tuned"
                else self.hidden_size
            )
            if smallest < self.model.code_size:
                raise ValueError(
                    f"hidden_size {smallest} is below code_size {self.model.code_size}; at least the code size is allowed"
                )
        has_labels = isinstance(self.data, MnistData) and self.data.labels
        if self.training.loss_weights.classification > 0 and not has_labels:
            raise ValueError(
                "training.loss_weights.classification is above 0 for data without labels; 0 is allowed"
            )
        if self.training.shift and not isinstance(self.data, MnistData):
            raise ValueError(
                f"training.shift: found {self.training.shift} for data that are no images; 0 is allowed"
            )
        if isinstance(self.data, StockForecastData) or (
            isinstance(self.data, TableData) and self.data.predict
        ):
            if self.model.period > 1:
                raise ValueError(
                    f"model.period: found {self.model.period}; 1 is allowed where every day is predicted"
                )
            if (
                self.training.error_correlation
                and isinstance(self.data, TableData)
                and not self.data.group_by_time
            ):
                raise ValueError(
                    "training.error_correlation is above 0 with data.group_by_time: false; 0 is allowed"
                )
        elif (
            self.training.loss_weights.prediction
            or self.training.error_correlation
            or self.model.lags
        ):
            raise ValueError(
                "training.loss_weights.prediction, training.error_correlation or model.lags is above 0 for data without a next step; "
                "0 is allowed"
            )
        return self


class Budget(Block):
    sequences: Annotated[int, Field(ge=32)] | None
    epochs: Count | None
    trials: Annotated[int, Field(ge=0)] | None


class Params(Block):
    sections: Annotated[list[str], Field(min_length=1)]
    budget: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    training_seed: Annotated[int, Field(ge=0, lt=2**32)]
    lr: Positive | None
    device: Literal["auto", "cuda", "mps", "cpu"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "64-true"]
    devices: Count
    threads: Count
    budgets: dict[str, Budget]
    blocks: dict[str, Section]

    def section(self, name: str) -> Section:
        """The block of one listed section."""
        if name not in self.blocks:
            raise InputError(
                f"section {name}: not listed; params.yaml lists {', '.join(self.sections)}"
            )
        return self.blocks[name]

    @property
    def caps(self) -> Budget:
        """The upper bounds in force."""
        return self.budgets[self.budget]


class _Yaml12Loader(yaml.SafeLoader):
    """Reads 1e-05, which YAML 1.1 takes for text, as the number it is; refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


_Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        The file is missing, is not YAML, or holds something else than a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Yaml12Loader)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}, a mapping is allowed")
    return content


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and validate the whole of params.yaml.

    Raises
    ------
    InputError
        One line: the key, what stood there, what is allowed.
    """
    content = load_yaml(path)
    names = content.get("sections")
    fields = set(Params.model_fields) - {"blocks"}
    if isinstance(names, list):
        for name in names:
            if (
                not isinstance(name, str)
                or not re.fullmatch(r"[a-z][a-z0-9_]*", name)
                or name in fields
            ):
                raise InputError(
                    f"{path}: sections: found {name!r}; allowed are names of small letters, digits and _, other than {sorted(fields)}"
                )
            if names.count(name) > 1:
                raise InputError(f"{path}: sections: {name} stands twice")
            if name not in content:
                raise InputError(
                    f"{path}: sections lists {name}, but there is no block {name}{_nearest(name, content.keys() - fields)}"
                )
    blocks = {
        key: value
        for key, value in content.items()
        if key not in fields and isinstance(value, dict) and "data" in value
    }
    rest = {key: value for key, value in content.items() if key not in blocks}
    try:
        params = Params.model_validate({**rest, "blocks": blocks})
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem(error)}") from error
    if params.budget not in params.budgets:
        raise InputError(
            f"{path}: budget: found {params.budget!r}; allowed are {', '.join(params.budgets)}"
        )
    return params


def _nearest(name: str, allowed: Any) -> str:
    matches = difflib.get_close_matches(name, [str(key) for key in allowed], n=1, cutoff=0.5)
    return f"; the nearest is {matches[0]}" if matches else ""


def _first_problem(error: ValidationError) -> str:
    """The first problem in one line, its key written as it stands in params.yaml. A misspelt key is named before the one it misses."""
    problems = error.errors(include_url=False)
    problem = next((found for found in problems if found["type"] == "extra_forbidden"), problems[0])
    tags = {"toy", "mnist", "stock_windows", "stock_forecast", "table"}
    location = [str(part) for part in problem["loc"]]
    if location[0] == "blocks":
        location = location[1:]
        location = [part for i, part in enumerate(location) if not (part in tags and i == 2)]
    location = [
        part
        for part in location
        if not part.startswith(("constrained", "literal[", "function-", "float", "int"))
    ]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key{_nearest(location[-1], _known_keys(location))}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    message = problem["msg"].removeprefix("Value error, ")
    found = problem["input"]
    if isinstance(found, float) and math.isnan(found):
        message = "a finite number is needed"
    return (
        f"{key}: {message}"
        if isinstance(found, dict | BaseModel)
        else f"{key}: found {found!r}; {message}"
    )


def _known_keys(location: list[str]) -> list[str]:
    """Keys that are allowed where the unknown one stood."""
    if len(location) == 1:
        return list(Params.model_fields)
    if len(location) == 2:
        return list((Budget if location[0] == "budgets" else Section).model_fields)
    if location[-2] == "data":
        variants: tuple[type[Block], ...] = (
            ToyData,
            MnistData,
            StockWindowsData,
            StockForecastData,
            TableData,
        )
        return sorted({key for variant in variants for key in variant.model_fields})
    inner: dict[str, type[Block]] = {
        "model": Model,
        "training": Training,
        "search": Search,
        "space": Space,
        "loss_weights": LossWeights,
        "lr_factors": RateFactors,
    }
    return list(inner.get(location[-2], Budget).model_fields)
