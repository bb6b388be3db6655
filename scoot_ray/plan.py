"""A study with everything it names loaded and checked, before anything is started."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.display import describe_config
from scoot_ray.core.errors import StudyError
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.study import Study
from searchers import make_optimizer, those_of
from searchers.agenda import Agenda
from searchers.pace import PACES
from searchers.warm_start import WarmStart, adapt
from traces import load_trace
from traces.schema import Trace
from traces.workload import make_load
from trainables.replicas import replicas_of
from trainables.spaces import make_deployment, make_space, tensor_parallel_sizes


@dataclass(frozen=True)
class Plan:
    """Hold a study together with its trace, search space and agenda.

    Attributes:
        num_too_long: Requests of the trace that the engine cannot hold.
        first: Configurations of earlier studies that are tried right after the default.
    """

    study: Study
    trace: Trace
    space: SearchSpace
    agenda: Agenda
    num_too_long: int
    first: tuple[Config, ...] = ()

    @classmethod
    def of(cls, study: Study) -> "Plan":
        """Load the trace, build the space and the optimiser.

        Raises:
            UserError: If any of them does not fit.
        """
        trace = load_trace(study.workload.trace)
        space = make_space(study)
        if not space.names:
            raise StudyError(
                f"engine.kind: {study.engine.kind} with this space leaves nothing to tune. "
                "`scoot stress` measures the engine as it is."
            )
        # A trace that cannot be replayed is told now, not by every trial.
        max_model_len = make_deployment(study).max_model_len
        load = make_load(trace, study.workload, share=1, max_model_len=max_model_len, seed=0)
        return cls(study, trace, space, _make_agenda(study, space), load.num_too_long)

    def describe_trace(self) -> str:
        """Say what was understood of the trace: the unit above all."""
        trace = self.trace
        prompts = sorted(request.prompt_tokens for request in trace.requests)
        outputs = sorted(request.output_tokens for request in trace.requests)
        middle = len(trace.requests) // 2
        unit = f"{trace.time_unit} ({trace.unit_reason})" if trace.unit_reason else trace.time_unit
        left_out = [str(group) for group in trace.left_out]
        if self.num_too_long:
            left_out.append(f"{self.num_too_long} longer than max_model_len")
        return (
            f"{len(trace.requests)} requests, format {trace.format}, time unit {unit}, median "
            f"prompt {prompts[middle]} and output {outputs[middle]} tokens; left out: "
            f"{'; '.join(left_out) or 'none'}{''.join(f'. {note}' for note in trace.notes)}"
        )

    def describe_start(self) -> str:
        """Say what is tried right after the default."""
        default = dict(self.space.default)
        changes = [describe_config(config, default) for config in self.first]
        sources = ", ".join(self.study.search.start_from)
        return f"from {sources}: {'; '.join(changes) or 'nothing but the default'}"

    @property
    def num_trials(self) -> int:
        """Count the trials that the study will have at most, if none fails."""
        return self.study.num_trials

    @property
    def bundle_sizes(self) -> list[int]:
        """List the GPUs that trials of the space can claim, smallest first."""
        return sorted({self.num_gpus_of(config) for config in self._one_per_size})

    def num_gpus_of(self, config: Config) -> int:
        """Return the GPUs that a trial of `config` claims."""
        return replicas_of(self.study, config).num_gpus

    def within(self, largest_trial_gpus: int) -> "Plan":
        """Return the plan without the tensor-parallel sizes that no node can ever hold."""
        rule = FitsCluster(self.study, largest_trial_gpus)
        if all(rule(config) for config in self._one_per_size):
            return self
        reason = f"a trial can have {largest_trial_gpus} GPU(s) on this cluster"
        constraints = [*self.space.constraints, KnownConstraint("fits the cluster", rule, reason)]
        space = SearchSpace(self.space.parameters, self.space.default, constraints)
        return replace(self, space=space, agenda=_make_agenda(self.study, space))

    def starting_with(self, configs: Iterable[Config]) -> "Plan":
        """Return the plan that tries those of other studies' configurations that fit it first."""
        first = adapt(self.space, configs)
        if not first:
            return self
        optimizer = WarmStart(self.agenda.optimizer, self.space, first)
        return replace(self, first=first, agenda=replace(self.agenda, optimizer=optimizer))

    @property
    def _one_per_size(self) -> list[Config]:
        default = dict(self.space.default)
        sizes = tensor_parallel_sizes(self.space)
        configs = [{**default, "tensor_parallel_size": size} for size in sizes] or [default]
        masks = [c for c in self.space.constraints if isinstance(c.predicate, FitsCluster)]
        return [config for config in configs if all(mask.holds(config) for mask in masks)]


@dataclass(frozen=True)
class FitsCluster:
    """A known constraint's predicate: the trial's bundle fits; a dataclass, to be pickled."""

    study: Study
    largest_trial_gpus: int

    def __call__(self, config: Config) -> bool:
        """Tell whether a trial of `config` can be placed."""
        return replicas_of(self.study, config).num_gpus <= self.largest_trial_gpus


def _make_agenda(study: Study, space: SearchSpace) -> Agenda:
    search = study.search
    pace = PACES[search.mode](search.parallelism)
    optimizer = make_optimizer(
        search.algorithm,
        space,
        study.objectives,
        seed=search.seed,
        **_options(study, pace.batch_size),
    )
    return Agenda(
        optimizer=optimizer,
        objectives=study.objectives,
        limits=study.slo_limits,
        num_observations=search.observations,
        num_confirmations=study.confirm.repeats,
        seed=search.seed,
        num_finalists=study.confirm.finalists,
        num_drift_tests=study.drift.repeats,
        early_stop=study.early_stop,
        pace=pace,
    )


def _options(study: Study, batch_size: int) -> dict[str, Any]:
    """Return what the algorithm is told beyond the space; its own options have the last word."""
    search = study.search
    if "limits" in search.options:
        raise StudyError(
            "search.options.limits: limits are the study's and no algorithm's; write them under "
            "`limits:`, at the top level."
        )
    told = those_of(search.algorithm, limits=study.slo_limits, batch_size=batch_size)
    return told | search.options
