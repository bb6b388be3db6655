"""The Ray Serve form, against the schemas of the installed Ray."""

from typing import Any

import pytest
import yaml

from scoot_ray.export import Choice, export
from tests.unit.scoot_ray.export_choices import choice, simulated_choice

pytestmark = [
    pytest.mark.slow,  # importing Ray Serve takes seconds
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Ray's own pydantic models
]

CHOICES = {
    "real": choice(),
    "simulated": simulated_choice(),
    "a folder": choice(engine={"model": "/models/llama"}),
    "a CPU": choice(service={"accelerator": "CPU"}),
    "an AMD GPU": choice(service={"accelerator": "MI300X"}),
    "an unknown GPU": choice(service={"accelerator": "Z9000"}),
    "a served name": choice(engine={"fixed": {"served_model_name": "bot"}}),
}


def llm_config(found: Choice) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(export(found, "ray-serve"))
    return dict(config["applications"][0]["args"]["llm_configs"][0])


@pytest.mark.parametrize("found", CHOICES.values(), ids=CHOICES.keys())
def test_the_application_fits_rays_schemas(found: Choice) -> None:
    from ray.serve.schema import ServeDeploySchema

    config = yaml.safe_load(export(found, "ray-serve"))
    (application,) = ServeDeploySchema.model_validate(config).applications
    assert application.import_path == "ray.serve.llm:build_openai_app"
    # ray.serve.llm itself cannot be imported without vLLM; this is the class that it exports.
    from ray.llm._internal.serve.core.configs.llm_config import LLMConfig

    validated = LLMConfig.model_validate(application.args["llm_configs"][0])
    assert validated.engine_kwargs["tensor_parallel_size"] == found.num_gpus_each
    assert validated.deployment_config == {"num_replicas": found.num_replicas}


def test_rays_schema_refuses_a_misspelt_key() -> None:
    from pydantic import ValidationError
    from ray.llm._internal.serve.core.configs.llm_config import LLMConfig

    with pytest.raises(ValidationError):
        LLMConfig.model_validate({**llm_config(choice()), "engine_kwarg": {}})


def test_values_keep_their_types() -> None:
    kwargs = llm_config(choice())["engine_kwargs"]
    assert kwargs["enforce_eager"] is True
    assert kwargs["max_num_seqs"] == 256


def test_the_served_name_is_the_models_identifier() -> None:
    config = llm_config(CHOICES["a served name"])
    assert config["model_loading_config"]["model_id"] == "bot"
    assert "served_model_name" not in config["engine_kwargs"]


def test_the_vllm_that_ray_brings_is_named_where_another_was_measured() -> None:
    assert "brings vLLM 0.29.0; vLLM 0.32.0 was measured" in export(choice(), "ray-serve")
