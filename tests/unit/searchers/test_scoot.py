from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.scale import Linear, Logarithmic
from searchers.scoot import fit_gp
from tests.unit.searchers.spaces import ONE_FLOAT, VLLM

X = np.random.default_rng(0).random((20, 2))


def test_half_as_many_sobol_points_as_the_paper() -> None:
    objective = [Objective("ttft_mean_s", "min")]
    designs = [make_optimizer(n, VLLM, objective, seed=0) for n in ("scoot", "scoot_paper")]
    assert [getattr(d, "design_size") for d in designs] == [5, 9]  # noqa: B009


def test_times_and_rates_are_modelled_in_logarithms() -> None:
    assert isinstance(fit_gp(X, np.exp(X[:, 0])).scale, Logarithmic)
    assert isinstance(fit_gp(X, -np.exp(X[:, 0])).scale, Logarithmic)
    assert isinstance(fit_gp(X, X[:, 0] - 0.5).scale, Linear)


def test_how_bad_a_bad_loss_is_does_not_matter() -> None:
    loss = 1.0 + X[:, 0]
    worse = np.where(X[:, 0] > 0.9, 50.0, loss)
    mean, _ = fit_gp(X, worse, worst=1.0).predict(X)
    assert np.corrcoef(mean[X[:, 0] < 0.8], X[X[:, 0] < 0.8, 0])[0, 1] > 0.7


@pytest.mark.parametrize("metric", ["ttft_p99_s", "ttft_mean_s"])
def test_goes_where_the_limit_is_met(metric: str) -> None:
    # The throughput rises with x, the limit is met below x = 0.2.
    def trial(number: int, x: float) -> TrialRecord:
        metrics = {"throughput_rps": 10.0 + x, metric: float(np.exp(3 * (x - 0.2)))}
        return TrialRecord(number, {"x": x}, TrialState.COMPLETE, metrics)

    history = [trial(i, x) for i, x in enumerate([0.0, -0.9, -0.6, -0.3, 0.5, 0.7, 0.9, -0.1])]
    objective = Objective("throughput_rps", "max")
    optimizer = make_optimizer("scoot", ONE_FLOAT, [objective], seed=0, limits=[Limit(metric, 1.0)])
    for number in range(8, 12):
        history.append(trial(number, optimizer.suggest(history, [])[0]["x"]))
    met = [r.config["x"] for r in history if r.metrics[metric] <= 1.0]
    assert 0.05 < max(met) <= 0.2


def test_a_limit_may_cost_more_than_the_default_in_one_objective() -> None:
    # The default, x = 0, misses the limit, which is met above 0.6, where the TTFT is worse.
    def trial(number: int, x: float) -> TrialRecord:
        metrics = {"ttft_mean_s": np.exp(x), "tpot_mean_s": np.exp(-x)}
        limited = {"itl_p99_s": float(np.exp(3 * (0.6 - x)))}
        return TrialRecord(number, {"x": x}, TrialState.COMPLETE, {**metrics, **limited})

    history = [trial(i, x) for i, x in enumerate([0.0, -0.9, -0.6, -0.3, 0.2, 0.4, 0.9])]
    objectives = [Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min")]
    limits = [Limit("itl_p99_s", 1.0)]
    optimizer = make_optimizer("scoot", ONE_FLOAT, objectives, seed=0, limits=limits)
    for number in range(7, 13):
        history.append(trial(number, optimizer.suggest(history, [])[0]["x"]))
    assert sum(record.config["x"] >= 0.6 for record in history[7:]) >= 4


def test_an_estimate_is_never_the_incumbent_but_shows_the_way() -> None:
    def trial(number: int, x: float, **fields: Any) -> TrialRecord:
        metrics = {"ttft_mean_s": 1.0 + (x + 0.5) ** 2}
        return TrialRecord(number, {"x": x}, TrialState.COMPLETE, metrics, **fields)

    history = [trial(0, 0.0), trial(1, 0.3)]
    for number, x in enumerate([0.6, 0.8, 0.95, -0.9], start=2):
        low = {"ttft_mean_s": 1.2}
        history.append(replace(trial(number, x), is_bound=True, estimate=trial(0, x).metrics))
        history[-1] = replace(history[-1], metrics=low)
    optimizer = make_optimizer("scoot", ONE_FLOAT, [Objective("ttft_mean_s", "min")], seed=0)
    assert -0.8 < optimizer.suggest(history, [])[0]["x"] < -0.1
