"""The draft of a study file: what four answers say, written so that it can be edited."""

import json
import re
from dataclasses import dataclass

import yaml

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import PRESETS, Limit, require_metric
from scoot_ray.core.study import parse_study

HARDWARE = re.compile(r"\s*(\d+)\s*[x*\s]\s*(\S+)\s*", re.IGNORECASE)
REQUESTS = re.compile(r"\s*(.+?)\s+at\s+([0-9.]+)\s*(?:/s|rps)?\s*", re.IGNORECASE)
GOAL = re.compile(r"\s*(\w+)(?:\s+with\s+(\w+)\s*([<>])=?\s*([0-9.eE+-]+))?\s*", re.IGNORECASE)

TEMPLATE = """\
# Look it over with `scoot check`, then `scoot tune`. Paths are relative to this file.
name: {name}
engine:
  kind: {kind}                      # vllm | sglang | tensorrt_llm | simulated (no GPU needed)
  model: {model}
  python: python3                   # the interpreter that has the engine
  fixed: {{}}                         # flags that are set, not tuned, such as max_model_len: 4096
service: {{num_gpus: {num_gpus}, accelerator: {accelerator}}}
workload:
  trace: {trace}
  request_rate_rps: {rate}            # of the whole service
  duration_s: 100
objective: {objective}              # interactive: TTFT and TPOT | online: p95 latency | offline
limits: {limits}
search: {{observations: 30, parallelism: 1, seed: 0}}
confirm: {{repeats: 5}}
"""


@dataclass(frozen=True)
class StudyDraft:
    """Hold the answers; every method that reads one says what it expected.

    Attributes:
        name: Of the study; the output folder's name by default.
        kind: Engine.
        model: Name on the hub, or a folder.
        hardware: Such as `4 x A100-80GB`.
        requests: Such as `trace.csv at 10`, in requests per second.
        goal: `interactive`, `online` or `offline`, and a limit: `offline with ttft_p99_s <= 2`.
    """

    name: str
    kind: str
    model: str
    hardware: str
    requests: str
    goal: str

    def text(self) -> str:
        """Return the study file.

        Raises:
            StudyError: If an answer cannot be read, or the study would not be valid.
        """
        num_gpus, accelerator = read_hardware(self.hardware)
        trace, rate = read_requests(self.requests)
        objective, limits = read_goal(self.goal)
        text = TEMPLATE.format(
            name=_scalar(self.name),
            kind=_scalar(self.kind),
            model=_scalar(self.model),
            num_gpus=num_gpus,
            accelerator=_scalar(accelerator),
            trace=_scalar(trace),
            rate=f"{rate:g}",
            objective=objective,
            limits=json.dumps(limits),
        )
        parse_study(yaml.safe_load(text), "The draft")
        return text


def read_hardware(answer: str) -> tuple[int, str]:
    """Read `4 x A100-80GB` as a number of GPUs and an accelerator.

    Raises:
        StudyError: If it is of another form.
    """
    found = HARDWARE.fullmatch(answer)
    if found is None or int(found[1]) < 1:
        raise StudyError(f"{answer!r}: expected a number of GPUs and their type: 4 x A100-80GB.")
    return int(found[1]), found[2]


def read_requests(answer: str) -> tuple[str, float]:
    """Read `trace.csv at 10` as a trace and requests per second.

    Raises:
        StudyError: If it is of another form.
    """
    found = REQUESTS.fullmatch(answer)
    rate = _positive(found[2]) if found else None
    if found is None or rate is None:
        raise StudyError(
            f"{answer!r}: expected a trace and the requests per second that the whole service "
            "receives: trace.csv at 10, or synthetic:bot at 10."
        )
    return found[1], rate


def read_goal(answer: str) -> tuple[str, list[dict[str, str | float]]]:
    """Read `offline with ttft_p99_s <= 2` as an objective and the limits of a study file.

    Raises:
        StudyError: If it is of another form, or there is no such metric.
    """
    found = GOAL.fullmatch(answer)
    if found is None or found[1].lower() not in PRESETS:
        raise StudyError(
            f"{answer!r}: expected {', '.join(PRESETS)}, and a limit if there is one: "
            "offline with ttft_p99_s <= 2."
        )
    if found[2] is None:
        return found[1].lower(), []
    bound = _positive(found[4])
    limit = Limit(require_metric(found[2]), bound or 0.0)
    expected = "<" if limit.is_upper else ">"
    if bound is None or found[3] != expected:
        raise StudyError(f"{answer!r}: expected {found[2]} {expected}= and a number above 0.")
    key = "at_most" if limit.is_upper else "at_least"
    return found[1].lower(), [{"metric": limit.metric, key: bound}]


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _scalar(text: str) -> str:
    """Write a text as YAML: plain where YAML reads it back as the same text, else in quotes."""
    plain = re.fullmatch(r"[\w./@-][\w./@:-]*", text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text)
