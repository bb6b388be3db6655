"""What the command line asks for: choose, plan, conclude."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison.algorithms import ALGORITHMS, peer_packages
from benchmarks.comparison.catalogue import Sources, all_services, select
from benchmarks.comparison.comparison import Comparison
from benchmarks.comparison.document import write_documents
from benchmarks.comparison.experiment import EXPERIMENTS, Experiment
from benchmarks.comparison.peer_process import PeerEnvironment, peer_versions
from benchmarks.comparison.run import Run
from benchmarks.comparison.statistics import Runs
from benchmarks.comparison.tables import comparison_tables
from scoot_ray.core.errors import StudyError, did_you_mean
from scoot_ray.output_folder import make_folder
from scoot_ray.report.tables import Table


@dataclass(frozen=True)
class Choice:
    """Hold what was asked for; None stands for what the experiment says."""

    experiment: str
    services: Sequence[str] | None = None
    algorithms: Sequence[str] | None = None
    parallelism: Sequence[int] | None = None
    seeds: int | None = None
    observations: int | None = None


def names(sources: Sources) -> Iterator[str]:
    """List every experiment, algorithm and service."""
    for title, known in (
        ("experiments", list(EXPERIMENTS)),
        ("algorithms", list(ALGORITHMS)),
        ("services", list(all_services(sources))),
    ):
        yield f"{title}:"
        yield from (f"  {name}" for name in known)


def plan(
    choice: Choice,
    *,
    folder: Path,
    num_workers: int,
    environment: PeerEnvironment,
    sources: Sources,
    note: Callable[[str], None],
) -> Comparison:
    """Turn a choice into a comparison, with every service at its stated load.

    Raises:
        StudyError: If a name is unknown, or the default of a service does not run.
        OutputError: If the folder cannot be made.
    """
    experiment = _experiment(choice.experiment)
    services = all_services(sources)
    patterns = choice.services or available(experiment, sources.azure_trace, note)
    algorithms = select("algorithm", choice.algorithms or experiment.algorithms, list(ALGORITHMS))
    chosen = select("service", patterns, list(services))
    make_folder(folder)
    note(f"{len(chosen)} service(s), {len(algorithms)} algorithm(s); loads are being found.")
    return Comparison(
        services=[services[name].at_stated_load() for name in chosen],
        algorithms=algorithms,
        parallelism=choice.parallelism or experiment.parallelism,
        num_seeds=choice.seeds or experiment.seeds,
        observations=choice.observations or experiment.observations,
        folder=folder,
        num_workers=num_workers,
        environment=environment,
    )


def available(
    experiment: Experiment, azure_trace: Path, note: Callable[[str], None]
) -> Sequence[str]:
    """List an experiment's services, without those of the Azure trace where that is missing."""
    patterns = [p for p in experiment.services if not p.startswith("azure-")]
    if azure_trace.exists() or len(patterns) == len(experiment.services):
        return experiment.services
    note(f"The Azure trace is left out: there is no {azure_trace}.")
    return patterns


def conclude(comparison: Comparison, runs: Sequence[Run], command: str) -> list[Table]:
    """Write the documents of a comparison and return its tables.

    Raises:
        StudyError: If there is no run.
    """
    if not runs:
        raise StudyError(f"{comparison.journal.path} holds no run of this comparison.")
    order = {name: index for index, name in enumerate(comparison.algorithms)}
    indexed = Runs(sorted(runs, key=lambda run: order[run.task.algorithm]))
    packages = peer_packages(indexed.algorithms)
    versions = peer_versions(comparison.environment, packages) if packages else {}
    tables = comparison_tables(indexed)
    write_documents(comparison.folder, indexed, tables, command=command, peer_versions=versions)
    return tables


def _experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        hint = did_you_mean(name, EXPERIMENTS)
        known = ", ".join(EXPERIMENTS)
        raise StudyError(f"{name!r} is no experiment.{hint} The experiments are: {known}.")
    return EXPERIMENTS[name]
