"""An inference engine in closed form, for comparing searchers quickly; it is nobody's real engine.

    t          GPUs of one replica, tensor_parallel_size
    capacity   tokens that the KV cache of a replica holds
    running    sequences that a replica decodes at once
    load       share of its time that a replica needs for the work that arrives, 1 is saturation

Memory is a sum that may not fit (the hidden constraint), a step is a roofline, arrivals queue, and
beyond saturation the queue grows for as long as the test lasts. Every coefficient is drawn by the
service's seed, so there are as many services as seeds. It shares no code with
`trainables.simulator`; what helps on both has a chance to help on an engine that nobody has seen.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.token_budget import MAX_MODEL_LEN, TOKEN_BUDGET
from scoot_ray.core.objective import PRESETS, Objective
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    SearchSpace,
)

NUM_GPUS = 4
DURATION_S = 100.0
GIB = 2.0**30
LOADS = {"interactive": (0.2, 0.8), "online": (0.2, 0.8), "offline": (1.3, 3.0)}
"""The range of loads under which the default of a service with this objective is."""


@dataclass(frozen=True)
class Service:
    """One service on one kind of GPU, all of whose coefficients follow from a seed.

    Attributes:
        objective: A key of `scoot_ray.core.objective.PRESETS`.
        is_modern: Chunked prefill and prefix caching are on by default.
    """

    seed: int
    objective: str
    memory_bytes: float
    weight_bytes: float
    kv_bytes: float
    activation_bytes: float
    logit_bytes: float
    graph_bytes: float
    flops_per_s: float
    bytes_per_s: float
    step_s: float
    reduce_s: float
    prompt_tokens: float
    output_tokens: float
    shared_share: float
    spread: float
    rate_rps: float
    noise: float
    is_modern: bool

    @classmethod
    def draw(cls, seed: int, objective: str) -> "Service":
        """Draw a service whose default survives near saturation."""
        rng = np.random.default_rng([seed, sorted(PRESETS).index(objective)])
        while True:
            service = cls._draw(seed, objective, rng)
            if service.measure(service.space.default) is not None:
                return service

    @classmethod
    def _draw(cls, seed: int, objective: str, rng: np.random.Generator) -> "Service":
        memory = rng.choice([24.0, 48.0, 80.0])
        weights = memory * rng.uniform(0.25, 1.1)
        service = cls(
            seed=seed,
            objective=objective,
            memory_bytes=memory * GIB,
            weight_bytes=weights * GIB,
            kv_bytes=weights * GIB * rng.uniform(2e-5, 6e-5),
            activation_bytes=memory * GIB * 10 ** rng.uniform(-5.3, -4.3),
            logit_bytes=memory * GIB * 10 ** rng.uniform(-5.2, -4.2),
            graph_bytes=memory * GIB * rng.uniform(0.01, 0.08),
            flops_per_s=memory * GIB * 10 ** rng.uniform(3.0, 3.6),
            bytes_per_s=memory * GIB * rng.uniform(15.0, 35.0),
            step_s=10 ** rng.uniform(-3.0, -2.1),
            reduce_s=10 ** rng.uniform(-3.7, -2.4),
            prompt_tokens=10 ** rng.uniform(1.8, 3.2),
            output_tokens=10 ** rng.uniform(1.2, 2.6),
            shared_share=rng.uniform(0.0, 0.7),
            spread=rng.uniform(0.5, 1.5),
            rate_rps=1.0,
            noise=rng.uniform(0.01, 0.06),
            is_modern=bool(rng.random() < 0.5),
        )
        return service.at_load(float(rng.uniform(*LOADS[objective])))

    def at_load(self, load: float) -> "Service":
        """Return the service at a rate that loads its default by `load`."""
        low, high = 1e-3, 1e4
        for _ in range(60):
            rate = math.sqrt(low * high)
            loaded = replace(self, rate_rps=rate)
            low, high = (
                (rate, high) if Replica(loaded, self.space.default).load < load else (low, rate)
            )
        return loaded

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What this service wants."""
        return PRESETS[self.objective]

    @property
    def smallest_size(self) -> int:
        """The least tensor_parallel_size whose GPUs hold the weights."""
        sizes = [t for t in (1, 2, 4) if self.weight_bytes < 0.7 * t * self.memory_bytes]
        return sizes[0]

    @property
    def space(self) -> SearchSpace:
        """Ten mixed parameters, under two known constraints."""
        return SearchSpace(
            [
                IntegerParameter("tensor_parallel_size", self.smallest_size, NUM_GPUS, log2=True),
                IntegerParameter("max_num_seqs", 64, 8192),
                IntegerParameter("max_num_batched_tokens", 64, 8192),
                ChoiceParameter("block_size", (8, 16, 32)),
                FloatParameter("gpu_memory_utilization", 0.6, 0.98),
                FloatParameter("scheduler_delay_factor", 0.0, 2.0),
                BooleanParameter("enable_chunked_prefill"),
                BooleanParameter("enable_prefix_caching"),
                BooleanParameter("disable_custom_all_reduce"),
                BooleanParameter("enforce_eager"),
            ],
            {
                "tensor_parallel_size": self.smallest_size,
                "max_num_seqs": 256,
                "max_num_batched_tokens": 4096,
                "block_size": 16,
                "gpu_memory_utilization": 0.9,
                "scheduler_delay_factor": 0.0,
                "enable_chunked_prefill": self.is_modern,
                "enable_prefix_caching": self.is_modern,
                "disable_custom_all_reduce": False,
                "enforce_eager": False,
            },
            TOKEN_BUDGET,
        )

    def measure(
        self, config: Config, rng: np.random.Generator | None = None
    ) -> dict[str, float] | None:
        """Return the metrics of a configuration, noisy if `rng` is given; None if it crashes."""
        replica = Replica(self, config)
        if replica.crashes:
            return None
        metrics = replica.metrics()
        if rng is None:
            return metrics
        scatter = self.noise * (1.0 + 2.0 * min(replica.load, 1.0) ** 4)
        return {
            name: value * math.exp(scatter * rng.normal() * (0.2 if name.startswith("thr") else 1))
            for name, value in metrics.items()
        }


class Replica:
    """One engine of a service under one configuration, with its share of the arrivals."""

    def __init__(self, service: Service, config: Config) -> None:
        self.service = service
        self.config = config
        self.size = int(config["tensor_parallel_size"])
        self.rate_rps = service.rate_rps * self.size / NUM_GPUS
        self.context = service.prompt_tokens + service.output_tokens / 2
        self.capacity = self._capacity()
        self.running, self.decode_s, self.load = 0.0, 0.0, 0.0
        if not self.crashes:
            self._settle()

    def _capacity(self) -> float:
        s, c = self.service, self.config
        graphs = 0.0 if c["enforce_eager"] else s.graph_bytes * (1 + c["max_num_seqs"] / 4096)
        peak = s.activation_bytes * c["max_num_batched_tokens"] + s.logit_bytes * c["max_num_seqs"]
        weights = s.weight_bytes / self.size
        left = s.memory_bytes * c["gpu_memory_utilization"] - weights - peak / math.sqrt(self.size)
        # Graphs are captured outside the budget that was stated, as in the real engine.
        self.spare_bytes = s.memory_bytes * (0.99 - c["gpu_memory_utilization"]) - graphs
        return float(self.size * left / s.kv_bytes)

    @property
    def crashes(self) -> bool:
        """Tell whether memory does not suffice, for one longest sequence or for the graphs."""
        return self.capacity < MAX_MODEL_LEN or self.spare_bytes < 0

    def _step_s(self, tokens: float, running: float) -> float:
        """Return the duration of a step with `tokens` to compute for and `running` sequences."""
        s, c = self.service, self.config
        compute = tokens * s.weight_bytes / (self.size * s.flops_per_s)
        read = s.weight_bytes + running * self.context * s.kv_bytes
        memory = read / (self.size * s.bytes_per_s) * (1.0 + 0.6 / c["block_size"])
        reduce = (s.reduce_s + tokens * 2e-7) * math.log2(self.size)
        if c["disable_custom_all_reduce"]:
            reduce = reduce * 0.8 + 0.3 * s.reduce_s if tokens > 1024 else reduce * 1.5
        overhead = s.step_s * (2.2 if c["enforce_eager"] else 1.0) * (1 + running / 1500)
        return float(math.hypot(compute, memory) + reduce + overhead)

    def _settle(self) -> None:
        """Find the number of running sequences that arrivals and steps agree on."""
        s, c = self.service, self.config
        fitting = 0.92 * self.capacity / (self.context + c["block_size"] / 2)
        cap = min(c["max_num_seqs"], c["max_num_batched_tokens"], fitting)
        if not c["enable_chunked_prefill"]:
            cap *= 1.0 - 0.12 * min(1.0, s.prompt_tokens / c["max_num_batched_tokens"])
        hit = s.shared_share * min(1.0, fitting / 40) if c["enable_prefix_caching"] else 0.0
        self.prompt_tokens = (
            s.prompt_tokens * (1 - hit) * (1.03 if c["enable_prefix_caching"] else 1.0) + 16
        )
        budget = c["max_num_batched_tokens"]
        running = 1.0
        for _ in range(40):
            # What decodes takes its part of the budget first; one token is always let through.
            room = max(budget - running, 1.0) if c["enable_chunked_prefill"] else budget
            self.chunks = max(1.0, self.prompt_tokens / room)
            self.decode_s = self._step_s(running, running)
            alone = self.decode_s - self._step_s(0.0, running)
            grouped = max(1.0, min(budget / self.prompt_tokens, 1 + c["scheduler_delay_factor"]))
            if c["enable_chunked_prefill"]:
                mixed = self._step_s(min(budget, self.prompt_tokens + running), running)
                self.prefill_s = self.chunks * max(mixed - self.decode_s + alone, 0.1 * mixed)
            else:
                self.prefill_s = self._step_s(self.prompt_tokens * grouped, 0.0) / grouped
            wanted = self.rate_rps * s.output_tokens * self._interval_s()
            running = 0.5 * running + 0.5 * min(max(wanted, 1.0), cap)
        self.running = running
        per_request = self.prefill_s + s.output_tokens * self._step_s(cap, cap) / cap
        self.load = self.rate_rps * per_request

    def _interval_s(self) -> float:
        """Return the time between two tokens: a decode step and the prefills in its way."""
        busy = min(self.rate_rps * self.prefill_s, 0.95)
        stall = 1.0 if self.config["enable_chunked_prefill"] else 1.15
        return float(self.decode_s * stall / (1.0 - busy))

    def metrics(self) -> dict[str, float]:
        """Return what a client would measure."""
        s, c = self.service, self.config
        interval = self._interval_s()
        calm = min(self.load, 0.98)
        queue = s.spread * self.prefill_s * calm / (1.0 - calm)
        queue += max(0.0, 1.0 - 1.0 / self.load) * DURATION_S / 2 + 8.0 * max(0, self.load - 0.9)
        delay = c["scheduler_delay_factor"] * 0.5 * interval
        ttft = self.prefill_s + self.chunks * 0.5 * interval + queue + delay
        tail = 1.0 + s.spread * 0.5
        return {
            "ttft_mean_s": ttft,
            "tpot_mean_s": interval,
            "latency_p95_s": tail * (ttft + queue + s.output_tokens * interval),
            "throughput_rps": s.rate_rps * DURATION_S / (DURATION_S * max(1.0, self.load) + ttft),
        }
