"""What was found, in the form in which it is used: one form, one file.

A form turns a `Choice` (a measured configuration with its evidence) into text. Each states the
model, the engine and the evidence, and none writes a secret.
"""

from collections.abc import Callable, Mapping

from scoot_ray.core.errors import OutputError, did_you_mean
from scoot_ray.export.best import write_best
from scoot_ray.export.choice import Choice
from scoot_ray.export.command import to_command
from scoot_ray.export.helm import to_helm
from scoot_ray.export.json_document import to_json
from scoot_ray.export.kserve import to_kserve
from scoot_ray.export.kubernetes import to_kubernetes
from scoot_ray.export.ray_serve import to_ray_serve
from trainables.backend import BACKENDS
from trainables.engines.vllm import Vllm

__all__ = ["FORMS", "Choice", "export", "forms_for", "write_best"]

Form = Callable[[Choice], str]

FORMS: Mapping[str, Form] = {
    "command": to_command,
    "ray-serve": to_ray_serve,
    "kubernetes": to_kubernetes,
    "helm": to_helm,
    "kserve": to_kserve,
    "json": to_json,
}

# Written in vLLM's own words, for its images and charts.
FOR_VLLM = frozenset({"ray-serve", "kubernetes", "helm", "kserve"})


def export(choice: Choice, form: str) -> str:
    """Return a chosen configuration in the form called `form`.

    Raises:
        OutputError: If the form is unknown, or the engine is of a kind that it cannot serve.
    """
    if form not in FORMS:
        hint = did_you_mean(form, FORMS)
        raise OutputError(f"--to {form}: there is no such form.{hint} Write {', '.join(FORMS)}.")
    usable = forms_for(choice.study.engine.kind)
    if form not in usable:
        raise OutputError(
            f"--to {form}: this form serves vLLM, and the study tuned {choice.adapter.name}. "
            f"Write {', '.join(usable)}."
        )
    return FORMS[form](choice)


def forms_for(kind: str) -> list[str]:
    """List the forms that can serve an engine of a kind."""
    serves_vllm = isinstance(BACKENDS[kind].adapter, Vllm)
    return [form for form in FORMS if serves_vllm or form not in FOR_VLLM]
