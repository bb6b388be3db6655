from functools import partial

import pytest

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import Objective
from searchers import OPTIMIZERS, make_optimizer, those_of
from searchers.designed_search import DesignedSearch
from tests.unit.searchers.spaces import ONE_FLOAT

OBJECTIVE = Objective("ttft_mean_s", "min")


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(StudyError, match=r"Did you mean scoot\? .*random, genetic, vanilla_bo"):
        make_optimizer("scot", ONE_FLOAT, [OBJECTIVE], seed=0)


def test_an_objective_is_needed() -> None:
    with pytest.raises(StudyError, match="at least one objective"):
        make_optimizer("scoot", ONE_FLOAT, [], seed=0)


def test_seed_is_not_negative() -> None:
    with pytest.raises(StudyError, match="seed"):
        make_optimizer("scoot", ONE_FLOAT, [OBJECTIVE], seed=-1)


@pytest.mark.parametrize("value", ["x", 0, True, 1.5, None])
def test_a_batch_size_is_a_whole_number(value: object) -> None:
    with pytest.raises(StudyError, match=r"batch_size: expected a whole number"):
        make_optimizer("scoot_paper", ONE_FLOAT, [OBJECTIVE], seed=0, batch_size=value)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_options_are_kept_where_an_algorithm_has_them(name: str) -> None:
    options = those_of(name, limits=(), batch_size=4, unheard_of=1)
    make_optimizer(name, ONE_FLOAT, [OBJECTIVE], seed=0, **options)
    assert ("batch_size" in options) == (name == "scoot_paper")


def test_the_papers_threshold_is_told_how_large_a_batch_is() -> None:
    search = make_optimizer("scoot_paper", ONE_FLOAT, [OBJECTIVE], seed=0, batch_size=4)
    assert isinstance(search, DesignedSearch)
    assert isinstance(search.propose, partial)
    assert search.propose.keywords == {"batch_size": 4}
