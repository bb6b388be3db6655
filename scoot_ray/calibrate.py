"""Calibration: short stress tests on a real engine, and the simulator fitted to some of them.

The rest are held out: the simulator predicts them, and the comparison says how far it can be
believed on this engine.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isinf, log
from pathlib import Path

from scoot_ray.core.assignment import trial_seed
from scoot_ray.core.display import describe_config
from scoot_ray.core.errors import EngineError, StudyError
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.study import Study
from scoot_ray.report.tables import Table
from searchers import make_optimizer
from traces import load_trace
from traces.schema import Trace
from trainables.backend import BACKENDS
from trainables.simulator.calibration import Calibration
from trainables.simulator.fit import Measurement, at_rate, fit_calibration, predict
from trainables.spaces import (
    base_space_name,
    make_space,
    tensor_parallel_sizes,
    whole_numbers,
)

RATE_FACTORS = (0.5, 1.0, 1.5)
"""Below, at and above the study's rate, which should lie near saturation."""

COMPARED = {
    "throughput_rps": "throughput",
    "ttft_mean_s": "mean TTFT",
    "tpot_mean_s": "mean TPOT",
    "latency_p95_s": "p95 latency",
}


@dataclass(frozen=True)
class PlannedTest:
    """Plan one stress test of a calibration.

    Attributes:
        number: Counts from 0; decides the seed.
        config: The tuned parameters.
        request_rate_rps: Of the whole service.
        is_held_out: It is predicted, not fitted to.
        instead: What else it may run, in turn, if the engine does not survive `config`.
    """

    number: int
    config: Config
    request_rate_rps: float
    is_held_out: bool
    instead: tuple[Config, ...] = ()

    def variants(self) -> Iterator["PlannedTest"]:
        """Yield the test itself, then the same with each of the other configurations."""
        for config in (self.config, *self.instead):
            yield replace(self, config=config, instead=())

    def __str__(self) -> str:
        return f"{self.request_rate_rps:g} requests/s, {describe_config(self.config)}"


@dataclass(frozen=True)
class Comparison:
    """Set one measured test beside its prediction.

    Attributes:
        test: Which one.
        measured: Metrics on the real engine, the means of all rounds.
        predicted: Metrics of the calibrated simulator; empty if that one crashed.
        spread: Share by which the largest of the rounds is above the least, by metric.
    """

    test: PlannedTest
    measured: dict[str, float]
    predicted: dict[str, float]
    spread: dict[str, float] = field(default_factory=dict)

    def error(self, metric: str) -> float | None:
        """Return predicted over measured, less one; infinite if the prediction crashed.

        None if it was not measured: answers of one token have no time between tokens.
        """
        if metric not in self.measured:
            return None
        return self.predicted.get(metric, inf) / self.measured[metric] - 1.0


@dataclass(frozen=True)
class Fit:
    """Report a calibration.

    Attributes:
        calibration: The fitted constants.
        comparisons: Every test that completed, in order.
        path: Where the constants were written.
    """

    calibration: Calibration
    comparisons: tuple[Comparison, ...]
    path: Path

    @property
    def largest_held_out_error(self) -> float | None:
        """The largest absolute relative error of a held-out test; None if there is none."""
        held_out = [c for c in self.comparisons if c.test.is_held_out]
        errors = [c.error(metric) for c in held_out for metric in COMPARED]
        return max((abs(error) for error in errors if error is not None), default=None)

    @property
    def largest_spread(self) -> float:
        """The largest share by which the engine itself differed between rounds."""
        spreads = [c.spread.get(metric, 0.0) for c in self.comparisons for metric in COMPARED]
        return max(spreads, default=0.0)


def calibrate_study(
    study: Study,
    output: Path,
    *,
    num_fitted: int,
    num_held_out: int,
    num_rounds: int = 1,
    duration_s: float,
    note: Callable[[str], None],
) -> Fit:
    """Measure, fit, compare, and write `calibration.yaml`.

    A test that `output` already holds is not run again.

    Args:
        study: Says engine, hardware, trace, and the rate near saturation.
        output: Folder for the measurements and the result, which is there.
        num_fitted: Tests to fit to: the default at every rate, then other configurations.
        num_held_out: Tests to predict, of configurations that are not fitted to.
        num_rounds: How often each test runs, one round of all after the other, so that what the
            machine does for a while does not meet one test alone; means count.
        duration_s: Of the load of each test.
        note: Receives a line about every test.

    Raises:
        StudyError: If the study's engine is the simulator itself.
        EngineError: If the engine cannot be used, or too few tests completed.
    """
    if study.engine.kind == "simulated":
        raise StudyError(
            "engine.kind: calibration needs a real engine to fit the simulator to, got simulated; "
            "write vllm."
        )
    space = make_space(study)
    BACKENDS[study.engine.kind].check(study, space)
    trace = load_trace(study.workload.trace)
    tests = plan_tests(study, space, num_fitted, num_held_out)
    measured = _measure_all(study, trace, tests, num_rounds, duration_s, output, note)
    note("fitting the simulator")
    fitted_to = [Measurement.mean_of(rounds) for t, rounds in measured if not t.is_held_out]
    calibration = fit_calibration(study, trace, fitted_to)
    comparisons = tuple(
        _compare(test, rounds, predict(study, trace, rounds[0], calibration))
        for test, rounds in measured
    )
    path = output / "calibration.yaml"
    fit = Fit(calibration, comparisons, path)
    calibration.write(path, _about(study, fit))
    return fit


def plan_tests(
    study: Study, space: SearchSpace, num_fitted: int, num_held_out: int
) -> tuple[PlannedTest, ...]:
    """Choose configurations and rates.

    Fitted first: the default with every `tensor_parallel_size`, at every rate, since what more GPUs
    cost can be told from nothing else; then with another block size at the highest rate, since what
    blocks cost hides among other costs where more than they is changed: the one farthest from the
    default's that the engine can start with. Then Sobol configurations with the rates in turn;
    held-out ones begin with the lowest rate again, so that three of them see every rate.
    """
    rates = [study.workload.request_rate_rps * factor for factor in RATE_FACTORS]
    planned: list[tuple[list[Config], float]] = [
        ([config], rate) for rate in rates for config in _default_by_degree(space)
    ]
    if by_blocks := _default_by_block_size(space):
        planned.append((by_blocks, rates[-1]))
    planned = planned[:num_fitted]
    sampler = make_optimizer("random", space, study.objectives, seed=study.search.seed)
    turns = [*range(num_fitted - len(planned)), *range(num_held_out)]
    others = sampler.suggest([], [space.default], len(turns)) if turns else []
    planned += [([c], rates[n % len(rates)]) for c, n in zip(others, turns, strict=True)]
    return tuple(
        PlannedTest(number, config, rate, number >= num_fitted, tuple(instead))
        for number, ((config, *instead), rate) in enumerate(planned)
    )


def _default_by_degree(space: SearchSpace) -> list[Config]:
    """Return the default configuration with every tensor-parallel size that is valid with it."""
    sizes = tensor_parallel_sizes(space)
    configs = [{**space.default, "tensor_parallel_size": size} for size in sizes]
    return [config for config in configs if space.is_valid(config)] or [space.default]


def _default_by_block_size(space: SearchSpace) -> list[Config]:
    """Return the default with every other block size, the one farthest from its own first."""
    sizes = whole_numbers(space, "block_size")
    configs: list[Config] = [{**space.default, "block_size": size} for size in sizes]
    others = [c for c in configs if c != space.default and space.is_valid(c)]
    return sorted(others, key=lambda c: -abs(log(c["block_size"] / space.default["block_size"])))


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Set predicted beside measured, a row per test and the error of every metric."""
    rows = []
    for comparison in comparisons:
        test = comparison.test
        cells = [_cell(comparison, metric) for metric in COMPARED]
        role = "held out" if test.is_held_out else "fitted"
        rows.append((str(test.number), role, f"{test.request_rate_rps:g}", *cells))
    header = ("test", "role", "requests/s", *(f"{name}" for name in COMPARED.values()))
    return Table("Predicted (measured, error)", header, tuple(rows))


def describe_error(error: float) -> str:
    """Say how large an error is, as a share; an infinite one is a prediction that crashed."""
    return "crashed" if isinf(error) else f"{error:.0%}"


def _cell(comparison: Comparison, metric: str) -> str:
    error = comparison.error(metric)
    if error is None:
        return "-"
    measured = comparison.measured[metric]
    if isinf(error):
        return f"{describe_error(error)} ({measured:.4g})"
    return f"{comparison.predicted[metric]:.4g} ({measured:.4g}, {error:+.0%})"


def _compare(
    test: PlannedTest, rounds: Sequence[Measurement], predicted: dict[str, float]
) -> Comparison:
    measured = dict(Measurement.mean_of(rounds).metrics)
    values = {name: [one.metrics[name] for one in rounds] for name in COMPARED if name in measured}
    spread = {name: max(found) / min(found) - 1.0 for name, found in values.items()}
    return Comparison(test, measured, predicted, spread)


def _measure_all(
    study: Study,
    trace: Trace,
    tests: Sequence[PlannedTest],
    num_rounds: int,
    duration_s: float,
    output: Path,
    note: Callable[[str], None],
) -> list[tuple[PlannedTest, list[Measurement]]]:
    """Run every test once a round; keep those that the engine survived each time."""

    def run(test: PlannedTest, number: int) -> Measurement | None:
        folder = output / "trials" / f"{test.number:04d}-{number}"
        return _measure(study, trace, test, duration_s, folder, note)

    measured: list[tuple[PlannedTest, list[Measurement]]] = []
    for test in tests:
        for variant in test.variants():
            if first := run(variant, 0):
                measured.append((variant, [first]))
                break
    for number in range(1, num_rounds):
        for test, rounds in measured:
            found = run(test, number) if len(rounds) == number else None
            rounds += [found] if found else []
    return [(test, rounds) for test, rounds in measured if len(rounds) == num_rounds]


def _measure(
    study: Study,
    trace: Trace,
    test: PlannedTest,
    duration_s: float,
    folder: Path,
    note: Callable[[str], None],
) -> Measurement | None:
    """Run one test, or find it in its folder; None if the engine did not survive it."""
    seed = trial_seed(study.search.seed, test.number)
    wanted = Measurement(test.config, test.request_rate_rps, duration_s, seed, {})
    found = _found(folder / "measurement.json", wanted)
    if found is not None:
        note(f"test {test.number}: measured before: {test}")
        return found
    note(f"test {test.number}: {test}")
    slower = at_rate(study, test.request_rate_rps, duration_s)
    stress_test = BACKENDS[study.engine.kind].stress_test(slower, folder)
    outcome = stress_test.run(test.config, trace, seed)
    if outcome.failure is not None:
        note(f"test {test.number}: {outcome.state.value}: {outcome.failure.message}")
        if outcome.failure.fatal:
            raise EngineError("\n".join([outcome.failure.message, *outcome.failure.log_tail]))
    if outcome.state is not TrialState.COMPLETE:
        return None
    measurement = Measurement(
        test.config, test.request_rate_rps, duration_s, seed, dict(outcome.metrics)
    )
    (folder / "measurement.json").write_text(json.dumps(measurement.to_json(), indent=1))
    return measurement


def _found(path: Path, wanted: Measurement) -> Measurement | None:
    """Return the measurement in a file, if it is one of the same test."""
    if not path.exists():
        return None
    found = Measurement.from_json(json.loads(path.read_text()))
    same = {**found.to_json(), "metrics": {}} == wanted.to_json()
    return found if same else None


def _about(study: Study, fit: Fit) -> dict[str, object]:
    error = fit.largest_held_out_error
    return {
        "model": study.engine.model,
        "accelerator": study.service.accelerator,
        "space": base_space_name(study),
        "num_tests_fitted": sum(not c.test.is_held_out for c in fit.comparisons),
        "num_tests_held_out": sum(c.test.is_held_out for c in fit.comparisons),
        "largest_held_out_error": None if error is None else round(error, 4),
    }
