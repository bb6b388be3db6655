"""What can be told of a study's trials before one is run: what fits, and how long they take.

Both come from the embedded engine's analytic model, so both are estimates.
"""

from typing import Any

from scoot_ray.core.errors import UserError
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.study import Study
from trainables.backend import BACKENDS
from trainables.hardware import GIB, find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.config import EngineConfig
from trainables.simulator.startup import STOP_S
from trainables.simulator.twin import Twin

UNKNOWN_START_S = 120.0  # of an engine or a model that the simulator does not know
WARM_UP_AND_DRAIN_S = 15.0
UNSPLITTABLE = "the model cannot be split so"


def describe_memory(study: Study, space: SearchSpace) -> str:
    """Say at which tensor-parallel sizes the default configuration comes up, and with which cache.

    Every power of two up to the service's GPUs is looked at, whether or not it is searched.
    """
    adapter = BACKENDS[study.engine.kind].adapter
    describe = _describe_size if adapter.has_twin else _describe_weights
    sizes = [2**e for e in range(study.service.num_gpus.bit_length())]
    try:
        configs = [{**space.default, "tensor_parallel_size": size} for size in sizes]
        text = "; ".join(describe(study, config) for config in configs)
    except UserError as error:
        return f"not estimated: {error}"
    if not adapter.has_twin:
        return f"{text}; {adapter.name} is not simulated, so what else it needs is not estimated"
    unknown = EngineConfig.unknown([*study.engine.fixed, *space.default])
    return text + (f"; estimated without {', '.join(unknown)}" if unknown else "")


def estimate_trial_s(study: Study, space: SearchSpace) -> float:
    """Estimate the seconds that a trial on a real engine takes, with the default configuration."""
    try:
        start_s = _twin(study, space.default).start_s
    except UserError:
        start_s = UNKNOWN_START_S
    return start_s + WARM_UP_AND_DRAIN_S + study.workload.duration_s + STOP_S


def _twin(study: Study, config: Config) -> Twin:
    """Build the twin from what the simulator knows of the fixed flags and of a configuration."""
    fixed, tuned = (_known(flags) for flags in (study.engine.fixed, config))
    engine = study.engine.model_copy(update={"fixed": fixed})
    return Twin.of(study.model_copy(update={"engine": engine}), tuned)


def _known(flags: Config) -> dict[str, Any]:
    unknown = EngineConfig.unknown(flags)
    return {name: value for name, value in flags.items() if name not in unknown}


def _describe_weights(study: Study, config: Config) -> str:
    size = config["tensor_parallel_size"]
    model = load_model_shape(study.engine.model)
    memory_bytes = find_accelerator(study.service.accelerator).memory_bytes
    if not model.fits_tensor_parallel(size):
        return f"{_gpus(size)}: {UNSPLITTABLE}"
    weight_bytes = model.weight_bytes // size
    verdict = "" if weight_bytes < memory_bytes else "does not fit: "
    weights = f"{weight_bytes / GIB:.1f} GiB of weights each"
    return f"{_gpus(size)}: {verdict}{weights}, of {memory_bytes / GIB:.0f} GiB"


def _describe_size(study: Study, config: Config) -> str:
    gpus = _gpus(config["tensor_parallel_size"])
    memory = _twin(study, config).memory
    if not memory.model.fits_tensor_parallel(memory.config.tensor_parallel_size):
        return f"{gpus}: {UNSPLITTABLE}"
    failure = memory.start_failure()
    if failure is not None:
        return f"{gpus}: does not fit ({failure.cause})"
    num_tokens = memory.num_kv_blocks * memory.config.block_size
    return (
        f"{gpus}: {memory.weight_bytes / GIB:.1f} GiB of weights each, KV cache of "
        f"{max(0, memory.kv_cache_bytes) / GIB:.1f} GiB each for {num_tokens} tokens"
    )


def _gpus(size: int) -> str:
    return f"{size} GPU{'s' * (size > 1)}"
