import numpy as np
import pytest

from trainables.simulator.curves import Curves
from trainables.simulator.timeline import StepSample


def sample(start_s: float, duration_s: float, **fields: float) -> StepSample:
    values = {
        "num_waiting": 0,
        "num_running": 1,
        "num_decode_tokens": 1,
        "num_prefill_tokens": 0,
        "kv_usage": 0.5,
        "num_preempted": 0,
        **fields,
    }
    return StepSample(start_s, duration_s, **values)  # type: ignore[arg-type]


def busy(num_steps: int) -> Curves:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 100, size=num_steps)
    return Curves.of([sample(float(n), 1.0, num_waiting=int(counts[n])) for n in range(num_steps)])


def test_idle_stretches_and_the_end_are_empty() -> None:
    curves = Curves.of([sample(1.0, 0.5), sample(1.5, 0.5), sample(4.0, 1.0)])
    assert list(curves.start_s) == [0.0, 1.0, 1.5, 2.0, 4.0, 5.0]
    assert list(curves.running) == [0, 1, 1, 0, 1, 0]
    assert list(curves.step_s) == [0.0, 0.5, 0.5, 0.0, 1.0, 0.0]
    assert list(curves.is_step) == [0, 1, 1, 0, 1, 0]
    assert curves.duration_s.sum() == 5.0


def test_preemptions_add_up_and_tokens_are_those_of_prompts_and_decodes() -> None:
    steps = [sample(0.0, 1.0, num_preempted=2), sample(1.0, 1.0, num_prefill_tokens=9)]
    curves = Curves.of([*steps, sample(2.0, 1.0, num_preempted=1)])
    assert list(curves.preemptions) == [2, 2, 3, 3]
    assert list(curves.tokens) == [1, 10, 1, 0]
    assert list(curves.decode_tokens) == [1, 1, 1, 0]


def test_no_step_at_all_is_one_empty_point() -> None:
    assert len(Curves.of([])) == 1


@pytest.mark.parametrize("max_points", [14, 200, 3000])
def test_thinning_keeps_peaks_ends_and_order(max_points: int) -> None:
    curves = busy(20_000)
    thin = curves.thinned(max_points)
    assert len(thin) <= max_points + 2
    assert thin.waiting.max() == curves.waiting.max()
    assert thin.waiting[:-1].min() == curves.waiting[:-1].min()
    assert (thin.start_s[0], thin.start_s[-1]) == (curves.start_s[0], curves.start_s[-1])
    assert (np.diff(thin.start_s) > 0).all()


def test_a_short_timeline_is_not_thinned() -> None:
    curves = busy(100)
    assert curves.thinned(3000) is curves


def test_averages_are_over_the_steps_of_each_stretch() -> None:
    steps = [sample(float(n), 1.0, num_running=n) for n in range(4)]
    curves = Curves.of([*steps, sample(8.0, 2.0, num_running=7)])  # idle from 4 to 8
    means = curves.averaged(5)
    assert list(means.start_s) == [0.0, 2.0, 8.0]
    assert list(means.running) == [0.5, 2.5, 7.0]
