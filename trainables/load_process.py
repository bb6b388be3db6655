"""One of several processes that share a load; see `client_pool`.

    python -m trainables.load_process

What comes on standard input and goes out on standard output are frames: a length and a pickle, of
nobody's making but ours. The first is the endpoint with the time-out; each other one is a load,
answered by its progress twice a second until all of it has ended. When the input ends, the process
does, whatever is in flight.
"""

import asyncio
import pickle
import struct
import sys
from typing import Any

import uvloop

from trainables.client import LoadClient
from trainables.clock import WallClock

TELL_S = 0.5
_LENGTH = struct.Struct("!Q")


def to_frame(content: Any) -> bytes:
    """Return a frame that holds `content`."""
    data = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Return the content of the next frame.

    Raises:
        asyncio.IncompleteReadError: If there is none.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return pickle.loads(await reader.readexactly(length))  # noqa: S301, written by `to_frame`


async def serve() -> None:
    """Replay what comes on standard input until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    endpoint, timeout_s = await read_frame(reader)
    # All processes of a machine share this clock when its origin is 0.
    async with LoadClient(endpoint, WallClock(origin_s=0.0), timeout_s) as client:
        answer(None)
        async with asyncio.TaskGroup() as loads:
            while True:
                loads.create_task(replay(client, *await read_frame(reader)))


async def replay(client: LoadClient, start_s: float, messages: Any) -> None:
    """Replay one load and tell how it goes."""
    load = asyncio.create_task(send_and_drain(client, start_s, messages))
    while not load.done():
        await asyncio.wait({load}, timeout=TELL_S)
        answer((client.progress(), load.done()))
    load.result()


async def send_and_drain(client: LoadClient, start_s: float, messages: Any) -> None:
    """Replay one load."""
    await client.drain(await client.send_from(start_s, messages))


def answer(content: Any) -> None:
    """Write a frame to standard output."""
    sys.stdout.buffer.write(to_frame(content))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(serve())
        except* asyncio.IncompleteReadError:
            pass  # the input has ended
