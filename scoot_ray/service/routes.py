"""The routes of the API."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from scoot_ray.core.errors import StudyError
from scoot_ray.core.metrics import METRICS
from scoot_ray.core.objective import PRESETS, Objective, require_metric
from scoot_ray.draft import KINDS, StudyDraft
from scoot_ray.export import export
from scoot_ray.export.condition import Condition
from scoot_ray.export.reading import choose
from scoot_ray.export.selection import Selection
from scoot_ray.service.studies import Studies, StudyFolder
from scoot_ray.service.study_text import MAX_CHARACTERS, parse_text
from scoot_ray.service.tuners import Tuners
from scoot_ray.service.views import (
    DraftForm,
    Export,
    Problem,
    StudyDetail,
    StudySummary,
    TrialDetail,
    describe,
    describe_trial,
    summarise,
)


def _may_answer(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    return {status.value: {"model": Problem, "description": status.phrase} for status in statuses}


EVERYWHERE = _may_answer(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY
)
OF_A_STUDY = _may_answer(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
TO_A_POST = _may_answer(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


class StudyText(BaseModel):
    """A study file's text, in YAML."""

    text: str = Field(max_length=MAX_CHARACTERS)


EXAMPLE = StudyDraft(
    name="my-study",
    kind="simulated",
    model="meta-llama/Llama-2-7b-hf",
    num_gpus="8",
    accelerator="L40S",
    trace="synthetic:bot",
    request_rate_rps="7.5",
    objective="interactive",
)
"""It runs anywhere."""


class Nothing(BaseModel):
    """The body of a request that needs none: `{}`."""


router = APIRouter(
    prefix="/api", responses=EVERYWHERE, dependencies=[Depends(HTTPBearer(auto_error=False))]
)


def _studies(request: Request) -> Studies:
    studies: Studies = request.app.state.studies
    return studies


def _tuners(request: Request) -> Tuners:
    tuners: Tuners = request.app.state.tuners
    return tuners


All = Annotated[Studies, Depends(_studies)]
Running = Annotated[Tuners, Depends(_tuners)]


def _find(key: str, studies: All) -> StudyFolder:
    folder = studies.find(key)
    if folder is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such study.")
    return folder


Found = Annotated[StudyFolder, Depends(_find)]


@router.get("/studies")
def list_studies(studies: All, tuners: Running) -> list[StudySummary]:
    """List the studies, the last changed first."""
    running = tuners.running()
    return [summarise(each, is_running=each.path in running) for each in studies.all()]


@router.post("/studies", status_code=HTTPStatus.CREATED, responses=TO_A_POST | OF_A_STUDY)
def start_study(body: StudyText, studies: All, tuners: Running) -> StudySummary:
    """Check a study as its file is checked, and start it."""
    study = parse_text(body.text)
    folder = studies.create(study.name, body.text)
    tuners.start(folder, study)
    return _summary(folder, tuners)


@router.post("/checks", responses=TO_A_POST)
def check_text(body: StudyText) -> StudyText:
    """Check a study as its file is checked; return it as it was sent."""
    parse_text(body.text)
    return body


@router.get("/drafts")
def begin_draft() -> DraftForm:
    """Show answers to begin a study with, and what can be chosen from."""
    return DraftForm(example=EXAMPLE, kind=[*KINDS], objective=[*PRESETS], limit_metric=[*METRICS])


@router.post("/drafts", responses=TO_A_POST)
def write_draft(draft: StudyDraft) -> StudyText:
    """Write answers as a study file; whether it is valid is asked of its text."""
    return StudyText(text=draft.text())


@router.get("/studies/{key}", responses=OF_A_STUDY)
def show_study(folder: Found, tuners: Running) -> StudyDetail:
    """Show a study with its trials."""
    return describe(folder, is_running=folder.path in tuners.running())


@router.post("/studies/{key}/start", responses=TO_A_POST | OF_A_STUDY)
def go_on(folder: Found, _body: Nothing, tuners: Running) -> StudySummary:
    """Go on with a study that was started here and has stopped."""
    try:
        study = parse_text(folder.study_file.read_text(encoding="utf-8"))
    except OSError:
        raise StudyError(f"{folder.key} has no study.yaml; go on with `scoot tune`.") from None
    tuners.start(folder, study)
    return _summary(folder, tuners)


@router.post("/studies/{key}/stop", responses=TO_A_POST | OF_A_STUDY)
def stop_study(folder: Found, _body: Nothing, tuners: Running) -> StudySummary:
    """Ask a study to end in good order, as Ctrl-C does; asked twice, it stops at once."""
    tuners.stop(folder)
    return _summary(folder, tuners)


@router.get("/studies/{key}/trials/{number}", responses=OF_A_STUDY)
def show_trial(folder: Found, number: int) -> TrialDetail:
    """Show a finished trial with the end of its engine's log."""
    trial = describe_trial(folder, number)
    if trial is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such finished trial.")
    return trial


@router.get("/studies/{key}/export", responses=OF_A_STUDY | _may_answer(HTTPStatus.BAD_REQUEST))
def export_choice(
    folder: Found,
    to: str = "command",
    config: int | None = None,
    where: Annotated[list[str], Query(max_length=16)] = [],  # noqa: B006  # FastAPI copies it
    minimize: str | None = None,
    maximize: str | None = None,
) -> Export:
    """Export a configuration, chosen as by `scoot export`: the recommended one by default."""
    found = folder.read()
    if found is None:
        raise HTTPException(HTTPStatus.CONFLICT, "Nothing has been measured yet.")
    conditions = tuple(Condition.parse(text) for text in where)
    selection = Selection(config, conditions, _target(minimize, maximize))
    choice = choose(*found, folder.journal, selection, unfinished=True)
    text = export(choice, to)
    return Export(number=choice.record.number, reason=choice.reason, text=text)


def _summary(folder: StudyFolder, tuners: Tuners) -> StudySummary:
    return summarise(folder, is_running=folder.path in tuners.running())


def _target(minimize: str | None, maximize: str | None) -> Objective | None:
    if minimize is not None and maximize is not None:
        raise StudyError("Give either minimize or maximize, not both.")
    if minimize is not None:
        return Objective(require_metric(minimize), "min")
    return None if maximize is None else Objective(require_metric(maximize), "max")
