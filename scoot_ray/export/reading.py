"""From a study's folder to the choice that is exported."""

import hashlib
from pathlib import Path

from scoot_ray.core.assignment import Role
from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import History, Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import finalists
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.export.choice import Choice
from scoot_ray.export.selection import Selection, as_recommendation

USABLE = (TrialState.COMPLETE, TrialState.INFEASIBLE)


def choose(
    study: Study, history: History, journal: Journal, selection: Selection, *, unfinished: bool
) -> Choice:
    """Return the selected configuration with its evidence.

    Args:
        study: The study that the journal holds.
        history: What the journal says.
        journal: Of which the evidence names the hash.
        selection: Which configuration is wanted.
        unfinished: Take a study that has not ended.

    Raises:
        OutputError: If nothing meets the selection, or the study has not ended.
    """
    result = Result.from_history(study, history)
    record, reason = selection.select(result)
    missing = what_is_missing(study, history)
    if missing and not unfinished:
        raise OutputError(
            f"The study {study.name} has not ended: {missing}. Continue it with `scoot tune "
            "STUDY.yaml --resume`, or export what there is with --unfinished."
        )
    return Choice(
        study=study,
        result=as_recommendation(result, record),
        reason=reason,
        journal_sha256=sha256_of(journal.path),
        trace_sha256=history.header["trace_sha256"],
        missing=missing,
    )


def what_is_missing(study: Study, history: History) -> str:
    """Return what the study still lacks by its own budget; empty when it has ended."""
    wanted = study.search.observations + 1  # the default is not counted
    roles = (Role.DEFAULT, Role.SEARCH)
    num_searched = sum(r.role in roles and r.state in USABLE for r in history.trials)
    if num_searched < wanted:
        return f"{num_searched} of {wanted} configurations have been tried"
    repeats = study.confirm.repeats
    best = finalists(history.trials, study.objectives, study.slo_limits, study.confirm.finalists)
    for record in best if repeats else ():
        tests = [r for r in history.trials if r.role is Role.CONFIRM and r.config == record.config]
        # After a crash or a failure of infrastructure the study may end with fewer.
        if len(tests) < repeats and all(r.state is TrialState.COMPLETE for r in tests):
            return (
                f"{len(tests)} of {repeats} confirmations of trial {record.number} have been made"
            )
    return ""


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
