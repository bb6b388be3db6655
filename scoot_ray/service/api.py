"""The REST API over a folder of studies, and the page's files; no Ray here."""

from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from scoot_ray.core.errors import InvalidStudyError, ScootError, StudyError
from scoot_ray.service.guard import Access, Guard
from scoot_ray.service.routes import router
from scoot_ray.service.studies import Studies
from scoot_ray.service.tuners import Tuners
from scoot_ray.service.views import Problem

PAGE = Path(__file__).with_name("page")


def create_api(studies: Studies, tuners: Tuners, access: Access) -> FastAPI:
    """Return the application.

    Args:
        studies: What is shown.
        tuners: By which studies are started and stopped.
        access: Who may use it.
    """
    app = FastAPI(
        title="SCOOT-Ray",
        description="Studies: watched, compared, started, stopped and exported.",
        version=_version(),
        openapi_url="/api/openapi.json",
        docs_url=None,  # they load their scripts from elsewhere
        redoc_url=None,
    )
    app.add_exception_handler(ScootError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_request)
    app.state.studies, app.state.tuners = studies, tuners
    app.include_router(router)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    app.add_middleware(Guard, access=access)
    return app


def _explain(_request: Request, error: Exception) -> JSONResponse:
    """Answer with the message that the command line would print."""
    is_wish = isinstance(error, StudyError)
    status = HTTPStatus.BAD_REQUEST if is_wish else HTTPStatus.CONFLICT
    mistakes = error.mistakes if isinstance(error, InvalidStudyError) else ()
    problem = Problem(detail=str(error), mistakes=list(mistakes))
    return JSONResponse(problem.model_dump(), status)


def _explain_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    problem = Problem(detail="; ".join(lines))
    return JSONResponse(problem.model_dump(), HTTPStatus.UNPROCESSABLE_ENTITY)


def _version() -> str:
    try:
        return version("scoot-ray")
    except PackageNotFoundError:  # run from its folder
        return "0"
