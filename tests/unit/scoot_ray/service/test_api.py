import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from scoot_ray.export import FORMS
from tests.integration.studies import STUDY
from tests.unit.scoot_ray.service.study_folders import (
    FRONT,
    HOSTILE,
    client_of,
    crashed,
    run_again,
    trial,
    write_journal,
)


def test_studies_with_their_state_and_answer(tmp_path: Path) -> None:
    write_journal(tmp_path / "own")
    [study] = client_of(tmp_path).get("/api/studies").json()
    assert (study["key"], study["name"], study["state"]) == ("own", "small", "stopped")
    assert (study["num_finished"], study["num_trials"]) == (3, 1 + 6 + 2 + 1)
    assert "ttft_mean_s 1 s -> 400 ms" in study["message"]


def test_a_study_that_has_all_its_trials_is_finished(tmp_path: Path) -> None:
    write_journal(tmp_path / "own", search={"observations": 2}, confirm={"repeats": 0})
    assert client_of(tmp_path).get("/api/studies").json()[0]["state"] == "finished"


def test_a_damaged_study_is_shown_as_such_and_hides_no_other(tmp_path: Path) -> None:
    write_journal(tmp_path / "own")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "journal.jsonl").write_text("x\n")
    client = client_of(tmp_path)
    states = {study["key"]: study["state"] for study in client.get("/api/studies").json()}
    assert states == {"own": "stopped", "bad": "damaged"}
    assert client.get("/api/studies/bad").json()["state"] == "damaged"
    assert client.get("/api/studies/bad/export").status_code == 409
    assert client.get("/api/studies/bad/trials/0").status_code == 409


def test_trials_front_and_recommendation(tmp_path: Path) -> None:
    write_journal(tmp_path / "own", *FRONT, trial(3, 2.0, 0.2), crashed(4, "no memory", "0004"))
    study = client_of(tmp_path).get("/api/studies/own").json()
    assert [t["number"] for t in study["trials"] if t["is_on_front"]] == [1, 2]
    assert [t["number"] for t in study["trials"] if t["is_recommended"]] == [2]
    assert study["trials"][4]["note"] == "no memory"
    assert [axis["metric"] for axis in study["axes"]] == ["ttft_mean_s", "tpot_mean_s"]
    assert set(study["forms"]) == set(FORMS)


def test_only_the_forms_that_serve_the_engine_are_offered(tmp_path: Path) -> None:
    engine = {"kind": "sglang", "model": "m"}
    write_journal(tmp_path / "own", engine=engine, space={})
    assert client_of(tmp_path).get("/api/studies/own").json()["forms"] == ["command", "json"]


@pytest.mark.parametrize("preset", ["interactive", "online", "offline"])
def test_there_are_always_two_axes(tmp_path: Path, preset: str) -> None:
    write_journal(tmp_path / "own", objective=preset)
    axes = client_of(tmp_path).get("/api/studies/own").json()["axes"]
    assert len({axis["metric"] for axis in axes}) == 2


def test_limits_choose_what_is_exported(tmp_path: Path) -> None:
    client = client_of(write_journal(tmp_path / "own").parent)

    def number(**query: Any) -> int:
        answer = client.get("/api/studies/own/export", params=query).json()
        assert f"trial {answer['number']} " in answer["text"]
        return int(answer["number"])

    assert number() == 2, "the recommended one"
    assert number(config=1) == 1
    assert number(where=["ttft_mean_s <= 0.3"], minimize="tpot_mean_s") == 1
    assert number(where=["ttft_mean_s <= 0.5"], minimize="tpot_mean_s") == 2
    assert number(where=["tpot_mean_s <= 0.06", "ttft_mean_s <= 2"], minimize="ttft_mean_s") == 2


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_exported(tmp_path: Path, form: str) -> None:
    write_journal(tmp_path / "own")
    answer = client_of(tmp_path).get("/api/studies/own/export", params={"to": form})
    assert answer.status_code == 200
    assert "simulated" in answer.json()["text"].lower()


@pytest.mark.parametrize(
    ("query", "status", "expected"),
    [
        ({"to": "helmm"}, 409, "helm"),
        ({"config": 99}, 409, "does not exist"),
        ({"config": "x"}, 422, "config"),
        ({"where": ["ttft_mean_s <= 0.01"], "minimize": "tpot_mean_s"}, 409, "closest"),
        ({"where": ["ttft <= 1"], "minimize": "tpot_mean_s"}, 400, "ttft"),
        ({"minimize": "tpot_mean_s", "maximize": "tpot_mean_s"}, 400, "not both"),
    ],
)
def test_a_choice_that_cannot_be_is_explained(
    tmp_path: Path, query: dict[str, str], status: int, expected: str
) -> None:
    write_journal(tmp_path / "own")
    answer = client_of(tmp_path).get("/api/studies/own/export", params=query)
    assert answer.status_code == status
    assert expected in answer.json()["detail"]


def test_hostile_texts_go_through_as_texts(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "own", *FRONT, crashed(3, HOSTILE, "0003"))
    (folder / "trials" / "0003").mkdir(parents=True)
    (folder / "trials" / "0003" / "engine.log").write_text(HOSTILE)
    client = client_of(tmp_path)
    shown = client.get("/api/studies/own/trials/3")
    assert shown.headers["content-type"] == "application/json"
    assert shown.json()["log"] == shown.json()["note"] == HOSTILE


def test_a_first_try_is_told_with_its_last_lines(tmp_path: Path) -> None:
    write_journal(tmp_path / "own", *FRONT, run_again(trial(3, 0.3, 0.05), HOSTILE))
    shown = client_of(tmp_path).get("/api/studies/own/trials/3").json()
    assert shown["note"] == "Run again, because at first: Killed."
    assert (shown["log"], shown["first_log"]) == ("", HOSTILE)


def test_numbers_that_json_has_not_are_left_out(tmp_path: Path) -> None:
    odd = TrialRecord(3, {"max_num_seqs": 1}, TrialState.COMPLETE, {"ttft_mean_s": 1.0})
    folder = write_journal(tmp_path / "own", *FRONT)
    entry = {"kind": "trial", **odd.to_json(), "metrics": {"ttft_mean_s": float("nan")}}
    entry["config"] = {"max_num_seqs": float("inf"), "x": [float("nan")]}
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(entry) + "\n")
    answer = client_of(tmp_path).get("/api/studies/own")
    assert answer.status_code == 200
    assert answer.json()["trials"][-1]["metrics"] == {}


def test_what_is_not_there(tmp_path: Path) -> None:
    write_journal(tmp_path / "own")
    client = client_of(tmp_path)
    for path in (
        "other",
        "..",
        "own/trials/77",
        "own/trials/-1",
        "%2e%2e",
        "..%2fown",
        "own%2f..%2f..",
    ):
        assert client.get(f"/api/studies/{path}").status_code == 404
    assert client.get("/api/studies/own/trials/x").status_code == 422


def test_a_text_is_checked_as_the_file_is(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    good = {"text": yaml.safe_dump(STUDY)}
    assert client.post("/api/checks", json=good).json() == good
    wrong = client.post("/api/checks", json={"text": yaml.safe_dump({**STUDY, "serch": {}})})
    assert wrong.status_code == 400
    assert "Did you mean search?" in wrong.json()["detail"]
    [mistake] = wrong.json()["mistakes"]
    assert mistake["location"] == ["serch"]
    refused = client.post("/api/studies", json={"text": "name: x"})
    assert refused.status_code == 400
    assert list(tmp_path.iterdir()) == [], "nothing is left of a refused study"


def test_answers_are_written_as_a_study_file(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    form = client.get("/api/drafts").json()
    assert "ttft_p99_s" in form["limit_metric"]
    for kind in form["kind"]:
        written = client.post("/api/drafts", json={**form["example"], "kind": kind})
        assert client.post("/api/checks", json=written.json()).status_code == 200
    wrong = client.post("/api/drafts", json={**form["example"], "num_gpus": "many"}).json()
    [mistake] = client.post("/api/checks", json=wrong).json()["mistakes"]
    assert mistake["location"] == ["service", "num_gpus"]
    assert "num_gpus" in wrong["text"].splitlines()[mistake["line"] - 1]


def test_what_does_not_run_cannot_be_stopped_and_what_was_not_started_here_not_gone_on_with(
    tmp_path: Path,
) -> None:
    write_journal(tmp_path / "own")
    client = client_of(tmp_path)
    stop = client.post("/api/studies/own/stop", json={})
    assert (stop.status_code, "not running" in stop.text) == (409, True)
    start = client.post("/api/studies/own/start", json={})
    assert (start.status_code, "scoot tune" in start.text) == (400, True)
