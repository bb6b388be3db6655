"""What an engine counts of its own work, read from its /metrics page."""

import re
from collections.abc import Mapping

# `name{labels} value` of the Prometheus text format; labels tell replicas apart, and are summed.
_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})?\s+(\S+)", re.MULTILINE)


def parse_counters(page: str, names: Mapping[str, str]) -> dict[str, float]:
    """Pick counters out of a /metrics page.

    Args:
        page: Prometheus text format.
        names: Our names, to the engine's.

    Returns:
        Values by our names; a counter that the page does not have is left out.
    """
    values: dict[str, float] = {}
    ours = {theirs: name for name, theirs in names.items()}
    for name, value in _SAMPLE.findall(page):
        if name in ours:
            values[ours[name]] = values.get(ours[name], 0.0) + float(value)
    return values


def work_done(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of what happened between two readings of the counters.

    Returns:
        `num_engine_steps`, `num_preemptions` and `prefix_cache_hit_rate` (cached prompt tokens
        out of all, in [0, 1]), as far as the engine counts them.
    """
    if not before:
        return {}
    # A counter with labels is not on the page before it has counted something.
    done = {name: after[name] - before.get(name, 0.0) for name in after}
    kept = ("num_engine_steps", "num_preemptions")
    metrics: dict[str, float] = {name: done[name] for name in kept if name in done}
    queried = done.get("prefix_cache_queries", 0.0)
    if queried:
        metrics["prefix_cache_hit_rate"] = done.get("prefix_cache_hits", 0.0) / queried
    return metrics
