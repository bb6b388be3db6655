"""The API keeps what its OpenAPI document says, whatever is sent: schemathesis."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from scoot_ray.service.api import create_api
from scoot_ray.service.guard import Access, digest_of
from scoot_ray.service.studies import Studies
from scoot_ray.service.tuners import Tuners
from tests.unit.scoot_ray.service.study_folders import FRONT, HOSTILE, crashed, write_journal

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OPERATIONS = {
    "GET /api/studies",
    "POST /api/studies",
    "POST /api/checks",
    "GET /api/drafts",
    "POST /api/drafts",
    "GET /api/studies/{key}",
    "POST /api/studies/{key}/start",
    "POST /api/studies/{key}/stop",
    "GET /api/studies/{key}/trials/{number}",
    "GET /api/studies/{key}/export",
}


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("studies")
    write_journal(root / "own", *FRONT, crashed(3, HOSTILE, "0003"))
    api = create_api(Studies.below(root), Tuners({}), Access(digest_of(TOKEN), only_loopback=False))
    document = schemathesis.openapi.from_asgi("/api/openapi.json", api, headers=BEARER)
    found: list[Any] = [each.ok() for each in document.get_all_operations()]  # type: ignore[union-attr]
    return {each.label: each for each in found}


def test_the_document_has_these_operations(operations: dict[str, Any]) -> None:
    assert set(operations) == OPERATIONS


@pytest.mark.parametrize("label", sorted(OPERATIONS))
@pytest.mark.parametrize("is_known", [True, False])
def test_an_operation_keeps_its_document(
    operations: dict[str, Any], label: str, is_known: bool
) -> None:
    @given(case=operations[label].as_strategy())
    @settings(
        max_examples=20,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any) -> None:
        if is_known and "key" in (case.path_parameters or {}):
            case.path_parameters["key"] = "own"
        # A text or a condition can fit the document and yet be no study and no condition.
        case.call_and_validate(headers=BEARER, excluded_checks=[positive_data_acceptance])

    check()
