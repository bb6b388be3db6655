"""Where the memory of a GPU goes, and the failures that follow when there is too little.

vLLM gives itself `gpu_memory_utilization` of the memory. From that it takes the weights, the peak
of the activations (found by a trial step with the most tokens and sequences allowed) and what the
driver and NCCL hold; the rest becomes KV blocks. CUDA graphs and the allocator's fragmentation are
not counted, so they must fit into the part that was left out.
"""

from dataclasses import dataclass

from scoot_ray.core.errors import ClusterError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.space import Config
from trainables.hardware import GIB, Accelerator
from trainables.model import ModelShape
from trainables.simulator.config import EngineConfig
from trainables.simulator.version import EngineVersion

DRIVER_BYTES = GIB // 2  # gone before the engine starts: driver, error correction tables
CONTEXT_BYTES = int(0.6 * GIB)  # CUDA context, cuBLAS and attention workspaces
NCCL_BYTES = int(0.4 * GIB)  # communicators and buffers, with more than one GPU
# Sampling keeps logits in fp32, sorted copies, their int64 order and probabilities.
SAMPLER_BYTES_PER_LOGIT = 16
GRAPH_BYTES_PER_LAYER = 384 * 1024  # of each captured CUDA graph; 0.6 GiB for 32 layers, 51 graphs
FRAGMENTATION = 0.3  # of the activations, lost between the allocator's segments
MAX_TENSOR_PARALLEL_SIZE = 64  # how far advice goes when nothing fits


@dataclass(frozen=True)
class MemoryPlan:
    """Divide one GPU's memory for a model and a configuration; all fields are per GPU.

    Attributes:
        model: What is served.
        accelerator: On what.
        config: With which parameters.
        version: By which generation of the engine.
    """

    model: ModelShape
    accelerator: Accelerator
    config: EngineConfig
    version: EngineVersion

    @property
    def budget_bytes(self) -> int:
        """Bytes that the engine gives itself."""
        return int(self.config.gpu_memory_utilization * self.accelerator.memory_bytes)

    @property
    def usable_bytes(self) -> int:
        """Bytes that are free when the engine starts."""
        return self.accelerator.memory_bytes - DRIVER_BYTES

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights."""
        return self.model.weight_bytes // self.config.tensor_parallel_size

    @property
    def non_torch_bytes(self) -> int:
        """Bytes that the driver and the communication library hold."""
        return CONTEXT_BYTES + (NCCL_BYTES if self.config.tensor_parallel_size > 1 else 0)

    @property
    def peak_activation_bytes(self) -> int:
        """Bytes of activations in the largest step that the configuration allows."""
        return self.activation_bytes(self.config.max_num_batched_tokens, self.config.max_num_seqs)

    @property
    def graph_bytes(self) -> int:
        """Bytes of captured CUDA graphs, outside the budget."""
        num_graphs = len(self.version.capture_sizes(self.config))
        return num_graphs * self.model.num_layers * GRAPH_BYTES_PER_LAYER

    @property
    def kv_cache_bytes(self) -> int:
        """Bytes left for KV blocks; negative when the rest already exceeds the budget."""
        taken = self.weight_bytes + self.peak_activation_bytes + self.non_torch_bytes
        return self.budget_bytes - taken

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of one token's keys and values."""
        model = self.model
        heads = model.kv_heads_per_gpu(self.config.tensor_parallel_size)
        return model.kv_bytes_per_token * heads // model.num_kv_heads

    @property
    def num_kv_blocks(self) -> int:
        """Count the KV blocks."""
        return max(0, self.kv_cache_bytes // (self.kv_bytes_per_token * self.config.block_size))

    def activation_bytes(self, num_tokens: int, num_seqs: int) -> int:
        """Bytes that a step of `num_tokens` tokens works on, and samples `num_seqs` of them."""
        model, t = self.model, self.config.tensor_parallel_size
        # Input, residual and output; then the widest operator: the gated feed-forward layer.
        hidden = 4 * model.hidden_size
        widest = 3 * model.intermediate_size * model.num_experts_per_token // t
        layer = num_tokens * (hidden + widest) * model.bytes_per_weight
        return layer + num_seqs * model.vocab_size * SAMPLER_BYTES_PER_LOGIT

    def start_failure(self) -> Failure | None:
        """Return why the engine would not come up, if it would not."""
        if self.budget_bytes > self.usable_bytes:
            return self._not_free()
        resident = self.weight_bytes + self.non_torch_bytes
        if resident > self.usable_bytes:
            return self._out_of_memory(Phase.START, self.weight_bytes, "loading the weights")
        if resident + self.peak_activation_bytes > self.usable_bytes:
            return self._out_of_memory(
                Phase.START, self.peak_activation_bytes, "the trial step that measures memory"
            )
        if self.kv_cache_bytes <= 0:
            return self._no_cache_memory()
        if self.num_kv_blocks * self.config.block_size < self.config.max_model_len:
            return self._kv_cache_too_small()
        if self.budget_bytes + self.graph_bytes > self.usable_bytes:
            return self._out_of_memory(Phase.START, self.graph_bytes, "capturing CUDA graphs")
        return None

    def load_failure(self, num_tokens: int, num_seqs: int) -> Failure | None:
        """Return the failure of a step of this size, when what is not in the budget overflows."""
        unaccounted = int(FRAGMENTATION * self.activation_bytes(num_tokens, num_seqs))
        taken = self.budget_bytes + self.graph_bytes + unaccounted
        if taken > self.usable_bytes:
            return self._out_of_memory(
                Phase.LOAD, unaccounted, f"a step of {num_tokens} tokens, {num_seqs} sampled"
            )
        return None

    def _out_of_memory(self, phase: Phase, wanted_bytes: int, during: str) -> Failure:
        return Failure(
            phase=phase,
            cause="out_of_memory",
            message=f"GPU memory ran out during {during}; lower gpu_memory_utilization, "
            "max_num_seqs or max_num_batched_tokens, or raise tensor_parallel_size.",
            log_tail=(
                f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate "
                f"{wanted_bytes / GIB:.2f} GiB. GPU 0 has a total capacity of "
                f"{self.accelerator.memory_bytes / GIB:.2f} GiB.",
            ),
        )

    def _not_free(self) -> Failure:
        share = self.config.gpu_memory_utilization
        return Failure(
            phase=Phase.START,
            cause="out_of_memory",
            message=f"gpu_memory_utilization={share:g} asks for memory that the driver holds; "
            "lower it.",
            log_tail=(
                f"ValueError: Free memory on device ({self.usable_bytes / GIB:.2f}/"
                f"{self.accelerator.memory_bytes / GIB:.2f} GiB) on startup is less than desired "
                f"GPU memory utilization ({share:g}, {self.budget_bytes / GIB:.2f} GiB). Decrease "
                "GPU memory utilization or reduce GPU memory used by other processes.",
            ),
        )

    def _no_cache_memory(self) -> Failure:
        return Failure(
            phase=Phase.START,
            cause="out_of_memory",
            message="Weights and activations leave no memory for the KV cache; raise "
            "gpu_memory_utilization or tensor_parallel_size, or lower max_num_seqs.",
            log_tail=(
                "ValueError: No available memory for the cache blocks. Try increasing "
                "`gpu_memory_utilization` when initializing the engine.",
            ),
        )

    def _kv_cache_too_small(self) -> Failure:
        num_tokens = self.num_kv_blocks * self.config.block_size
        return Failure(
            phase=Phase.START,
            cause="kv_cache_too_small",
            message=f"The KV cache holds {num_tokens} tokens, fewer than one sequence of "
            f"max_model_len={self.config.max_model_len}.",
            log_tail=(
                f"ValueError: The model's max seq len ({self.config.max_model_len}) is larger than "
                f"the maximum number of tokens that can be stored in KV cache ({num_tokens}). Try "
                "increasing `gpu_memory_utilization` or decreasing `max_model_len` when "
                "initializing the engine.",
            ),
        )


def fits(
    model: ModelShape,
    accelerator: Accelerator,
    tensor_parallel_size: int,
    config: Config,
    version: EngineVersion,
) -> Failure | None:
    """Return why the engine would not come up with `config` on so many GPUs, or None if it would.

    Raises:
        EngineError: If `config` names a parameter that the simulated engine does not have.
    """
    full = EngineConfig.resolve({**config, "tensor_parallel_size": tensor_parallel_size}, model)
    return MemoryPlan(model, accelerator, full, version).start_failure()


def min_tensor_parallel_size(
    model: ModelShape,
    accelerator: Accelerator,
    num_gpus: int,
    max_model_len: int,
    version: EngineVersion,
) -> int:
    """Return the fewest GPUs, a power of two, that hold the model with default parameters.

    Raises:
        ClusterError: If `num_gpus` do not, saying how many would.
    """
    config = {"max_model_len": max_model_len}
    size = 1
    while size <= MAX_TENSOR_PARALLEL_SIZE:
        is_divisible = model.fits_tensor_parallel(size)
        if is_divisible and not fits(model, accelerator, size, config, version):
            break
        size *= 2
    if size <= num_gpus:
        return size
    advice = (
        f"{size} GPUs would hold it"
        if size <= MAX_TENSOR_PARALLEL_SIZE
        else "no number of such GPUs would hold it"
    )
    raise ClusterError(
        f"{model.name} ({model.weight_bytes / GIB:.1f} GiB of weights, max_model_len="
        f"{max_model_len}) does not fit on {num_gpus} x {accelerator.name} "
        f"({accelerator.memory_bytes / GIB:.0f} GiB each); {advice}. Use more GPUs or larger "
        "ones, a smaller model, or a smaller max_model_len."
    )
