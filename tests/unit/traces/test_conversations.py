from itertools import takewhile

from scoot_ray.core.request import Request
from traces.conversations import BLOCK_TOKENS, with_conversations
from traces.prefix_sharing import shared_prompt_tokens
from trainables.prompts import PromptMaker


def turn(prompt_tokens: int, session: str | None = "a", hashes: tuple[int, ...] = ()) -> Request:
    return Request(0.0, prompt_tokens, 1, session, hashes, block_tokens=8 if hashes else 0)


def prompts_of(*requests: Request) -> list[list[int]]:
    maker = PromptMaker(range(100_000), 0)
    return [maker.make(request) for request in with_conversations(requests)]


def shared(a: list[int], b: list[int]) -> int:
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))))


def test_a_turn_carries_on_the_one_before() -> None:
    first, other, second = prompts_of(turn(100), turn(200, "b"), turn(250))
    assert second[:100] == first
    assert shared(other, second) == 0


def test_a_prompt_that_is_not_longer_begins_anew() -> None:
    first, second, third = prompts_of(turn(100), turn(100), turn(150))
    assert shared(first, second) == 0
    assert third[:100] == second


def test_what_a_trace_says_itself_stays() -> None:
    requests = [turn(100, hashes=(1, 2)), turn(50, session=None)]
    assert with_conversations(requests) == requests


def test_whole_blocks_count_as_shared() -> None:
    linked = with_conversations([turn(10 * BLOCK_TOKENS), turn(20 * BLOCK_TOKENS)])
    assert shared_prompt_tokens(linked) == 10 * BLOCK_TOKENS
