"""Which figures a report has: those that its study has something to show in."""

from collections.abc import Iterator
from pathlib import Path

from scoot_ray.core.pareto import measured
from scoot_ray.report.drawing import Drawing, to_png, to_svg
from scoot_ray.report.figures import (
    convergence_figure,
    drift_figure,
    evidence_figure,
    front_figure,
)
from scoot_ray.report.findings import Findings
from scoot_ray.report.model_figures import (
    dependence_figure,
    feasibility_figure,
    importance_figure,
    time_figure,
)
from scoot_ray.report.tables import gpu_seconds_by_phase


def draw_all(findings: Findings) -> Iterator[Drawing]:
    """Draw the figures, in the order of the report."""
    result = findings.result
    if measured(result.trials, result.objectives):
        yield evidence_figure(findings)
        if len(result.objectives) > 1:
            yield front_figure(findings)
        yield convergence_figure(findings)
    if findings.influences:
        yield importance_figure(findings)
        yield dependence_figure(findings)
    if findings.feasible_region is not None:
        yield feasibility_figure(findings.feasible_region)
    if any(result.noise.freedom.get(o.metric) for o in result.objectives):
        yield drift_figure(findings)
    spent = gpu_seconds_by_phase(result)
    if spent:
        yield time_figure(list(spent.items()), result.device)


def write_figures(findings: Findings, folder: Path, kind: str) -> list[Path]:
    """Write every figure into `folder` as `svg` or `png`, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for drawing in draw_all(findings):
        path = folder / f"{drawing.name}.{kind}"
        path.write_bytes(to_png(drawing) if kind == "png" else to_svg(drawing).encode())
        paths.append(path)
    return paths
