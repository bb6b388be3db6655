"""The simulated engine against queueing theory, where it reduces to a queue with a known answer.

With `max_num_seqs=1` and answers of one token a request is one step, and an engine is M/G/1 in the
order of arrival: Pollaczek and Khinchine give its mean wait. The step jitter belongs to the service
time: it is log-normal, with mean exp(s^2/2) and second moment exp(2 s^2).

Intervals are of Student over independent seeds, at 99.9 %, and each test shows that a wrong formula
lies outside. Seeds are fixed: nothing here is left to chance.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student

from scoot_ray.core.request import Request
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import STEP_JITTER, Engine
from trainables.simulator.fleet import Fleet
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler_v1 import SchedulerV1
from trainables.simulator.timeline import StepSample
from trainables.simulator.version import V1

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]

MODEL = load_model_shape("meta-llama/Llama-2-7b-hf")
ACCELERATOR = find_accelerator("A100-80GB")
TOKEN_S = 1e-3
CONFIDENCE = 0.999
NUM_SEEDS = 20
NUM_WARM_UP = 1000  # requests at the beginning that are not counted: the queue starts empty
NUM_SERVERS = 4


class LinearCost:
    """A step takes a time for each of its tokens."""

    def step_s(self, batch: Batch) -> float:
        return TOKEN_S * batch.num_tokens


@dataclass(frozen=True)
class Moments:
    """Prompt lengths and their first two moments, from which those of the service time follow."""

    lengths: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def mean_s(self) -> float:
        return TOKEN_S * exp(STEP_JITTER**2 / 2) * float(np.dot(self.lengths, self.weights))

    @property
    def mean_square_s2(self) -> float:
        squares = np.square(np.array(self.lengths, dtype=float))
        return TOKEN_S**2 * exp(2 * STEP_JITTER**2) * float(np.dot(squares, self.weights))

    def wait_s(self, utilization: float) -> float:
        """Pollaczek-Khinchine: the mean wait of M/G/1."""
        rate = utilization / self.mean_s
        return rate * self.mean_square_s2 / (2 * (1 - utilization))


CONSTANT = Moments((100,), (1.0,))
TWO_POINT = Moments((20, 420), (0.8, 0.2))  # squared coefficient of variation 2.6
# Geometric lengths, which are as good as exponential, cut where nothing is left.
GEOMETRIC = Moments(
    tuple(range(1, 2001)), tuple((1 - 0.01) ** np.arange(2000) * 0.01 / (1 - 0.99**2000))
)


def make_fleet(num_engines: int, seed: int, **parameters: Any) -> Fleet:
    config = EngineConfig.resolve(
        {"max_num_batched_tokens": 2048, "enable_prefix_caching": False, **parameters}, MODEL
    )
    return Fleet(
        [
            Engine(
                SchedulerV1(config, BlockManager(3000, config.block_size, False)),
                LinearCost(),
                MemoryPlan(MODEL, ACCELERATOR, config, V1),
                np.random.default_rng([seed, number]),
            )
            for number in range(num_engines)
        ]
    )


def poisson(moments: Moments, rate_rps: float, num_requests: int, seed: int) -> list[Request]:
    rng = np.random.default_rng(seed)
    arrivals_s = np.cumsum(rng.exponential(1 / rate_rps, num_requests))
    lengths = rng.choice(moments.lengths, num_requests, p=moments.weights)
    return [
        Request(arrival_s, length, 1)
        for arrival_s, length in zip(arrivals_s.tolist(), lengths.tolist(), strict=True)
    ]


def mean_wait_s(moments: Moments, fleet: Fleet, requests: list[Request]) -> float:
    """Mean time in the system, less the mean service time (not the sample's: it varies less)."""
    served = sorted(fleet.serve(requests), key=lambda sequence: sequence.request.arrival_s)
    ends_s = np.array([sequence.finished_s for sequence in served])
    arrivals_s = np.array([request.arrival_s for request in requests])
    lengths = np.array([request.prompt_tokens for request in requests])
    jitter = exp(STEP_JITTER**2 / 2)
    waits_s = ends_s - arrivals_s - lengths * TOKEN_S * jitter
    return float(waits_s[NUM_WARM_UP:].mean())


def half_width(samples: Floats) -> float:
    """Half of Student's confidence interval for the mean."""
    quantile = student.ppf((1 + CONFIDENCE) / 2, len(samples) - 1)
    return float(quantile * samples.std(ddof=1) / sqrt(len(samples)))


@pytest.mark.parametrize("utilization", [0.3, 0.6, 0.8])
@pytest.mark.parametrize(
    ("moments", "num_requests", "wrong_factor"),
    [
        # Twice the wait is what exponential service would cause.
        pytest.param(CONSTANT, 6000, 2.0, id="M/D/1"),
        # What constant service of the same mean would cause.
        pytest.param(TWO_POINT, 12000, 1 / 3.56, id="M/G/1 two-point"),
        pytest.param(GEOMETRIC, 12000, 1 / 2, id="M/G/1 geometric"),
    ],
)
def test_the_mean_wait_is_pollaczek_and_khinchines(
    moments: Moments, num_requests: int, wrong_factor: float, utilization: float
) -> None:
    rate_rps = utilization / moments.mean_s
    waits_s = np.array(
        [
            mean_wait_s(
                moments,
                make_fleet(1, seed, max_num_seqs=1),
                poisson(moments, rate_rps, num_requests, seed),
            )
            for seed in range(NUM_SEEDS)
        ]
    )
    expected_s, half_s = moments.wait_s(utilization), half_width(waits_s)
    assert half_s < 0.12 * expected_s, "the interval is too wide to tell anything"
    assert abs(waits_s.mean() - expected_s) < half_s
    assert abs(waits_s.mean() - wrong_factor * expected_s) > half_s


def central_queue_waits_s(requests: list[Request], num_servers: int) -> Floats:
    """Simulate M/D/c exactly: one queue, and whoever is free first serves its head."""
    free_s = [0.0] * num_servers
    waits_s = []
    for request in requests:
        earliest = free_s.index(min(free_s))
        start_s = max(free_s[earliest], request.arrival_s)
        free_s[earliest] = start_s + request.prompt_tokens * TOKEN_S
        waits_s.append(start_s - request.arrival_s)
    return np.array(waits_s)


def cosmetatos_wait_s(utilization: float, num_servers: int, service_s: float) -> float:
    """Cosmetatos' approximation of the mean wait of M/D/c, good to a few percent."""
    offered = utilization * num_servers
    terms = np.cumprod([1.0, *(offered / n for n in range(1, num_servers + 1))])
    last = terms[-1] / (1 - utilization)
    exponential_s = last / (terms[:-1].sum() + last) * service_s / (num_servers - offered)
    c = num_servers
    correction = (1 - utilization) * (c - 1) * (sqrt(4 + 5 * c) - 2) / (16 * utilization * c)
    return float(0.5 * exponential_s * (1 + correction))


def test_a_router_is_better_than_a_split_and_no_better_than_one_queue() -> None:
    utilization = 0.8
    rate_rps = NUM_SERVERS * utilization / CONSTANT.mean_s
    routed_s, central_s = [], []
    for seed in range(NUM_SEEDS):
        requests = poisson(CONSTANT, rate_rps, 20000, seed)
        fleet = make_fleet(NUM_SERVERS, seed, max_num_seqs=1)
        routed_s.append(mean_wait_s(CONSTANT, fleet, requests))
        central_s.append(central_queue_waits_s(requests, NUM_SERVERS)[NUM_WARM_UP:].mean())
    split_s = CONSTANT.wait_s(utilization)
    routed, central = np.array(routed_s), np.array(central_s)
    assert central.mean() == pytest.approx(
        cosmetatos_wait_s(utilization, NUM_SERVERS, CONSTANT.mean_s),
        abs=half_width(central) + 0.03 * central.mean(),
    )
    # The same arrivals: what they do to the one they do to the other.
    assert (routed - central).mean() > half_width(routed - central)
    # Joining the shortest of four queues comes near to one queue, and a random split nowhere near.
    assert routed.mean() + half_width(routed) < 0.5 * split_s


def test_nobody_waits_while_a_replica_is_idle() -> None:
    requests = poisson(CONSTANT, NUM_SERVERS * 0.6 / CONSTANT.mean_s, 5000, seed=0)
    served = list(make_fleet(NUM_SERVERS, 0, max_num_seqs=1).serve(requests))
    served.sort(key=lambda sequence: sequence.request.arrival_s)
    ends_s = np.array([sequence.finished_s for sequence in served])
    arrivals_s = np.array([request.arrival_s for request in requests])
    num_present = np.array(
        [n - np.count_nonzero(ends_s[:n] <= arrivals_s[n]) for n in range(len(requests))]
    )
    latencies_s = ends_s - arrivals_s
    finds_idle = num_present < NUM_SERVERS
    assert 0.5 < finds_idle.mean() < 1
    longest_s = CONSTANT.mean_s * (1 + 7 * STEP_JITTER)  # no service takes longer
    assert latencies_s[finds_idle].max() < longest_s
    assert np.mean(latencies_s[~finds_idle] > longest_s) > 0.5


@dataclass(frozen=True)
class Run:
    """A load on one engine that batches, and what its timeline saw."""

    requests: list[Request]
    ends_s: Floats
    steps: list[StepSample]


@pytest.fixture(scope="module", params=[1, 8, 64])
def run(request: pytest.FixtureRequest) -> Run:
    rng = np.random.default_rng(request.param)
    arrivals_s = np.cumsum(rng.exponential(1.2, 2000)).tolist()
    prompts = rng.integers(1, 400, 2000).tolist()
    outputs = rng.integers(1, 300, 2000).tolist()
    requests = [Request(*values) for values in zip(arrivals_s, prompts, outputs, strict=True)]
    fleet = make_fleet(1, 0, max_num_seqs=request.param)
    [timeline] = fleet.watch()
    served = sorted(fleet.serve(requests), key=lambda sequence: sequence.number)
    ends_s = np.array([sequence.finished_s for sequence in served])
    return Run(requests, ends_s, timeline.samples)


def test_littles_law(run: Run) -> None:
    """Requests in the engine's queues, integrated over time, are the times they spent there.

    An engine looks at what has arrived when a step begins, so a request is in from then on.
    """
    starts_s = np.array([step.start_s for step in run.steps])
    arrivals_s = np.array([request.arrival_s for request in run.requests])
    seen_s = starts_s[np.searchsorted(starts_s, arrivals_s)]
    in_system = [(step.num_waiting + step.num_running) * step.duration_s for step in run.steps]
    assert sum(in_system) == pytest.approx((run.ends_s - seen_s).sum(), rel=1e-9)
    lag_s = (seen_s - arrivals_s).mean()
    assert 0 <= lag_s <= max(step.duration_s for step in run.steps)
    assert (run.ends_s - arrivals_s).sum() > sum(in_system)


def test_work_is_conserved(run: Run) -> None:
    """The engine rests only when nobody is there, and until the next one comes."""
    arrivals_s = np.array([request.arrival_s for request in run.requests])
    ends_s = np.sort(run.ends_s)
    num_rests = 0
    for step, following in pairwise(run.steps):
        end_s = step.start_s + step.duration_s
        if following.start_s == end_s:
            continue
        num_rests += 1
        num_gone = np.searchsorted(ends_s, end_s + 1e-9, side="right")
        assert num_gone == np.searchsorted(arrivals_s, following.start_s)
        assert following.start_s == arrivals_s[num_gone]
    assert num_rests


def test_tokens_are_conserved(run: Run) -> None:
    assert sum(step.num_preempted for step in run.steps) == 0
    num_prompt_tokens = sum(request.prompt_tokens for request in run.requests)
    num_decode_tokens = sum(request.output_tokens - 1 for request in run.requests)
    assert sum(step.num_prefill_tokens for step in run.steps) == num_prompt_tokens
    assert sum(step.num_decode_tokens for step in run.steps) == num_decode_tokens
