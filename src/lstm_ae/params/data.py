"""A section's `data`: a typed block for each kind of data set, told apart by `dataset`.

A new kind is a class here, with a `dataset` of its own, that stands in the union `Data`.
"""

import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from lstm_ae.params.blocks import Block, Count, CountRange, Fractions, NonNegative, Positive

Date = Annotated[datetime.date, Field(strict=False)]
FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]


class DataBlock(Block):
    """What every kind of data set tells the rest of its section. A kind overrides what is true."""

    @property
    def has_labels(self) -> bool:
        """Whether a sequence has a class, which can be predicted from its code."""
        return False

    @property
    def has_images(self) -> bool:
        """Whether a sequence is an image, whose pixels can be moved."""
        return False

    @property
    def has_next_step(self) -> bool:
        """Whether the step after each step is predicted."""
        return False

    @property
    def has_groups(self) -> bool:
        """Whether windows of the same times come in one batch."""
        return False


class ToyData(DataBlock):
    dataset: Literal["toy"]
    sequences: Annotated[int, Field(ge=5)]
    length: Annotated[int, Field(ge=2)]
    dip_centre: CountRange
    dip_half_width: Count
    dip_factor: NonNegative
    split: Fractions

    @model_validator(mode="after")
    def dip_lies_inside(self) -> "ToyData":
        first = self.dip_centre.low - self.dip_half_width
        last = self.dip_centre.high + self.dip_half_width
        if first < 0 or last >= self.length:
            raise ValueError(
                f"a dip of dip_half_width {self.dip_half_width} at dip_centre "
                f"{self.dip_centre.low} to {self.dip_centre.high} leaves a sequence of "
                f"{self.length} values; make length larger or dip_centre narrower"
            )
        return self


class MnistData(DataBlock):
    dataset: Literal["mnist"]
    view: Literal["rows", "pixels", "permuted"]
    labels: bool
    validation: Annotated[int, Field(ge=10, le=59_990)]

    @property
    def has_labels(self) -> bool:
        return self.labels

    @property
    def has_images(self) -> bool:
        return self.view != "permuted"


class StockWindowsData(DataBlock):
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
        if self.first_day >= self.last_day:
            raise ValueError("first_day < last_day is required")
        return self


class StockForecastData(DataBlock):
    dataset: Literal["stock_forecast"]
    first_day: Date
    last_train_day: Date
    last_validation_day: Date
    last_day: Date
    window: Annotated[int, Field(ge=2)]
    fed: Count
    stride: Count
    origin_stride: Count

    @property
    def has_next_step(self) -> bool:
        return True

    @property
    def has_groups(self) -> bool:
        return True

    @model_validator(mode="after")
    def days_in_order(self) -> "StockForecastData":
        if not self.first_day < self.last_train_day < self.last_validation_day < self.last_day:
            raise ValueError(
                "first_day < last_train_day < last_validation_day < last_day is required"
            )
        return self

    @model_validator(mode="after")
    def days_are_left_to_forecast(self) -> "StockForecastData":
        most = self.window - 2
        if self.fed > most:
            raise ValueError(
                f"fed {self.fed}: leaves too few days to forecast; set it to at most {most}, two "
                "days fewer than the window"
            )
        return self


class FillBlock(Block):
    """How missing values are filled (`lstm_ae.units.layout.Fill`)."""

    method: Literal["previous", "linear"]
    limit: Count


class TableData(DataBlock):
    """A person's table.

    A window holds no missing value, and no step longer than `longest_step`.

    Parameters
    ----------
    time_parts
        The columns that together are the time: year, month, day and so on, or a date and a time of
        day. None: `time` is a column of the table.
    time_format
        None: times are numbers, or dates of ISO 8601. "s", "ms", "us" or "ns": counts since 1970.
        Else a pattern of strptime, such as "%d.%m.%Y %H:%M".
    duplicates
        Which row counts where several have one time. None: that is an error.
    missing
        Numbers that mean that nothing was measured, such as -9999.
    fill
        None: missing values stay so.
    longest_step
        From a row of a window to the next one: seconds of dates, or a difference of numbers. None:
        any.
    """

    dataset: Literal["table"]
    columns: Annotated[list[str], Field(min_length=1)]
    columns_are: Literal["variables", "series", "steps"]
    series: str | None
    time: str | None
    time_parts: Annotated[list[str], Field(min_length=2)] | None = None
    time_format: str | None = None
    duplicates: Literal["first", "last", "mean"] | None = None
    missing: list[FiniteNumber] | None = None
    fill: FillBlock | None = None
    longest_step: Positive | None = None
    window: Annotated[int, Field(ge=2)]
    stride: Count
    split_by: Literal["time", "series"]
    split: Fractions
    scaling: Literal["none", "minmax", "zscore", "log_return"]
    predict: bool
    group_by_time: bool

    @property
    def has_next_step(self) -> bool:
        return self.predict

    @property
    def has_groups(self) -> bool:
        return self.group_by_time

    @property
    def has_several_series(self) -> bool:
        """Whether the table holds more than one series."""
        if self.columns_are == "variables":
            return self.series is not None
        return self.columns_are == "steps" or len(self.columns) > 1

    @model_validator(mode="after")
    def columns_differ(self) -> "TableData":
        names = [*self.columns]
        names += [name for name in (self.series, self.time) if name is not None]
        names += self.time_parts or []
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"column {name} stands twice among columns, series and time")
        return self

    @model_validator(mode="after")
    def parts_make_a_time(self) -> "TableData":
        if self.time_parts is not None and self.time is None:
            raise ValueError("time_parts without time; give the time that they make a name")
        return self

    @model_validator(mode="after")
    def series_are_named_once(self) -> "TableData":
        if self.columns_are == "series" and self.series is not None:
            raise ValueError(
                f"series is {self.series!r}, but each column is a series by itself; leave it "
                "empty, or set columns_are to variables"
            )
        return self

    @model_validator(mode="after")
    def rows_are_whole(self) -> "TableData":
        if self.columns_are != "steps":
            return self
        if self.series is not None or self.time is not None or self.predict:
            raise ValueError(
                "columns_are: steps, so each row is a whole sequence; leave series and time empty, "
                "and set predict to false"
            )
        if self.window != len(self.columns) or self.split_by != "series":
            raise ValueError(
                f"columns_are: steps, so set window to {len(self.columns)}, as many as columns, "
                "and split_by to series"
            )
        return self

    @model_validator(mode="after")
    def choices_fit_the_series(self) -> "TableData":
        if self.split_by == "series" and not self.has_several_series:
            raise ValueError("split_by: series, but the table is one series; set it to time")
        if self.predict and self.window < 4:
            raise ValueError(
                f"window {self.window}: too short to predict the next step; set it to at least 4"
            )
        if self.group_by_time and not (self.has_several_series and self.predict):
            raise ValueError(
                "group_by_time: true needs several series and predict: true; set it to false"
            )
        return self


Data = Annotated[
    ToyData | MnistData | StockWindowsData | StockForecastData | TableData,
    Field(discriminator="dataset"),
]


def _kinds() -> dict[str, type[DataBlock]]:
    """Each class of the union `Data` by its value of `dataset`."""
    union, _ = get_args(Data)
    kinds = {}
    for block in get_args(union):
        (name,) = get_args(block.model_fields["dataset"].annotation)
        kinds[name] = block
    return kinds


KINDS = _kinds()
