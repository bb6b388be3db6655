"""Who may use the API, tried through the whole application."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from scoot_ray.service.guard import MAX_BODY_BYTES, Access, digest_of
from tests.unit.scoot_ray.service.study_folders import client_of

TOKEN = "a-token-of-some-length"


@pytest.fixture
def local(tmp_path: Path) -> TestClient:
    return client_of(tmp_path)


@pytest.fixture
def open_to_others(tmp_path: Path) -> TestClient:
    return client_of(tmp_path, Access(digest_of(TOKEN), only_loopback=False))


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:1", "LOCALHOST", "[::1]:8420"])
def test_this_machine_is_served(local: TestClient, host: str) -> None:
    assert local.get("/api/studies", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8420", "127.0.0.1.evil.example", "localhost:x", "", "::1"],
)
@pytest.mark.parametrize("path", ["/", "/api/studies", "/api/openapi.json", "/nothing"])
def test_a_rebound_name_is_refused(local: TestClient, host: str, path: str) -> None:
    assert local.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "header",
    [
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
    ],
)
def test_without_the_token_nothing_is_told(open_to_others: TestClient, header: str) -> None:
    for path in ("/api/studies", "/api/openapi.json", "/api/nothing"):
        answer = open_to_others.get(path, headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_is_no_token(open_to_others: TestClient) -> None:
    assert open_to_others.get(f"/api/studies?token={TOKEN}").status_code == 401


def test_with_the_token_it_answers_and_the_page_can_ask_for_it(open_to_others: TestClient) -> None:
    bearer = {"authorization": f"bearer {TOKEN}"}
    assert open_to_others.get("/api/studies", headers=bearer).json() == []
    page = open_to_others.get("/")
    assert page.status_code == 200
    assert 'type="password"' in page.text


@pytest.mark.parametrize("path", ["/api/studies", "/api/checks", "/api/studies/x/stop"])
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_form_of_another_site_sends_is_refused(
    local: TestClient, path: str, kind: str
) -> None:
    answer = local.post(path, content=b'{"text": ""}', headers={"content-type": kind})
    assert answer.status_code == 415


def test_uploads_are_limited(local: TestClient) -> None:
    json = {"content-type": "application/json"}
    assert (
        local.post("/api/checks", content=b" " * (MAX_BODY_BYTES + 1), headers=json).status_code
        == 413
    )
    assert local.post("/api/checks", content=iter([b"{}"]), headers=json).status_code == 411
    assert local.post("/api/checks", json={"text": "x" * 40_000}).status_code == 422


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/studies", "/nothing"])
def test_every_answer_has_the_headers_of_a_careful_page(local: TestClient, path: str) -> None:
    headers = local.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path", ["/../api.py", "/%2e%2e/api.py", "/..%2fapi.py", "//etc/passwd", "/%00"]
)
def test_the_page_files_end_at_their_folder(local: TestClient, path: str) -> None:
    assert local.get(path).status_code == 404
