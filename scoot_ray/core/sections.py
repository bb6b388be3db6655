"""The sections of a study file: their keys, defaults and bounds.

What stands under a field is its description in the reference (`docs/reference/study-file.md`).
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import Limit, require_metric
from scoot_ray.core.schedule import STRICT

Scalar = bool | int | float | str

Mode = Literal["asynchronous", "batch", "warm_first"]

SIMULATOR = "simulator"
"""Stands for an earlier study: the same service, simulated."""


def is_folder(source: str) -> bool:
    """Tell whether an earlier study is named by a folder: not by a URI, and not made here."""
    return "://" not in source and source != SIMULATOR


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

    @property
    def device(self) -> str:
        """Name what a study spends: a GPU, or a rank of a CPU build, which stands for one."""
        return "CPU rank" if self.is_cpu else "GPU"

    @property
    def is_cpu(self) -> bool:
        """Tell whether the engine is a build for CPUs."""
        return self.accelerator.upper() == "CPU"


class WorkloadSection(Section):
    """The requests to replay and the rate at which the service receives them."""

    trace: str
    """File or URI of a trace, with options (`FILE?unit=ms`), or `synthetic:NAME`."""
    select: Literal["heaviest_half", "all"] = "heaviest_half"
    """Which of its requests are replayed."""
    arrivals: Literal["poisson", "trace"] = "poisson"
    """When they arrive: a Poisson process, every test of as many, or as in the trace, scaled."""
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
        limit = Limit(_require(self.metric), 0.0)
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
        return _require(metric)


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

    `mode: batch` is the paper's: nothing is started until a whole batch has ended. `mode:
    warm_first` is for autoscaled nodes: as many trials are chosen at a time as may run at once,
    and those that nodes which are up can hold are started first.
    """

    algorithm: str = "scoot"
    """`scoot`, `scoot_paper`, `genetic`, `vanilla_bo` or `random`."""
    mode: Mode = "asynchronous"
    """Fill a slot as soon as it is free, or wait for a whole batch, or prefer nodes that are up."""
    observations: int = Field(default=30, ge=1)
    """Trials after the default, confirmations not counted."""
    parallelism: int = Field(default=1, ge=1)
    """Trials at once."""
    seed: int = Field(default=0, ge=0)
    """The same seed makes the same study, where measurements repeat."""
    options: dict[str, Any] = {}
    """Of the algorithm."""
    start_from: list[str] = []
    """Folders or URIs of earlier studies, the best of whose configurations are tried first;
    `simulator` for a study of the same service on the embedded simulator, made for that.
    """

    @field_validator("start_from", mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


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


def _require(metric: str) -> str:
    """Return a metric that is measured; pydantic wants its complaint as a ValueError."""
    try:
        return require_metric(metric)
    except StudyError as error:
        raise ValueError(str(error)) from None
