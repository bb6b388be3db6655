"""How long an engine takes to come up and to go."""

from trainables.model import ModelShape
from trainables.simulator.config import EngineConfig
from trainables.simulator.version import EngineVersion

PROCESS_S = 12.0  # interpreter, imports, CUDA context
WORKER_S = 3.0  # each further process of a tensor-parallel group, with its communicators
LOAD_BYTES_PER_S = 2e9  # weights from a local NVMe disk, shared by all GPUs
GRAPH_CAPTURE_S = 0.15  # one CUDA graph of a 32-layer model
REFERENCE_LAYERS = 32
STOP_S = 3.0


def start_s(model: ModelShape, config: EngineConfig, version: EngineVersion) -> float:
    """Return the seconds from launch to the first healthy answer."""
    processes_s = PROCESS_S + WORKER_S * (config.tensor_parallel_size - 1)
    depth = model.num_layers / REFERENCE_LAYERS
    num_graphs = len(version.capture_sizes(config))
    # Eager mode neither compiles nor captures.
    warm_s = 0.0 if config.enforce_eager else version.compile_s + num_graphs * GRAPH_CAPTURE_S
    return processes_s + model.weight_bytes / LOAD_BYTES_PER_S + depth * warm_s
