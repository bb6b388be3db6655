"""The answer of a study in a few sentences, honest when there is none."""

from scoot_ray.core.display import describe_config, format_gain, format_metric
from scoot_ray.core.objective import Objective
from scoot_ray.core.result import Result
from scoot_ray.core.trial import Role, TrialState


def verdict(result: Result) -> str:
    """State what to use, what it brings against the default, and what may be promised."""
    best = result.recommendation
    if best is None:
        return (
            "No configuration completed a stress test, so nothing can be recommended. "
            "The causes are in the table of trials."
        )
    sentences = [_gains(result)]
    if best.missed:
        missed = "; ".join(f"{m} (measured {_value(result, m.metric)})" for m in best.missed)
        sentences.append(
            f"No measured configuration meets every limit; the closest misses {missed}."
        )
    sentences.append(_promise(result))
    return " ".join(sentences)


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
    changes = [
        f"{o.metric} {format_metric(o.metric, default.metrics.get(o.metric))} -> "
        f"{format_metric(o.metric, record.metrics[o.metric])} ({_gain(result, o)} better)"
        for o in result.objectives
    ]
    config = describe_config(record.config, default.config)
    return f"{'; '.join(changes)}, with {config}."


def _gain(result: Result, objective: Objective) -> str:
    assert result.recommendation is not None
    assert result.default is not None
    value = result.recommendation.record.metrics.get(objective.metric)
    return format_gain(objective, value, result.default.metrics.get(objective.metric))


def _value(result: Result, metric: str) -> str:
    assert result.recommendation is not None
    return format_metric(metric, result.recommendation.record.metrics.get(metric))


def _promise(result: Result) -> str:
    usable = [r for r in result.confirmations if r.state is not TrialState.FAILED]
    if not usable:
        return "It has not been confirmed under other arrival orders."
    if not result.is_confirmed:
        bad = sum(r.state is not TrialState.COMPLETE for r in usable)
        return f"Confirmation failed in {bad} of {len(usable)} arrival orders: do not promise it."
    slo = ", ".join(f"{m} {format_metric(m, v)}" for m, v in result.confirmed_slo().items())
    text = (
        f"Confirmed on freshly started engines, the worst of {len(usable)} arrival orders: {slo}."
    )
    broken = [limit for limit in result.limits if not limit.met_by(result.confirmed_slo())]
    if broken:
        text += f" Under the worst order it misses {', '.join(map(str, broken))}."
    return text
