"""`best.yaml`: the recommended configuration, written at the end of every study."""

from pathlib import Path
from typing import Any

import yaml

from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.export.command import shell_line
from scoot_ray.export.engine_options import launch_command
from scoot_ray.report.verdict import verdict


def write_best(study: Study, result: Result, path: Path) -> None:
    """Write `best.yaml`: configuration, metrics, confirmed SLO and launch command."""
    best = result.recommendation
    if best is None:
        return
    content: dict[str, Any] = {
        "study": study.name,
        "verdict": verdict(result),
        "measured_by": result.measured_by,
        "trial": best.record.number,
        "config": dict(best.record.config),
        "metrics": dict(best.record.metrics),
        "confirmed_slo": result.confirmed_slo(),
        "missed_limits": [str(limit) for limit in best.missed],
        "launch_command": shell_line(study.engine, best.record.config),
    }
    files = launch_command(study.engine, best.record.config).files
    if files:
        content["launch_files"] = dict(files)
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=100), encoding="utf-8")
