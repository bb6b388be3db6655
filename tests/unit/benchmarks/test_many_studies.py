"""What studies got of a cluster, on schedules whose shares are known."""

import pytest

from benchmarks.many_studies import fairness, gpus_held, shares_of
from tests.unit.benchmarks.schedules import trial


def test_waits_throughput_and_gpu_time_while_both_ran() -> None:
    histories = {
        "a": (trial(0, 1, 0, 20), trial(1, 2, 30, 60)),
        "b": (trial(0, 1, 10, 40),),
    }
    first, second = shares_of(histories)
    assert first.mean_wait_s == first.longest_wait_s == 10
    assert first.trials_per_min == 2
    # Alone until 10 s and from 40 s on; each second of the time between is shared by two.
    assert first.share == (20 + 60) / (10 + 20 / 2 + 10 / 2 + 30 / 2 + 40)
    assert second.share == 30 / (20 / 2 + 10 / 2 + 30 / 2)
    assert gpus_held(histories, num_gpus=2) == (20 + 60 + 30) / 120


def test_fairness() -> None:
    assert fairness([2, 2, 2]) == 1
    assert fairness([0, 0, 0, 5]) == pytest.approx(0.25)
