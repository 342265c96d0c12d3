"""A trained section, ready to be studied, and what a study finds."""

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from lstm_ae.core.splits import Description, Split
from lstm_ae.evaluation import figures, forecasting
from lstm_ae.evaluation.curves import Curves
from lstm_ae.evaluation.forecasting import Forecaster
from lstm_ae.model.regression import Autoregression
from lstm_ae.package.answers import Answers
from lstm_ae.package.package import Package
from lstm_ae.rivals.boosting import Boosting


@dataclass(frozen=True)
class Case:
    """A trained section.

    Parameters
    ----------
    answers
        What the model answers to the sequences of test.
    metrics
        Those that every kind of data set has.
    loss
        The name of the loss of reconstruction and prediction, such as "mse".
    boosting
        The gradient boosting beside a model that predicts.
    """

    package: Package
    description: Description
    splits: dict[str, Split]
    answers: Answers
    metrics: dict[str, Any]
    curves: Curves
    loss: str
    boosting: Boosting | None = None

    @property
    def test(self) -> Split:
        """The test split."""
        return self.splits["test"]

    @property
    def note(self) -> str | None:
        """What a figure must say of its data."""
        source = self.description.data_source
        return source if source.startswith("REDUCED") else None

    @property
    def result(self) -> str:
        """The test error beside those of PCA and the mean, for titles."""
        m = self.metrics
        pca = f"PCA with {m['code_size']} numbers {m['pca_mse']:.4f}"
        return f"test MSE {m['mse']:.4f}; {pca}, the mean {m['mean_mse']:.4f}"

    def lines(self, split: Split) -> dict[str, Autoregression]:
        """Least squares on what is known before the scored steps of a split."""
        return forecasting.fit_lines(self.splits["train"], forecasting.known_steps(split))

    def forecasters(self, split: Split) -> dict[str, Forecaster]:
        """The lines, and gradient boosting."""
        forecasters: dict[str, Forecaster] = {**self.lines(split)}
        if self.boosting is not None:
            forecasters[forecasting.BOOSTING] = self.boosting
        return forecasters

    def loss_figure(self) -> Figure:
        """The losses of reconstruction and prediction by epoch."""
        panels = {
            f"{measure} loss ({self.loss})": self.curves[measure]
            for measure in ("reconstruction", "prediction")
            if measure in self.curves
        }
        best = f"{self.metrics['validation_loss']:.5f}, epoch {self.metrics['best_epoch']}"
        title = f"Best validation loss {best}"
        return figures.learning_curves(panels, title, list(panels), self.note)


@dataclass(frozen=True)
class Findings:
    """What a study finds beside the metrics that every kind of data set has."""

    metrics: dict[str, Any]
    figures: dict[str, Figure]
