"""A plan held against a cluster."""

import pickle
from functools import partial

import pytest

from cluster.placement import Placement
from cluster.preflight import Capacity, Node
from scoot_ray.core.errors import ClusterError, StudyError
from scoot_ray.core.study import parse_study
from scoot_ray.plan import Plan
from scoot_ray.preflight import fit_to_cluster
from searchers.designed_search import DesignedSearch
from tests.integration.studies import STUDY


def capacity(*gpus: int) -> Capacity:
    return Capacity(tuple(Node(n, 64) for n in gpus), Placement())


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.of(parse_study(STUDY))


def test_sizes_that_fit_nowhere_are_left_out_with_a_word(plan: Plan) -> None:
    assert plan.bundle_sizes == [1, 2, 4]
    fitting, text = fit_to_cluster(plan, capacity(2, 2))
    assert fitting.bundle_sizes == [1, 2]
    assert "trials of 4 GPUs fit nowhere and are left out" in text
    suggested = fitting.agenda.optimizer.suggest([], [], 40)
    assert {config["tensor_parallel_size"] for config in suggested} == {1, 2}


def test_a_cluster_that_holds_everything_changes_nothing(plan: Plan) -> None:
    fitting, text = fit_to_cluster(plan, capacity(4))
    assert fitting is plan
    assert "left out" not in text


@pytest.mark.parametrize(("mode", "batch_size"), [("batch", 4), ("asynchronous", 1)])
def test_the_papers_threshold_moves_by_the_studys_batches(mode: str, batch_size: int) -> None:
    search = {"algorithm": "scoot_paper", "mode": mode, "parallelism": 4}
    optimizer = Plan.of(parse_study({**STUDY, "search": search})).agenda.optimizer
    assert isinstance(optimizer, DesignedSearch)
    assert isinstance(optimizer.propose, partial)
    assert optimizer.propose.keywords == {"batch_size": batch_size}


def test_an_option_that_is_said_elsewhere_ends_in_one_message() -> None:
    search = {"options": {"limits": [1]}}
    limits = [{"metric": "ttft_p99_s", "at_most": 1.0}]
    with pytest.raises(StudyError, match=r"search\.options\.limits: limits are the study's"):
        Plan.of(parse_study({**STUDY, "search": search, "limits": limits}))


def test_a_default_that_fits_nowhere_is_refused(plan: Plan) -> None:
    with pytest.raises(ClusterError, match="would wait for ever"):
        fit_to_cluster(plan, capacity())


def test_a_masked_plan_can_be_pickled_with_the_experiment(plan: Plan) -> None:
    agenda = fit_to_cluster(plan, capacity(2))[0].agenda
    assert pickle.loads(pickle.dumps(agenda)) is not None
