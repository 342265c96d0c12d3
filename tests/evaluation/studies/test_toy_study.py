"""What the study of toy sequences owes: its figures, no numbers of its own."""

from lstm_ae.data import toy
from lstm_ae.data.raw import RawData
from lstm_ae.evaluation.studies import STUDIES
from tests.evaluation.cases import case_of


def test_the_figures_are_those_of_the_report(params, tmp_path) -> None:
    data = params.section("toy").data.model_copy(update={"sequences": 60})
    raw = RawData("toy", tmp_path, 0, "generated")
    toy.acquire(data, raw)
    case = case_of(toy.prepare(data, raw))
    findings = STUDIES["toy"].study(case)
    assert findings.metrics == {}
    assert set(findings.figures) == {"examples", "reconstructions", "loss"}
    assert STUDIES["toy"].view(case).label(3) == "test sequence 3"
