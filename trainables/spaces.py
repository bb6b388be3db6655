"""From a study to its search space: a base space, changed as the study file says."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from scoot_ray.core.errors import SpaceError, StudyError, did_you_mean
from scoot_ray.core.sections import SpaceSection
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.study import Study
from trainables.backend import BACKENDS
from trainables.base_space import BaseSpace, Deployment, NoSpace, known_constraint
from trainables.engines.sglang_space import SglangSpace
from trainables.engines.tensorrt_llm_space import TensorRtLlmSpace
from trainables.engines.vllm_space import VllmV0Space, VllmV1Space
from trainables.hardware import Accelerator, find_accelerator
from trainables.model import ModelShape, load_model_shape
from trainables.parameters import changed_parameter, new_parameter
from trainables.simulator.memory import min_tensor_parallel_size
from trainables.simulator.version import find_version

BASE_SPACES: Mapping[str, Callable[[Deployment], BaseSpace]] = {
    "vllm-v0": VllmV0Space,
    "vllm-v1": VllmV1Space,
    "sglang": SglangSpace,
    "tensorrt_llm": TensorRtLlmSpace,
    "none": NoSpace,
}


def make_space(study: Study) -> SearchSpace:
    """Build the search space of a study.

    Parameters in `engine.fixed` are not tuned, those in `space.remove` stay at the engine's
    default; known constraints hold for the tuned, fixed and default values together.

    Raises:
        SpaceError: Naming the key under `space` or `engine.fixed` that does not fit.
        StudyError: If `max_model_len` is neither stated nor known from the model.
        ClusterError: If the model does not fit on the service's GPUs.
    """
    base = _base_space(study)
    _check_names(study, base)
    fixed, stated = study.engine.fixed, study.space.default
    excluded = {*fixed, *study.space.remove}
    changes = dict(study.space.parameters)
    defaults = base.complete({**fixed, **stated})
    parameters = []
    for parameter in base.parameters:
        change = changes.pop(parameter.name, None)
        if parameter.name in excluded:
            continue
        parameters.append(changed_parameter(parameter, change) if change else parameter)
    parameters += [new_parameter(name, change) for name, change in changes.items()]
    for parameter in parameters:
        _check_default(parameter.name, parameter.contains, str(parameter), defaults, stated)
    return SearchSpace(
        parameters,
        {parameter.name: defaults[parameter.name] for parameter in parameters},
        [known_constraint(rule, base, fixed) for rule in base.rules],
    )


def complete_config(study: Study, config: Config) -> dict[str, Any]:
    """Return every parameter of the engine: tuned ones from `config`, then fixed, then default."""
    return _base_space(study).complete({**study.engine.fixed, **config})


def num_gpus_of(study: Study, config: Config) -> int:
    """Return the GPUs that one replica needs, whether or not their number is tuned."""
    return int(complete_config(study, config)["tensor_parallel_size"])


def tensor_parallel_sizes(space: SearchSpace) -> list[int]:
    """List the tensor-parallel sizes that a space may choose; none where it does not tune them."""
    return whole_numbers(space, "tensor_parallel_size")


def whole_numbers(space: SearchSpace, name: str) -> list[int]:
    """List the values of a parameter that takes whole numbers; none where it is not tuned."""
    if name not in space.names:
        return []
    parameter = space[name]
    num_values = int(parameter.num_values)
    return sorted({int(parameter.decode((n + 0.5) / num_values)) for n in range(num_values)})


def make_deployment(study: Study) -> Deployment:
    """Find out what the engine's parameters depend on, as far as model and GPU are known.

    Raises:
        StudyError: If `max_model_len` is neither stated nor known from the model.
        ClusterError: If the model does not fit on the service's GPUs.
    """
    model, accelerator = _known_model(study), _known_accelerator(study)
    num_gpus = study.service.num_gpus
    name = BACKENDS[study.engine.kind].adapter.max_model_len_name
    max_model_len = study.engine.fixed.get(name, model and model.max_model_len)
    if isinstance(max_model_len, bool) or not isinstance(max_model_len, int) or max_model_len < 1:
        raise StudyError(
            f"engine.fixed.{name}: expected a whole number of tokens, got "
            f"{max_model_len!r}; it must be stated where the model's shape is not known."
        )
    smallest_size = 1
    if model is not None and accelerator is not None:
        version = find_version(base_space_name(study), study.engine.fixed)
        smallest_size = min_tensor_parallel_size(
            model, accelerator, num_gpus, max_model_len, version
        )
    return Deployment(num_gpus, smallest_size, max_model_len, accelerator, model)


def _known_model(study: Study) -> ModelShape | None:
    try:
        return load_model_shape(study.engine.model)
    except StudyError:  # the engine itself may know it
        return None


def _known_accelerator(study: Study) -> Accelerator | None:
    try:
        return find_accelerator(study.service.accelerator)
    except StudyError:
        return None


def base_space_name(study: Study) -> str:
    """Return the base space that the study names, or that of its engine's current version."""
    return study.space.base or BACKENDS[study.engine.kind].adapter.default_space


def _base_space(study: Study) -> BaseSpace:
    name = base_space_name(study)
    if name not in BASE_SPACES:
        raise SpaceError(
            f"space.base: {name!r} is not a space; expected {' or '.join(BASE_SPACES)}."
            f"{did_you_mean(name, BASE_SPACES)}"
        )
    return BASE_SPACES[name](make_deployment(study))


def _check_names(study: Study, base: BaseSpace) -> None:
    """Check that every key under `space` names a parameter, and only one place decides on it."""
    space, fixed = study.space, study.engine.fixed
    known = {parameter.name for parameter in base.parameters}
    _check_removed(space, base, known, fixed)
    for key in ("parameters", "default"):
        for name in getattr(space, key):
            if name in fixed:
                raise SpaceError(
                    f"space.{key}.{name}: it is not tuned, because engine.fixed.{name} pins it; "
                    "delete one of the two."
                )
    for name in sorted(set(space.default) - known - set(space.parameters)):
        raise SpaceError(_unknown(f"space.default.{name}", name, known | set(space.parameters)))
    for name in sorted(set(space.parameters) - known - set(space.default)):
        # A new parameter, or a misspelt one.
        raise SpaceError(
            f"{_unknown(f'space.parameters.{name}', name, known)} To add it, state the "
            f"engine's default, too: space.default.{name}."
        )
    for name in sorted(known & set(fixed)):
        _check_fixed(name, fixed[name], base.complete({})[name])


def _check_removed(
    space: SpaceSection, base: BaseSpace, known: Collection[str], fixed: Collection[str]
) -> None:
    for name in space.remove:
        if name not in known:
            raise SpaceError(_unknown(f"space.remove: {name!r}", name, known))
        if name in space.parameters or name in space.default:
            raise SpaceError(f"space.remove: {name} is removed and set elsewhere under `space`.")
    smallest_size = base.complete({}).get("tensor_parallel_size", 1)
    is_left_to_engine = "tensor_parallel_size" in set(space.remove) - set(fixed)
    if is_left_to_engine and smallest_size > 1:
        raise SpaceError(
            "space.remove: the engine's own tensor_parallel_size is 1, and the model needs "
            f"{smallest_size} GPUs; write engine.fixed.tensor_parallel_size instead."
        )


def _check_fixed(name: str, value: Any, default: Any) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (isinstance(value, bool) if isinstance(default, bool) else is_number):
        expected = "true or false" if isinstance(default, bool) else "a number"
        raise SpaceError(f"engine.fixed.{name}: expected {expected}, got {value!r}.")


def _check_default(
    name: str,
    contains: Callable[[Any], bool],
    expected: str,
    defaults: Mapping[str, Any],
    stated: Mapping[str, Any],
) -> None:
    if contains(defaults[name]):
        return
    if name in stated:
        raise SpaceError(f"space.default.{name}: expected {expected}, got {stated[name]!r}.")
    raise SpaceError(
        f"space.parameters.{name}: the engine's default {defaults[name]!r} is not {expected}; "
        f"state another with space.default.{name}."
    )


def _unknown(key: str, name: str, known: Collection[str]) -> str:
    return (
        f"{key} is not a parameter of the space.{did_you_mean(name, known)} "
        f"The parameters are {', '.join(sorted(known))}."
    )
