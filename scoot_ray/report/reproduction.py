"""How a study can be run again: the file, the command, the versions, the seed, the trace."""

from collections.abc import Mapping
from typing import Any

import yaml

from scoot_ray.report.findings import Findings
from scoot_ray.report.tables import Table


def reproduction_table(findings: Findings) -> Table:
    """List what has to be the same."""
    header: Mapping[str, Any] = findings.history.header
    versions = header.get("versions", {})
    rows = [
        ("command", f"scoot tune {findings.study.name}.yaml"),
        ("measured by", findings.result.measured_by),
        ("seed", str(findings.study.search.seed)),
        ("started from", _start(findings)),
        ("trace", findings.study.workload.trace),
        ("trace SHA-256", str(header.get("trace_sha256", "-"))),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return Table("How to reproduce", ("what", "value"), tuple(rows))


def _start(findings: Findings) -> str:
    num_first = len(findings.history.header.get("first", ()))
    sources = ", ".join(findings.study.search.start_from)
    return f"{sources}: {num_first} configuration(s) tried first" if sources else "nothing"


def study_yaml(findings: Findings) -> str:
    """Return the study file as it was resolved, with every key, without secrets."""
    text: str = yaml.safe_dump(dict(findings.history.header["study"]), sort_keys=False)
    return text
