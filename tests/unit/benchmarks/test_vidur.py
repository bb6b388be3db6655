"""Services on Vidur: what it is asked, what its answers come to, and the real one where it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.comparison import vidur
from benchmarks.comparison.vidur import VIDUR, VidurService
from scoot_ray.core.outcome import TrialState

SERVICE = VidurService("bot", "7b", 4, "A100", VIDUR.resolve(), rate_rps=8.0)


class StandIn:
    """Answers every request with its first token after a second, and its last a second later."""

    def __init__(self) -> None:
        self.questions: list[Mapping[str, Any]] = []

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        self.questions.append(question)
        if question["scheduler"]["block_size"] == 32:
            return {"crash": "Not enough memory"}
        return {"times": [[arrival_s + 1, arrival_s + 2] for arrival_s, *_ in question["requests"]]}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    process = StandIn()
    monkeypatch.setattr(vidur, "vidur_process", lambda checkout: process)
    return process


def config(**values: Any) -> dict[str, Any]:
    return {**SERVICE.space.default, **values}


def test_one_replica_gets_its_share_and_the_service_is_told(stand_in: StandIn) -> None:
    outcome = SERVICE.measure(config(tensor_parallel_size=2, pipeline_parallel_size=1), seed=0)
    assert len(stand_in.questions[0]["requests"]) == 8.0 * vidur.DURATION_S / 2
    assert outcome.metrics["ttft_mean_s"] == pytest.approx(1.0)
    assert outcome.metrics["throughput_rps"] == pytest.approx(8.0, rel=0.2)
    assert outcome.phases_s["load"] == pytest.approx(vidur.DURATION_S, rel=0.2)


def test_the_tokens_of_a_step_go_by_the_schedulers_own_word(stand_in: StandIn) -> None:
    SERVICE.measure(config(), seed=0)
    SERVICE.measure(config(enable_chunked_prefill=True, max_num_batched_tokens=512), seed=0)
    whole, chunked = stand_in.questions
    assert not whole["is_chunked"]
    assert whole["scheduler"]["max_tokens_in_batch"] == 4096
    assert chunked["is_chunked"]
    assert chunked["scheduler"]["chunk_size"] == 512
    assert whole["replica"]["memory_margin_fraction"] == pytest.approx(0.1)


def test_what_crashes_is_infeasible_and_has_no_judgement(stand_in: StandIn) -> None:
    outcome = SERVICE.measure(config(block_size=32), seed=0)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.message == "Not enough memory"
    assert SERVICE.judge(config(block_size=32)) == []


def test_stages_and_shards_share_the_gpus() -> None:
    space = SERVICE.space
    assert space.is_valid(config(tensor_parallel_size=2, pipeline_parallel_size=2))
    assert not space.is_valid(config(tensor_parallel_size=4, pipeline_parallel_size=2))


@pytest.mark.slow
@pytest.mark.skipif(
    not (VIDUR / ".venv/bin/python").exists(),
    reason=f"needs Vidur in {VIDUR} (benchmarks/vidur.py says how)",
)
def test_vidur_itself_answers() -> None:
    calm, busy = SERVICE, replace(SERVICE, rate_rps=16.0)
    first, again = (calm.measure(config(), seed=0) for _ in range(2))
    assert first == again
    assert 0.005 < first.metrics["tpot_mean_s"] < 0.1
    assert busy.measure(config(), 0).metrics["ttft_mean_s"] > first.metrics["ttft_mean_s"]
    large = replace(calm, model="70b")
    crashed = large.measure(config(tensor_parallel_size=1), seed=0)
    assert crashed.failure is not None
    assert crashed.failure.message == "Not enough memory to store even a single request"
