"""A study with everything it names loaded and checked, before anything is started."""

from dataclasses import dataclass

from scoot_ray.core.space import SearchSpace
from scoot_ray.core.study import Study
from searchers import make_optimizer
from searchers.agenda import Agenda
from traces import load_trace
from traces.schema import Trace
from trainables.spaces import make_space, num_gpus_of


@dataclass(frozen=True)
class Plan:
    """Hold a study together with its trace, search space and agenda."""

    study: Study
    trace: Trace
    space: SearchSpace
    agenda: Agenda

    @classmethod
    def of(cls, study: Study) -> "Plan":
        """Load the trace, build the space and the optimiser.

        Raises:
            UserError: If any of them does not fit.
        """
        trace = load_trace(study.workload.trace)
        space = make_space(study)
        search = study.search
        optimizer = make_optimizer(
            search.algorithm,
            space,
            study.objectives,
            seed=search.seed,
            **({"limits": study.slo_limits} if study.limits else {}),
            **search.options,
        )
        agenda = Agenda(
            optimizer=optimizer,
            objectives=study.objectives,
            limits=study.slo_limits,
            num_observations=search.observations,
            num_confirmations=study.confirm.repeats,
            seed=search.seed,
        )
        return cls(study, trace, space, agenda)

    @property
    def largest_bundle_gpus(self) -> int:
        """GPUs of the largest bundle that the space can ask for."""
        if "tensor_parallel_size" in self.space.names:
            sizes = self.space["tensor_parallel_size"]
            cells = range(int(sizes.num_values))
            return max(int(sizes.decode((cell + 0.5) / len(cells))) for cell in cells)
        return num_gpus_of(self.study, self.space.default)
