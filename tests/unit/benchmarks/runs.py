"""Runs made by hand, for the statistics."""

from benchmarks.comparison.run import Run, Task


def make_run(
    algorithm: str,
    seed: int,
    *curve: float,
    service: str = "closed-online-0",
    parallelism: int = 1,
    seeming: float = 0.0,
    doubt: float = 0.0,
    total_s: float = 100.0,
) -> Run:
    """Build a run whose curve is given."""
    task = Task(service, None, algorithm, parallelism, seed, len(curve) - 1)
    metrics = {"latency_p95_s": 2.0}
    return Run(
        task=task,
        curve=curve,
        doubt=doubt,
        seeming=seeming,
        num_infeasible=1,
        suggestion_s=0.1,
        suggestion_p95_s=0.2,
        total_s=total_s,
        chosen={"latency_p95_s": 1.0},
        default=metrics,
        commit="abc",
    )
