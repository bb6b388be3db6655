"""Requests over connections of their own, to servers that answer in every way there is."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import trainables.route
from scoot_ray.core.request import Request
from trainables.engines.endpoint import Endpoint
from trainables.message import Message
from trainables.route import Route

MESSAGE = Message(Request(0.0, 10, 5), "/v1/completions", b'{"prompt": [1, 2]}')
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n3\r\nody\r\n0\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody"


class Scripted:
    """Answer every request with the same bytes, and note what came.

    Args:
        answer: What is sent.
        piece: Bytes that are sent at once.
        closes: The connection is closed after each answer.
    """

    def __init__(self, answer: bytes, *, piece: int = 1000, closes: bool = False) -> None:
        self.pieces = [answer[n : n + piece] for n in range(0, len(answer), piece)]
        self.closes = closes
        self.requests: list[bytes] = []
        self.transports: list[asyncio.Transport] = []

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Yield host and port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: ScriptedConnection(self), "127.0.0.1", 0, ssl=tls)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for transport in self.transports:
                transport.abort()


class ScriptedConnection(asyncio.Protocol):
    """One connection to a scripted server."""

    def __init__(self, server: Scripted) -> None:
        self._server = server
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.transports.append(self._transport)

    def data_received(self, data: bytes) -> None:
        self._request += data
        if self._request.endswith(MESSAGE.body):
            self._server.requests.append(self._request)
            self._request = b""
            self._send(self._server.pieces)

    def _send(self, pieces: list[bytes]) -> None:
        if pieces:
            self._transport.write(pieces[0])
            asyncio.get_running_loop().call_later(0.001, self._send, pieces[1:])
        elif self._server.closes:
            self._transport.close()


async def post(route: Route) -> tuple[int, str, bytes]:
    parts: list[bytes] = []
    with route:
        status, refusal = await asyncio.wait_for(route.post(MESSAGE, parts.append), 10)
    return status, refusal, b"".join(parts)


@pytest.mark.parametrize("answer", [LENGTH, CHUNKED])
@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_an_answer_may_come_in_pieces_over_the_same_connection(
    answer: bytes, piece: int
) -> None:
    server = Scripted(answer, piece=piece)
    async with server.serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        assert [await post(route) for _ in range(3)] == [(200, "", b"body")] * 3
        route.close()
    assert len(server.transports) == 1


async def test_an_answer_may_end_with_its_connection() -> None:
    server = Scripted(UNTIL_CLOSED, closes=True)
    async with server.serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        assert [await post(route) for _ in range(2)] == [(200, "", b"body")] * 2
    assert len(server.transports) == 2


async def test_a_refusal_is_told_with_its_reason() -> None:
    server = Scripted(b"HTTP/1.1 503 Busy\r\nContent-Length: 11\r\n\r\ncome later\n")
    async with server.serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        assert await post(route) == (503, "come later\n", b"")
        route.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed it before it answered"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed it before it answered"),
        (b"220 mail.example ESMTP\r\n", "is not HTTP/1.1"),
    ],
)
async def test_what_is_no_answer_is_an_error(answer: bytes, reason: str) -> None:
    async with Scripted(answer, closes=True).serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        with pytest.raises(OSError, match=reason):
            await post(route)


async def test_a_mistake_of_the_taker_is_not_taken_for_the_server_s() -> None:
    def take(_: bytes) -> None:
        raise KeyError("a mistake")

    async with Scripted(LENGTH).serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        with pytest.raises(KeyError, match="a mistake"):
            await route.post(MESSAGE, take)


async def test_one_that_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trainables.route, "IDLE_S", 0.05)
    server = Scripted(LENGTH)
    async with server.serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        await post(route)
        await asyncio.sleep(0.1)
        await post(route)
        route.close()
    assert len(server.transports) == 2


async def test_one_whose_answer_was_abandoned_is_not_used_again() -> None:
    server = Scripted(LENGTH[:-1])
    async with server.serving() as address:
        route = Route(Endpoint("m", url=f"http://{address}"))
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(route.post(MESSAGE, len), 0.2)
    assert len(server.transports) == 2


async def test_the_head_says_where_and_who() -> None:
    server = Scripted(LENGTH)
    async with server.serving() as address:
        headers = {"Authorization": "Bearer key"}
        route = Route(Endpoint("m", url=f"http://{address}/base", headers=headers))
        await post(route)
        route.close()
    head, body = server.requests[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /base/v1/completions HTTP/1.1\r\n")
    assert f"\r\nHost: {address}\r\n".encode() in head
    assert b"\r\nAuthorization: Bearer key\r\n" in head
    assert body == MESSAGE.body


def certificate(folder: Path) -> Path:
    """Write a certificate of this machine with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    path = folder / "certificate.pem"
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    path.write_bytes(secret + signed.public_bytes(pem))
    return path


async def test_https_with_a_certificate_that_is_trusted_and_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(path)
    async with Scripted(LENGTH).serving(tls) as address:
        with pytest.raises(ssl.SSLCertVerificationError):
            await post(Route(Endpoint("m", url=f"https://{address}")))
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        route = Route(Endpoint("m", url=f"https://{address}"))
        assert await post(route) == (200, "", b"body")
        route.close()
