"""The tables of a study, as headers and rows that the terminal and the HTML report both show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoot_ray.core.display import describe_config, format_duration, format_gain, format_metric
from scoot_ray.core.metrics import METRICS, direction_of
from scoot_ray.core.result import Result
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord, phase_names

if TYPE_CHECKING:
    from scoot_ray.report.influence import Influence

COUNTS = (
    "num_requests",
    "num_completed",
    "num_failed",
    "num_engine_steps",
    "num_preemptions",
)


@dataclass(frozen=True)
class Table:
    """Hold a titled table of text cells."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def front_table(result: Result) -> Table:
    """List the Pareto front, best in the first objective first."""
    metrics = result.metrics_of_interest
    default = result.default.config if result.default else None
    chosen = result.recommendation.record.number if result.recommendation else None
    rows = [
        (
            f"{record.number}{' *' if record.number == chosen else ''}",
            *(format_metric(m, record.metrics.get(m)) for m in metrics),
            describe_config(record.config, default),
        )
        for record in result.front
    ]
    title = f"Pareto front: {len(rows)} configuration(s), * is recommended"
    return Table(title, ("trial", *metrics, "changes from the default"), tuple(rows))


def comparison_table(result: Result) -> Table:
    """Set the recommended configuration beside the default, and the confirmed worst case.

    Both are means over their repeated tests; a single test where nothing was repeated.
    """
    recommended, default = result.tests.mean(), result.default_tests.mean()
    confirmed = result.confirmed_slo()
    objectives = {o.metric: o for o in result.objectives}
    rows = []
    for metric in result.metrics_of_interest:
        old, new = default.get(metric), recommended.get(metric)
        gain = format_gain(objectives[metric], new, old) if metric in objectives else ""
        band = result.band(metric)
        rows.append(
            (
                metric,
                format_metric(metric, old),
                format_metric(metric, new),
                gain,
                "-" if band is None else f"±{band:.1%}",
                format_metric(metric, confirmed.get(metric)),
            )
        )
    header = (
        "metric",
        "default",
        "recommended",
        "better by",
        "noise band",
        "confirmed SLO (worst order)",
    )
    return Table("Recommended against default", header, tuple(rows))


def config_table(result: Result) -> Table:
    """List every parameter's default and recommended value."""
    record = result.recommendation.record if result.recommendation else None
    default = result.default.config if result.default else {}
    config = record.config if record else {}
    rows = [(name, _text(default, name), _text(config, name)) for name in {**default, **config}]
    return Table("Configuration", ("parameter", "default", "recommended"), tuple(rows))


def trials_table(result: Result) -> Table:
    """List every trial with its state, metrics and failure."""
    metrics = result.metrics_of_interest
    default = result.default.config if result.default else None
    rows = [_trial_row(record, metrics, default) for record in result.trials]
    changes = "changes from the default"
    header = ("trial", "role", "state", *metrics, "GPU s", changes, "notes")
    return Table("Trials", header, tuple(rows))


def failures_table(result: Result) -> Table:
    """List why trials failed, the most frequent cause first."""
    causes: dict[tuple[str, str, str], list[TrialRecord]] = {}
    for record in result.trials:
        if record.failure is not None:
            failure = record.failure
            key = (record.state.value, failure.phase.value, failure.cause)
            causes.setdefault(key, []).append(record)
    rows = []
    for key, records in sorted(causes.items(), key=lambda item: -len(item[1])):
        first = records[0].failure
        numbers = ", ".join(str(record.number) for record in records)
        rows.append((*key, str(len(records)), numbers, first.message if first else ""))
    header = ("state", "phase", "cause", "count", "trials", "the first one said")
    return Table("Why trials failed", header, tuple(rows))


def noise_table(result: Result) -> Table:
    """List how far repeated tests differ, and how far the default went off during the study."""
    noise = result.noise
    rows = []
    for metric in result.metrics_of_interest:
        deviation, band = noise.deviations.get(metric), noise.band(metric)
        drift = noise.drifts.get(metric)
        verdict = "-" if drift is None or band is None else "no"
        rows.append(
            (
                metric,
                _share(deviation, "{:.1%}"),
                _share(band, "±{:.1%}"),
                _share(drift, "{:+.1%}"),
                "yes" if noise.has_drifted(metric) else verdict,
            )
        )
    header = (
        "metric",
        "deviation of one test",
        "band of two tests",
        "default, first to last",
        "more than noise",
    )
    return Table("Noise and drift", header, tuple(rows))


def importance_table(influence: "Influence") -> Table:
    """List how much of an objective's variance each parameter explains by itself."""
    rows = [
        (found.parameter, f"{found.share:.0%}", f"{found.low:.0%} to {found.high:.0%}")
        for found in influence.importances
    ]
    title = f"What mattered for {influence.objective.metric}, by {influence.num_trials} trials"
    return Table(title, ("parameter", "share", "with a fifth left out"), tuple(rows))


def time_table(result: Result) -> Table:
    """List time and GPU hours by phase, over all trials."""
    hours = f"{result.device} hours"
    total = sum(gpu_seconds_by_phase(result).values()) or 1.0
    rows = []
    for phase, gpu_seconds in gpu_seconds_by_phase(result).items():
        seconds = [r.phases_s[phase] for r in result.trials if phase in r.phases_s]
        rows.append(
            (
                phase,
                format_duration(sum(seconds)),
                format_duration(sum(seconds) / len(seconds)),
                f"{gpu_seconds / 3600:.3g}",
                f"{gpu_seconds / total:.0%}",
            )
        )
    header = ("phase", "all trials", "mean", hours, "share")
    return Table(f"Time and {hours} by phase", header, tuple(rows))


def gpu_seconds_by_phase(result: Result) -> dict[str, float]:
    """Return GPU seconds by phase, in the order of a trial."""
    spent = {
        name: sum(r.num_gpus * r.phases_s.get(name, 0.0) for r in result.trials)
        for name in phase_names(result.trials)
    }
    return {name: seconds for name, seconds in spent.items() if seconds > 0}


def metrics_table(metrics: Mapping[str, float]) -> Table:
    """List everything that one stress test measured."""
    return metrics_side_by_side({"value": metrics})


def metrics_side_by_side(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """List everything that stress tests measured, a column for each."""
    measured = {name for metrics in columns.values() for name in metrics}
    names = [name for name in (*METRICS, *COUNTS, "schedule_lag_p99_s") if name in measured]
    rows = [(name, *(_value(name, metrics) for metrics in columns.values())) for name in names]
    return Table("Stress test", ("metric", *columns), tuple(rows))


def _value(name: str, metrics: Mapping[str, float]) -> str:
    if name in COUNTS and name in metrics:
        return f"{metrics[name]:.0f}"
    return format_metric(name, metrics.get(name))


def _trial_row(
    record: TrialRecord, metrics: Sequence[str], default: Config | None
) -> tuple[str, ...]:
    return (
        str(record.number),
        record.role.value,
        record.state.value,
        *(_measured(record, metric) for metric in metrics),
        f"{record.gpu_seconds:.0f}",
        describe_config(record.config, default),
        record.note,
    )


def _measured(record: TrialRecord, metric: str) -> str:
    """Write a trial's value of a metric; a bound as one."""
    text = format_metric(metric, record.metrics.get(metric))
    if not record.is_bound or metric not in record.metrics:
        return text
    return f"{'at most' if direction_of(metric) == 'max' else 'at least'} {text}"


def _share(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _text(config: Mapping[str, object], name: str) -> str:
    value = config.get(name, "-")
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower()
