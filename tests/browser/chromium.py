"""A headless Chromium that is spoken to in its own protocol, over one web socket: no driver."""

import asyncio
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 90.0


def find_chromium() -> str | None:
    """Return the browser's path, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Page:
    """One page: it is looked at by JavaScript, and touched by real mouse and key events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._receive()
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    async def open(self, path: Path) -> None:
        """Open a file, and wait until it has loaded."""
        for domain in ("Runtime", "Page", "Network"):
            await self.call(f"{domain}.enable")
        # Without a window system no page has the focus.
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Page.navigate", url=path.as_uri())
        while not self.named("Page.loadEventFired"):
            await self._receive()

    def named(self, event: str) -> list[dict[str, Any]]:
        """Return the events of a name so far."""
        return [message["params"] for message in self.events if message["method"] == event]

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads((await self._socket.receive()).data)
        if "method" in message:
            self.events.append(message)
        return message

    async def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def point_at(self, selector: str, number: int = 0) -> tuple[float, float]:
        """Scroll to an element and move the mouse onto it; return where that is."""
        await self.ask(f"document.querySelectorAll({selector!r})[{number}].scrollIntoView()")
        box = f"document.querySelectorAll({selector!r})[{number}].getBoundingClientRect()"
        x, y, width, height = await self.ask(f"(b => [b.x, b.y, b.width, b.height])({box})")
        middle = (x + width / 2, y + height / 2)
        await self._mouse("mouseMoved", middle)
        return middle

    async def click(self, selector: str, number: int = 0) -> None:
        """Press and release the left button on an element."""
        middle = await self.point_at(selector, number)
        await self._mouse("mousePressed", middle, button="left", clickCount=1)
        await self._mouse("mouseReleased", middle, button="left", clickCount=1)

    async def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    async def _mouse(self, kind: str, at: tuple[float, float], **parameters: Any) -> None:
        await self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], **parameters)


@asynccontextmanager
async def open_page(browser: str, folder: Path) -> AsyncIterator[Page]:
    """Start the browser with a profile of its own in `folder`, and end it."""
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--remote-debugging-port=0",
        "--window-size=1200,900",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await asyncio.to_thread(_wait_for_port, profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            url = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(url, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.kill()
        await process.wait()


def _wait_for_port(file: Path) -> int:
    """Wait until the browser has written down its port."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline_s, "Chromium did not start"
        time.sleep(0.1)
    return int(file.read_text().split()[0])
