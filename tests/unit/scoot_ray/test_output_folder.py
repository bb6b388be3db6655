"""One process at a time, one study for ever."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import Journal
from scoot_ray.core.study import Study, parse_study
from scoot_ray.output_folder import exclusive, open_journal, require_fitting
from scoot_ray.plan import Plan
from tests.integration.studies import STUDY


def plan_of(**search: Any) -> Plan:
    study: Study = parse_study({**STUDY, "search": {**STUDY["search"], **search}})
    return Plan.of(study)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "out" / "journal.jsonl")


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "out"),
        pytest.raises(OutputError, match="Another process"),
        exclusive(tmp_path / "out"),
    ):
        pass
    with exclusive(tmp_path / "out"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="Cannot write"), exclusive(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_text() == "a file"


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(OutputError, match="Cannot write"), exclusive(tmp_path):
        pass


def test_a_free_folder_fits_and_has_nothing_to_resume(journal: Journal) -> None:
    require_fitting(journal, plan_of(), resume=False)
    with pytest.raises(OutputError, match="no study to resume"):
        require_fitting(journal, plan_of(), resume=True)


def test_the_first_line_says_what_was_run_with_what(journal: Journal) -> None:
    open_journal(journal, plan_of(), "an engine")
    header = journal.read().header
    assert header["study"]["name"] == STUDY["name"]
    assert header["measured_by"] == "an engine"
    assert header["versions"].keys() >= {"ray", "torch", "python"}
    assert len(header["trace_sha256"]) == 64


def test_a_study_is_resumed_with_another_budget_but_not_another_seed(journal: Journal) -> None:
    open_journal(journal, plan_of(), "an engine")
    require_fitting(journal, plan_of(observations=50, parallelism=2), resume=True)
    with pytest.raises(OutputError, match=r"search\.seed differ"):
        require_fitting(journal, plan_of(seed=2), resume=True)
    with pytest.raises(OutputError, match="--resume"):
        require_fitting(journal, plan_of(), resume=False)


def test_a_study_is_resumed_with_what_it_started_from(journal: Journal) -> None:
    plan = plan_of(start_from=["/here/one"]).starting_with([{"max_num_seqs": 100}])
    open_journal(journal, plan, "an engine")
    assert [config["max_num_seqs"] for config in journal.read().header["first"]] == [100]
    require_fitting(journal, plan_of(start_from=["/there/one"]), resume=True)  # a job's folder
    with pytest.raises(OutputError, match=r"search\.start_from differ"):
        require_fitting(journal, plan_of(start_from=["/here/two"]), resume=True)


def test_a_study_is_resumed_on_other_nodes_and_at_the_same_pace(journal: Journal) -> None:
    study = {**STUDY, "simulator": {"pace": 0.5}}
    open_journal(journal, Plan.of(parse_study(study)), "an engine")
    elsewhere = parse_study({**study, "placement": {"num_cpus": 4}})
    require_fitting(journal, Plan.of(elsewhere), resume=True)


def test_secrets_are_named_in_the_journal_and_not_told(journal: Journal) -> None:
    plan = plan_of()
    env = {"HF_TOKEN": "hf_abc", "OMP_NUM_THREADS": "4"}
    engine = plan.study.engine.model_copy(update={"env": env, "fixed": {"api_key": "sk-abc"}})
    plan = replace(plan, study=plan.study.model_copy(update={"engine": engine}))
    open_journal(journal, plan, "an engine")
    text = journal.path.read_text()
    assert "hf_abc" not in text
    assert "sk-abc" not in text
    recorded = journal.read().header["study"]["engine"]
    assert recorded["env"] == {"HF_TOKEN": "(not recorded)", "OMP_NUM_THREADS": "4"}
    assert recorded["fixed"].keys() == {"api_key"}
    require_fitting(journal, plan, resume=True)
