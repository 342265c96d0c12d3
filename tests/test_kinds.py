"""The kinds of data sets: what params.yaml may name has a module and a study."""

import inspect
from collections.abc import Callable
from typing import get_args

import pytest

from lstm_ae import params
from lstm_ae.core.errors import InputError
from lstm_ae.data import registry
from lstm_ae.data.registry import kind_of
from lstm_ae.evaluation import studies
from lstm_ae.evaluation.studies import study_of


def test_what_params_may_name_is_registered_with_a_module_and_a_study() -> None:
    union, _ = get_args(params.Data)
    tags = {get_args(block.model_fields["dataset"].annotation)[0] for block in get_args(union)}
    assert set(params.KINDS) == tags
    assert set(registry.KINDS) == tags
    assert set(studies.STUDIES) == tags


@pytest.mark.parametrize("tag", params.KINDS)
def test_a_kind_is_the_module_of_its_tag(tag: str) -> None:
    kind, study = kind_of(tag), study_of(tag)
    modules = {inspect.getmodule(function) for function in (kind.acquire, kind.prepare)}
    assert [module.__name__ for module in modules] == [f"lstm_ae.data.{tag}"]
    modules = {inspect.getmodule(function) for function in (study.study, study.view)}
    assert [module.__name__ for module in modules] == [f"lstm_ae.evaluation.studies.{tag}"]


@pytest.mark.parametrize(
    ("find", "registry_name"), [(kind_of, "lstm_ae.data"), (study_of, "lstm_ae.evaluation.studies")]
)
def test_a_tag_that_is_not_registered_is_named(
    find: Callable[[str], object], registry_name: str
) -> None:
    with pytest.raises(InputError, match=r"^dataset sine: no module of ") as error:
        find("sine")
    assert registry_name in str(error.value) and "\n" not in str(error.value)
