"""The study of toy sequences."""

from lstm_ae.evaluation import figures
from lstm_ae.evaluation.explorer import View
from lstm_ae.evaluation.studies.case import Case, Findings
from lstm_ae.package.answers import compute_answers


def study(case: Case) -> Findings:
    """Examples, reconstructions of training and test, losses (3.1 of the report)."""
    examples = {}
    for name in ("train", "validation", "test"):
        examples[name] = case.splits[name].values()[:2, :, 0]
    pairs = {}
    for name in ("train", "test"):
        sequences = case.splits[name].sequences[:2]
        answers = compute_answers(case.package.model, sequences, case.package.device)
        pairs[name] = (examples[name], answers.reconstruction[:, :, 0])
    sample = case.test.thinned(200)
    title = f"A code of {case.metrics['code_size']} numbers: {case.result}"
    drawn = {
        "examples": figures.toy_examples(
            examples, sample.values()[:, :, 0], sample.extras["centres"]
        ),
        "reconstructions": figures.sequence_reconstructions(pairs, title),
        "loss": case.loss_figure(),
    }
    return Findings({}, drawn)


def view(case: Case) -> View:
    """How a person reads a sequence."""
    return View(case.package.layout.variables, "", lambda row: f"test sequence {row}")
