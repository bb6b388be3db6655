"""Everything that can be compared, by name: ours, its parts, controls, peers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from benchmarks.comparison.controls import RepeatedDefault, without_feasibility
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.peer_search import PeerSearch
from benchmarks.comparison.valid_box import ValidBox
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import SearchSpace
from searchers import OPTIMIZERS, Optimizer, make_optimizer, those_of
from searchers.log_space import log_space
from searchers.random_search import RandomSearch
from searchers.rules_of_thumb import rules_of_thumb
from searchers.scoot import scoot_search
from searchers.scoot_paper import paper_search
from searchers.warm_start import WarmStart

REPEATED_DEFAULT = "repeated_default"


@dataclass(frozen=True)
class Setting:
    """Hold what every algorithm is made from.

    Attributes:
        batch_size: Trials that are awaited together; 1 where suggestions do not come in batches.
    """

    space: SearchSpace
    objectives: Sequence[Objective]
    seed: int
    budget: int
    environment: PeerEnvironment
    batch_size: int


class Algorithm(Protocol):
    """Make an optimiser for the length of one search."""

    @property
    def in_batches(self) -> bool:
        """Tell whether suggestions come in batches, each asked for when the last is over."""
        ...

    @contextmanager
    def running(self, setting: Setting) -> Iterator[Optimizer]:
        """Hold the optimiser."""
        ...


@dataclass(frozen=True)
class InProcess:
    """An algorithm that runs in this process."""

    make: Callable[[Setting], Optimizer]
    in_batches: bool = False

    @contextmanager
    def running(self, setting: Setting) -> Iterator[Optimizer]:
        """Hold the optimiser."""
        yield self.make(setting)


@dataclass(frozen=True)
class Peer:
    """A published tool, in a process of the peers' environment.

    Attributes:
        num_initial: Its own default number of initial points.
        packages: What is to be told as its version.
    """

    tool: str
    num_initial: Callable[[Setting], int]
    packages: tuple[str, ...]
    in_batches: bool = False

    @contextmanager
    def running(self, setting: Setting) -> Iterator[Optimizer]:
        """Hold the optimiser, and its process."""
        with setting.environment.start() as process:
            yield PeerSearch(
                process,
                self.tool,
                ValidBox(setting.space),
                setting.space,
                setting.objectives,
                setting.seed,
                self.num_initial(setting),
                setting.budget,
            )


class PeerWithRules(Peer):
    """A published tool that tries `scoot`'s rules of thumb right after the default."""

    @contextmanager
    def running(self, setting: Setting) -> Iterator[Optimizer]:
        """Hold the optimiser, and its process."""
        with super().running(setting) as optimizer:
            yield _with_rules(optimizer, setting)


def _with_rules(optimizer: Optimizer, setting: Setting) -> Optimizer:
    return WarmStart(optimizer, setting.space, rules_of_thumb(setting.space))


def _random_log(setting: Setting) -> Optimizer:
    return RandomSearch(log_space(setting.space), setting.objectives, seed=setting.seed)


def _named(name: str) -> Callable[[Setting], Optimizer]:
    return lambda s: make_optimizer(
        name, s.space, s.objectives, seed=s.seed, **those_of(name, batch_size=s.batch_size)
    )


OURS: Mapping[str, Algorithm] = {
    # The paper tests k configurations at a time; all others are asked whenever a slot is free.
    name: InProcess(_named(name), in_batches=name == "scoot_paper")
    for name in OPTIMIZERS
}
CONTROLS: Mapping[str, Algorithm] = {
    REPEATED_DEFAULT: InProcess(lambda s: RepeatedDefault(s.space)),
    "random_log": InProcess(_random_log),
    "random_log_with_rules": InProcess(lambda s: _with_rules(_random_log(s), s)),
    "scoot_without_rules": InProcess(
        lambda s: replace(scoot_search(s.space, s.objectives, seed=s.seed), advice=())
    ),
    "scoot_without_forest": InProcess(
        lambda s: without_feasibility(scoot_search(s.space, s.objectives, seed=s.seed))
    ),
    "scoot_paper_without_forest": InProcess(
        lambda s: without_feasibility(
            paper_search(s.space, s.objectives, seed=s.seed, batch_size=s.batch_size)
        ),
        in_batches=True,
    ),
}
PEERS: Mapping[str, Peer] = {
    "optuna_tpe": Peer("optuna_tpe", lambda _: 10, ("optuna",)),
    "optuna_gp": Peer("optuna_gp", lambda _: 10, ("optuna",)),
    "optuna_gp_with_rules": PeerWithRules("optuna_gp", lambda _: 10, ("optuna",)),
    "hebo": Peer("hebo", lambda s: 1 + s.space.dim, ("hebo",)),
    "ax": Peer("ax", lambda _: 5, ("ax-platform", "botorch")),
    "smac": Peer("smac", lambda s: min(10 * s.space.dim, s.budget // 4), ("smac",)),
}
ALGORITHMS: Mapping[str, Algorithm] = {**OURS, **CONTROLS, **PEERS}


def peer_packages(names: Sequence[str]) -> list[str]:
    """List the packages whose versions say what the peers among `names` are."""
    packages: dict[str, Any] = {}
    for name in names:
        packages |= dict.fromkeys(PEERS[name].packages if name in PEERS else ())
    return list(packages)
