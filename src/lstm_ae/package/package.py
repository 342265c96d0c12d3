"""A trained model as a folder that a person takes away: weights, how new data are read, and what validation says of its errors."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from tqdm import tqdm

from lstm_ae.core.errors import InputError
from lstm_ae.core.files import read_json, replacing, write_json
from lstm_ae.core.splits import Split, as_real
from lstm_ae.data.stocks import CLOSE, COLUMNS, VOLUME
from lstm_ae.data.table import Layout, comparable, unscaled
from lstm_ae.evaluation.forecasting import recent_volatility
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.saving import save_autoencoder
from lstm_ae.package.answers import compute_answers, roll_forward
from lstm_ae.package.loading import load_autoencoder
from lstm_ae.params import Data, MnistData, StockForecastData, StockWindowsData, TableData

Array = NDArray[np.float64]

PERCENTS = range(50, 100)  # the levels of prediction intervals
ORIGINS = 20_000  # forecasts that calibrate them: more tell no more


@dataclass(frozen=True)
class Calibration:
    """What the validation split, which no weight was fitted to, says of a model's errors. Where it lies after training in time and the next
    step is predicted, its first windows begin with steps of training.

    Parameters
    ----------
    errors
        (n,) of its windows (`window_errors`), rising.
    widths
        (50, H, m) half widths of the prediction intervals of 50 % to 99 %, by horizon and variable (`interval_widths`), infinite where
        validation is too short to tell; None for a model that does not predict.
    """

    errors: Array
    widths: Array | None

    def threshold(self, false_alarms: float) -> float:
        """The error that at most this share of windows like those of validation exceeds: split conformal (Vovk et al. 2005).

        Raises
        ------
        InputError
            The share is not above 0 and below 1, or less than one in n + 1.
        """
        smallest = 1 / (len(self.errors) + 1)
        if not smallest <= false_alarms < 1:
            least = f"1 in {len(self.errors) + 1}, one more than there are validation windows"
            raise InputError(
                f"false alarms: found {false_alarms:g}; at least {least}, and less than 1 is allowed"
            )
        return float(self.errors[_rank(len(self.errors), 1 - false_alarms) - 1])

    def p_values(self, errors: Array) -> Array:
        """(N,) the share of validation windows with an error at least as large, the window itself counted with them."""
        above = len(self.errors) - np.searchsorted(self.errors, errors, side="left")
        return np.asarray((1 + above) / (1 + len(self.errors)))

    def half_widths(self, level: float) -> Array:
        """(h, m) half widths of the intervals of that level, before `local_scale`, for as many horizons as validation tells them.

        Raises
        ------
        InputError
            The level is no whole per cent from 50 to 99.
        """
        assert self.widths is not None
        percent = round(100 * level) if 0 <= level <= 1 else 0
        if percent not in PERCENTS or abs(100 * level - percent) > 1e-9:
            raise InputError(f"level: found {level:g}; 0.5, 0.51 to 0.99 are allowed")
        widths = self.widths[percent - PERCENTS[0]]
        return np.asarray(widths[np.isfinite(widths).all(axis=1)])


@dataclass(frozen=True)
class Package:
    """A trained model, and all that using it needs.

    Parameters
    ----------
    layout
        How a table is cut into windows, scaled and brought back.
    rows
        A row of the table is a whole sequence, step after step; else it is a step of a series.
    about
        What was trained, on what and how.
    """

    model: LSTMAutoencoder
    layout: Layout
    rows: bool
    calibration: Calibration
    about: dict[str, Any]
    device: torch.device = torch.device("cpu")


def layout_of(
    data: Data, description: Mapping[str, Any], model: LSTMAutoencoder
) -> tuple[Layout, bool]:
    """How the section's data are read, and whether a row is a whole sequence."""
    features, window = model.architecture.features, model.architecture.sequence_length
    if isinstance(data, TableData):
        return Layout.stored(dict(description)), False
    stocks = Layout(
        columns=list(COLUMNS),
        columns_are="variables",
        series="Name",
        time="date",
        window=window,
        stride=1,
        predict=False,
        scaling="log_return",
        centre=[0.0],
        scale=[1.0],
    )
    if isinstance(data, StockWindowsData):
        return replace(
            stocks, columns=[data.column], stride=data.stride, scale=[description["scale"]]
        ), False
    if isinstance(data, StockForecastData):
        after = [CLOSE, CLOSE, CLOSE, CLOSE, VOLUME]
        centre, scale = description["means"], description["scales"]
        return replace(
            stocks, stride=data.stride, predict=True, centre=centre, scale=scale, after=after
        ), False
    return Layout(
        columns=[],
        columns_are="variables",
        series=None,
        time=None,
        window=window,
        stride=window,
        predict=False,
        scaling="none",
        centre=[0.0] * features,
        scale=[255.0 if isinstance(data, MnistData) else 1.0] * features,
    ), True


def calibrate(
    model: LSTMAutoencoder, validation: Split, layout: Layout, device: torch.device
) -> Calibration:
    """Errors of the windows of the validation split, and widths of intervals where the model predicts."""
    reconstruction = compute_answers(model, validation.sequences, device).reconstruction
    widths = interval_widths(model, validation, layout, device) if layout.predict else None
    return Calibration(np.sort(window_errors(validation.values(), reconstruction)), widths)


def window_errors(sequences: Array, reconstruction: Array) -> Array:
    """(N,) mean squared error of each window (N, T, m), all of whose steps count, scaled as the model reads them."""
    return np.asarray(np.square(reconstruction - sequences).mean(axis=(1, 2)))


def interval_widths(
    model: LSTMAutoencoder, validation: Split, layout: Layout, device: torch.device
) -> Array:
    """Half widths (50, H, m) of prediction intervals: split conformal, scaled by `local_scale` (Lei et al. 2018).

    The model is rolled forward from steps of the validation windows, evenly spaced, over the scored steps after each; H is how far
    those reach. These days chose the epoch and the search, so that their errors are a little small, and series that move together are
    no independent observations: evaluate states the coverage on test beside the level.
    """
    assert validation.following is not None and validation.first_scored is not None
    steps = np.concatenate([validation.sequences, validation.following[:, None]], axis=1)
    first, length = int(validation.first_scored.min()) + 1, layout.window
    stride = math.ceil(len(steps) * (length + 1 - first) / ORIGINS)
    residuals: list[list[Array]] = [[] for _ in range(length + 1 - first)]
    for fed in tqdm(range(first, length + 1, stride), "intervals", disable=None):
        rows = steps[validation.first_scored < fed]
        scale, origin = local_scale(rows[:, :fed], layout), np.zeros((len(rows), rows.shape[2]))
        said, truth = (
            comparable(unscaled(values, origin, layout), layout)
            for values in (
                roll_forward(model, rows[:, :fed], length + 1 - fed, device),
                rows[:, fed:],
            )
        )
        for horizon, residual in enumerate(
            np.moveaxis(np.abs(said - truth) / scale[:, None], 1, 0)
        ):
            residuals[horizon].append(residual)
    worse = np.full((1, validation.sequences.shape[2]), np.inf)  # than all that were seen
    by_horizon = [np.sort(np.concatenate([*found, worse]), axis=0) for found in residuals]
    return np.stack(
        [
            [found[_rank(len(found) - 1, percent / 100) - 1] for found in by_horizon]
            for percent in PERCENTS
        ]
    )


def local_scale(past: NDArray[Any], layout: Layout) -> Array:
    """(N, m) how far each variable of windows (N, t, m) moves at their end: the `recent_volatility` of the variable from which its
    returns count; 1 where the scaling is another.
    """
    if layout.scaling != "log_return":
        return np.ones((len(past), past.shape[2]))
    returns = as_real(past) * layout.scale + layout.centre
    return recent_volatility(returns)[:, -1][:, layout.bases]


def _rank(count: int, level: float) -> int:
    """Which of so many sorted scores at least that share of new ones stays below; one more than there are where none is."""
    return math.ceil(round((count + 1) * level, 9))


def save_package(package: Package, directory: Path) -> None:
    """Write weights.safetensors, model.json, layout.json, calibration.safetensors and about.json."""
    save_autoencoder(package.model, directory)
    write_json(directory / "layout.json", {"rows": package.rows, **asdict(package.layout)})
    arrays = {"errors": package.calibration.errors, "widths": package.calibration.widths}
    with replacing(directory / "calibration.safetensors") as temporary:
        temporary.write_bytes(
            save(
                {
                    name: np.ascontiguousarray(array)
                    for name, array in arrays.items()
                    if array is not None
                }
            )
        )
    write_json(directory / "about.json", package.about)


def load_package(directory: Path, device: torch.device) -> Package:
    """Read a packaged model.

    Raises
    ------
    InputError
        A file is missing or not what `save_package` wrote, or the files are of different models.
    """
    if not directory.is_dir():
        raise InputError(
            f"{directory}: not a folder; one that `dvc repro` makes under models/ is allowed"
        )
    model, stored, path = (
        load_autoencoder(directory),
        read_json(directory / "layout.json"),
        directory / "calibration.safetensors",
    )
    try:
        rows = stored.pop("rows")
        layout = Layout(**stored)
        arrays = load_file(path)
        calibration = Calibration(arrays["errors"], arrays.get("widths"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; `dvc repro` makes it") from error
    except (SafetensorError, ValidationError, KeyError) as error:
        raise InputError(
            f"{directory}: not a packaged model ({' '.join(str(error).split())})"
        ) from error
    form = model.architecture
    sizes = {
        len(layout.centre),
        len(layout.scale),
        len(layout.bases),
        form.features if rows else len(layout.variables),
    }
    read = (layout.window, layout.predict, sizes)
    if (
        read != (form.sequence_length, form.predicts, {form.features})
        or max(layout.bases) >= form.features
    ):
        of = f"{form.sequence_length} steps of {form.features} numbers"
        raise InputError(f"{directory / 'layout.json'}: not that of model.json, which reads {of}")
    return Package(model, layout, rows, calibration, read_json(directory / "about.json"), device)
