"""Synthetic workloads: the SCOOT paper's four applications, and one shaped like a real trace.

The paper names its applications and not their numbers; the table is a reasoned choice, with the
reason beside each row. Lengths are log-normal, as measured request lengths nearly are, truncated
so that every request fits in 4,096 tokens. A trace is a function of its URI.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.errors import TraceError, did_you_mean
from scoot_ray.core.request import Request
from traces.schema import Trace
from traces.source import split_options

SCHEME = "synthetic:"
MAX_TOTAL_TOKENS = 4096
BLOCK_TOKENS = 16
RATE_RPS = 1.0  # workloads are replayed at the study's own rate; this one is only a scale
MAX_REQUESTS = 1_000_000
THINK_TIME_S = 60.0


@dataclass(frozen=True)
class Lengths:
    """Describe a log-normal distribution of token counts, truncated to [low, high]."""

    median: float
    sigma: float
    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> int:
        """Draw one length; values outside the bounds are drawn again."""
        while True:
            tokens = round(rng.lognormal(math.log(self.median), self.sigma))
            if self.low <= tokens <= self.high:
                return tokens


@dataclass(frozen=True)
class Application:
    """Describe an application by its lengths and by what its prompts share.

    Attributes:
        num_prefixes: Distinct leading prompts; the n-th is used in proportion to 1 / n.
        prefix: Their lengths.
        message: What a request adds to its prefix and history.
        output: Answers.
        mean_turns: Turns per conversation (geometric); each turn repeats the history.
    """

    num_prefixes: int
    prefix: Lengths
    message: Lengths
    output: Lengths
    mean_turns: float = 1.0


APPLICATIONS: dict[str, Application] = {
    # Text-to-SQL, long in and short out: a database's schema leads the prompt and is shared by
    # all questions about that database; a question is a sentence or two, with a few examples.
    # A query is 20 to 100 tokens.
    "sql": Application(
        num_prefixes=20,
        prefix=Lengths(900, 0.5, 200, 2400),
        message=Lengths(250, 0.6, 20, 1200),
        output=Lengths(50, 0.6, 8, 400),
    ),
    # Chatbot, medium in and long out: one system prompt, sessions that grow. Answers are a
    # paragraph or two, twice the median of the Azure 2023 conversation trace (129 tokens).
    "bot": Application(
        num_prefixes=1,
        prefix=Lengths(120, 0.01, 100, 150),
        message=Lengths(60, 1.0, 4, 1000),
        output=Lengths(260, 0.8, 8, 1500),
        mean_turns=3.5,
    ),
    # Classification, medium in and a few tokens out: an instruction with the list of labels,
    # then a text to label; the answer is the label.
    "cls": Application(
        num_prefixes=4,
        prefix=Lengths(150, 0.3, 60, 400),
        message=Lengths(300, 0.7, 20, 2500),
        output=Lengths(4, 0.5, 1, 16),
    ),
    # Recommendation, long in and short out: one system prompt, then a user's history and the
    # candidates; the answer ranks a few item identifiers.
    "rec": Application(
        num_prefixes=2,
        prefix=Lengths(400, 0.1, 300, 500),
        message=Lengths(1400, 0.4, 300, 3300),
        output=Lengths(30, 0.4, 5, 120),
    ),
    # What the Azure 2023 conversation trace looks like, for where it is not at hand: mean and
    # deviation of the logarithms of its 19,366 lengths. It tells nothing of shared prefixes, so
    # the prompts share no more than a chat template's opening.
    "azure_conv": Application(
        num_prefixes=1,
        prefix=Lengths(16, 0.01, 16, 16),
        message=Lengths(744, 0.985, 8, 3000),
        output=Lengths(151, 0.859, 7, 1000),
    ),
}


def make_synthetic(uri: str) -> Trace:
    """Make the trace that `synthetic:NAME?seed=0&num_requests=2000` names.

    Raises:
        TraceError: If the name or an option is not known.
    """
    name, options = split_options(uri)
    name = name.removeprefix(SCHEME)
    application = find_application(name)
    values = {"seed": 0, "num_requests": 2000} | _numbers(uri, options)
    if not 1 <= values["num_requests"] <= MAX_REQUESTS:
        raise TraceError(
            f"Trace {uri}: num_requests: expected at least 1 and at most {MAX_REQUESTS:,}."
        )
    rng = np.random.default_rng(values["seed"])
    num_requests = values["num_requests"]
    turns = _turns(application, num_requests, num_requests / RATE_RPS, rng)
    requests = _arriving(turns, np.cumsum(rng.exponential(1.0 / RATE_RPS, num_requests)))
    reason = "made up; replay with the study's own rate"
    sha256 = _sha256(application, values)
    return Trace(requests, uri, sha256, "none", "synthetic", unit_reason=reason)


def synthesize(name: str, rate_rps: float, duration_s: float, seed: int) -> Trace:
    """Make a trace of an application's requests, Poisson at `rate_rps`, for `duration_s`.

    Raises:
        TraceError: If the name is not known, or the trace would be empty or huge.
    """
    application = find_application(name.removeprefix(SCHEME))
    expected = rate_rps * duration_s
    if not 1 <= expected <= MAX_REQUESTS:
        raise TraceError(
            f"A rate of {rate_rps:g} requests/s for {duration_s:g} s makes {expected:g} requests: "
            f"expected at least 1 and at most {MAX_REQUESTS:,}."
        )
    rng = np.random.default_rng(seed)
    # Given their number, the arrivals of a Poisson process are uniform and independent.
    num_requests = max(1, int(rng.poisson(expected)))
    turns = _turns(application, num_requests, duration_s, rng)
    requests = _arriving(turns, np.sort(rng.uniform(0.0, duration_s, num_requests)))
    values = {"seed": seed, "rate_rps": rate_rps, "duration_s": duration_s}
    sha256 = _sha256(application, values)
    uri = f"{SCHEME}{name.removeprefix(SCHEME)}"
    return Trace(requests, uri, sha256, "s", "synthetic", unit_reason="made at the asked rate")


def find_application(name: str) -> Application:
    """Return the application of this name.

    Raises:
        TraceError: Listing those that are known.
    """
    if name in APPLICATIONS:
        return APPLICATIONS[name]
    names = ", ".join(SCHEME + known for known in APPLICATIONS)
    raise TraceError(
        f"Trace {SCHEME}{name}: expected one of {names}.{did_you_mean(name, APPLICATIONS)}"
    )


def _sha256(application: Application, values: dict[str, Any]) -> str:
    parameters = f"{application!r} {sorted(values.items())!r}"
    return hashlib.sha256(parameters.encode()).hexdigest()


def _numbers(uri: str, options: dict[str, str]) -> dict[str, int]:
    for option, value in options.items():
        # Python reads no more than 4,300 digits, and a seed needs no more than 19.
        if option not in ("seed", "num_requests") or not value.isdecimal() or len(value) > 19:
            raise TraceError(
                f"Trace {uri}: {option}={value}: expected seed=NUMBER or num_requests=NUMBER."
            )
    return {option: int(value) for option, value in options.items()}


def _turns(
    application: Application, num_requests: int, span_s: float, rng: np.random.Generator
) -> list[Request]:
    """Draw conversations that begin within `span_s` until there are enough requests."""
    prefixes = [application.prefix.draw(rng) for _ in range(application.num_prefixes)]
    turns: list[Request] = []
    while len(turns) < num_requests:
        number = len(prefixes) + len(turns)
        start_s = rng.uniform(0.0, span_s)
        turns += _conversation(application, prefixes, number, start_s, rng)
    return sorted(turns[:num_requests], key=lambda request: request.arrival_s)


def _arriving(turns: list[Request], times: NDArray[np.float64]) -> tuple[Request, ...]:
    """Keep the order of the turns, and let them arrive at `times`, the first at 0."""
    return tuple(
        replace(turn, arrival_s=float(time))
        for turn, time in zip(turns, times - times[0], strict=True)
    )


def _conversation(
    application: Application,
    prefixes: list[int],
    number: int,
    start_s: float,
    rng: np.random.Generator,
) -> Iterator[Request]:
    """Yield the turns of conversation `number` until it ends or its history fills the context."""
    weights = 1.0 / np.arange(1, len(prefixes) + 1)
    which = int(rng.choice(len(prefixes), p=weights / weights.sum()))
    num_turns = int(rng.geometric(1.0 / application.mean_turns))
    # Where no turn follows, nothing but the prefix is shared, and nothing else is listed.
    has_history = application.mean_turns > 1.0
    history, arrival_s = prefixes[which], start_s
    for _ in range(num_turns):
        prompt, output = history + application.message.draw(rng), application.output.draw(rng)
        if prompt + output > MAX_TOTAL_TOKENS:
            return
        hashes = _hashes(which, prefixes[which], number, prompt if has_history else 0)
        yield Request(arrival_s, prompt, output, f"session-{number}", hashes, BLOCK_TOKENS)
        history, arrival_s = prompt + output, arrival_s + rng.exponential(THINK_TIME_S)


def _hashes(which: int, prefix_tokens: int, number: int, prompt_tokens: int) -> tuple[int, ...]:
    """Name the full blocks of the prefix `which`, then those of conversation `number`."""
    num_shared, num_blocks = prefix_tokens // BLOCK_TOKENS, prompt_tokens // BLOCK_TOKENS
    shared = (which * MAX_TOTAL_TOKENS + index for index in range(num_shared))
    rest = (number * MAX_TOTAL_TOKENS + index for index in range(num_shared, num_blocks))
    return (*shared, *rest)
