"""Manifests of every kind: rendered, read back, and validated by what will read them."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.util.accelerators import accelerators as ray_accelerators

from cluster.manifests import KINDS, render
from cluster.manifests.hardware import ACCELERATORS, PLATFORMS
from cluster.timers import Start, render_kubernetes
from scoot_ray.core.errors import ClusterError, StudyError
from scoot_ray.core.study import load_study
from tests.unit.cluster.manifests import CASES, IMAGE, documents, one, tenant

KUBERNETES = "1.34"
SCHEDULE = {"window": "22:00-06:00", "timezone": "Asia/Shanghai"}


def pods(document: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = document["spec"].get("rayClusterSpec", document["spec"])
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


@pytest.mark.parametrize("case", CASES)
def test_every_kind_is_valid_where_it_will_be_read(case: str) -> None:
    found = documents(case, schedule=SCHEDULE)
    for document in found:
        if "apiVersion" not in document:
            validate_config(prepare_config(document))
            continue
        if not document["apiVersion"].startswith("ray.io/"):
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
            continue
        for pod in pods(document):
            wrapped = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}} | pod
            kubernetes_validate.validate(wrapped, KUBERNETES, strict=True)
    assert found


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_launchers_start_spot_workers_beside_a_head_on_demand(cloud: str) -> None:
    (config,) = documents(cloud)
    head, worker = (config["available_node_types"][name] for name in ("head", "gpu-worker"))
    assert "SPOT" in str(worker["node_config"]).upper()
    assert "SPOT" not in str(head["node_config"]).upper()
    assert worker["min_workers"] == 0
    assert worker["max_workers"] == 8
    assert worker["resources"]["GPU"] == 1
    assert config["idle_timeout_minutes"] == 5
    (on_demand,) = documents(f"{cloud} on demand")
    assert "SPOT" not in str(on_demand["available_node_types"]).upper()
    starts = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    assert all("RAY_AUTH_MODE=token" in start for start in starts if "ray start" in start)


@pytest.mark.parametrize("kind", ["aws", "gcp", "raycluster", "rayjob"])
def test_heads_serve_waiting_bundles_in_turn(kind: str) -> None:
    found = documents(kind)
    heads = [pods(document)[0] for document in found if "ray.io/" in document.get("apiVersion", "")]
    heads += [document["head_start_ray_commands"] for document in found if "docker" in document]
    assert heads
    assert all("RAY_gcs_create_placement_group_retry_max_interval_ms" in str(h) for h in heads)


def test_a_job_has_workers_for_its_largest_trial_on_spot_nodes_of_its_accelerator() -> None:
    job = one(documents("rayjob"), "RayJob")
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    pod = group["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "4"
    assert (group["minReplicas"], group["maxReplicas"]) == (0, 3)
    assert pod["nodeSelector"] == {
        "cloud.google.com/gke-accelerator": "nvidia-a100-80gb",
        "cloud.google.com/gke-spot": "true",
    }
    assert {"key": "cloud.google.com/gke-spot", "operator": "Equal", "value": "true"} | {
        "effect": "NoSchedule"
    } in pod["tolerations"]
    spec = job["spec"]["rayClusterSpec"]
    assert spec["autoscalerOptions"] == {
        "version": "v2",
        "upscalingMode": "Default",
        "idleTimeoutSeconds": 300,
    }
    assert spec["authOptions"] == {"mode": "token", "secretName": "scoot-bot-7b-token"}
    assert job["spec"]["suspend"] is False
    on_demand = one(documents("rayjob on demand"), "RayJob")["spec"]["rayClusterSpec"]
    (group,) = on_demand["workerGroupSpecs"]
    assert list(group["template"]["spec"]["nodeSelector"]) == ["cloud.google.com/gke-accelerator"]


def test_a_job_brings_its_study_and_trace_along(tmp_path: Path) -> None:
    trace = tmp_path / "mine.csv"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n")
    found = documents("rayjob", workload={"trace": str(trace), "request_rate_rps": 8})
    data = one(found, "ConfigMap")["data"]
    template = pods(one(found, "RayJob"))[0]
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == "study"]
    there = tmp_path / "there"
    for item in volume["configMap"]["items"]:
        path = there / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data[item["key"]])
    study = load_study(there / "study.yaml")
    assert Path(study.workload.trace).read_text() == trace.read_text()
    assert study.placement.autoscaler is not None
    assert study.placement.autoscaler.node_gpus == 4
    assert study.placement.autoscaler.max_nodes == 3
    command = one(found, "RayJob")["spec"]["entrypoint"].split()
    assert command[:3] == ["python", "-m", "scoot_ray"]
    assert "--begin-or-resume" in command


def test_a_trace_too_large_for_a_config_map_is_told(tmp_path: Path) -> None:
    trace = tmp_path / "large.csv"
    trace.write_bytes(b"x" * 1_000_000)
    with pytest.raises(StudyError, match="bucket"):
        documents("rayjob", workload={"trace": str(trace), "request_rate_rps": 8})


def test_a_job_with_windows_waits_for_its_timers() -> None:
    study = tenant(schedule=SCHEDULE)
    files = render("rayjob", IMAGE, study)
    job = one(list(yaml.safe_load_all(files["scoot-bot-7b-rayjob.yaml"])), "RayJob")
    assert job["spec"]["suspend"] is True
    assert job["spec"]["entrypoint"].endswith("--wait")
    schedule = study.study.schedule
    assert schedule is not None
    assert files["scoot-bot-7b-timers.yaml"] == render_kubernetes(Start("Bot_7b", schedule, ()))
    assert job["metadata"]["name"] in files["scoot-bot-7b-timers.yaml"]
    with pytest.raises(ClusterError, match="leave the name out"):
        render("rayjob", IMAGE | {"name": "other"}, study)


def test_without_gpus_ray_counts_logical_ones() -> None:
    (head, worker) = pods(one(documents("rayjob without GPUs"), "RayJob"))
    assert "gpu" not in str(worker["spec"]["containers"][0]["resources"])
    assert "affinity" not in head["spec"]
    job = one(documents("rayjob without GPUs"), "RayJob")
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert group["rayStartParams"] == {"num-gpus": "4"}


def test_the_image_has_the_versions_that_are_tested() -> None:
    (text,) = render("dockerfile", {}).values()
    lines = Path("constraints.txt").read_text().splitlines()
    (version,) = [line.partition("==")[2] for line in lines if line.startswith("ray==")]
    assert f"FROM rayproject/ray:{version}-" in text
    assert "vllm==0.32.0" in text
    assert "$" not in text


def test_accelerators_are_those_of_ray_and_labelled_where_they_are_offered() -> None:
    known = {value for name, value in vars(ray_accelerators).items() if name.startswith("NVIDIA")}
    for name, accelerator in ACCELERATORS.items():
        assert name in known
        assert ("gke" in accelerator.labels) == ("gcp" in accelerator.machines)
        assert set(accelerator.labels) <= set(PLATFORMS)
        for machines in accelerator.machines.values():
            sizes = [machine.num_gpus for machine in machines]
            assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("helm", {}, "expected aws, gcp"),
        ("aws", {}, "image=...: is missing"),
        ("gcp", IMAGE, "project=...: is missing"),
        ("aws", IMAGE | {"regoin": "x"}, "Did you mean region"),
        ("aws", IMAGE | {"region": "x; rm"}, "region"),
        ("aws", IMAGE | {"gpus_per_trial": 16, "max_gpus": 32}, "sizes that we know: 1, 4, 8"),
        ("gcp", IMAGE | {"project": "my-project", "accelerator": "L40S"}, "known|know: none"),
        ("aws", IMAGE | {"accelerator": "TPU"}, "expected one of A10G"),
        ("aws", IMAGE | {"gpus_per_trial": 4, "max_gpus": 2}, "holds no trial"),
        ("raycluster", IMAGE | {"output": "/tmp/x"}, "expected pvc, s3://"),
        ("raycluster", IMAGE | {"accelerator": "A10G"}, "not known on gke"),
        ("rayjob", IMAGE, "name the STUDY.yaml"),
    ],
)
def test_what_cannot_be_is_told(kind: str, settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClusterError, match=expected):
        render(kind, settings)
    assert "rayjob" in KINDS
