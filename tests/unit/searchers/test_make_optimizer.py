import pytest

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import Objective
from searchers import make_optimizer
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
