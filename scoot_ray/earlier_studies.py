"""Earlier studies that a study starts from: `search.start_from`.

An earlier study may have measured another engine, another GPU or another model; one on the
simulator is made here. Only configurations are taken over and none of the measurements, so what
was wrong about them costs a few trials and misleads nobody.
"""

from collections.abc import Sequence
from itertools import zip_longest

from scoot_ray.core.errors import StudyError
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import finalists
from scoot_ray.core.sections import SIMULATOR, SearchSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.output import open_output
from scoot_ray.plan import Plan
from scoot_ray.rehearsal import rehearse
from scoot_ray.simulate import as_simulated
from trainables.spaces import base_space_name

NUM_EACH = 3
"""Configurations of each earlier study: as many as a study confirms."""


def best_of_earlier(study: Study) -> tuple[Config, ...]:
    """List the best configurations of every study that this one starts from, in turn.

    Best is what is best by this study's objectives and limits.

    Raises:
        OutputError: If a folder holds no study.
        StudyError: If a study measured nothing that is asked for here, or the simulator does not
            know the engine.
    """
    found = [_best(study, source) for source in study.search.start_from]
    return tuple(config for turn in zip_longest(*found) for config in turn if config is not None)


def _best(study: Study, source: str) -> list[Config]:
    trials = _simulated(study) if source == SIMULATOR else open_output(source).history().trials
    best = finalists(trials, study.objectives, study.slo_limits, NUM_EACH)
    if not best:
        wanted = ", ".join(objective.metric for objective in study.objectives)
        raise StudyError(
            f"search.start_from: {source} has no completed trial that tells {wanted}; "
            "name a study that does."
        )
    return [record.config for record in best]


def _simulated(study: Study) -> Sequence[TrialRecord]:
    if study.engine.kind == "simulated":
        raise StudyError(
            "search.start_from: this study's engine is the simulator itself; name the folder of "
            "an earlier study."
        )
    space = study.space.model_copy(update={"base": base_space_name(study)})
    twin = as_simulated(study).model_copy(update={"space": space})
    trials = rehearse(Plan.of(twin.searched_by(SearchSection(seed=study.search.seed))))
    last = trials[-1]
    if last.state is TrialState.FAILED and last.failure is not None:
        raise StudyError(f"search.start_from: the simulator cannot: {last.failure.message}")
    return trials
