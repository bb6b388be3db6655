"""The known constraints of a token budget, for the engine models that searchers are compared on."""

from scoot_ray.core.constraints import KnownConstraint

MAX_MODEL_LEN = 4096
TOKEN_BUDGET = (
    KnownConstraint(
        "tokens_cover_seqs", lambda c: c["max_num_batched_tokens"] >= c["max_num_seqs"]
    ),
    KnownConstraint(
        "whole_prompt_fits",
        lambda c: c["enable_chunked_prefill"] or c["max_num_batched_tokens"] >= MAX_MODEL_LEN,
    ),
)
