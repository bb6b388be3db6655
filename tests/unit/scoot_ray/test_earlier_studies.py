"""What a study starts from: the best of other folders, or of a simulation made for it."""

from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.errors import OutputError, StudyError
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, load_study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.earlier_studies import NUM_EACH, best_of_earlier
from scoot_ray.output import Output
from scoot_ray.plan import Plan
from tests.integration.studies import STUDY, write_study

SEARCH = STUDY["search"]


def study_from(*sources: object, **sections: Any) -> Study:
    search = {**SEARCH, "start_from": [str(source) for source in sources]}
    return parse_study({**STUDY, **sections, "search": search})


def trial(number: int, ttft_mean_s: float, tpot_mean_s: float) -> TrialRecord:
    config = {"max_num_seqs": 100 + number}
    role = Role.SEARCH if number else Role.DEFAULT
    metrics = {"ttft_mean_s": ttft_mean_s, "tpot_mean_s": tpot_mean_s}
    return TrialRecord(number, config, TrialState.COMPLETE, metrics, role=role)


def write_earlier(folder: Path, *trials: TrialRecord) -> Path:
    journal = Output(folder).journal
    journal.write_study({"name": folder.name})
    for record in trials:
        journal.write_trial(record)
    return folder


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    seconds = (1.0, 0.9, 0.2, 0.5, 0.1, 3.0)
    return write_earlier(tmp_path / "one", *[trial(n, s, s / 10) for n, s in enumerate(seconds)])


def numbers(configs: tuple[Config, ...]) -> list[int]:
    return [config["max_num_seqs"] - 100 for config in configs]


def test_the_best_by_this_studys_objectives_come_in_turn(earlier: Path, tmp_path: Path) -> None:
    assert numbers(best_of_earlier(study_from(earlier))) == [4, 2, 3]
    trials = [trial(0, 1.0, 1.0), trial(50, 0.5, 0.5)]
    other = write_earlier(tmp_path / "two", *trials)
    assert numbers(best_of_earlier(study_from(earlier, other))) == [4, 50, 2, 3]


def test_limits_decide_first(earlier: Path) -> None:
    limits = [{"metric": "tpot_mean_s", "at_most": 0.011}]
    assert numbers(best_of_earlier(study_from(earlier, limits=limits))) == [4]


def test_none_named_none_taken() -> None:
    assert best_of_earlier(parse_study(STUDY)) == ()


def test_a_folder_without_a_study_and_one_without_the_metric(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere holds no study"):
        best_of_earlier(study_from(tmp_path / "nowhere"))
    with pytest.raises(StudyError, match="has no completed trial that tells throughput_rps"):
        best_of_earlier(study_from(earlier, objective="offline"))


def test_a_real_study_starts_from_the_simulator() -> None:
    study = study_from("simulator", engine={**STUDY["engine"], "kind": "vllm"})
    plan = Plan.of(study).starting_with(best_of_earlier(study))
    assert len(plan.first) == NUM_EACH
    assert all(plan.space.is_valid(config) for config in plan.first)
    assert plan.agenda.optimizer.suggest([], [], 4) == [plan.space.default, *plan.first]
    assert plan.describe_start().startswith("from simulator: ")


def test_what_the_simulator_cannot_be_asked() -> None:
    with pytest.raises(StudyError, match="the simulator itself"):
        best_of_earlier(study_from("simulator"))
    sglang = {**STUDY["engine"], "kind": "sglang", "fixed": {"context_length": 4096}}
    with pytest.raises(StudyError, match=r"the simulator cannot: .*no parameter 'chunked_prefill"):
        best_of_earlier(study_from("simulator", engine=sglang, space={}))


def test_folders_are_relative_to_the_study_file(tmp_path: Path) -> None:
    sources = ["../one", "simulator", "s3://bucket/two"]
    study = load_study(write_study(tmp_path, search={"start_from": sources}))
    assert study.search.start_from == [str(tmp_path.parent / "one"), "simulator", "s3://bucket/two"]
    alone = load_study(write_study(tmp_path, search={"start_from": "../one"}))
    assert alone.search.start_from == [str(tmp_path.parent / "one")]
