"""The seam behind which an engine states its parameters, defaults and known constraints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.space import Config, IntegerParameter, Parameter
from trainables.hardware import Accelerator
from trainables.model import ModelShape


@dataclass(frozen=True)
class Deployment:
    """Say what an engine's parameters depend on.

    Attributes:
        num_gpus: GPUs that the service owns.
        min_tensor_parallel_size: The fewest of them that hold the model.
        max_model_len: Prompt and output tokens that the model holds together.
        accelerator: Their kind, if it is known.
        model: The model's shape, if it is known.
    """

    num_gpus: int
    min_tensor_parallel_size: int
    max_model_len: int
    accelerator: Accelerator | None
    model: ModelShape | None


@dataclass(frozen=True)
class Rule:
    """State a known constraint on all of an engine's parameters, tuned or not."""

    name: str
    holds: Callable[[Mapping[str, Any]], bool]
    reason: str


class BaseSpace(Protocol):
    """Describe an engine version's parameters for one deployment."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that are worth tuning."""
        ...

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What the engine demands of its parameters together."""
        ...

    def complete(self, config: Config) -> dict[str, Any]:
        """Add the value that the engine gives to each parameter that `config` leaves out."""
        ...


@dataclass(frozen=True)
class NoSpace:
    """A server that is taken as it is; it has all GPUs of the service."""

    deployment: Deployment
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[Rule, ...] = ()

    def complete(self, config: Config) -> dict[str, Any]:
        """Add what the rest of the program asks of every engine."""
        return {
            "tensor_parallel_size": self.deployment.num_gpus,
            "max_model_len": self.deployment.max_model_len,
            **config,
        }


def tensor_parallel_parameter(deployment: Deployment) -> IntegerParameter:
    """Return the parameter that every engine has: powers of two from the fewest GPUs to all."""
    smallest_size = deployment.min_tensor_parallel_size
    return IntegerParameter("tensor_parallel_size", smallest_size, deployment.num_gpus, log2=True)


def heads_divide(deployment: Deployment) -> tuple[Rule, ...]:
    """Return the rule that every engine has on how a model is split; none for an unknown model."""
    if deployment.model is None:
        return ()
    divides = partial(_heads_divide, deployment.model.fits_tensor_parallel)
    reason = "tensor_parallel_size must divide the model's attention heads."
    return (Rule("tensor_parallel_size_divides_heads", divides, reason),)


def _heads_divide(fits: Callable[[int], bool], values: Mapping[str, Any]) -> bool:
    return fits(values["tensor_parallel_size"])


@dataclass(frozen=True)
class CompletedRule:
    """A rule as a predicate on the tuned parameters; a dataclass, so that it can be pickled.

    Parameters that are not tuned have their fixed value, or the engine's default.
    """

    rule: Rule
    base: BaseSpace
    fixed: Mapping[str, Any]

    def __call__(self, config: Config) -> bool:
        """Tell whether the rule holds."""
        return self.rule.holds(self.base.complete({**self.fixed, **config}))


def known_constraint(rule: Rule, base: BaseSpace, fixed: Mapping[str, Any]) -> KnownConstraint:
    """Turn a rule into a constraint on the tuned parameters."""
    return KnownConstraint(rule.name, CompletedRule(rule, base, fixed), rule.reason)
