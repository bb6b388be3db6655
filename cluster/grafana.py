"""The Grafana dashboard of a study, as the file that Grafana imports."""

import json
from importlib.resources import files
from typing import Any

FILE = "grafana_dashboard.json"


def dashboard() -> dict[str, Any]:
    """Return the dashboard, ready to be imported or put beside Ray's own."""
    content: dict[str, Any] = json.loads(files("cluster").joinpath(FILE).read_text())
    return content
