"""What the study of digits says: class metrics where there is a class, one image of each digit."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from lstm_ae.core.splits import Description, Split
from lstm_ae.data.prepared import Prepared
from lstm_ae.evaluation import figures
from lstm_ae.evaluation.studies import STUDIES, mnist
from lstm_ae.units.layout import Layout
from tests.evaluation.cases import case_of


def prepared_digits(classes: int | None) -> Prepared:
    """Noise of four by four pixels, as images of digits in turn."""
    random, digits = np.random.default_rng(0), np.arange(40)[::-1] % 10
    splits = {}
    for name in ("train", "validation", "test"):
        splits[name] = Split(
            random.integers(0, 256, (40, 4, 4), np.uint8),
            labels=digits if classes else None,
            image_shape=np.array([4, 4]),
            extras={"digits": digits},
        )
    description = Description("MNIST", unit_interval=True, classes=classes)
    return Prepared(splits, description, Layout.of_sequences(4, 4, scale=255.0))


def test_a_class_head_is_scored_on_test() -> None:
    case = case_of(prepared_digits(10), classes=10)
    findings = STUDIES["mnist"].study(case)
    probabilities, labels = case.answers.probabilities, case.test.labels
    accuracy = accuracy_score(labels, probabilities.argmax(axis=1))
    assert findings.metrics["accuracy"] == pytest.approx(accuracy)
    assert findings.metrics["cross_entropy"] == pytest.approx(log_loss(labels, probabilities))
    assert set(findings.figures) == {"digits", "learning"}


def test_without_a_class_head_there_are_no_metrics_of_classes() -> None:
    findings = STUDIES["mnist"].study(case_of(prepared_digits(None)))
    assert findings.metrics == {}
    assert set(findings.figures) == {"digits", "loss"}


def test_steps_in_another_order_are_shown_in_that_of_the_image() -> None:
    images = np.random.default_rng(0).random((3, 16, 1))
    order = np.random.default_rng(1).permutation(16)
    split = Split(images[:, order], order=order)
    assert np.array_equal(mnist.as_images(split, split.values()), images)


def test_the_first_test_image_of_each_digit_is_shown(monkeypatch) -> None:
    case = case_of(prepared_digits(None))
    drawn = []
    monkeypatch.setattr(figures, "digits", lambda *arguments: drawn.append(arguments))
    mnist.digits_figure(case)
    ((originals, reconstructions, _),) = drawn
    rows = [int(np.argmax(case.test.extras["digits"] == digit)) for digit in range(10)]
    assert np.array_equal(originals.reshape(10, 4, 4), case.test.values()[rows])
    shown = reconstructions.reshape(10, 4, 4)
    assert np.array_equal(shown, case.answers.reconstruction[rows])
