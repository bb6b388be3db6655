"""The Grafana dashboard shows every metric that the code publishes, and no other."""

import re
from collections.abc import Iterator
from typing import Any

from cluster.grafana import dashboard
from scoot_ray.readings import METRICS
from scoot_ray.telemetry import STUDY

NAME = re.compile(r"ray_(scoot_\w+)")
BY_NAME = {metric.name: metric for metric in METRICS}


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def test_panels_show_what_is_published_and_nothing_else() -> None:
    shown = {name for expression in expressions() for name in NAME.findall(expression)}
    assert shown == set(BY_NAME)


def test_panels_group_by_labels_that_their_metrics_have() -> None:
    for expression in expressions():
        known = {STUDY}
        for name in NAME.findall(expression):
            known.update(BY_NAME[name].labels)
        used = {
            label.strip()
            for group in re.findall(r"by \(([^)]*)\)", expression)
            for label in group.split(",")
        }
        used.update(re.findall(r"(\w+)=~", expression))
        assert used <= known, expression


def test_it_has_what_grafana_asks_of_a_dashboard() -> None:
    content = dashboard()
    assert content["uid"]
    assert content["schemaVersion"] >= 27
    ids = [panel["id"] for panel in content["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {variable["name"] for variable in content["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)\}?", str(content["panels"]))) <= variables
    assert all(_fits(panel["gridPos"]) for panel in content["panels"])


def _fits(position: dict[str, Any]) -> bool:
    left, width = int(position["x"]), int(position["w"])
    return left >= 0 and left + width <= 24
