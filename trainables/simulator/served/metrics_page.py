"""The /metrics page: what vLLM V1 counts, under its names, with its buckets.

Names, meanings and buckets are those of `vllm/v1/metrics/loggers.py` and `buckets.py`, vLLM 0.32.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from trainables.simulator.served.generation import Generation
from trainables.simulator.timeline import StepSample

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
FINISH_REASONS = ("stop", "length", "abort", "error", "repetition")

LATENCY_S = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
TTFT_S = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
ITL_S = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
)  # fmt: skip
STEP_TOKENS = tuple(2**exponent for exponent in (0, *range(3, 15)))
PREEMPTIONS = (1, 2, 3, 4, 5, 10, 20)


class MetricsPage:
    """Count what a served engine does.

    Args:
        model: The model's name, a label of every sample.
        max_model_len: Largest bucket of the histograms over a request's tokens.
    """

    def __init__(self, model: str, max_model_len: int) -> None:
        self._registry = CollectorRegistry()
        self._labels = {"model_name": model, "engine": "0"}
        self._running = self._gauge("num_requests_running", "Requests in execution batches.")
        self._waiting = self._gauge("num_requests_waiting", "Requests waiting to be processed.")
        self._kv_usage = self._gauge("kv_cache_usage_perc", "KV-cache usage; 1 means full.")
        self._queries = self._counter("prefix_cache_queries", "Queried tokens.")
        self._hits = self._counter("prefix_cache_hits", "Cached tokens.")
        self._preemptions = self._counter("num_preemptions", "Preemptions.")
        self._prompt_tokens = self._counter("prompt_tokens", "Prefill tokens processed.")
        self._generation_tokens = self._counter("generation_tokens", "Tokens generated.")
        success = Counter(
            "vllm:request_success",
            "Requests by the reason for which they ended.",
            (*self._labels, "finished_reason"),
            registry=self._registry,
        )
        self._ended = {
            reason: success.labels(**self._labels, finished_reason=reason)
            for reason in FINISH_REASONS
        }
        sizes = _one_two_five(max_model_len)
        self._step_tokens = self._histogram("iteration_tokens_total", STEP_TOKENS)
        self._ttft = self._histogram("time_to_first_token_seconds", TTFT_S)
        self._itl = self._histogram("inter_token_latency_seconds", ITL_S)
        self._tpot = self._histogram("request_time_per_output_token_seconds", ITL_S)
        self._latency = self._histogram("e2e_request_latency_seconds", LATENCY_S)
        self._queue = self._histogram("request_queue_time_seconds", LATENCY_S)
        self._inference = self._histogram("request_inference_time_seconds", LATENCY_S)
        self._prefill = self._histogram("request_prefill_time_seconds", LATENCY_S)
        self._decode = self._histogram("request_decode_time_seconds", LATENCY_S)
        self._request_prompt = self._histogram("request_prompt_tokens", sizes)
        self._request_generation = self._histogram("request_generation_tokens", sizes)
        self._request_preemptions = self._histogram("request_num_preemptions", PREEMPTIONS)
        self._num_computed = 0

    def render(self) -> bytes:
        """Return the page in the Prometheus text format."""
        return generate_latest(self._registry)

    def set_state(self, num_running: int, num_waiting: int, kv_usage: float) -> None:
        """Show what the scheduler holds after a step."""
        self._running.set(num_running)
        self._waiting.set(num_waiting)
        self._kv_usage.set(kv_usage)

    def count_admission(self, generation: Generation) -> None:
        """Count a request's look-up in the prefix cache."""
        self._queries.inc(generation.request.prompt_tokens)
        self._hits.inc(generation.num_cached_tokens)

    def count_token(self, generation: Generation, now_s: float) -> None:
        """Count one new token, which its generation does not know yet."""
        request = generation.request
        if generation.last_token_s is None:
            self._prompt_tokens.inc(request.prompt_tokens)
            self._num_computed += request.prompt_tokens - generation.num_cached_tokens
            self._ttft.observe(now_s - request.arrival_s)
        else:
            self._itl.observe(now_s - generation.last_token_s)

    def count_step(self, sample: StepSample, num_generated: int) -> None:
        """Count a step after its tokens; as in vLLM a prompt counts in the step that ends it."""
        self._preemptions.inc(sample.num_preempted)
        self._generation_tokens.inc(num_generated)
        self._step_tokens.observe(self._num_computed + num_generated)
        self._num_computed = 0

    def count_end(self, generation: Generation, reason: str) -> None:
        """Count a request that ended, for one of `FINISH_REASONS`."""
        self._ended[reason].inc()
        scheduled_s, first_s = generation.scheduled_s, generation.first_token_s
        last_s, sequence = generation.last_token_s, generation.sequence
        if scheduled_s is None or first_s is None or last_s is None or sequence is None:
            return
        num_tokens, arrival_s = generation.num_tokens, generation.request.arrival_s
        self._latency.observe(last_s - arrival_s)
        self._queue.observe(scheduled_s - arrival_s)
        self._inference.observe(last_s - scheduled_s)
        self._prefill.observe(first_s - scheduled_s)
        self._decode.observe(last_s - first_s)
        self._tpot.observe((last_s - first_s) / max(1, num_tokens - 1))
        self._request_prompt.observe(generation.request.prompt_tokens)
        self._request_generation.observe(num_tokens)
        self._request_preemptions.observe(sequence.num_preemptions)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        gauge = Gauge(f"vllm:{name}", meaning, list(self._labels), registry=self._registry)
        return gauge.labels(**self._labels)

    def _counter(self, name: str, meaning: str) -> Counter:
        counter = Counter(f"vllm:{name}", meaning, list(self._labels), registry=self._registry)
        return counter.labels(**self._labels)

    def _histogram(self, name: str, buckets: Sequence[float]) -> Histogram:
        histogram = Histogram(
            f"vllm:{name}",
            f"Histogram of {name.replace('_', ' ')}.",
            list(self._labels),
            buckets=buckets,
            registry=self._registry,
        )
        return histogram.labels(**self._labels)


def _one_two_five(largest: int) -> list[int]:
    """Return 1, 2, 5, 10, 20, ... up to `largest`."""
    powers = (10**exponent for exponent in range(len(str(largest))))
    return [m * power for power in powers for m in (1, 2, 5) if m * power <= largest]
