"""The draft of a study file: what a few answers say, written so that it can be edited."""

import re
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import PRESETS, Limit, require_metric

HARDWARE = re.compile(r"\s*(\d+)\s*[x*\s]\s*(\S+)\s*", re.IGNORECASE)
REQUESTS = re.compile(r"\s*(.+?)\s+at\s+([0-9.]+)\s*(?:/s|rps)?\s*", re.IGNORECASE)
GOAL = re.compile(r"\s*(\w+)(?:\s+with\s+(\w+)\s*([<>])=?\s*([0-9.eE+-]+))?\s*", re.IGNORECASE)

NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")

KINDS = ("vllm", "sglang", "tensorrt_llm", "simulated")
"""Engines that can be started, and so tuned."""

MAX_CHARACTERS = 256
Answer = Annotated[str, Field(max_length=MAX_CHARACTERS)]

TEMPLATE = """\
# Look it over with `scoot check`, then `scoot tune`. Paths are relative to this file.
name: {name}
engine:
  kind: {kind:<27} # vllm | sglang | tensorrt_llm | simulated (no GPU needed)
  model: {model}
  python: python3                   # the interpreter that has the engine
  fixed: {{}}                         # flags that are set, not tuned, such as max_model_len: 4096
service: {{num_gpus: {num_gpus}, accelerator: {accelerator}}}
workload:
  trace: {trace}
  request_rate_rps: {request_rate_rps:<15} # of the whole service
  duration_s: 100
objective: {objective:<24} # interactive: TTFT and TPOT | online: p95 latency | offline
limits: {limits}
search: {{observations: 30, parallelism: 1, seed: 0}} # start_from: simulator, or runs/EARLIER
confirm: {{repeats: 5}}
"""


class StudyDraft(BaseModel):
    """Hold the answers as a person wrote them; whether they make a study is asked of the text.

    Attributes:
        name: Of the study; the output folder's name by default.
        kind: Engine.
        model: Name on the hub, or a folder.
        num_gpus: GPUs of the service.
        accelerator: Their type.
        trace: File, or `synthetic:NAME`.
        request_rate_rps: Requests a second of the whole service.
        objective: `interactive`, `online` or `offline`.
        limit_metric: Metric of a limit; empty where there is none.
        limit_bound: Its bound, upper for times and lower for rates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Answer
    kind: Answer
    model: Answer
    num_gpus: Answer
    accelerator: Answer
    trace: Answer
    request_rate_rps: Answer
    objective: Answer
    limit_metric: Answer = ""
    limit_bound: Answer = ""

    def text(self) -> str:
        """Return the study file; it is YAML whatever the answers are."""
        return TEMPLATE.format(
            name=_text(self.name),
            kind=_text(self.kind),
            model=_text(self.model),
            num_gpus=_number(self.num_gpus),
            accelerator=_text(self.accelerator),
            trace=_text(self.trace),
            request_rate_rps=_number(self.request_rate_rps),
            objective=_text(self.objective),
            limits=self._limits(),
        )

    def _limits(self) -> str:
        if not self.limit_metric:
            return "[]"
        key = "at_most" if Limit(self.limit_metric, 0.0).is_upper else "at_least"
        return f"[{{metric: {_text(self.limit_metric)}, {key}: {_number(self.limit_bound)}}}]"


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


def read_goal(answer: str) -> tuple[str, Limit | None]:
    """Read `offline with ttft_p99_s <= 2` as an objective and its limit, if it has one.

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
        return found[1].lower(), None
    bound = _positive(found[4])
    limit = Limit(require_metric(found[2]), bound or 0.0)
    expected = "<" if limit.is_upper else ">"
    if bound is None or found[3] != expected:
        raise StudyError(f"{answer!r}: expected {found[2]} {expected}= and a number above 0.")
    return found[1].lower(), limit


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _text(answer: str) -> str:
    """Write a text as YAML: plain where YAML reads it back as the same text, else in quotes."""
    if re.fullmatch(r"[\w./@-][\w./@:-]*", answer) and yaml.safe_load(answer) == answer:
        return answer
    return _quoted(answer)


def _number(answer: str) -> str:
    """Write a number as YAML; what is none is written as a text, which the study's check names."""
    return answer if NUMBER.fullmatch(answer) else _quoted(answer)


def _quoted(answer: str) -> str:
    written: str = yaml.safe_dump(answer, default_style='"', allow_unicode=True, width=float("inf"))
    return written.strip()
