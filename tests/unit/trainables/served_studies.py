"""Studies of a served engine, and a trace for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoot_ray.core.request import Request
from scoot_ray.core.study import Study, parse_study
from traces.schema import Trace


def served_study(
    python: Path,
    *,
    model: str = "meta-llama/Llama-2-7b-hf",
    env: Mapping[str, str] | None = None,
    startup_timeout_s: float = 120.0,
    engine: Mapping[str, Any] | None = None,
    **workload: Any,
) -> Study:
    """Return a study whose engine is run by `python`; two requests per second for two seconds."""
    return parse_study(
        {
            "name": "served",
            "engine": {
                "kind": "vllm",
                "model": model,
                "python": str(python),
                "fixed": {"max_model_len": 4096},
                "env": dict(env or {}),
                "startup_timeout_s": startup_timeout_s,
                **(engine or {}),
            },
            "service": {"num_gpus": 2, "accelerator": "CPU"},
            "workload": {
                "trace": "synthetic:bot",
                "request_rate_rps": 40,
                "duration_s": 1,
                "warmup_requests": 2,
                **workload,
            },
        }
    )


def small_trace() -> Trace:
    """Return twenty requests of 20 prompt tokens and 5 output tokens."""
    requests = tuple(
        Request(arrival_s=0.1 * n, prompt_tokens=20, output_tokens=5) for n in range(20)
    )
    return Trace(requests, source="test", sha256="0", time_unit="s", format="test")


def write_model(folder: Path) -> None:
    """Write the shape of a tiny model, without weights."""
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 512,'
        ' "intermediate_size": 128, "max_position_embeddings": 4096}'
    )
