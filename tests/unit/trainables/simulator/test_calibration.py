from dataclasses import replace
from pathlib import Path

import pytest

from scoot_ray.core.errors import EngineError, StudyError
from scoot_ray.core.study import Study, parse_study
from traces import load_trace
from traces.schema import Trace
from trainables.simulator.calibration import Calibration, load_calibration
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.fit import Measurement, fit_calibration, predict
from trainables.simulator.stress_test import SimulatedStressTest
from trainables.simulator.version import V0, V1
from trainables.spaces import make_space


@pytest.fixture
def study() -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {"kind": "simulated", "model": "meta-llama/Llama-2-7b-hf"},
            "service": {"num_gpus": 2, "accelerator": "A10"},
            "workload": {"trace": "synthetic:cls", "request_rate_rps": 8, "duration_s": 10},
        }
    )


@pytest.fixture
def trace() -> Trace:
    return load_trace("synthetic:cls")


def test_constants_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    calibration = Calibration(replace(Efficiency(), matmul_flops=0.5), {"base_s": 0.004})
    calibration.write(path, {"model": "m", "largest_held_out_error": None})
    assert load_calibration(path) == calibration


def test_only_fitted_host_costs_differ_from_the_versions() -> None:
    calibration = Calibration(host={"base_s": 0.004})
    for version in (V0, V1):
        host = calibration.host_of(version)
        assert host.base_s == 0.004
        assert replace(host, base_s=version.host.base_s) == version.host


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read"),
        ("{", "is not YAML"),
        ("[1]", "expected what `scoot calibrate` writes"),
        ("efficiency: {matmul_flop: 0.5}", "matmul_flop is not known. Did you mean"),
        ("efficiency: {matmul_flops: much}", "expected a number >= 0, got 'much'"),
        ("host: {base_s: -1}", "expected a number >= 0, got -1"),
        ("host: {graphs_cover_prefill: 1}", "is not known"),
        ("host: 3", "expected a mapping"),
    ],
)
def test_a_wrong_file_is_explained(text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StudyError, match=message):
        load_calibration(path)


@pytest.mark.slow
def test_a_fit_predicts_configurations_and_rates_that_it_did_not_see(
    study: Study, trace: Trace
) -> None:
    """The "real" engine is the simulator with other constants, far from the ones to start from."""
    truth = Calibration(
        replace(Efficiency(), matmul_flops=0.3, matmul_memory=0.5, decode_attention_memory=0.4),
        {"base_s": 6e-3, "sequence_s": 1e-4, "request_s": 9e-3},
    )
    default = make_space(study).default

    def measure(number: int, rate_rps: float, **changes: object) -> Measurement:
        wanted = Measurement({**default, **changes}, rate_rps, 10.0, number, {})
        return replace(wanted, metrics=predict(study, trace, wanted, truth))

    fitted = [
        measure(0, 4.0),
        measure(1, 16.0),
        measure(2, 8.0, tensor_parallel_size=2),
        measure(3, 12.0, max_num_batched_tokens=512, max_num_seqs=128),
    ]
    calibration = fit_calibration(study, trace, fitted)
    for held_out in (
        measure(10, 6.0, max_num_seqs=64, max_num_batched_tokens=1024),
        measure(11, 14.0, max_num_batched_tokens=4096),
    ):
        predicted = predict(study, trace, held_out, calibration)
        uncalibrated = predict(study, trace, held_out, Calibration())
        for metric in ("throughput_rps", "ttft_mean_s", "tpot_mean_s", "latency_p95_s"):
            assert predicted[metric] == pytest.approx(held_out.metrics[metric], rel=0.1), metric
        # Without the fit it would not even be near.
        assert uncalibrated["ttft_mean_s"] < 0.8 * held_out.metrics["ttft_mean_s"]


def test_one_measurement_is_too_few(study: Study, trace: Trace) -> None:
    with pytest.raises(EngineError, match="needs two stress tests"):
        fit_calibration(study, trace, [])


def test_a_study_names_its_calibration(study: Study, trace: Trace, tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    slow = Calibration(host={"request_s": 0.5})
    slow.write(path, {})
    named = study.model_copy(
        update={"simulator": study.simulator.model_copy(update={"calibration": str(path)})}
    )
    wanted = Measurement(make_space(study).default, 4.0, 5.0, 0, {})
    outcome = SimulatedStressTest(wanted.study_of(named)).run(wanted.config, trace, wanted.seed)
    assert outcome.metrics == predict(study, trace, wanted, slow)
    assert outcome.metrics["ttft_mean_s"] > 0.5
