"""Fit the simulator's constants to stress tests that ran on a real engine.

The simulator repeats each test, with the same requests at the same times, and its constants are
moved until the request records say the same: a least-squares problem over the logarithms of a few
constants, with the logarithm of predicted over measured as residuals. Nothing has to be known of
the engine but what a client sees, and the steps that it counts where it counts them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import log
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, least_squares

from scoot_ray.core.errors import EngineError
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from traces.schema import Trace
from trainables.simulator.calibration import Calibration
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.stress_test import SimulatedStressTest
from trainables.simulator.version import find_version
from trainables.spaces import base_space_name

# What the request records are reduced to. Upper quantiles of TTFT and TPOT are left out: in a short
# test they hang on whether one more request met a long prompt.
FITTED_METRICS = (
    "throughput_rps",
    "ttft_mean_s",
    "ttft_p50_s",
    "tpot_mean_s",
    "tpot_p50_s",
    "latency_mean_s",
    "latency_p95_s",
    "num_engine_steps",
)
# Shares of a peak, which cannot exceed it, and times. The others are too small to be told apart
# by whole stress tests.
SHARES = (
    "matmul_flops",
    "matmul_memory",
    "prefill_attention_flops",
    "decode_attention_memory",
    "interconnect",
)
TIMES = ("elementwise_s", "kernel_launch_s", "compiled_launch_s", "block_lookup_tokens")
HOST_TIMES = ("base_s", "sequence_s", "output_s", "broadcast_s", "request_s")

LARGEST_FACTOR = 1000.0  # by which a constant may move; a CPU is not a GPU
FIRST_FACTORS = (1.0, 4.0, 16.0)  # by which the engine may be slower than published numbers say
NUM_FIRST_EVALUATIONS = 5
NUM_EVALUATIONS = 20
LARGEST_FIRST_SHARE = 0.8
PRIOR_WEIGHT = 0.02  # of a factor of e: decides only what the measurements leave open
STEP = 0.1  # of a finite difference, in logarithms; well above the noise of a step's jitter
TYPICAL_RESIDUAL = 1.0  # larger ones, of tests that are far off, count less than their square
MISSING = 3.0  # residual of a metric that the simulated test does not have: it crashed


@dataclass(frozen=True)
class Measurement:
    """Record one stress test on a real engine, with all that it takes to repeat it.

    Attributes:
        config: The tuned parameters.
        request_rate_rps: Of the whole service.
        duration_s: How long requests were sent.
        seed: Of the arrivals.
        metrics: What came out.
    """

    config: Config
    request_rate_rps: float
    duration_s: float
    seed: int
    metrics: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote."""
        return cls(**data)

    @classmethod
    def mean_of(cls, rounds: Sequence[Self]) -> Self:
        """Return several measurements of one test as one, with the metrics that all have."""
        names = set.intersection(*(set(one.metrics) for one in rounds))
        metrics = {n: float(np.mean([one.metrics[n] for one in rounds])) for n in sorted(names)}
        return replace(rounds[0], metrics=metrics)

    def study_of(self, study: Study) -> Study:
        """Return the study with this test's rate and duration."""
        return at_rate(study, self.request_rate_rps, self.duration_s)


def at_rate(study: Study, request_rate_rps: float, duration_s: float) -> Study:
    """Return a study with another request rate and duration."""
    changes = {"request_rate_rps": request_rate_rps, "duration_s": duration_s}
    return study.model_copy(update={"workload": study.workload.model_copy(update=changes)})


def predict(
    study: Study, trace: Trace, measurement: Measurement, calibration: Calibration
) -> dict[str, float]:
    """Return the metrics of a measured test as the simulator gives them; empty if it crashes."""
    test = SimulatedStressTest(measurement.study_of(study), calibration=calibration)
    return dict(test.run(measurement.config, trace, measurement.seed).metrics)


def fit_calibration(study: Study, trace: Trace, measurements: Sequence[Measurement]) -> Calibration:
    """Fit the constants to measurements.

    Raises:
        EngineError: If there are too few.
    """
    if len(measurements) < 2:
        raise EngineError(
            f"Calibration needs two stress tests that completed, got {len(measurements)}."
        )
    constants = _Constants.of(study)
    lows, highs = constants.bounds()

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        calibration = constants.scaled(logs)
        misfits = [
            _residuals(predict(study, trace, measurement, calibration), measurement.metrics)
            for measurement in measurements
        ]
        return np.concatenate([*misfits, PRIOR_WEIGHT * logs])

    def solve(start: NDArray[np.float64], max_evaluations: int) -> OptimizeResult:
        return least_squares(
            residuals,
            start,
            jac=_forward_differences(residuals, highs),
            bounds=(lows, highs),
            loss="soft_l1",
            f_scale=TYPICAL_RESIDUAL,
            xtol=1e-3,
            ftol=1e-3,
            max_nfev=max_evaluations,
        )

    # A constant of which next to nothing shows has no slope, so the fit also starts where all of
    # them show.
    tries = [solve(constants.slowed(factor), NUM_FIRST_EVALUATIONS) for factor in FIRST_FACTORS]
    best = min(tries, key=lambda solution: float(solution.cost))
    return constants.scaled(solve(best.x, NUM_EVALUATIONS).x)


@dataclass(frozen=True)
class _Constants:
    """The constants that are fitted, where the fit begins."""

    efficiency: Mapping[str, float]
    host: Mapping[str, float]

    @classmethod
    def of(cls, study: Study) -> Self:
        start = asdict(Efficiency())
        host = asdict(find_version(base_space_name(study), study.engine.fixed).host)
        # Away from the bound, on which the solver would stay.
        shares = {name: min(start[name], LARGEST_FIRST_SHARE) for name in SHARES}
        return cls(
            shares | {name: start[name] for name in TIMES},
            {name: host[name] for name in HOST_TIMES},
        )

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the largest logarithm of each constant's factor."""
        names = [*self.efficiency, *self.host]
        low, high = -log(LARGEST_FACTOR), log(LARGEST_FACTOR)
        highs = [-log(self.efficiency[name]) if name in SHARES else high for name in names]
        return np.full(len(names), low), np.array(highs)

    def slowed(self, factor: float) -> NDArray[np.float64]:
        """Return the logarithms with which everything takes `factor` times as long."""
        signs = [-1.0 if name in SHARES else 1.0 for name in [*self.efficiency, *self.host]]
        return log(factor) * np.array(signs)

    def scaled(self, logs: NDArray[np.float64]) -> Calibration:
        """Return the constants, each times the exponential of its logarithm."""
        factors = iter(np.exp(logs).tolist())
        efficiency = {name: value * next(factors) for name, value in self.efficiency.items()}
        host = {name: value * next(factors) for name, value in self.host.items()}
        return Calibration(replace(Efficiency(), **efficiency), host)


def _residuals(
    predicted: Mapping[str, float], measured: Mapping[str, float]
) -> NDArray[np.float64]:
    names = [name for name in FITTED_METRICS if measured.get(name, 0.0) > 0]
    return np.array([_residual(predicted.get(name, 0.0), measured[name]) for name in names])


def _residual(predicted: float, measured: float) -> float:
    return log(predicted / measured) if predicted > 0 else MISSING


def _forward_differences(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], highs: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a Jacobian [num_residuals, num_constants] whose steps average over the jitter."""

    def jacobian(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        here = function(logs)
        columns = []
        for index, high in enumerate(highs):
            step = STEP if logs[index] + STEP <= high else -STEP
            moved = logs.copy()
            moved[index] += step
            columns.append((function(moved) - here) / step)
        return np.stack(columns, axis=1)

    return jacobian
