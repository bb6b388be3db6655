"""One connection to a server, over which requests go one after another."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

OK = 200
CLOSED = "the server closed it before it answered"


class Connection(asyncio.Protocol):
    """Hand on the bytes of an answer in the very moment in which the event loop reads them.

    A client whose answers are read by a task wakes that task for every token, and does so some time
    after the bytes have come. Of a load client that is most of the work, and it is an error of the
    times that it notes; `python -m benchmarks.load_client` measures both.

    Attributes:
        is_free: It can take another request.
    """

    def __init__(self) -> None:
        self.is_free = True
        self._status = 0
        self._refusal = b""
        self._ended: asyncio.Future[None] | None = None

    async def exchange(self, request: bytes, take: Callable[[bytes], object]) -> tuple[int, str]:
        """Send a request and return once its answer has ended.

        Args:
            request: Its head and body.
            take: Called with each part of the body of an answer with status 200.

        Returns:
            The status, and the body if `take` was not called with it.

        Raises:
            OSError: If the connection is lost, or what comes is not HTTP.
        """
        if not self.is_free:
            raise ConnectionResetError(CLOSED)
        self.is_free = False
        self._status, self._refusal = 0, b""
        self._take = take
        self._parser = httptools.HttpResponseParser(self)
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._ended
        return self._status, self._refusal.decode("utf-8", "replace")

    def close(self) -> None:
        """Close it, whatever is under way."""
        self.is_free = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read what has come; the parser calls the methods below."""
        if self.is_free:  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._end(error.__context__ or error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(OSError(f"the answer is not HTTP/1.1: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """End the answer; so ends one whose length nobody told."""
        self.is_free = False
        if error is None and self._status == 0:
            error = ConnectionResetError(CLOSED)
        self._end(error)

    def on_headers_complete(self) -> None:
        """Note the status."""
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of the body."""
        if self._status == OK:
            self._take(body)
        else:
            self._refusal += body

    def on_message_complete(self) -> None:
        """End the answer."""
        self.is_free = self._parser.should_keep_alive()
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)
