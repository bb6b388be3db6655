"""A request of the service, and the record of one that was replayed."""

from collections.abc import Sequence
from dataclasses import dataclass

from scoot_ray.core.errors import TraceError


@dataclass(frozen=True, slots=True)
class Request:
    """Describe one request by its arrival, its lengths and what it shares with others.

    Attributes:
        arrival_s: Seconds from the start of the trace or test, at least 0.
        prompt_tokens: Tokens in, at least 1.
        output_tokens: Tokens out, at least 1; the engine is made to produce exactly these.
        session: Conversation that the request belongs to, if known; each of its prompts carries on
            the one before, where `prefix_hashes` say nothing else.
        prefix_hashes: One identifier per leading block of `block_tokens` prompt tokens; two
            requests share the blocks on which their identifiers agree from the first on.
        block_tokens: Tokens that one entry of `prefix_hashes` stands for; 0 when there are none.
        text: The prompt itself, where the trace has it.
    """

    arrival_s: float
    prompt_tokens: int
    output_tokens: int
    session: str | None = None
    prefix_hashes: tuple[int, ...] = ()
    block_tokens: int = 0
    text: str | None = None

    def __post_init__(self) -> None:
        if not self.arrival_s >= 0:
            raise TraceError(f"arrival_s: expected at least 0, got {self.arrival_s}.")
        if self.prompt_tokens < 1 or self.output_tokens < 1:
            raise TraceError(
                "A request needs at least one prompt token and one output token, "
                f"got {self.prompt_tokens} and {self.output_tokens}."
            )
        if self.prefix_hashes and self.block_tokens < 1:
            raise TraceError("prefix_hashes are given without block_tokens.")

    @property
    def total_tokens(self) -> int:
        """Count prompt and output tokens together."""
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """Record when things happened to one replayed request, in seconds from the start of the load.

    Attributes:
        due_s: When the request should have been sent.
        sent_s: When it was sent.
        first_token_s: When its first token arrived; None if none did.
        last_token_s: When its last token arrived; None if none did.
        finished_s: When it ended, for whatever reason.
        prompt_tokens: Tokens in.
        output_tokens: Tokens that really came out.
        error: What went wrong, or None if the request completed.
        token_gaps_s: Seconds between tokens that follow one another (ITL), if they were taken.
    """

    due_s: float
    sent_s: float
    first_token_s: float | None
    last_token_s: float | None
    finished_s: float
    prompt_tokens: int
    output_tokens: int
    error: str | None = None
    token_gaps_s: Sequence[float] = ()

    @property
    def completed(self) -> bool:
        """Tell whether the request got all of its tokens."""
        return self.error is None and self.first_token_s is not None

    @property
    def lag_s(self) -> float:
        """Seconds by which the client was late in sending."""
        return self.sent_s - self.due_s

    @property
    def ttft_s(self) -> float:
        """Time to first token: first token - sent."""
        assert self.first_token_s is not None, "only completed requests have a TTFT"
        return self.first_token_s - self.sent_s

    @property
    def tpot_s(self) -> float | None:
        """Time per output token after the first; None for a single token, which has no gaps."""
        assert self.first_token_s is not None
        assert self.last_token_s is not None
        if self.output_tokens < 2:
            return None
        return (self.last_token_s - self.first_token_s) / (self.output_tokens - 1)

    @property
    def latency_s(self) -> float:
        """Time from sending to the last token."""
        assert self.last_token_s is not None, "only completed requests have a latency"
        return self.last_token_s - self.sent_s
