"""Search spaces and histories that the searchers' tests share."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    SearchSpace,
)
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import draw_valid, sobol_stream

MAX_MODEL_LEN = 4096

VLLM = SearchSpace(
    parameters=[
        IntegerParameter("tensor_parallel_size", 1, 4, log2=True),
        IntegerParameter("max_num_seqs", 64, 8192),
        IntegerParameter("max_num_batched_tokens", 64, 8192),
        ChoiceParameter("block_size", (8, 16, 32)),
        FloatParameter("scheduler_delay_factor", 0.0, 2.0),
        BooleanParameter("enable_chunked_prefill"),
        BooleanParameter("enable_prefix_caching"),
        BooleanParameter("disable_custom_all_reduce"),
        BooleanParameter("use_v2_block_manager"),
    ],
    default={
        "tensor_parallel_size": 1,
        "max_num_seqs": 256,
        "max_num_batched_tokens": 4096,
        "block_size": 16,
        "scheduler_delay_factor": 0.0,
        "enable_chunked_prefill": False,
        "enable_prefix_caching": False,
        "disable_custom_all_reduce": False,
        "use_v2_block_manager": False,
    },
    constraints=[
        KnownConstraint(
            "tokens_cover_seqs", lambda c: c["max_num_batched_tokens"] >= c["max_num_seqs"]
        ),
        KnownConstraint(
            "whole_prompt_fits",
            lambda c: c["enable_chunked_prefill"] or c["max_num_batched_tokens"] >= MAX_MODEL_LEN,
        ),
        KnownConstraint(
            "chunks_or_prefixes",
            lambda c: not (c["enable_chunked_prefill"] and c["enable_prefix_caching"]),
        ),
    ],
)

TINY_REGION = SearchSpace(
    parameters=[FloatParameter("x", 0.0, 1.0), FloatParameter("y", 0.0, 1.0)],
    default={"x": 0.5, "y": 0.5},
    constraints=[
        KnownConstraint("small_disc", lambda c: math.hypot(c["x"] - 0.5, c["y"] - 0.5) <= 0.02)
    ],
)

ONE_FLOAT = SearchSpace([FloatParameter("x", -1.0, 1.0)], {"x": 0.0})

WITH_FIXED = SearchSpace(
    [
        FloatParameter("pinned", 2.0, 2.0),
        IntegerParameter("also_pinned", 7, 7),
        FloatParameter("x", 0.0, 1.0),
    ],
    {"pinned": 2.0, "also_pinned": 7, "x": 0.5},
)

FOUR_CONFIGS = SearchSpace(
    [BooleanParameter("a"), ChoiceParameter("b", ("u", "v"))], {"a": False, "b": "v"}
)

SPACES = {
    "vllm": VLLM,
    "tiny_region": TINY_REGION,
    "one_float": ONE_FLOAT,
    "with_fixed": WITH_FIXED,
    "four_configs": FOUR_CONFIGS,
}


def measure(space: SearchSpace, config: Config) -> dict[str, float]:
    """Compute three smooth metrics of a configuration, two of them positive times."""
    u = space.encode(config)
    return {
        "ttft_mean_s": float(np.exp(2.0 * u[0] + ((u - 0.3) ** 2).sum())),
        "tpot_mean_s": float(0.01 + ((u - 0.8) ** 2).mean()),
        "throughput_rps": float(10.0 - ((u - 0.5) ** 2).sum()),
    }


def make_history(
    space: SearchSpace,
    num: int,
    seed: int = 0,
    crashes: Callable[[Config], bool] = lambda _: False,
) -> list[TrialRecord]:
    """Measure the default and `num - 1` random configurations."""
    configs: Sequence[Config] = [space.default]
    if num > 1:
        drawn = draw_valid(space, sobol_stream(space.dim, seed), num - 1, frozenset())
        configs = [space.default, *drawn]
    return [
        TrialRecord(i, config, TrialState.INFEASIBLE, {})
        if crashes(config)
        else TrialRecord(i, config, TrialState.COMPLETE, measure(space, config))
        for i, config in enumerate(configs)
    ]
