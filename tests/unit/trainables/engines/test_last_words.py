"""What a server's log says before it ends, in the words of a real vLLM 0.32."""

import asyncio
from pathlib import Path

import pytest

from trainables.engines.last_words import spoken
from trainables.engines.vllm import Vllm

DEAD_WORKER = (
    "(EngineCore pid=19880) ERROR 11-21 15:18:31 [multiproc_executor.py:315] Worker proc "
    "VllmWorker-1 died unexpectedly (exit code: -9), shutting down executor.\n"
)
LIMIT_S = 60.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "engine.log"
    file.write_text("(APIServer pid=1) INFO 11-21 15:18:00 [x.py:1] Started\nhalf a li")
    return file


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


async def test_words_are_heard_although_their_line_came_in_pieces(log: Path) -> None:
    listening = asyncio.ensure_future(spoken(log, Vllm.last_words))
    await asyncio.sleep(0)
    append(log, "ne\n" + DEAD_WORKER[:100])
    await asyncio.sleep(0.4)
    assert not listening.done()
    append(log, DEAD_WORKER[100:])
    await asyncio.wait_for(listening, LIMIT_S)


@pytest.mark.parametrize("words", [(), Vllm.last_words])
async def test_other_words_are_not(log: Path, words: tuple[str, ...]) -> None:
    listening = asyncio.ensure_future(spoken(log, words))
    append(log, "ne\nINFO: worker proc is well\n")
    await asyncio.sleep(0.6)
    assert not listening.done()
    listening.cancel()
