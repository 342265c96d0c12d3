"""What a section of each data set owes: its own metrics and its figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstm_ae.core.splits import Split, as_real
from lstm_ae.data.stocks import HIGH, to_dollars
from lstm_ae.data.table import Layout, unscaled
from lstm_ae.evaluation import figures, forecasting, table_forecasting
from lstm_ae.evaluation.forecasting import Forecast
from lstm_ae.evaluation.metrics import class_metrics, scored_steps
from lstm_ae.model.autoencoder import LSTMAutoencoder
from lstm_ae.model.objectives import DeviceSplit, mean_losses
from lstm_ae.package.answers import compute_answers
from lstm_ae.package.loading import load_autoencoder
from lstm_ae.package.package import Calibration, local_scale

Array = NDArray[np.float64]
Curves = dict[str, dict[str, "pd.Series[float]"]]  # {measure: {split: series by epoch}}
Owed = tuple[dict[str, Any], dict[str, Figure]]


@dataclass(frozen=True)
class Case:
    """A trained section, ready to be shown."""

    model: LSTMAutoencoder
    calibration: Calibration
    description: dict[str, Any]
    splits: dict[str, Split]
    reconstruction: Array
    probabilities: Array | None
    metrics: dict[str, Any]
    curves: Curves
    loss: str
    device: torch.device

    @property
    def note(self) -> str | None:
        """What a figure must say of its data."""
        source = str(self.description["data_source"])
        return source if source.startswith("REDUCED") else None

    @property
    def bar(self) -> str:
        """The result beside PCA, for titles."""
        m = self.metrics
        pca = f"PCA with {m['code_size']} numbers {m['pca_mse']:.4f}"
        return f"test MSE {m['mse']:.4f}; {pca}, the mean {m['mean_mse']:.4f}"

    def loss_figure(self) -> Figure:
        """Each loss by epoch."""
        panels = {
            f"{name} loss ({self.loss})": self.curves[name]
            for name in ("reconstruction", "prediction")
            if name in self.curves
        }
        title = f"Best validation loss {self.metrics['validation_loss']:.5f}, epoch {self.metrics['best_epoch']}"
        return figures.learning_curves(panels, title, list(panels), self.note)


def read_curves(directory: Path) -> Curves:
    """What DVCLive wrote, by measure and split."""
    curves: Curves = {}
    for name in ("train", "validation"):
        for path in sorted((directory / "plots" / "metrics" / name).glob("*.tsv")):
            curves.setdefault(path.stem, {})[name] = pd.read_csv(path, sep="\t", index_col="step")[
                path.stem
            ]
    return curves


def with_test(
    curves: Curves, weights: Path, test: Split, loss: str, device: torch.device
) -> Curves:
    """Beside the curves that of the test split under the weights of each epoch, where training kept them: it never saw that split."""
    found: dict[int, dict[str, float]] = {}
    held = DeviceSplit.of(test, device)
    for path in sorted((weights / "epochs").glob("*.safetensors")):
        model = load_autoencoder(weights, f"epochs/{path.name}").to(device)
        found[int(path.stem)] = mean_losses(model, held, loss, {})
    table = pd.DataFrame.from_dict(found, orient="index")
    return {
        measure: {**splits, "test": table[measure]}
        if measure in table and measure != "loss"
        else splits
        for measure, splits in curves.items()
    }


def toy(case: Case) -> Owed:
    """3.1: examples, reconstructions of training and test, losses."""
    splits = case.splits
    examples = {name: splits[name].values()[:2, :, 0] for name in ("train", "validation", "test")}
    shown = {}
    for name in ("train", "test"):
        originals = splits[name].sequences[:2]
        shown[name] = (
            as_real(originals)[:, :, 0],
            compute_answers(case.model, originals, case.device).reconstruction[:, :, 0],
        )
    sample = splits["test"].thinned(200)
    return {}, {
        "examples": figures.toy_examples(
            examples, sample.values()[:, :, 0], sample.extras["centres"]
        ),
        "reconstructions": figures.sequence_reconstructions(
            shown, f"A code of {case.metrics['code_size']} numbers: {case.bar}"
        ),
        "loss": case.loss_figure(),
    }


def mnist(case: Case) -> Owed:
    """3.2: ten digits over their reconstructions, losses, and with a class the curves of all three splits."""
    test = case.splits["test"]
    labels = test.extras["digits"]
    rows = np.array(
        [
            np.flatnonzero(labels == digit)[0] if (labels == digit).any() else digit
            for digit in range(10)
        ]
    )
    assert test.image_shape is not None
    shape = tuple(test.image_shape)
    owed = {
        "digits": figures.digits(
            test.values()[rows].reshape(-1, *shape),
            case.reconstruction[rows].reshape(-1, *shape),
            case.bar,
        )
    }
    if case.probabilities is None or test.labels is None:
        return {}, owed | {"loss": case.loss_figure()}
    metrics = class_metrics(case.probabilities, test.labels)
    panels = {
        f"reconstruction loss ({case.loss})": case.curves["reconstruction"],
        "classification loss (cross-entropy)": case.curves["classification"],
        "accuracy": {
            name: series[series.index > 0] for name, series in case.curves["accuracy"].items()
        },
    }
    title = f"Test accuracy {metrics['accuracy']:.2%}, {case.bar}"
    owed["learning"] = figures.learning_curves(panels, title, list(panels)[:2])
    return metrics, owed


def _shown(symbols: list[str], count: int) -> list[str]:
    """The two stocks the study names, where they are, and then from the middle of the alphabet."""
    named = [symbol for symbol in ("AMZN", "GOOGL") if symbol in symbols]
    others = [symbol for symbol in symbols if symbol not in named]
    middle = len(others) // 2
    return [*named, *others[middle:], *others[:middle]][:count]


def stock_windows(case: Case) -> Owed:
    """3.3.1 and 3.3.2: the daily prices of two stocks; three unseen stocks stitched from windows, in dollars and dates."""
    test, about = case.splits["test"], case.description
    scale, days, symbols = about["scale"], about["days"], about["symbols"]["test"]
    truth = to_dollars(test.values()[:, :, 0], test.extras["anchor"], scale)
    dollars = to_dollars(case.reconstruction[:, :, 0], test.extras["anchor"], scale)
    metrics = {"mape": float(100 * np.abs(dollars / truth - 1).mean())}

    def stitched(values: Array, symbol: str) -> Array:
        series = np.full(len(days), np.nan)
        for row in np.flatnonzero(test.extras["symbol"] == symbols.index(symbol))[::-1]:
            start = int(test.extras["start"][row])
            series[start : start + values.shape[1]] = values[row]
        return series

    title = f"Companies never trained on, {metrics['mape']:.2f} % off on average; {case.bar}"
    return metrics, {
        "prices": figures.prices(
            days,
            {symbol: stitched(truth, symbol) for symbol in _shown(symbols, 2)},
            about["column"],
            case.note,
        ),
        "reconstructions": figures.stock_reconstructions(
            days,
            {
                symbol: (stitched(truth, symbol), stitched(dollars, symbol))
                for symbol in _shown(symbols, 3)
            },
            truth.shape[1],
            title,
            case.note,
        ),
        "loss": case.loss_figure(),
    }


def stock_forecast(case: Case) -> Owed:
    """3.3.3 and 3.3.4: both losses; one-step and multi-step forecasts over the truth, and their error by horizon."""
    about, rollouts, device = case.description, case.splits["rollouts"], case.device
    lines = forecasting.fit_lines(case.splits["train"], min(forecasting.LAGS, about["fed"]))
    single = forecasting.one_step(case.model, lines, case.splits["test"], about, device)
    half_widths = case.calibration.half_widths(forecasting.LEVEL)[:, HIGH]
    widths = single.volatility * half_widths[0]
    multiple = forecasting.multi_step(case.model, lines, rollouts, about, device)
    horizon, fed = multiple.truth.shape[1], about["fed"]
    metrics: dict[str, Any] = {
        "one_step": {
            **single.scores(),
            **single.p_values(),
            "interval": single.interval_scores(widths),
        },
        "multi_step": {
            **multiple.scores(),
            "interval": multiple.interval_scores(
                multiple.volatility[:, : len(half_widths)] * half_widths[:horizon]
            ),
            "by_horizon": [
                {"horizon": h + 1, **multiple.scores(slice(h, h + 1))} for h in range(horizon)
            ],
        },
    }

    panels = {}
    for symbol in _shown(about["symbols"], 3):
        row = int(np.flatnonzero(rollouts.extras["symbol"] == about["symbols"].index(symbol))[-1])
        start = int(rollouts.extras["start"][row])
        days = about["days"][start : start + fed + horizon]
        multi = multiple.said["model"][row]
        said = single.said["model"]
        ahead, low, high = (
            np.exp(
                _days_ahead(
                    values,
                    single,
                    case.splits["test"],
                    rollouts.extras["symbol"][row],
                    start + fed,
                    horizon,
                )
            )
            for values in (said, said - widths, said + widths)
        )
        panels[symbol] = figures.ForecastPanel(
            days, np.exp(rollouts.extras["log_high"][row]), ahead, (low, high), np.exp(multi), fed
        )

    one, many = metrics["one_step"], metrics["multi_step"]
    summary = (
        f"skill {one['skill']:.3f} one step ahead, {many['skill']:.3f} over {horizon} days fed back"
    )
    root = {name: 100 * error**0.5 for name, error in single.errors().items()}
    by_step = {name: 100 * errors for name, errors in multiple.rmse_by_step().items()}
    against = (
        f"least squares {one['skill_least_squares']:.3f} and {many['skill_least_squares']:.3f}"
    )
    return metrics, {
        "loss": case.loss_figure(),
        "forecasts": figures.forecasts(panels, f"Daily high: {summary}", case.note),
        "error_by_horizon": figures.error_by_horizon(
            by_step, root, f"The model: {summary}; {against}", case.note
        ),
    }


def _days_ahead(
    values: Array, single: Forecast, split: Split, symbol: int, first: int, count: int
) -> Array:
    """Values of one-step forecasts (N, steps) of one symbol from day `first` on, (count,), from the windows that score those days."""
    found = np.full(count, np.nan)
    for row in np.flatnonzero(split.extras["symbol"] == symbol):
        days = single.days[row][single.scored[row]] - first
        inside = (days >= 0) & (days < count)
        found[days[inside]] = values[row][single.scored[row]][inside]
    return found


def table(case: Case) -> Owed:
    """A person's own series: errors in the units of the table, windows over their reconstructions, forecasts where they are asked for."""
    test, layout = case.splits["test"], Layout.stored(case.description)
    truth, back = (
        unscaled(values, test.extras["base"], layout)
        for values in (test.sequences, case.reconstruction)
    )
    scored = scored_steps(test)
    errors = np.square(case.reconstruction - test.values()).mean(axis=2)
    by_window = np.where(scored, errors, 0).sum(axis=1) / np.where(
        scored.any(axis=1), scored.sum(axis=1), np.nan
    )
    lines = {"original": truth, "reconstruction": back}
    of = f" of {len(layout.variables)}" if len(layout.variables) > 1 else ""
    title = (
        f"A code of {case.metrics['code_size']} numbers for {layout.window} steps{of}: {case.bar}"
    )
    metrics: dict[str, Any] = {"columns": _in_units((back - truth)[scored], layout)}
    owed = {
        "reconstructions": figures.table_windows(
            _windows(case.description, test, by_window, lines), layout.variables, None, title
        ),
        "loss": case.loss_figure(),
    }
    if not layout.predict:
        return metrics, owed
    found, drawn = _table_forecast(case, layout)
    return metrics | found, owed | drawn


def _table_forecast(case: Case, layout: Layout) -> Owed:
    """One step ahead and fed back, beside persistence and least squares."""
    rollouts = case.splits["rollouts"]
    lags = min(forecasting.LAGS, layout.window // 2)
    lines = forecasting.fit_lines(case.splits["train"], lags)
    one_by_one = table_forecasting.one_step(
        case.model, lines, case.splits["test"], layout, case.device
    )
    fed_back = table_forecasting.multi_step(case.model, lines, rollouts, layout, case.device)
    single, multiple = (
        table_forecasting.compared(forecast, layout) for forecast in (one_by_one, fed_back)
    )
    ahead = multiple.truth.shape[1]
    metrics: dict[str, Any] = {
        "one_step": {
            **single.skills(),
            **single.p_values(),
            "columns": _in_units(
                (one_by_one.said["model"] - one_by_one.truth)[single.scored], layout
            ),
        },
        "multi_step": {
            **multiple.skills(),
            "interval": {"level": forecasting.LEVEL, "coverage": _coverage(case, multiple, layout)},
            "by_horizon": [
                {"horizon": h + 1, **multiple.skills(slice(h, h + 1))} for h in range(ahead)
            ],
        },
    }
    known = np.full((len(rollouts), layout.window + 1 - ahead, len(layout.variables)), np.nan)
    next_steps = table_forecasting.one_step(case.model, {}, rollouts, layout, case.device).said[
        "model"
    ]
    shown = {
        "truth": table_forecasting.all_steps(rollouts, layout),
        "fed its own predictions": np.concatenate([known, fed_back.said["model"]], axis=1),
        "one step ahead": np.concatenate([known, next_steps[:, -ahead:]], axis=1),
    }
    by_window = np.square(multiple.said["model"] - multiple.truth).mean(axis=(1, 2))
    one, many = metrics["one_step"], metrics["multi_step"]
    summary = (
        f"skill {one['skill']:.3f} one step ahead, {many['skill']:.3f} over {ahead} steps fed back"
    )
    against = f"least squares on {lags} steps {one['skill_least_squares']:.3f} and {many['skill_least_squares']:.3f}"
    alone = len(layout.variables) == 1 and layout.scaling != "log_return"
    factor, measure = (
        (layout.scale[0], f"RMSE of {figures.plain(layout.variables[0])}")
        if alone
        else (1.0, "RMSE, scaled")
    )
    by_step = {name: factor * errors for name, errors in multiple.rmse_by_step().items()}
    root = {name: factor * error**0.5 for name, error in single.errors().items()}
    return metrics, {
        "forecasts": figures.table_windows(
            _windows(case.description, rollouts, by_window, shown),
            layout.variables,
            known.shape[1] - 1,
            f"Forecasts: {summary}",
        ),
        "error_by_horizon": figures.error_by_horizon(
            by_step, root, f"The model: {summary}; {against}", None, "step", measure
        ),
    }


def _coverage(case: Case, multiple: Forecast, layout: Layout) -> float | None:
    """Share of the test steps fed back within the prediction intervals that the package gives; None where it gives none."""
    half_widths = case.calibration.half_widths(forecasting.LEVEL)
    if not len(half_widths):
        return None
    steps = slice(min(len(half_widths), multiple.truth.shape[1]))
    fed = case.splits["rollouts"].sequences[:, : layout.window + 1 - multiple.truth.shape[1]]
    inside = (
        np.abs(multiple.said["model"] - multiple.truth)[:, steps]
        <= half_widths[steps] * local_scale(fed, layout)[:, None]
    )
    return float(inside[multiple.scored[:, steps]].mean())


def _in_units(errors: Array, layout: Layout) -> dict[str, dict[str, float]]:
    """Root mean square and mean absolute error (K, m) of each variable."""
    rmse, mae = np.sqrt(np.square(errors).mean(axis=0)), np.abs(errors).mean(axis=0)
    return {
        name: {"rmse": float(rmse[c]), "mae": float(mae[c])}
        for c, name in enumerate(layout.variables)
    }


def _windows(
    description: dict[str, Any], split: Split, errors: Array, lines: dict[str, Array]
) -> list[figures.WindowPanel]:
    """Three windows of a split: the one better than three quarters by these errors (N,), the median, the one worse than nine of ten. One
    whose error is not a number has no step that counts.
    """
    extras, order = split.extras, np.argsort(errors, kind="stable")[: np.isfinite(errors).sum()]
    panels = []
    for share in (0.25, 0.5, 0.9):
        row = order[int(share * (len(order) - 1))]
        name = description["names"][extras["series"][row]]
        length = next(iter(lines.values())).shape[1]
        times = extras["times"][row].view(description["clock"])[:length]
        title = f"{name + ', ' if name else ''}MSE {errors[row]:.3g}\n{share:.0%} of the windows are below"
        panels.append(
            figures.WindowPanel(title, times, {line: values[row] for line, values in lines.items()})
        )
    return panels


STUDIES: dict[str, Callable[[Case], Owed]] = {
    "toy": toy,
    "mnist": mnist,
    "stock_windows": stock_windows,
    "stock_forecast": stock_forecast,
    "table": table,
}
