import pytest

from lstm_ae.core.errors import InputError
from lstm_ae.data.registry import KINDS
from lstm_ae.evaluation.studies import STUDIES, study_of


def test_every_kind_of_data_set_has_a_study() -> None:
    assert STUDIES.keys() == KINDS.keys()
    assert study_of("toy") is STUDIES["toy"]


def test_a_kind_without_a_study_is_named_with_the_place_to_add_it() -> None:
    message = r"dataset waves: no module of lstm_ae\.evaluation\.studies is registered for it"
    with pytest.raises(InputError, match=message):
        study_of("waves")
