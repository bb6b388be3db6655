"""How values are written for people: milliseconds appear here and nowhere inside the program."""

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.metrics import RATES
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import Config


def format_metric(metric: str, value: float | None) -> str:
    """Write a metric's value with a unit that reads well."""
    if value is None:
        return "-"
    if metric in RATES:
        return f"{value:.4g} {'tok/s' if metric.endswith('tokens_per_s') else 'req/s'}"
    return format_duration(value)


def format_duration(seconds: float) -> str:
    """Write a duration as milliseconds, seconds or minutes."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if abs(seconds) < 120 else f"{seconds / 60:.3g} min"


def format_gain(objective: Objective, value: float | None, default: float | None) -> str:
    """Write the relative change against the default; a leading + is always an improvement.

    What is worse by more than the whole default is written as its multiple.
    """
    if value is None or default is None:
        return "-"
    gain = objective.gain(value, default)
    return f"{value / default:.3g}x" if gain < -1 else f"{gain:+.1%}"


def describe_config(config: Config, default: Config | None = None) -> str:
    """Write a configuration as flags, or only what differs from the default."""
    if default is None:
        return " ".join(f"{name}={_value(value)}" for name, value in config.items())
    changed = {name: value for name, value in config.items() if default.get(name) != value}
    return describe_config(changed) if changed else "the default configuration"


def describe_trial(assignment: Assignment, default: Config) -> str:
    """Write a trial as dashboards show it: `trial 17: tp=2 max_num_seqs=512`."""
    config = dict(assignment.config)
    size = config.pop("tensor_parallel_size", None)
    parts = [] if size is None else [f"tp={size}"]
    if any(default.get(name) != value for name, value in config.items()):
        parts.append(describe_config(config, default))
    role = "" if assignment.role is Role.SEARCH else f" ({assignment.role})"
    return f"trial {assignment.number}{role}: {' '.join(parts)}".removesuffix(": ")


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()
