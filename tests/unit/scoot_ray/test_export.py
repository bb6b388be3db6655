"""Every form, against a validator or schema of its own, and for what all of them must say."""

import json
import shlex
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from scoot_ray.core.errors import OutputError
from scoot_ray.export import FORMS, Choice, export
from scoot_ray.export.pod import MAX_NAME_LENGTH, resource_name
from scoot_ray.export.selection import Selection
from tests.unit.scoot_ray.export_choices import TOKEN, choice, simulated_choice, study

KUBERNETES = "1.34"

CHOICES = {
    "real": choice(),
    "simulated": simulated_choice(),
    "another point": choice(Selection(number=2)),
    "the default": choice(Selection(number=0)),
    "a folder": choice(engine={"model": "/models/llama"}),
    "a CPU": choice(service={"num_gpus": 2, "accelerator": "CPU"}),
    "an AMD GPU": choice(service={"accelerator": "MI300X"}),
    "an unknown GPU": choice(service={"accelerator": "Z9000"}),
}
every_choice = pytest.mark.parametrize("found", CHOICES.values(), ids=CHOICES.keys())
every_form = pytest.mark.parametrize("form", FORMS)

# What helm/values.schema.json of the production stack 0.1.12 says of the keys that are used, made
# strict: the chart's own schema lets a misspelt key pass.
CHART: dict[str, Any] = {
    "servingEngineSpec": {
        "runtimeClassName": {"type": "string"},
        "containerSecurityContext": {"type": "object"},
        "startupProbe": {
            "httpGet": {"path": {"type": "string"}, "port": {"type": ["integer", "string"]}},
            "periodSeconds": {"type": "integer"},
            "failureThreshold": {"type": "integer"},
        },
        "modelSpec": [
            {
                "name": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"},
                "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
                "repository": {"type": "string"},
                "tag": {"type": "string"},
                "modelURL": {"type": "string"},
                "replicaCount": {"type": "integer"},
                "resources": {"type": "object"},
                "shmSize": {"type": "string"},
                "env": {"type": "array"},
                "extraVolumes": {"type": "array"},
                "extraVolumeMounts": {"type": "array"},
                "vllmConfig": {
                    "tensorParallelSize": {"type": "integer"},
                    "enablePrefixCaching": {"type": "boolean"},
                    "extraArgs": {"type": "array", "items": {"type": "string"}},
                },
            }
        ],
    }
}
# What serving.kserve.io/v1beta1 has besides the pod specification.
KSERVE: dict[str, Any] = {
    "apiVersion": {"const": "serving.kserve.io/v1beta1"},
    "kind": {"const": "InferenceService"},
    "metadata": {
        "name": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "spec": {"predictor": {"type": "object", "required": ["containers"]}},
}
KSERVE_ONLY = ("minReplicas", "maxReplicas", "deploymentStrategy")


def strict(shape: Any) -> dict[str, Any]:
    """Return the JSON schema of a shape in which a mapping without `type` or `const` has keys."""
    if isinstance(shape, list):
        return {"type": "array", "minItems": 1, "items": strict(shape[0])}
    if "type" in shape or "const" in shape:
        return dict(shape)
    properties = {key: strict(value) for key, value in shape.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def load(found: Choice, form: str) -> Any:
    return yaml.safe_load(export(found, form))


@every_choice
def test_command_is_a_shell_line_with_the_flags_as_vllm_takes_them(found: Choice) -> None:
    *comments, line = export(found, "command").splitlines()
    assert all(comment.startswith("# ") for comment in comments)
    words = shlex.split(line)
    assert words[0] == "VLLM_LOGGING_LEVEL=WARNING"
    size = found.record.config["tensor_parallel_size"]
    assert words[words.index("--tensor-parallel-size") + 1] == str(size)
    assert ("--no-enable-prefix-caching" in words) is not found.record.config[
        "enable_prefix_caching"
    ]


@every_choice
def test_kubernetes_is_valid(found: Choice) -> None:
    documents = list(yaml.safe_load_all(export(found, "kubernetes")))
    assert [document["kind"] for document in documents] == ["Deployment", "Service"]
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_validator_of_kubernetes_refuses_a_misspelt_key() -> None:
    deployment = next(iter(yaml.safe_load_all(export(choice(), "kubernetes"))))
    deployment["spec"]["template"]["spec"]["containers"][0]["startupprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES, strict=True)


def test_kubernetes_runs_as_many_replicas_as_the_gpus_hold() -> None:
    deployment, service = yaml.safe_load_all(export(choice(), "kubernetes"))
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert deployment["spec"]["replicas"] == 2
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/health"
    assert container["startupProbe"]["failureThreshold"] * 10 >= 900
    assert container["image"] == "vllm/vllm-openai:v0.32.0"
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert not pod["enableServiceLinks"]


def test_the_token_of_a_hub_model_is_referred_to() -> None:
    def token(found: Choice) -> list[dict[str, Any]]:
        deployment = next(iter(yaml.safe_load_all(export(found, "kubernetes"))))
        env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        return [entry["valueFrom"]["secretKeyRef"] for entry in env if entry["name"] == "HF_TOKEN"]

    plain: dict[str, Any] = {"env": {}, "fixed": {}}
    reference = {"name": "bot-llama2-7b-secrets", "key": "HF_TOKEN"}
    assert token(choice()) == [reference]
    assert token(choice(engine=plain)) == [{**reference, "optional": True}]
    assert token(choice(engine={**plain, "model": "/models/llama"})) == []


@every_choice
def test_helm_values_fit_the_chart(found: Choice) -> None:
    jsonschema.validate(load(found, "helm"), strict(CHART))


def test_helm_states_what_the_chart_would_decide_otherwise() -> None:
    (model,) = load(choice(), "helm")["servingEngineSpec"]["modelSpec"]
    config = model["vllmConfig"]
    assert config["tensorParallelSize"] == 2
    assert config["enablePrefixCaching"] is False
    assert "--no-enable-prefix-caching" not in config["extraArgs"]
    assert {"--enforce-eager", "--max-num-seqs", "256"} <= set(config["extraArgs"])


@every_choice
def test_kserve_is_valid(found: Choice) -> None:
    service = load(found, "kserve")
    jsonschema.validate(service, strict(KSERVE))
    predictor = service["spec"]["predictor"]
    assert predictor["minReplicas"] == predictor["maxReplicas"] == found.num_replicas
    spec = {key: value for key, value in predictor.items() if key not in KSERVE_ONLY}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    assert spec["containers"][0]["name"] == "kserve-container"


@every_choice
def test_json_fits_its_schema(found: Choice) -> None:
    schema = json.loads(
        resources.files("scoot_ray.export").joinpath("document.schema.json").read_text()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(export(found, "json"))
    jsonschema.validate(document, schema)
    assert document["evidence"]["is_simulated"] == found.is_simulated
    assert document["service"]["num_replicas"] == found.num_replicas


def test_json_holds_the_worst_of_the_arrival_orders() -> None:
    slo = json.loads(export(choice(), "json"))["slo"]
    assert slo["num_arrival_orders"] == 2
    assert slo["worst"] == {"ttft_mean_s": 0.4, "tpot_mean_s": 0.07, "throughput_rps": 9.0}


@every_form
@every_choice
def test_no_secret_is_written(form: str, found: Choice) -> None:
    assert TOKEN not in export(found, form)


@every_form
def test_every_form_states_its_evidence(form: str) -> None:
    text = export(choice(), form)
    facts = ("meta-llama/Llama-2-7b-hf", "Bot.Llama2_7b", "A100-80GB", "ab" * 32, "vLLM 0.32.0")
    assert [fact for fact in facts if fact not in text] == []
    if form != "json":
        assert "# ttft_mean_s 1 s -> 350 ms (65.0% better, within noise; noise band ±" in text
        assert "%), worst order 400 ms" in text
        assert "# Confirmed on fresh engines under 2 arrival order(s)" in text


@every_form
def test_a_simulated_study_says_so(form: str) -> None:
    mark = '"is_simulated": true' if form == "json" else "# SIMULATED: all numbers come from"
    assert mark in export(simulated_choice(), form)
    assert mark not in export(choice(), form)


def test_another_point_is_not_called_confirmed_or_recommended() -> None:
    text = export(choice(Selection(number=2)), "command")
    assert "the study recommends trial 1" in text
    assert "# Not confirmed under other arrival orders" in text
    assert "# Misses the limit ttft_mean_s <= 0.5" in text


def test_an_unknown_form_is_answered_by_the_known_ones() -> None:
    with pytest.raises(OutputError, match=r"Did you mean kubernetes\? Write command, ray-serve"):
        export(choice(), "kubernets")


def named(name: str) -> Choice:
    return replace(choice(), study=study().model_copy(update={"name": name}))


@pytest.mark.parametrize(
    ("name", "expected"), [("Bot.Llama2_7b", "bot-llama2-7b"), ("7b", "study-7b"), ("a.", "a")]
)
def test_names_are_dns_labels(name: str, expected: str) -> None:
    assert resource_name(named(name)) == expected


def test_long_names_that_begin_alike_stay_apart() -> None:
    names = {resource_name(named("a" * 60 + end)) for end in "xy"}
    assert len(names) == 2
    assert all(len(name) <= MAX_NAME_LENGTH for name in names)
