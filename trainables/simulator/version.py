"""The engine's generations: what sets vLLM up to 0.6 and vLLM since V1 apart."""

from dataclasses import dataclass

from scoot_ray.core.space import Config
from trainables.simulator.config import EngineConfig
from trainables.simulator.cuda_graphs import capture_sizes
from trainables.simulator.host_overhead import HostOverhead
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.scheduler_v0 import SchedulerV0
from trainables.simulator.scheduler_v1 import SchedulerV1


@dataclass(frozen=True)
class EngineVersion:
    """Gather a generation's scheduler and its CPU costs.

    Attributes:
        scheduler: Class of the scheduler.
        host: CPU costs of a step.
        compile_s: Start-up time of compiling the model; 0 where there is no such step.
    """

    scheduler: type[Scheduler]
    host: HostOverhead
    compile_s: float

    def capture_sizes(self, config: EngineConfig) -> tuple[int, ...]:
        """List the numbers of tokens that this generation captures CUDA graphs for."""
        return capture_sizes(config, covers_prefill=self.host.graphs_cover_prefill)


V0 = EngineVersion(
    scheduler=SchedulerV0,
    # One Python process schedules, prepares inputs and answers clients.
    host=HostOverhead(
        base_s=2.5e-3,
        sequence_s=15e-6,
        output_s=20e-6,
        broadcast_s=0.5e-3,
        block_hash_s=4e-6,
        request_s=3e-3,
        graphs_cover_prefill=False,
    ),
    compile_s=0.0,
)

V1 = EngineVersion(
    scheduler=SchedulerV1,
    # Persistent batches and a process of its own for the API server.
    host=HostOverhead(
        base_s=0.8e-3,
        sequence_s=4e-6,
        output_s=4e-6,
        broadcast_s=0.2e-3,
        block_hash_s=1e-6,
        request_s=3e-3,
        graphs_cover_prefill=True,
    ),
    compile_s=15.0,
)

V0_PARAMETERS = frozenset({"scheduler_delay_factor", "use_v2_block_manager"})


def find_version(space_base: str, config: Config) -> EngineVersion:
    """Return the generation that a study's base space, or a parameter that only V0 has, names."""
    return V0 if space_base == "vllm-v0" or V0_PARAMETERS & config.keys() else V1
