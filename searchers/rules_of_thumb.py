"""Rules of thumb: what engines' tuning guides advise, as configurations to begin with.

A few parameters decide most of an engine's speed, and Sobol points seldom set all of them well at
once. A rule does, and leaves the others at their defaults. What it brings is measured like
anything else; where a rule is wrong, it has cost one trial.

Sources: "Optimization and Tuning" of vLLM's documentation (large steps for throughput and TTFT,
small ones for the time per token), "Hyperparameter Tuning" of SGLang's, "Tuning Max Batch Size and
Max Num Tokens" of TensorRT-LLM's. Replicas need no all-reduce; the GPUs of one share its work.
Which three, and how many tokens, was settled on the development services of both families of
engines in `benchmarks`.
"""

from collections.abc import Mapping
from typing import Any

from scoot_ray.core.space import ChoiceParameter, Config, Parameter, SearchSpace, Value
from searchers.warm_start import adapt

Rule = Mapping[str, Any]
"""Values to set one after the other, under the names that the engines have for them."""


def _step_tokens(num: int) -> Rule:
    return {"max_num_batched_tokens": num, "chunked_prefill_size": num, "max_num_tokens": num}


FEWEST_GPUS = {"tensor_parallel_size": 1}  # as near as the space comes to it
ALL_GPUS = {"tensor_parallel_size": 2**20}
REUSE_PREFIXES = {
    "enable_prefix_caching": True,
    "disable_radix_cache": False,
    "kv_cache_config.enable_block_reuse": True,
}
CHUNK_PROMPTS = {"enable_chunked_prefill": True}

# Where a space excludes two of these together, what comes first holds.
LATENCY = {**ALL_GPUS, **REUSE_PREFIXES, **CHUNK_PROMPTS, **_step_tokens(8192)}
THROUGHPUT = {**FEWEST_GPUS, **REUSE_PREFIXES, **CHUNK_PROMPTS, **_step_tokens(8192)}
# The default's GPUs: where the fewest do not hold the weights, one crash has said so already.
SMOOTH_TOKENS = {**CHUNK_PROMPTS, **REUSE_PREFIXES, **_step_tokens(1024)}
RULES: tuple[Rule, ...] = (LATENCY, THROUGHPUT, SMOOTH_TOKENS)


def rules_of_thumb(space: SearchSpace) -> tuple[Config, ...]:
    """List what the rules come to in a space; empty where it has no parameter that they know.

    All are valid, distinct and not the default.
    """
    return adapt(space, [follow(space, rule) for rule in RULES])


def follow(space: SearchSpace, rule: Rule) -> dict[str, Any]:
    """Set each value of a rule in turn, or the nearest that the space has.

    What the space does not know, or what would break a known constraint, stays as it is.
    """
    config = dict(space.default)
    for name in rule:
        value = _nearest(space[name], rule[name]) if name in space.names else None
        changed = {**config, name: value}
        if value is not None and space.is_valid(changed):
            config = changed
    return config


def _nearest(parameter: Parameter, value: Value) -> Value | None:
    if not isinstance(parameter, ChoiceParameter):
        return parameter.decode(parameter.encode(value))
    if parameter.contains(value):
        return value
    numbers = [v for v in parameter.values if not isinstance(v, bool | str)]
    return min(numbers, key=lambda number: abs(number - float(value)), default=None)
