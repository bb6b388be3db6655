import math
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scoot_ray.core.bar import Bar
from scoot_ray.core.errors import ClusterError, StudyError
from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import Request
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, parse_study
from traces.schema import Trace
from trainables.backend import make_stress_test
from trainables.model import ModelShape
from trainables.simulator.config import EngineConfig
from trainables.simulator.sequence import Sequence
from trainables.simulator.startup import GRAPH_CAPTURE_S, start_s
from trainables.simulator.stress_test import SimulatedStressTest
from trainables.simulator.version import V0, V1, EngineVersion, find_version


def make_trace(**fields: Any) -> Trace:
    requests = tuple(
        Request(float(i), 100 + 37 * (i % 20), 20 + 11 * (i % 15), **fields) for i in range(300)
    )
    return Trace(requests, source="made", sha256="0", time_unit="s", format="made")


def make_study(
    *,
    rate: float = 4.0,
    accelerator: str = "A100-80GB",
    num_gpus: int = 1,
    replicas: str = "one",
    space: str = "vllm-v1",
    startup_timeout_s: float = 900.0,
    objective: str = "interactive",
    **workload: Any,
) -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {
                "kind": "simulated",
                "model": "meta-llama/Llama-2-7b-hf",
                "startup_timeout_s": startup_timeout_s,
            },
            "service": {"num_gpus": num_gpus, "accelerator": accelerator, "replicas": replicas},
            "workload": {
                "trace": "made",
                "select": "all",
                "request_rate_rps": rate,
                "duration_s": 20,
                **workload,
            },
            "space": space,
            "objective": objective,
        }
    )


def run(
    config: Config | None = None, *, seed: int = 0, trace: Trace | None = None, **study: Any
) -> Outcome:
    return SimulatedStressTest(make_study(**study)).run(config or {}, trace or make_trace(), seed)


def test_a_complete_test_has_metrics_and_all_phases() -> None:
    outcome = run()
    assert outcome.state is TrialState.COMPLETE
    assert outcome.metrics["num_completed"] == outcome.metrics["num_requests"] > 40
    assert 0 < outcome.metrics["ttft_mean_s"] < outcome.metrics["latency_mean_s"]
    assert outcome.metrics["itl_mean_s"] == pytest.approx(outcome.metrics["tpot_mean_s"], rel=0.2)
    assert set(outcome.phases_s) == set(Phase)
    assert all(type(name) is str for name in outcome.phases_s)


@pytest.mark.parametrize("space", ["vllm-v0", "vllm-v1"])
def test_the_seed_decides_everything(space: str) -> None:
    assert run(space=space) == run(space=space)
    assert run(seed=1, space=space).metrics != run(space=space).metrics


def test_too_few_seqs_make_requests_queue() -> None:
    few, many = run({"max_num_seqs": 2}), run({"max_num_seqs": 64})
    assert few.metrics["ttft_mean_s"] > 5 * many.metrics["ttft_mean_s"]
    assert few.metrics["tpot_mean_s"] < many.metrics["tpot_mean_s"]


def test_a_small_cache_preempts_and_everything_still_completes() -> None:
    outcome = run({"gpu_memory_utilization": 0.23}, rate=20.0)
    assert outcome.metrics["num_preemptions"] > 0
    assert outcome.metrics["num_failed"] == 0


def test_prefix_caching_shortens_ttft_where_prefixes_are_shared() -> None:
    trace = make_trace(prefix_hashes=(1,), block_tokens=96)
    shared = run({"enable_prefix_caching": True}, trace=trace)
    apart = run({"enable_prefix_caching": False}, trace=trace)
    assert shared.metrics["ttft_mean_s"] < apart.metrics["ttft_mean_s"]


@pytest.mark.parametrize(
    ("config", "accelerator", "cause"),
    [
        ({"gpu_memory_utilization": 0.62}, "A10", "kv_cache_too_small"),
        ({"gpu_memory_utilization": 0.5}, "A10", "out_of_memory"),
        ({"max_num_seqs": 4096}, "A100-80GB", "engine_exited"),
    ],
)
def test_an_engine_that_does_not_start_is_infeasible(
    config: dict[str, Any], accelerator: str, cause: str
) -> None:
    outcome = run(config, accelerator=accelerator)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert (outcome.failure.phase, outcome.failure.cause) == (Phase.START, cause)
    assert outcome.failure.log_tail


def test_memory_that_runs_out_under_load_is_infeasible_every_time() -> None:
    config = {
        "gpu_memory_utilization": 0.985,
        "max_num_seqs": 1024,
        "max_num_batched_tokens": 8192,
    }
    outcomes = [run(config, rate=200.0, seed=seed) for seed in (0, 1)]
    for outcome in outcomes:
        assert outcome.state is TrialState.INFEASIBLE
        assert outcome.failure is not None
        assert (outcome.failure.phase, outcome.failure.cause) == (Phase.LOAD, "out_of_memory")


def test_too_many_timeouts_are_infeasible_and_few_count_as_failed() -> None:
    slow = run({"max_num_seqs": 1}, request_timeout_s=5.0)
    assert slow.failure is not None
    assert (slow.failure.phase, slow.failure.cause) == (Phase.LOAD, "request_timeouts")
    lenient = run({"max_num_seqs": 1}, request_timeout_s=5.0, max_failed_share=0.99)
    assert lenient.state is TrialState.COMPLETE
    assert lenient.metrics["num_failed"] > 0
    assert lenient.metrics["latency_p99_s"] <= 5.1


def test_a_trial_leaves_its_log_and_its_requests(tmp_path: Path) -> None:
    outcome = SimulatedStressTest(make_study(), tmp_path / "trial").run({}, make_trace(), 0)
    table = pd.read_parquet(tmp_path / "trial" / "requests.parquet")
    assert len(table) == outcome.metrics["num_requests"]
    ttft_s = table["first_token_s"] - table["sent_s"]
    assert ttft_s.mean() == pytest.approx(outcome.metrics["ttft_mean_s"])
    assert "KV cache" in (tmp_path / "trial" / "engine.log").read_text()


def test_a_trial_that_does_not_start_leaves_its_last_words(tmp_path: Path) -> None:
    stress_test = SimulatedStressTest(make_study(), tmp_path)
    outcome = stress_test.run({"gpu_memory_utilization": 0.1}, make_trace(), 0)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.log_tail[0] in (tmp_path / "engine.log").read_text()
    assert not (tmp_path / "requests.parquet").exists()


def test_an_unknown_flag_stops_the_study() -> None:
    outcome = run({"max_num_sequences": 8})
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal


def test_fixed_flags_apply_below_the_configuration() -> None:
    study = make_study()
    engine = study.engine.model_copy(update={"fixed": {"max_num_seqs": 2}})
    stress_test = SimulatedStressTest(study.model_copy(update={"engine": engine}))
    fixed = stress_test.run({}, make_trace(), 0)
    assert fixed.metrics == run({"max_num_seqs": 2}).metrics
    assert stress_test.run({"max_num_seqs": 64}, make_trace(), 0).metrics != fixed.metrics


def test_more_gpus_than_the_service_owns_are_refused() -> None:
    with pytest.raises(ClusterError, match="tensor_parallel_size=2"):
        run({"tensor_parallel_size": 2})


def test_one_replica_gets_its_share_and_counts_for_all() -> None:
    outcome = run({"tensor_parallel_size": 1}, num_gpus=4, rate=16.0)
    assert outcome.metrics["num_requests"] < 130
    assert outcome.metrics["throughput_rps"] > 10.0


def test_an_unknown_accelerator_is_refused_before_any_trial() -> None:
    with pytest.raises(StudyError, match="accelerator"):
        SimulatedStressTest(make_study(accelerator="A1000000"))


def test_the_generation_follows_from_space_and_parameters() -> None:
    assert find_version("vllm-v0", {}) is V0
    assert find_version("vllm-v1", {}) is V1
    assert find_version("vllm-v1", {"scheduler_delay_factor": 0.5}) is V0


def test_stream_interval_delays_tokens_to_the_end_of_their_chunk() -> None:
    sequence = Sequence(1, Request(0.0, 1, 6))
    for now_s in range(1, 7):
        sequence.append_token(float(now_s))
    sequence.finished_s = 6.0
    assert list(sequence.to_record(4).token_gaps_s) == [4.0, 0.0, 0.0, 0.0, 1.0]
    assert list(sequence.to_record(1).token_gaps_s) == [1.0] * 5


@pytest.mark.parametrize("version", [V0, V1])
def test_eager_mode_starts_sooner(model: ModelShape, version: EngineVersion) -> None:
    graphed = start_s(model, EngineConfig.resolve({}, model), version)
    eager = start_s(model, EngineConfig.resolve({"enforce_eager": True}, model), version)
    assert eager < graphed


def test_an_older_engine_starts_sooner_by_the_graphs_that_it_does_not_capture(
    model: ModelShape,
) -> None:
    config = EngineConfig.resolve({"max_num_seqs": 512}, model)
    seconds = start_s(model, config, V1) - start_s(model, config, V0)
    assert seconds == pytest.approx(V1.compile_s + (51 - 35) * GRAPH_CAPTURE_S)


def test_an_engine_that_starts_too_slowly_is_given_up() -> None:
    outcome = run(startup_timeout_s=20.0)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert (outcome.failure.cause, outcome.failure.phase) == ("startup_timeout", Phase.START)
    assert outcome.phases_s[Phase.START] == 20.0


def test_all_replicas_together_carry_what_one_carries_of_its_part() -> None:
    one = run(rate=8.0, num_gpus=4)
    every = run(rate=8.0, num_gpus=4, replicas="all")
    assert every.metrics["num_requests"] == pytest.approx(4 * one.metrics["num_requests"], rel=0.3)
    assert every.metrics["throughput_rps"] == pytest.approx(one.metrics["throughput_rps"], rel=0.3)
    assert every.metrics["tpot_mean_s"] == pytest.approx(one.metrics["tpot_mean_s"], rel=0.1)


def test_a_router_that_looks_at_queues_beats_the_luck_of_a_thinned_replica() -> None:
    """Near saturation, an idle replica helps a busy one; random thinning never does."""
    requests = tuple(Request(float(i), 500, 400) for i in range(300))
    trace = Trace(requests, source="made", sha256="0", time_unit="s", format="made")
    waits = {
        replicas: [
            run(
                {"max_num_seqs": 4},
                trace=trace,
                seed=seed,
                rate=2.4,
                num_gpus=4,
                replicas=replicas,
                duration_s=60,
            ).metrics["ttft_mean_s"]
            for seed in range(5)
        ]
        for replicas in ("one", "all")
    }
    assert sum(waits["all"]) < 0.7 * sum(waits["one"])


def test_a_paced_test_takes_its_time_and_finds_the_same() -> None:
    study, trace = make_study(), make_trace()
    simulator = study.simulator.model_copy(update={"pace": 0.02})
    paced = make_stress_test(study.model_copy(update={"simulator": simulator}))
    started_s = time.monotonic()
    outcome = paced.run({}, trace, seed=1)
    assert time.monotonic() - started_s >= 0.02 * sum(outcome.phases_s.values())
    assert outcome == SimulatedStressTest(study).run({}, trace, seed=1)


@pytest.mark.parametrize("objective", ["interactive", "online", "offline"])
def test_a_hopeless_test_ends_early_and_is_estimated(objective: str) -> None:
    study = make_study(rate=12.0, accelerator="L4", objective=objective)
    test, trace = SimulatedStressTest(study), make_trace()
    whole = test.run({}, trace, 0)
    # What is half as good in every objective is still better than this engine can be.
    goal = {o.metric: o.sign * whole.metrics[o.metric] * 0.5**o.sign for o in study.objectives}
    ended = test.run({}, trace, 0, Bar(1, reference=tuple(goal.values())))
    assert ended.is_bound
    assert sum(ended.phases_s.values()) < sum(whole.phases_s.values())
    for metric in goal:
        bound, guess, truth = (m[metric] for m in (ended.metrics, ended.estimate, whole.metrics))
        assert abs(math.log(guess / truth)) < abs(math.log(bound / truth)), metric
