"""What can be told of a study's trials before one is run: what fits, and how long they take.

Both come from the embedded engine's analytic model, so both are estimates.
"""

from scoot_ray.core.errors import UserError
from scoot_ray.core.space import SearchSpace
from scoot_ray.core.study import Study
from trainables.hardware import GIB
from trainables.simulator.startup import STOP_S
from trainables.simulator.twin import Twin

UNKNOWN_START_S = 120.0  # of an engine or a model that the simulator does not know
WARM_UP_AND_DRAIN_S = 15.0


def describe_memory(study: Study, space: SearchSpace) -> str:
    """Say at which tensor-parallel sizes the default configuration comes up, and with which cache.

    Every power of two up to the service's GPUs is looked at, whether or not it is searched.
    """
    sizes = [2**e for e in range(study.service.num_gpus.bit_length())]
    try:
        return "; ".join(_describe_size(study, space, size) for size in sizes)
    except UserError as error:
        return f"not estimated: {error}"


def estimate_trial_s(study: Study, space: SearchSpace) -> float:
    """Estimate the seconds that a trial on a real engine takes, with the default configuration."""
    try:
        start_s = Twin.of(study, space.default).start_s
    except UserError:
        start_s = UNKNOWN_START_S
    return start_s + WARM_UP_AND_DRAIN_S + study.workload.duration_s + STOP_S


def _describe_size(study: Study, space: SearchSpace, size: int) -> str:
    gpus = f"{size} GPU{'s' * (size > 1)}"
    config = {**space.default, "tensor_parallel_size": size}
    memory = Twin.of(study, config).memory
    if not memory.model.fits_tensor_parallel(size):
        return f"{gpus}: the model cannot be split so"
    failure = memory.start_failure()
    if failure is not None:
        return f"{gpus}: does not fit ({failure.cause})"
    num_tokens = memory.num_kv_blocks * memory.config.block_size
    return (
        f"{gpus}: {memory.weight_bytes / GIB:.1f} GiB of weights each, KV cache of "
        f"{max(0, memory.kv_cache_bytes) / GIB:.1f} GiB each for {num_tokens} tokens"
    )
