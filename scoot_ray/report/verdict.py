"""The answer of a study in a few sentences, honest when there is none."""

from scoot_ray.core.assignment import Role
from scoot_ray.core.display import describe_config, format_duration, format_metric
from scoot_ray.core.metrics import MAX_SCHEDULE_LAG_S, lateness_s
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result

ENOUGH = 4
"""Degrees of freedom from which more repetitions no longer narrow the noise band by much."""


def verdict(result: Result) -> str:
    """State what to use, what it brings against the default, and what may be promised."""
    best = result.recommendation
    if best is None:
        return (
            "No configuration completed a stress test, so nothing can be recommended. "
            "The causes are in the table of trials."
        )
    warnings = [*_drift(result), *_late(result)]
    return " ".join(
        [*_missed(result), _gains(result), *_doubt(result), _promise(result), *warnings]
    )


def _missed(result: Result) -> list[str]:
    """Say first that the limits cannot be met, where that is so, and what comes closest."""
    assert result.recommendation is not None
    if not result.recommendation.missed:
        return []
    worst = result.tests.worst()
    missed = "; ".join(
        f"{limit} (measured {format_metric(limit.metric, worst.get(limit.metric))})"
        for limit in result.recommendation.missed
    )
    return [f"No measured configuration meets every limit; the closest misses {missed}."]


def _gains(result: Result) -> str:
    assert result.recommendation is not None
    record = result.recommendation.record
    if record.role is Role.DEFAULT:
        return "Nothing that was measured beats the default configuration; keep it."
    default = result.default
    if default is None or default.state is not TrialState.COMPLETE:
        return (
            "The default configuration does not serve this workload; "
            f"use {describe_config(record.config, default.config if default else None)}."
        )
    changes = "; ".join(compare(result, objective) for objective in result.objectives)
    config = describe_config(record.config, default.config)
    if not any(result.is_meaningful(objective) for objective in result.objectives):
        return f"No meaningful difference from the default: {changes}, with {config}."
    return f"{changes}, with {config}."


def compare(result: Result, objective: Objective) -> str:
    """Compare the recommendation with the default in one metric, and with the noise.

    The values are means of repeated tests; single ones where nothing was repeated.
    """
    metric = objective.metric
    old, new = result.default_tests.mean().get(metric), result.tests.mean().get(metric)
    change = f"{format_metric(metric, old)} -> {format_metric(metric, new)}"
    band = result.band(metric)
    noise = "" if band is None else f"; noise band ±{band:.1%}"
    within = "" if result.is_meaningful(objective) else ", within noise"
    return f"{metric} {change} ({_gain(objective, new, old)}{within}{noise})"


def _gain(objective: Objective, new: float | None, old: float | None) -> str:
    if new is None or old is None:
        return "not measured in both"
    gain = objective.gain(new, old)
    return f"{abs(gain):.1%} {'better' if gain >= 0 else 'worse'}"


def _doubt(result: Result) -> list[str]:
    """Say where a gain cannot be told from noise because too little was repeated to know it."""
    unclear = [o.metric for o in result.objectives if not result.is_meaningful(o)]
    freedom = min((result.noise.freedom.get(metric, 0) for metric in unclear), default=ENOUGH)
    if freedom >= ENOUGH:
        return []
    return [
        "The noise is known from very few repeated tests, which is why its band is so wide: repeat "
        "more (`confirm.repeats`, `drift.repeats`) to tell."
    ]


def _promise(result: Result) -> str:
    usable = [r for r in result.confirmations if r.state is not TrialState.FAILED]
    if not usable:
        return "It has not been confirmed under other arrival orders."
    if not result.is_confirmed:
        bad = sum(r.state is not TrialState.COMPLETE for r in usable)
        return f"Confirmation failed in {bad} of {len(usable)} arrival orders: do not promise it."
    slo = ", ".join(_worst(result, metric) for metric in result.confirmed_slo())
    orders = "one other arrival order"
    if len(usable) > 1:
        orders = f"the worst of {len(usable)} arrival orders"
    text = f"Confirmed on freshly started engines, {orders}: {slo}."
    broken = [limit for limit in result.limits if not limit.met_by(result.confirmed_slo())]
    if broken:
        text += f" Under the worst order it misses {', '.join(map(str, broken))}."
    return text


def _worst(result: Result, metric: str) -> str:
    """Write the worst value of the confirmations, and their range beside it."""
    values = sorted(result.tests.values(metric))
    worst = format_metric(metric, result.confirmed_slo()[metric])
    if len(values) < 2:
        return f"{metric} {worst}"
    low, high = format_metric(metric, values[0]), format_metric(metric, values[-1])
    return f"{metric} {worst} (spread {low} to {high})"


def _drift(result: Result) -> list[str]:
    """Warn where the default changed during the study by more than noise explains."""
    metrics = [o.metric for o in result.objectives if result.noise.has_drifted(o.metric)]
    if not metrics:
        return []
    changes = ", ".join(f"{metric} {result.noise.drifts[metric]:+.1%}" for metric in metrics)
    return [
        f"The default configuration itself changed between the start and the end of the study, by "
        f"more than the noise band: {changes}. Either the machine drifted, or the default is "
        "unstable at this rate; compare with care."
    ]


def _late(result: Result) -> list[str]:
    """Warn where the load was not sent on time, so that the client was measured, too."""
    tested = [record.metrics for record in result.trials if record.metrics]
    late = [late_s for metrics in tested if (late_s := lateness_s(metrics))]
    if not late:
        return []
    limit, worst = format_duration(MAX_SCHEDULE_LAG_S), format_duration(max(late))
    return [
        f"In {len(late)} of {len(tested)} tests requests were sent more than {limit} late (p99, up "
        f"to {worst}): the load client was short of CPU; give trials more cores "
        "(`placement.num_cpus`)."
    ]
