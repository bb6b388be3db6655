"""The `callbacks:` of a study file: which experiment trackers are told of every trial."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from scoot_ray.core.errors import did_you_mean

NAMES = ("tensorboard", "mlflow", "wandb")
SECRETS = {"api_key": "WANDB_API_KEY", "tracking_token": "MLFLOW_TRACKING_TOKEN"}


def parse_callbacks(value: Any) -> dict[str, dict[str, Any]]:
    """Read `[tensorboard, mlflow: {tracking_uri: ...}]` as options by name, in order.

    Raises:
        ValueError: If it is not of that form, names no tracker, or holds a secret: the journal
            and the report show the study as it is.
    """
    items = [{name: options} for name, options in value.items()] if _is_map(value) else value
    if not isinstance(items, list):
        raise ValueError("expected a list, such as `[tensorboard, mlflow: {tracking_uri: ...}]`")
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        entry = {item: {}} if isinstance(item, str) else item
        if not _is_map(entry) or len(entry) != 1:
            raise ValueError(f"{item!r} is neither a name nor `NAME: {{OPTION: VALUE}}`")
        ((name, options),) = entry.items()
        if name not in NAMES:
            hint = did_you_mean(str(name), NAMES)
            raise ValueError(f"{name!r} is not a callback.{hint} There are: {', '.join(NAMES)}")
        found[name] = _require_options(name, options or {})
    return found


def _require_options(name: str, options: Any) -> dict[str, Any]:
    if not _is_map(options):
        raise ValueError(f"{name}: expected options as a mapping, got {options!r}")
    for option, variable in SECRETS.items():
        if option in options:
            raise ValueError(
                f"{name}.{option}: a study file is no place for a secret, which the journal would "
                f"keep; set {variable} in the environment"
            )
    return dict(options)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


Callbacks = Annotated[dict[str, dict[str, Any]], BeforeValidator(parse_callbacks)]
"""Options of each tracker, by its name."""
