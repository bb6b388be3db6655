"""What a simulated trial leaves on the disk: the same two files as a trial on a real engine."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scoot_ray.core.outcome import Outcome
from scoot_ray.core.request import RequestRecord
from trainables.hardware import GIB
from trainables.request_table import write_request_table
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.twin import Twin


def write_trial_files(
    folder: Path, twin: Twin | None, records: Sequence[RequestRecord], outcome: Outcome
) -> None:
    """Write engine.log and, where requests were sent, requests.parquet.

    Gaps between tokens are left out of the table: they are megabytes, and the trial's seed brings
    them back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = [*(describe_memory(twin.memory) if twin else ()), *_describe_end(outcome)]
    (folder / "engine.log").write_text("\n".join([*log, ""]), encoding="utf-8")
    if records:
        table = [replace(record, token_gaps_s=()) for record in records]
        write_request_table(folder / "requests.parquet", table)


def describe_memory(memory: MemoryPlan) -> list[str]:
    """Say what is simulated, and where a GPU's memory goes."""
    config = memory.config
    num_tokens = memory.num_kv_blocks * config.block_size
    return [
        f"Simulated {memory.model.name} on {config.tensor_parallel_size} x "
        f"{memory.accelerator.name}: {config}",
        f"Memory per GPU: weights {memory.weight_bytes / GIB:.2f} GiB, activations "
        f"{memory.peak_activation_bytes / GIB:.2f} GiB, CUDA graphs "
        f"{memory.graph_bytes / GIB:.2f} GiB, KV cache {memory.kv_cache_bytes / GIB:.2f} GiB",
        f"KV cache: {num_tokens} tokens in {memory.num_kv_blocks} blocks, "
        f"{num_tokens / config.max_model_len:.1f} sequences of max_model_len",
    ]


def _describe_end(outcome: Outcome) -> list[str]:
    phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in outcome.phases_s.items())
    lines = [f"Virtual time: {phases}"]
    if "num_preemptions" in outcome.metrics:
        lines.append(f"Preemptions: {outcome.metrics['num_preemptions']:.0f}")
    if outcome.failure is not None:
        lines += [*outcome.failure.log_tail, f"{outcome.state.value}: {outcome.failure.message}"]
    return lines
