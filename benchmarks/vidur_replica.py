"""One replica of Vidur (Agrawal et al., MLSys 2024), asked by lines of JSON.

`benchmarks.comparison.vidur` runs this file with Vidur's own Python in Vidur's checkout; nothing of
SCOOT-Ray can be imported here. Scheduler, memory and events are Vidur's. So are the measured times
of operators, all-reduce and send-receive; they are interpolated, not learned by forests first.
Its attention times are Git LFS objects, which a checkout may lack, so they come from a formula.

question  {"replica": {...}, "scheduler": {...}, "is_chunked": ..., "time_limit_s": ...,
           "requests": [[arrival_s, prompt_tokens, output_tokens], ...]}
answer    {"times": [[first_token_s, last_token_s], ...]} in the order of the requests, or
          {"crash": "why"}
"""

import atexit
import json
import sys
import tempfile
from collections.abc import Callable
from math import ceil
from typing import Any, ClassVar

ANSWERS = sys.stdout
sys.stdout = sys.stderr  # Vidur's loggers write to what they find here

import numpy as np
import pandas as pd
from vidur.config import (
    ClusterConfig,
    LORGlobalSchedulerConfig,
    MetricsConfig,
    ReplicaConfig,
    SarathiSchedulerConfig,
    SimulationConfig,
    SyntheticRequestGeneratorConfig,
    VllmSchedulerConfig,
)
from vidur.entities import Request
from vidur.events import RequestArrivalEvent
from vidur.execution_time_predictor import ExecutionTimePredictorRegistry
from vidur.execution_time_predictor.random_forrest_execution_time_predictor import (
    RandomForrestExecutionTimePredictor,
)
from vidur.simulator import Simulator
from vidur.types import ExecutionTimePredictorType

OPERATORS = (
    "attn_pre_proj",
    "attn_post_proj",
    "mlp_up_proj",
    "mlp_down_proj",
    "mlp_act",
    "attn_rope",
    "input_layernorm",
    "post_attention_layernorm",
    "add",
)
REACHED = {"a40": (0.55e12, 80e12), "a100": (1.6e12, 180e12), "h100": (2.6e12, 400e12)}
"""What attention reaches: bytes/s while it reads keys and values, FLOP/s on prompts."""
KERNEL_MS = 0.009


class Measured(dict[tuple[int], float]):
    """Milliseconds by (number of tokens,): between measurements, or beyond them in proportion."""

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        super().__init__()
        medians = frame.groupby("num_tokens")[f"time_stats.{name}.median"].median()
        self.tokens, self.medians_ms = medians.index.to_numpy(), medians.to_numpy()

    def __missing__(self, key: tuple[int]) -> float:
        most = self.tokens[-1]
        milliseconds = float(np.interp(min(key[0], most), self.tokens, self.medians_ms))
        self[key] = milliseconds * max(1.0, key[0] / most)
        return self[key]


class Formula(dict[tuple[int, ...], float]):
    """Milliseconds by a function of the key that gives seconds."""

    def __init__(self, seconds: Callable[..., float]) -> None:
        super().__init__()
        self.seconds = seconds

    def __missing__(self, key: tuple[int, ...]) -> float:
        self[key] = KERNEL_MS + 1e3 * self.seconds(*key)
        return self[key]


class MeasuredTimes(RandomForrestExecutionTimePredictor):  # type: ignore[misc]
    """Vidur's predictor, with its profiles as they are in place of forests fitted to them."""

    read: ClassVar[dict[tuple[Any, ...], dict[str, Measured]]] = {}
    """Profiles by what they are of: files, stages, tensor-parallel size."""

    def _train_models(self) -> dict[str, Any]:
        return {}

    def _predict_from_models(self) -> dict[str, Any]:
        replica = self._replica_config
        num_stages, size = replica.num_pipeline_stages, replica.tensor_parallel_size
        key = (self._compute_input_file, num_stages, size)
        if key not in self.read:
            self.read[key] = self._profiles(num_stages, size)
        return {**self.read[key], **self._attention(size)}

    def _profiles(self, num_stages: int, size: int) -> dict[str, Measured]:
        frame = self._load_compute_df(self._compute_input_file)
        times = {name: Measured(frame, name) for name in OPERATORS}
        if num_stages > 1:
            frame = self._load_send_recv_df(self._send_recv_input_file)
            frame = self._get_send_recv_df_with_derived_features(frame)
            times["send_recv"] = Measured(frame, "send_recv")
        if size > 1:
            frame = self._load_all_reduce_df(self._all_reduce_input_file)
            frame = self._get_all_reduce_df_with_derived_features(frame)
            times["all_reduce"] = Measured(frame, "all_reduce")
        return times

    def _attention(self, size: int) -> dict[str, Formula]:
        model = self._model_config
        bytes_per_s, flops = REACHED[self._replica_config.device]
        head_dim = model.embedding_dim // model.num_q_heads
        kv_bytes = 2 * 2 * head_dim * ceil(model.num_kv_heads / size)
        pair_flops = 4 * head_dim * model.num_q_heads / size

        def prefill_s(cached_tokens: int, squared_tokens: int) -> float:
            pairs = squared_tokens**0.5 * cached_tokens + squared_tokens / 2
            return float(pairs * pair_flops / flops)

        return {
            "attn_kv_cache_save": Formula(lambda tokens: 2 * tokens * kv_bytes / bytes_per_s),
            "attn_prefill": Formula(prefill_s),
            "attn_decode": Formula(lambda seqs, tokens: seqs * tokens * kv_bytes / bytes_per_s),
        }


def serve(question: dict[str, Any], scratch: str) -> dict[str, Any]:
    """Serve the requests of a question and return its answer."""
    requests = [Request(*request) for request in question["requests"]]
    try:
        simulator = Simulator(configure(question, scratch))
        atexit.unregister(simulator._write_output)
        simulator._event_queue.clear()  # of the one request that the configuration has to ask for
        for request in requests:
            simulator._add_event(RequestArrivalEvent(request.arrived_at, request))
        simulator.run()
    except AssertionError as error:
        return {"crash": str(error) or "it stalls: a request never fits"}
    if not all(request.completed for request in requests):
        return {"crash": f"not done after {question['time_limit_s']} s"}
    return {"times": [[r.prefill_completed_at, r.completed_at] for r in requests]}


def configure(question: dict[str, Any], scratch: str) -> SimulationConfig:
    """Return Vidur's configuration of one replica, which writes nothing of worth."""
    scheduler = SarathiSchedulerConfig if question["is_chunked"] else VllmSchedulerConfig
    cluster = ClusterConfig(
        num_replicas=1,
        replica_config=ReplicaConfig(**question["replica"]),
        # Round robin counts replicas from 0 on, and this process makes one after the other.
        global_scheduler_config=LORGlobalSchedulerConfig(),
        replica_scheduler_config=scheduler(**question["scheduler"]),
    )
    metrics = MetricsConfig(
        write_metrics=False,
        enable_chrome_trace=False,
        store_plots=False,
        output_dir=scratch,
        cache_dir=scratch,
    )
    return SimulationConfig(
        time_limit=question["time_limit_s"],
        cluster_config=cluster,
        request_generator_config=SyntheticRequestGeneratorConfig(num_requests=1),
        metrics_config=metrics,
    )


def main() -> None:
    """Answer every line of the input."""
    kind = ExecutionTimePredictorType.RANDOM_FORREST
    ExecutionTimePredictorRegistry.unregister(kind)
    ExecutionTimePredictorRegistry.register(kind, MeasuredTimes)
    with tempfile.TemporaryDirectory() as scratch:
        for line in sys.stdin:
            print(json.dumps(serve(json.loads(line), scratch)), file=ANSWERS, flush=True)


if __name__ == "__main__":
    main()
