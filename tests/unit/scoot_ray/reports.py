"""Findings to draw and to write reports about: a small study that was never run."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import VERSION, History, Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.report.findings import Findings
from trainables.spaces import make_space

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)> | $x_2$ `&`"

STUDY = {
    "name": "made-up",
    "engine": {
        "kind": "simulated",
        "model": "meta-llama/Llama-2-7b-hf",
        "fixed": {"max_model_len": 4096},
    },
    "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
    "workload": {"trace": "synthetic:bot", "request_rate_rps": 8},
}


def made_up_study(**sections: object) -> Study:
    """Return the study with some sections replaced."""
    return parse_study({**STUDY, **sections})


def made_up_trials(
    study: Study, num: int = 16, log: str = "CUDA out of memory"
) -> list[TrialRecord]:
    """Return a default and a search: `max_num_seqs` decides TTFT, and small blocks crash."""
    space = make_space(study)
    points = np.random.default_rng(3).random((num, space.dim))
    configs = [dict(space.default), *(dict(space.decode(point)) for point in points)]
    return [_trial(number, config, log) for number, config in enumerate(configs)]


def repeated(trials: Sequence[TrialRecord], number: int, of: int, role: Role) -> TrialRecord:
    """Return trial `of` measured again, 2 % slower."""
    metrics = {name: 1.02 * value for name, value in trials[of].metrics.items()}
    return replace(trials[of], number=number, role=role, metrics=metrics)


def made_up_history(study: Study, trials: Sequence[TrialRecord]) -> History:
    """Return the journal of these trials."""
    header = {
        "kind": "study",
        "version": VERSION,
        "study": study.model_dump(mode="json"),
        "measured_by": "nobody: these numbers are made up",
        "trace_sha256": "0" * 64,
        "versions": {"ray": "2.60"},
    }
    return History(header, tuple(trials), ())


def write_journal(folder: Path, study: Study, trials: Sequence[TrialRecord]) -> Path:
    """Write the journal of these trials into a folder, as a study would, and return the folder."""
    journal = Journal(folder / "journal.jsonl")
    header = dict(made_up_history(study, trials).header)
    facts = {k: v for k, v in header.items() if k not in ("kind", "version", "study")}
    journal.write_study(header["study"], **facts)
    for record in trials:
        journal.write_suggestion(Assignment(record.number, record.role, record.config, seed=0))
        journal.write_trial(record)
    return folder


def made_up_findings(log: str = "CUDA out of memory", *, control: bool = False) -> Findings:
    """Return a whole study: search, a test that ended early, confirmations and drift."""
    study = made_up_study()
    trials = made_up_trials(study, log=log)
    usable = [r for r in trials if r.state is TrialState.COMPLETE]
    best = min(usable, key=lambda r: r.metrics["ttft_mean_s"] * r.metrics["tpot_mean_s"]).number
    early = replace(usable[-1], is_bound=True, early_stop="too late")
    trials[early.number] = early
    trials += [repeated(trials, 90 + n, best, Role.CONFIRM) for n in range(3)]
    trials.append(repeated(trials, 95, 0, Role.DRIFT))
    other = made_up_history(study, made_up_trials(study, num=8)) if control else None
    return Findings.of(study, made_up_history(study, trials), other)


def _trial(number: int, config: dict[str, object], log: str) -> TrialRecord:
    role = Role.SEARCH if number else Role.DEFAULT
    phases_s = {"start": 1.0, "readiness": 39.0, "load": 100.0, "stop": 1.0}
    common = TrialRecord(
        number, config, TrialState.COMPLETE, {}, role=role, num_gpus=2, phases_s=phases_s
    )
    if number and config["block_size"] == 16:
        failure = Failure(Phase.START, "out_of_memory", f"It ran out of memory. {log}", (log,))
        return replace(common, state=TrialState.INFEASIBLE, failure=failure)
    seqs = int(str(config["max_num_seqs"]))
    metrics = {
        "ttft_mean_s": 50.0 / seqs + (0.01 if config["enforce_eager"] else 0.0),
        "tpot_mean_s": 0.05 / math.log2(2 * int(str(config["tensor_parallel_size"]))),
        "throughput_rps": 7.0,
    }
    return replace(common, metrics=metrics)
