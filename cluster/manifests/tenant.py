"""The study for which a cluster is rendered."""

from dataclasses import dataclass

from cluster.timers import resource_name
from scoot_ray.core.study import Study


@dataclass(frozen=True)
class Tenant:
    """Name a study, and what its trials claim.

    Attributes:
        study: The study.
        gpus_per_trial: GPUs that the largest trial of its space claims.
    """

    study: Study
    gpus_per_trial: int

    @property
    def name(self) -> str:
        """The name of its objects, which its timers know, too."""
        return resource_name(self.study.name)
