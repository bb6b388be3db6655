"""What the API tells of studies: the records of its answers, folded from journals."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

import yaml
from pydantic import BaseModel

from scoot_ray.core.assignment import Assignment
from scoot_ray.core.errors import Mistake, ScootError
from scoot_ray.core.failure import Failure
from scoot_ray.core.journal import History
from scoot_ray.core.metrics import direction_of
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.draft import StudyDraft
from scoot_ray.export import forms_for
from scoot_ray.export.reading import what_is_missing
from scoot_ray.report.verdict import verdict
from scoot_ray.service.studies import StudyFolder

Value = bool | int | float | str | None
MORE_AXES = ("throughput_rps", "latency_p95_s")


class Problem(BaseModel):
    """Why a request was not answered; of a study that is not valid, each mistake by its place."""

    detail: str
    mistakes: list[Mistake] = []


class DraftForm(BaseModel):
    """Answers to begin with, and what can be chosen from."""

    example: StudyDraft
    kind: list[str]
    objective: list[str]
    limit_metric: list[str]


class StudyState(StrEnum):
    """Where a study stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    DAMAGED = "damaged"


class StudySummary(BaseModel):
    """A study in a line: `message` is its verdict so far, or what is wrong with it."""

    key: str
    name: str
    state: StudyState
    num_finished: int = 0
    num_trials: int = 0
    message: str = ""
    changed_at_s: float


class Axis(BaseModel):
    """A metric with the direction in which it is better."""

    metric: str
    direction: Literal["min", "max"]


class TrialSummary(BaseModel):
    """A trial as the table shows it; metrics are bounds where `is_bound`."""

    number: int
    role: str
    state: str
    config: dict[str, Value]
    metrics: dict[str, float] = {}
    is_bound: bool = False
    is_on_front: bool = False
    is_recommended: bool = False
    gpu_seconds: float = 0.0
    note: str = ""

    @classmethod
    def of_record(cls, record: TrialRecord, result: Result) -> "TrialSummary":
        """Summarise a finished trial."""
        best = result.recommendation
        return cls(
            number=record.number,
            role=record.role.value,
            state=record.state.value,
            config=plain(record.config),
            metrics=finite(record.metrics),
            is_bound=record.is_bound,
            is_on_front=record in result.front,
            is_recommended=best is not None and best.record.number == record.number,
            gpu_seconds=record.gpu_seconds,
            note=record.note,
        )

    @classmethod
    def of_assignment(cls, assignment: Assignment, state: str) -> "TrialSummary":
        """Summarise a trial that was handed out and has not finished."""
        config = plain(assignment.config)
        role = assignment.role.value
        return cls(number=assignment.number, role=role, state=state, config=config)


class TrialDetail(TrialSummary):
    """A trial with what its engine wrote last, and in a first try that failed: `first_log`."""

    phases_s: dict[str, float]
    log: str
    first_log: str


class StudyDetail(StudySummary):
    """A study with its trials.

    `axes` are the two metrics that the front is drawn over, `forms` what its configurations can be
    exported to, `study` the study as the journal records it, in YAML, and `log` the end of what
    `scoot tune` printed.
    """

    measured_by: str = ""
    axes: list[Axis] = []
    limits: list[str] = []
    metrics: list[str] = []
    forms: list[str] = []
    trials: list[TrialSummary] = []
    can_start: bool = False
    study: str = ""
    log: str = ""


class Export(BaseModel):
    """A configuration in the form in which it is used, and why this one."""

    number: int
    reason: str
    text: str


def summarise(folder: StudyFolder, *, is_running: bool) -> StudySummary:
    """Return a study in a line; whatever its folder holds, it is shown."""
    return StudySummary.model_validate(_facts(folder, is_running=is_running)[0])


def describe(folder: StudyFolder, *, is_running: bool) -> StudyDetail:
    """Return a study with its trials; whatever its folder holds, it is shown."""
    facts, found = _facts(folder, is_running=is_running)
    facts["can_start"] = folder.study_file.is_file() and not is_running
    facts["log"] = folder.tune_log()
    if found is None:
        return StudyDetail.model_validate(facts)
    study, history = found
    result = Result.from_history(study, history)
    open_state = "RUNNING" if is_running else "UNFINISHED"
    return StudyDetail(
        **facts,
        measured_by=result.measured_by,
        axes=_axes(result),
        limits=[str(limit) for limit in result.limits],
        metrics=list(result.metrics_of_interest),
        forms=forms_for(study.engine.kind),
        trials=[
            *(TrialSummary.of_record(record, result) for record in result.trials),
            *(TrialSummary.of_assignment(each, open_state) for each in history.unfinished),
        ],
        study=yaml.safe_dump(history.header["study"], sort_keys=False, allow_unicode=True),
    )


def describe_trial(folder: StudyFolder, number: int) -> TrialDetail | None:
    """Return a finished trial with the end of its log; None if there is none.

    Raises:
        ScootError: If the journal is damaged.
    """
    found = folder.read()
    if found is None:
        return None
    study, history = found
    record = next((record for record in history.trials if record.number == number), None)
    if record is None:
        return None
    summary = TrialSummary.of_record(record, Result.from_history(study, history))
    return TrialDetail(
        **summary.model_dump(),
        phases_s=finite(record.phases_s),
        log=folder.engine_log(record) or _last_lines(record.failure),
        first_log=_last_lines(record.first_failure),
    )


def plain(config: Mapping[str, Any]) -> dict[str, Value]:
    """Return a configuration with values that JSON has; all others as text."""
    return {name: value if _is_plain(value) else str(value) for name, value in config.items()}


def finite(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Leave out what JSON has no number for."""
    is_number = (int, float)
    return {k: v for k, v in numbers.items() if isinstance(v, is_number) and math.isfinite(v)}


def _last_lines(failure: Failure | None) -> str:
    return "\n".join(failure.log_tail) if failure else ""


def _facts(
    folder: StudyFolder, *, is_running: bool
) -> tuple[dict[str, Any], tuple[Study, History] | None]:
    """Return what a summary says, and the journal if it can be read."""
    facts: dict[str, Any] = {
        "key": folder.key,
        "name": folder.path.name,
        "changed_at_s": folder.changed_at_s,
        "state": StudyState.RUNNING if is_running else StudyState.STOPPED,
    }
    try:
        found = folder.read()
    except ScootError as error:
        return {**facts, "state": StudyState.DAMAGED, "message": str(error)}, None
    if found is None:
        facts["message"] = "No trial has been handed out yet; the log tells why."
        return facts, None
    study, history = found
    result = Result.from_history(study, history)
    facts |= {
        "name": study.name,
        "num_finished": len(history.trials),
        "num_trials": study.num_trials,
        "message": verdict(result) if history.trials else "Nothing has been measured yet.",
    }
    if not is_running and not what_is_missing(study, history):
        facts["state"] = StudyState.FINISHED
    return facts, found


def _axes(result: Result) -> list[Axis]:
    names = list(dict.fromkeys([*result.metrics_of_interest, *MORE_AXES]))[:2]
    return [Axis(metric=name, direction=direction_of(name)) for name in names]


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)
