"""The study file: what the user writes, checked, with every error naming the key's path."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from scoot_ray.core.callbacks import Callbacks
from scoot_ray.core.errors import InvalidStudyError, Mistake, StudyError, did_you_mean
from scoot_ray.core.metrics import quantity_of
from scoot_ray.core.mistakes import mistakes_of, with_lines
from scoot_ray.core.objective import PRESETS, Limit, Objective
from scoot_ray.core.schedule import STRICT, ScheduleSection
from scoot_ray.core.sections import (
    ConfirmSection,
    DriftSection,
    EngineSection,
    LimitSection,
    ObjectiveSection,
    PlacementSection,
    SearchSection,
    ServiceSection,
    SimulatorSection,
    SpaceSection,
    WorkloadSection,
    is_folder,
)


class Study(BaseModel):
    """A whole study file."""

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Letters, digits and `._-`; names the output folder."""
    engine: EngineSection
    """The engine."""
    service: ServiceSection
    """The hardware."""
    workload: WorkloadSection
    """The load."""
    objective: str | list[ObjectiveSection] = "interactive"
    """`interactive` (mean TTFT and mean TPOT), `online` (p95 latency), `offline` (throughput),
    or a list.
    """
    limits: list[LimitSection] = []
    """What the recommended configuration must meet."""
    space: SpaceSection = SpaceSection()
    """What is tuned; the name of a base space, or a mapping."""
    search: SearchSection = SearchSection()
    """The search."""
    confirm: ConfirmSection = ConfirmSection()
    """The confirmation."""
    drift: DriftSection = DriftSection()
    """The repetitions of the default."""
    early_stop: bool = True
    """End tests that can no longer be among the finalists."""
    schedule: ScheduleSection | None = None
    """When the cluster may be used; always, if there is none."""
    placement: PlacementSection = PlacementSection()
    """Where trials run."""
    simulator: SimulatorSection = SimulatorSection()
    """The simulator."""
    callbacks: Callbacks = {}
    """Callbacks of Ray Tune by name, each with its arguments."""

    @field_validator("space", mode="before")
    @classmethod
    def _space_by_name(cls, value: Any) -> Any:
        return {"base": value} if isinstance(value, str) else value

    @field_validator("objective")
    @classmethod
    def _known_objective(cls, value: str | list[ObjectiveSection]) -> str | list[ObjectiveSection]:
        if isinstance(value, str) and value not in PRESETS:
            raise ValueError(
                f"{value!r} is not an objective; write {', '.join(PRESETS)}, "
                f"or a list of {{metric: ..., direction: min|max}}.{did_you_mean(value, PRESETS)}"
            )
        if not value:
            raise ValueError("expected at least one objective, got an empty list")
        return value

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives in the program's own words."""
        if isinstance(self.objective, str):
            return PRESETS[self.objective]
        return tuple(Objective(o.metric, o.direction) for o in self.objective)

    @property
    def slo_limits(self) -> tuple[Limit, ...]:
        """The limits in the program's own words."""
        return tuple(limit.to_limit() for limit in self.limits)

    @property
    def num_trials(self) -> int:
        """Count the trials that the study will have at most, if none fails."""
        num_confirmations = self.confirm.finalists * self.confirm.repeats
        return 1 + self.search.observations + self.drift.repeats + num_confirmations

    def searched_by(self, search: SearchSection) -> "Study":
        """Return the study with another search, at any hour, and nothing measured twice."""
        once = {"confirm": ConfirmSection(repeats=0), "drift": DriftSection(repeats=0)}
        return self.model_copy(update={"search": search, "schedule": None, **once})

    @property
    def goodput_bounds_s(self) -> dict[str, float]:
        """Per-request bounds that `goodput_rps` counts by: the limits on times, by quantity."""
        bounds: dict[str, float] = {}
        for limit in self.slo_limits:
            quantity = quantity_of(limit.metric)
            if quantity is not None:
                bounds[quantity] = min(limit.bound, bounds.get(quantity, limit.bound))
        return bounds


def load_study(path: str | Path) -> Study:
    """Read and check a study file; relative paths in it are relative to the file.

    Raises:
        StudyError: Listing every wrong key by its line and path, with what to write instead.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"Cannot read the study file {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path} is not a text file; expected a study in YAML.") from None
    return _with_absolute_paths(parse_study_text(text, str(path)), path.resolve().parent)


def parse_study_text(text: str, source: str) -> Study:
    """Check a study given as YAML.

    Raises:
        StudyError: As `load_study`.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        said = ", ".join(filter(None, (error.context, error.problem)))
        raise InvalidStudyError(
            f"{source} is not valid YAML:", [Mistake((), f"{said}.", line)]
        ) from None
    except yaml.YAMLError as error:
        raise StudyError(f"{source} is not valid YAML: {error}") from None
    except (ValueError, TypeError) as error:  # dates and numbers that Python does not take
        raise StudyError(f"{source} has a value that cannot be read: {error}.") from None
    if not isinstance(data, dict):
        raise StudyError(
            f"{source}: expected a mapping with `name:`, `engine:`, `service:`, ..., got {data!r}."
        )
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        mistakes = with_lines(mistakes_of(error, Study), text)
        raise InvalidStudyError(f"{source} is not a valid study:", mistakes) from None


def parse_study(data: Mapping[str, Any], source: str = "study") -> Study:
    """Check a study given as plain data.

    Raises:
        StudyError: As `load_study`, without lines.
    """
    try:
        return Study.model_validate(dict(data))
    except ValidationError as error:
        mistakes = mistakes_of(error, Study)
        raise InvalidStudyError(f"{source} is not a valid study:", mistakes) from None


def absolute_trace(trace: str, folder: Path) -> str:
    """Anchor a trace's path at a folder; URIs and synthetic traces stay as they are."""
    if "://" in trace or trace.startswith("synthetic:"):
        return trace
    return str((folder / Path(trace).expanduser()).resolve())


def _with_absolute_paths(study: Study, folder: Path) -> Study:
    """Anchor relative paths at the study file's folder, where they name something there."""
    workload = study.workload
    engine = study.engine
    trace = absolute_trace(workload.trace, folder)
    workload = workload.model_copy(update={"trace": trace})
    updates = {}
    for key in ("model", "python"):
        local = folder / Path(getattr(engine, key)).expanduser()
        if local.exists():
            # Not resolve(): a virtual environment's python must stay a link.
            updates[key] = os.path.normpath(local.absolute())
    engine = engine.model_copy(update=updates)
    simulator = study.simulator
    files = {"profile": simulator.profile, "calibration": simulator.calibration}
    measured = {key: path and str(folder / path) for key, path in files.items()}
    simulator = simulator.model_copy(update=measured)
    search = study.search
    earlier = [_absolute_study(source, folder) for source in search.start_from]
    search = search.model_copy(update={"start_from": earlier})
    return study.model_copy(
        update={"workload": workload, "engine": engine, "simulator": simulator, "search": search}
    )


def _absolute_study(source: str, folder: Path) -> str:
    return str((folder / Path(source).expanduser()).resolve()) if is_folder(source) else source
