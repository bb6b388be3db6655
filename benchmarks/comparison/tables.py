"""The tables of a comparison, for the terminal and for Markdown."""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.comparison.algorithms import PEERS
from benchmarks.comparison.run import Run
from benchmarks.comparison.statistics import Interval, Runs
from scoot_ray.core.display import format_metric
from scoot_ray.report.tables import Table


def comparison_tables(runs: Runs) -> list[Table]:
    """Tabulate everything that the runs allow."""
    tables = [overall_table(runs), duel_table(runs), service_table(runs)]
    return [*tables, parallelism_table(runs)] if len(runs.degrees) > 1 else tables


def overall_table(runs: Runs) -> Table:
    """Set the algorithms beside each other over all services and degrees."""
    ranks = runs.mean_ranks()
    rows = []
    for algorithm in runs.algorithms:
        chosen = runs.of(algorithm=algorithm)
        halfway = [runs.share(run, len(run.curve) // 2) for run in chosen]
        rows.append(
            (
                algorithm,
                str(len(chosen)),
                _percent(Interval.of(halfway)),
                _percent(Interval.of([runs.share(run) for run in chosen])),
                f"{ranks[algorithm]:.2f}" if ranks else "-",
                f"{np.mean([run.num_infeasible for run in chosen]):.1f}",
                f"{np.mean([run.suggestion_s for run in chosen]):.2f}",
                f"{np.mean([run.suggestion_p95_s for run in chosen]):.2f}",
            )
        )
    title = (
        "Share of the best improvement that any run reached, mean and 95 % interval; ranks over "
        f"the {len(runs.complete_blocks())} cases (service, degree, seed) that all have"
    )
    header = ("algorithm", "runs", "halfway", "at the end", "mean rank", "infeasible")
    return Table(title, (*header, "s / suggestion", "p95"), tuple(rows))


def duel_table(runs: Runs) -> Table:
    """Compare the first algorithm with every other, pair by pair."""
    first, *others = runs.algorithms
    rows = []
    for other in others:
        duel = runs.duel(first, other)
        count = f"{duel.wins} / {duel.ties} / {duel.defeats}"
        rows.append((other, _points(duel.difference), f"{duel.p_value:.2g}", count))
    title = f"{first} against each other algorithm, paired by service, degree and seed"
    header = ("other", "points of share", "Wilcoxon p", "won / tied / lost")
    return Table(title, header, tuple(rows))


def service_table(runs: Runs) -> Table:
    """Tell of each service what each algorithm made of it."""
    rows = [row for service in runs.services for row in _service_rows(runs, service)]
    title = (
        "By service: improvement over the default as judged, the chosen configuration's metrics "
        "(the default's in brackets), observations until the best peer's final improvement"
    )
    header = (
        "service",
        "algorithm",
        "improvement",
        "chosen (default)",
        "to the peer",
        "infeasible",
    )
    return Table(title, header, tuple(rows))


def _service_rows(runs: Runs, service: str) -> Iterator[tuple[str, ...]]:
    of_service = runs.of(service=service)
    rate = of_service[0].task.rate_rps
    label = service if rate is None else f"{service} at {rate:g}/s"
    target = _best_peer(runs, service)
    yield label, "(ties within)", f"{runs.band[service]:.3f}", "", "", ""
    if service in runs.luck:
        yield "", "(luck alone)", f"{runs.luck[service]:.3f}", "", "", ""
    for algorithm in runs.algorithms:
        chosen = runs.of(service=service, algorithm=algorithm)
        if chosen:
            needed = None if target is None else runs.observations_to(target, chosen)
            interval = Interval.of([run.final for run in chosen])
            yield (
                "",
                algorithm,
                f"{interval:.3f}",
                _metrics(chosen),
                "-" if needed is None else str(needed),
                f"{np.mean([run.num_infeasible for run in chosen]):.1f}",
            )


def _best_peer(runs: Runs, service: str) -> float | None:
    """Return the best mean final improvement of a peer; None where no peer was run."""
    finals = [
        float(np.mean([run.final for run in chosen]))
        for peer in PEERS
        if (chosen := runs.of(service=service, algorithm=peer))
    ]
    return max(finals, default=None)


def parallelism_table(runs: Runs) -> Table:
    """Tell what each parallel degree costs and gains, against one trial at a time."""
    rows = [
        _degree_row(runs, algorithm, degree)
        for algorithm in runs.algorithms
        for degree in runs.degrees
        if runs.of(algorithm=algorithm, degree=degree)
    ]
    title = (
        "Parallel degree: share halfway, difference to degree 1 there (paired), trials' time "
        "against degree 1's, observations until degree 1's mean share halfway"
    )
    header = ("algorithm", "degree", "share halfway", "difference, points", "time", "needed")
    return Table(title, header, tuple(rows))


def _degree_row(runs: Runs, algorithm: str, degree: int) -> tuple[str, ...]:
    chosen = {_place(r): r for r in runs.of(algorithm=algorithm, degree=degree)}
    alone = {_place(r): r for r in runs.of(algorithm=algorithm, degree=1)}
    common = [place for place in chosen if place in alone]
    half = len(next(iter(chosen.values())).curve) // 2
    difference = [runs.share(chosen[p], half) - runs.share(alone[p], half) for p in common]
    times = [chosen[p].total_s / alone[p].total_s for p in common]
    return (
        algorithm,
        str(degree),
        _percent(Interval.of([runs.share(run, half) for run in chosen.values()])),
        _points(Interval.of(difference)) if common else "-",
        f"{np.mean(times):.2f}" if common else "-",
        _needed(runs, [chosen[p] for p in common], [alone[p] for p in common], half),
    )


def _needed(runs: Runs, chosen: Sequence[Run], alone: Sequence[Run], half: int) -> str:
    if not chosen:
        return "-"
    count = len(chosen[0].curve)
    target = np.mean([runs.share(run, half) for run in alone])
    curve = [np.mean([runs.share(run, n) for run in chosen]) for n in range(count)]
    reached = [n for n, share in enumerate(curve) if share >= target]
    return str(reached[0]) if reached else f"> {count - 1}"


def _place(run: Run) -> tuple[str, int]:
    return run.task.service, run.task.seed


def _metrics(runs: Sequence[Run]) -> str:
    """Write the mean of the chosen configurations' metrics beside the default's."""
    parts = []
    for metric, default in runs[0].default.items():
        values = [run.chosen[metric] for run in runs if metric in run.chosen]
        mean = float(np.mean(values)) if values else None
        parts.append(f"{format_metric(metric, mean)} ({format_metric(metric, default)})")
    return ", ".join(parts)


def _percent(interval: Interval) -> str:
    return f"{interval.scaled(100):.0f} %"


def _points(interval: Interval) -> str:
    return f"{interval.scaled(100):+.1f}"
