"""What stands before the API: who may ask, from where, and how much may be sent."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 256 * 1024
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

# The page's own files and the API, nothing else: no inline script, no frame, no other server.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def digest_of(token: str) -> bytes:
    """Return what is kept of a token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class Access:
    """Say who may use the API.

    Attributes:
        token_digest: Of the token that a request must bear; None where none is asked for.
        only_loopback: Requests must name this machine as their host. A page of another site whose
            name has been rebound to this machine's address names that site.
    """

    token_digest: bytes | None = None
    only_loopback: bool = True

    def refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        """Return why a request is refused; None if it is not."""
        headers = Headers(scope=scope)
        if self.only_loopback and _host(headers.get("host", "")) not in LOOPBACK_NAMES:
            return HTTPStatus.MISDIRECTED_REQUEST, "This page is served to this machine only."
        if scope["path"].startswith("/api/") and not self._is_known(headers):
            return HTTPStatus.UNAUTHORIZED, "Expected the header `Authorization: Bearer TOKEN`."
        return _wrong_body(headers) if scope["method"] == "POST" else None

    def _is_known(self, headers: Headers) -> bool:
        if self.token_digest is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = digest_of(token.strip())
        return hmac.compare_digest(given, self.token_digest) and scheme.lower() == "bearer"


class Guard:
    """Refuse what `Access` refuses, and give every answer the headers of a careful page."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection as ASGI asks for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._access.refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
            return
        status, detail = refusal
        headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
        await JSONResponse({"detail": detail}, status, headers)(scope, receive, send_with_headers)


def _wrong_body(headers: Headers) -> tuple[HTTPStatus, str] | None:
    """Refuse what a form of another site can send, and what is too long."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Expected `Content-Type: application/json`."
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return HTTPStatus.LENGTH_REQUIRED, "Expected a Content-Length."
    if int(length[:20]) > MAX_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY_BYTES} bytes are taken."
    return None


def _host(header: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower()
