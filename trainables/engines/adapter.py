"""The seam behind which engines differ: their command line, environment, log and counters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.address import Address
from trainables.engines.installed import InstalledEngine
from trainables.engines.launch import LaunchCommand
from trainables.failure import FailureRule


class Adapter(Protocol):
    """Describe one kind of inference server; it holds no state.

    Attributes:
        name: As people call it.
        default_space: The base space of its current version.
        max_model_len_name: What it calls the tokens of the longest sequence.
        has_twin: The embedded simulator is a twin of it.
        failure_rules: What its log says when a known failure happens, most telling rule first.
        last_words: What its log says once it is lost, however long it takes to end; regular
            expressions.
        counters: What its /metrics page calls the counters that we read, by our names.
        address: Makes the address on which one replica of a trial, by its number, listens.
    """

    name: str
    default_space: str
    max_model_len_name: str
    has_twin: bool
    failure_rules: Sequence[FailureRule]
    last_words: Sequence[str]
    counters: Mapping[str, str]
    address: Callable[[int], Address]

    def launch_command(self, engine: EngineSection, config: Config) -> LaunchCommand:
        """Return the command that serves the study's model with a configuration.

        Args:
            engine: Which Python, model and fixed flags.
            config: The tuned parameters; they win over fixed flags of the same name.
        """
        ...

    def environment(
        self, study: Study, config: Config, inherited: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the whole environment of the server, the study's own variables last."""
        ...

    def installed(self, python: str) -> InstalledEngine:
        """Ask an interpreter for its engine's version and arguments.

        Raises:
            EngineError: If the interpreter or the engine is not there.
        """
        ...
