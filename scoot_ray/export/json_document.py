"""Everything that a program needs to deploy or to compare, as one JSON document.

`document.schema.json` beside this file is its schema.
"""

import json
from typing import Any

from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.export.choice import Choice
from scoot_ray.export.engine_options import launch_command, without_secret_flags

VERSION = 1


def to_json(choice: Choice) -> str:
    """Return the document."""
    return json.dumps(_document(choice), indent=2, allow_nan=False) + "\n"


def _document(choice: Choice) -> dict[str, Any]:
    options = choice.options
    command = launch_command(choice.study.engine, choice.record.config)
    return {
        "version": VERSION,
        "model": options.model,
        "engine": {"name": choice.adapter.name, "version": choice.engine_version},
        "argv": list(command.argv),
        "files": dict(command.files),
        "env": dict(command.env),
        "secrets": list(options.secrets),
        "config": dict(choice.record.config),
        "fixed": dict(without_secret_flags(choice.study.engine).fixed),
        "service": _service(choice),
        "workload": _workload(choice),
        "metrics": dict(choice.record.metrics),
        "slo": _slo(choice.result),
        "evidence": _evidence(choice),
    }


def _service(choice: Choice) -> dict[str, Any]:
    return {
        "accelerator": choice.study.service.accelerator,
        "num_gpus": choice.study.service.num_gpus,
        "num_replicas": choice.num_replicas,
        "num_gpus_per_replica": choice.num_gpus_each,
    }


def _workload(choice: Choice) -> dict[str, Any]:
    workload = choice.study.workload
    return {
        "trace": workload.trace,
        "trace_sha256": choice.trace_sha256,
        "select": workload.select,
        "request_rate_rps": workload.request_rate_rps,
        "duration_s": workload.duration_s,
    }


def _slo(result: Result) -> dict[str, Any]:
    assert result.recommendation is not None
    missed = result.recommendation.missed
    complete = [r for r in result.confirmations if r.state is TrialState.COMPLETE]
    return {
        "limits": [{"limit": str(limit), "is_met": limit not in missed} for limit in result.limits],
        "is_confirmed": result.is_confirmed,
        "num_arrival_orders": len(complete),
        "worst": result.confirmed_slo(),
    }


def _evidence(choice: Choice) -> dict[str, Any]:
    default = choice.result.default
    return {
        "study": choice.study.name,
        "trial": choice.record.number,
        "reason": choice.reason,
        "is_simulated": choice.is_simulated,
        "measured_by": choice.result.measured_by,
        "num_trials": len(choice.result.trials),
        "missing": choice.missing,
        "default_config": dict(default.config) if default else None,
        "default_metrics": dict(default.metrics) if default else None,
        "journal_sha256": choice.journal_sha256,
    }
