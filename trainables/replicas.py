"""How many replicas of the engine a stress test runs, on how many GPUs, with how much traffic."""

from dataclasses import dataclass

from scoot_ray.core.errors import ClusterError
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.spaces import num_gpus_of


@dataclass(frozen=True)
class Replicas:
    """Describe the replicas of one stress test.

    Attributes:
        num_replicas: Engines that the test runs side by side.
        num_gpus_each: GPUs of each of them.
        share: Part of the service's traffic that they receive together, in (0, 1].
    """

    num_replicas: int
    num_gpus_each: int
    share: float

    @property
    def num_gpus(self) -> int:
        """GPUs that the test claims."""
        return self.num_replicas * self.num_gpus_each


def replicas_of(study: Study, config: Config) -> Replicas:
    """Return the replicas that a test of `config` runs, by `service.replicas`.

    `one` of the G/t replicas that the service would run gets t/G of the traffic; `all` of them
    share the whole of it behind a router.

    Raises:
        ClusterError: If one replica alone wants more GPUs than the service owns.
    """
    size, num_gpus = num_gpus_of(study, config), study.service.num_gpus
    if size > num_gpus:
        raise ClusterError(
            f"tensor_parallel_size={size} wants more GPUs than service.num_gpus={num_gpus}; "
            "lower the one or raise the other."
        )
    if study.service.replicas == "all":
        return Replicas(num_gpus // size, size, share=1.0)
    return Replicas(1, size, share=size / num_gpus)
