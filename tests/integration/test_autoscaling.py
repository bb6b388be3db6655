"""Ray's autoscaler brings the nodes that a study's bundles need, and takes them away again."""

import pytest

from benchmarks.autoscaling import NODE_GPUS, watch_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_from_no_worker_to_the_mix_that_is_needed_and_back() -> None:
    log = [change.nodes for change in watch_study()]
    assert log[0] == ()
    assert log[-1] == ()
    assert {gpus for nodes in log for gpus in nodes} == set(NODE_GPUS)
