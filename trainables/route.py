"""The way from the load client to one replica."""

from typing import Self

import aiohttp

from trainables.engines.endpoint import Endpoint

_HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}
# What aiohttp would add to every request by itself, and nobody needs.
_LEFT_OUT = ("User-Agent", "Accept-Encoding")


class Route:
    """Count the requests in flight to one replica; used around each of them.

    Attributes:
        session: Sends the requests.
        num_in_flight: Requests that have been sent and not answered to the end.
    """

    def __init__(self, replica: Endpoint) -> None:
        self.num_in_flight = 0
        self.session = aiohttp.ClientSession(
            replica.url,
            connector=replica.connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**_HEADERS, **replica.headers},
            skip_auto_headers=_LEFT_OUT,
            timeout=aiohttp.ClientTimeout(total=None),
        )

    def __enter__(self) -> Self:
        self.num_in_flight += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.num_in_flight -= 1
