"""The study file: what the user writes, checked, with every error naming the key's path."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from scoot_ray.core.callbacks import Callbacks
from scoot_ray.core.errors import StudyError, did_you_mean
from scoot_ray.core.metrics import quantity_of
from scoot_ray.core.objective import PRESETS, Limit, Objective, require_metric
from scoot_ray.core.schedule import STRICT, ScheduleSection, WindowSection

Scalar = bool | int | float | str


class Section(BaseModel):
    """Base of the sections: frozen, and a misspelt key is an error."""

    model_config = STRICT


class EngineSection(Section):
    """Which engine, with which model, and the flags that are set rather than tuned."""

    kind: Literal["vllm", "sglang", "tensorrt_llm", "openai", "simulated"]
    """The engine; `openai` is a server that is up already, `simulated` the embedded simulator."""
    model: str
    """Name on the hub, or a folder with the model."""
    python: str = "python3"
    """The interpreter that has the engine; it may be of another environment."""
    fixed: dict[str, Scalar] = {}
    """Flags that are set, not tuned, by the engine's own names."""
    env: dict[str, str] = {}
    """Environment variables of the engine."""
    endpoint: Literal["completions", "chat"] = "completions"
    """Which of the server's endpoints is measured."""
    tokenizer: str | None = None
    """Folder or name of a tokenizer; the model's own, unless another is named."""
    base_url: str | None = None
    """Of a server that is up already (`openai`)."""
    api_key_env: str | None = None
    """The variable that holds the server's key; the key is written nowhere."""
    startup_timeout_s: float = Field(default=900.0, gt=0)
    """Seconds in which the engine must become healthy."""
    health_timeout_s: float = Field(default=30.0, gt=0)
    """Seconds for which it may then be silent."""


class ServiceSection(Section):
    """The hardware that the service owns."""

    num_gpus: int = Field(ge=1)
    """GPUs of the whole service."""
    accelerator: str
    """Their type, such as `A100-80GB`; `CPU` for CPU builds."""
    replicas: Literal["one", "all"] = "one"
    """A trial runs one of the replicas with its share of the load, or `all` of them."""


class WorkloadSection(Section):
    """The requests to replay and the rate at which the service receives them."""

    trace: str
    """File or URI of a trace, with options (`FILE?unit=ms`), or `synthetic:NAME`."""
    select: Literal["heaviest_half", "all"] = "heaviest_half"
    """Which of its requests are replayed."""
    arrivals: Literal["poisson", "trace"] = "poisson"
    """When they arrive: a Poisson process, or as in the trace, scaled to the rate."""
    request_rate_rps: float = Field(gt=0)
    """Requests a second that the whole service receives."""
    duration_s: float = Field(default=100.0, gt=0)
    """Seconds of load."""
    warmup_requests: int = Field(default=4, ge=0)
    """Requests before the load, which are not counted."""
    request_timeout_s: float = Field(default=300.0, gt=0)
    """Seconds after which a request has failed."""
    max_failed_share: float = Field(default=0.01, ge=0, lt=1)
    """Share of the requests that may fail before the configuration is infeasible."""


class LimitSection(Section):
    """An SLO: `at_most` for times, `at_least` for rates."""

    metric: str
    """One of the [metrics](metrics.md)."""
    at_most: float | None = None
    """Upper bound, for times."""
    at_least: float | None = None
    """Lower bound, for rates."""

    @model_validator(mode="after")
    def _one_bound_of_the_right_kind(self) -> "LimitSection":
        limit = Limit(require(self.metric), 0.0)
        wanted, other = ("at_most", "at_least") if limit.is_upper else ("at_least", "at_most")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"write `{wanted}: NUMBER` for {self.metric}, and nothing else")
        return self

    def to_limit(self) -> Limit:
        """Return the limit in the program's own words."""
        bound = self.at_most if self.at_most is not None else self.at_least
        assert bound is not None
        return Limit(self.metric, bound)


class ObjectiveSection(Section):
    """A metric and the direction in which it is better."""

    metric: str
    """One of the [metrics](metrics.md)."""
    direction: Literal["min", "max"]
    """The direction in which it is better."""

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        return require(metric)


class ParameterSection(Section):
    """A parameter to add or narrow: a range, or a list of values."""

    low: int | float | None = None
    """Lower bound; a new parameter with whole bounds is an integer."""
    high: int | float | None = None
    """Upper bound."""
    log2: bool | None = None
    """Only powers of two."""
    values: list[Scalar] | None = None
    """A list of values instead of a range."""

    @model_validator(mode="after")
    def _range_or_values(self) -> "ParameterSection":
        has_range = self.low is not None or self.high is not None
        if has_range == (self.values is not None):
            raise ValueError("write either `low:` and `high:`, or `values:`")
        return self


class SpaceSection(Section):
    """A base space with parameters added, narrowed or removed."""

    base: str | None = None
    """`vllm-v1`, `vllm-v0`, `sglang`, `tensorrt_llm` or `none`; the engine's own by default."""
    parameters: dict[str, ParameterSection] = {}
    """Parameters to add or narrow, by name."""
    remove: list[str] = []
    """Parameters that stay at the engine's default."""
    default: dict[str, Scalar] = {}
    """Defaults of added parameters, or what is measured first instead of the engine's own."""


class SearchSection(Section):
    """How to search, and for how long.

    `mode: batch` is the paper's: nothing is started until a whole batch has ended.
    """

    algorithm: str = "scoot"
    """`scoot`, `scoot_paper`, `genetic`, `vanilla_bo` or `random`."""
    mode: Literal["asynchronous", "batch"] = "asynchronous"
    """Fill a slot as soon as it is free, or wait for a whole batch, as the paper does."""
    observations: int = Field(default=30, ge=1)
    """Trials after the default, confirmations not counted."""
    parallelism: int = Field(default=1, ge=1)
    """Trials at once."""
    seed: int = Field(default=0, ge=0)
    """The same seed makes the same study, where measurements repeat."""
    options: dict[str, Any] = {}
    """Of the algorithm."""


class ConfirmSection(Section):
    """How many of the best are measured again, and under how many arrival orders each."""

    repeats: int = Field(default=5, ge=0)
    """Arrival orders under which each finalist is measured again, on fresh engines."""
    finalists: int = Field(default=3, ge=1)
    """How many of the best are measured again."""


class DriftSection(Section):
    """How often the default is measured again: evenly spaced, the last time at the end."""

    repeats: int = Field(default=2, ge=0)
    """Repetitions of the default during the search."""


class AutoscalerSection(Section):
    """The nodes that an autoscaler may add; Ray does not tell them before it has."""

    node_gpus: int = Field(ge=1)
    """GPUs of a node that may be added."""
    max_nodes: int = Field(ge=1)
    """How many may be added."""
    node_cpus: float = Field(default=8.0, gt=0)
    """CPUs of such a node."""


class PlacementSection(Section):
    """What a trial claims beside its GPUs, and of which nodes."""

    num_cpus: float = Field(default=1.0, gt=0)
    """CPUs for the load client and the engine's host work."""
    memory_gib: float = Field(default=0.0, ge=0)
    """Host memory."""
    labels: dict[str, str] = {}
    """Labels of the nodes, such as `{ray.io/market-type: spot}`; also `!spot`, `in(A,B)`."""
    exclusive: Literal["node"] | None = None
    """`node`: no two trials on one node."""
    autoscaler: AutoscalerSection | None = None
    """Nodes that may be added."""


class SimulatorSection(Section):
    """Where the simulator takes its step times from, and how fast its time goes.

    Published numbers are taken where there is neither a profile nor a calibration. Trials take
    `pace` real seconds for a simulated one; 0 is as fast as can be.
    """

    profile: str | None = None
    """File with measured operator times."""
    calibration: str | None = None
    """File with constants that `scoot calibrate` fitted."""
    pace: float = Field(default=0.0, ge=0)
    """Real seconds for a simulated one; 0 is as fast as can be."""


class Study(Section):
    """A whole study file."""

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
    # Off: in simulated studies it has cost more quality than load time (benchmarks/early_stop.py).
    early_stop: bool = False
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

    @property
    def goodput_bounds_s(self) -> dict[str, float]:
        """Per-request bounds that `goodput_rps` counts by: the limits on times, by quantity."""
        bounds: dict[str, float] = {}
        for limit in self.slo_limits:
            quantity = quantity_of(limit.metric)
            if quantity is not None:
                bounds[quantity] = min(limit.bound, bounds.get(quantity, limit.bound))
        return bounds


def require(metric: str) -> str:
    """Return a metric that is measured; pydantic wants its complaint as a ValueError."""
    try:
        return require_metric(metric)
    except StudyError as error:
        raise ValueError(str(error)) from None


def load_study(path: str | Path) -> Study:
    """Read and check a study file; relative paths in it are relative to the file.

    Raises:
        StudyError: Listing every wrong key by its path, with what to write instead.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"Cannot read the study file {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path} is not a text file; expected a study in YAML.") from None
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise StudyError(f"{path}: expected a mapping with `name:`, `engine:`, ..., got {data!r}.")
    return _with_absolute_paths(parse_study(data, str(path)), path.resolve().parent)


def parse_study(data: Mapping[str, Any], source: str = "study") -> Study:
    """Check a study given as plain data.

    Raises:
        StudyError: As `load_study`.
    """
    try:
        return Study.model_validate(dict(data))
    except ValidationError as error:
        lines = _explain_all([dict(item) for item in error.errors(include_url=False)])
        raise StudyError("\n".join([f"{source} is not a valid study:", *lines])) from None


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
    return study.model_copy(update={"workload": workload, "engine": engine, "simulator": simulator})


_SECTIONS: Mapping[str, type[BaseModel]] = {
    "engine": EngineSection,
    "service": ServiceSection,
    "workload": WorkloadSection,
    "limits": LimitSection,
    "objective": ObjectiveSection,
    "space": SpaceSection,
    "parameters": ParameterSection,
    "search": SearchSection,
    "confirm": ConfirmSection,
    "drift": DriftSection,
    "schedule": ScheduleSection,
    "placement": PlacementSection,
    "autoscaler": AutoscalerSection,
    "windows": WindowSection,
    "simulator": SimulatorSection,
}


def _explain_all(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Explain each error once; of a union's branches, only the one that got furthest."""
    locations = [[part for part in error["loc"] if not _is_union_tag(part)] for error in errors]
    lines = [
        _explain(error, location)
        for error, location in zip(errors, locations, strict=True)
        if not any(other != location and other[: len(location)] == location for other in locations)
    ]
    return list(dict.fromkeys(lines))


def _explain(error: Mapping[str, Any], location: list[Any]) -> str:
    path = ".".join(str(part) for part in location)
    match error["type"]:
        case "missing":
            return f"  {path}: is missing; write `{location[-1]}: ...`."
        case "extra_forbidden":
            return f"  {path}: is not a key here.{_hint_at_keys(location)}"
        case "literal_error":
            choices = error["ctx"]["expected"]
            hint = did_you_mean(str(error["input"]), re.findall(r"'([^']*)'", choices))
            return f"  {path}: expected {choices}; got {error['input']!r}.{hint}"
        case "value_error":
            message = str(error["ctx"]["error"])
            return f"  {path or 'study'}: {message}{'' if message.endswith(('.', '?')) else '.'}"
        case _:
            return f"  {path}: {error['msg']}; got {error['input']!r}."


def _is_union_tag(part: Any) -> bool:
    tags = ("bool", "int", "float", "str", "function-after")
    return isinstance(part, str) and (part.startswith("list[") or part in tags)


def _hint_at_keys(location: list[Any]) -> str:
    parents = [part for part in location[:-1] if part in _SECTIONS]
    section: type[BaseModel] = _SECTIONS[parents[-1]] if parents else Study
    keys = list(section.model_fields)
    hint = did_you_mean(str(location[-1]), keys)
    return f"{hint} The keys are: {', '.join(keys)}."
