"""Settings that all tests share."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping

import uvloop
from hypothesis import settings

# No deadline: a busy machine is not a failed test. In CI always the same examples, so that a red
# run is about the change; new ones are found wherever people work.
settings.register_profile("scoot", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("scoot")

# A shell that starts us in the background has us ignore Ctrl-C, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run asynchronous tests on the loop that trials run on."""
    return {"uvloop": uvloop.new_event_loop}
