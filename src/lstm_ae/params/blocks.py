"""The parts that the blocks of params.yaml are built from: bounded numbers, ranges, fractions."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Block(BaseModel):
    """A mapping of params.yaml: no key is unknown, no value is converted from another type."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
    )


class Range(Block):
    """All numbers from `low` to `high`, both included."""

    low: float
    high: float

    @model_validator(mode="after")
    def low_comes_first(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}; the lower number is low")
        return self


class CountRange(Range):
    low: Count
    high: Count


class PositiveRange(Range):
    low: Positive
    high: Positive


class Fractions(Block):
    """How large the three splits are, relative to each other."""

    train: Positive
    validation: Positive
    test: Positive
