"""What is compared: named sets of services, algorithms and parallel degrees.

peers        every algorithm on a balanced set of services
forest       the models of feasibility taken out, on chatbot and classification
parallelism  degrees 1 to 8, with twice the observations, to see how many each needs
vidur        on an engine model that is not ours, which has to be installed
quick        two minutes: three closed-form services, three seeds, no peers
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.comparison.algorithms import OURS, PEERS, REPEATED_DEFAULT

BALANCED = (
    "bot-7b-2xA10-v0",
    "bot-7b-4xL40S-v1",
    "bot-13b-2xA100-80GB-v1",
    "bot-13b-4xH100-v0",
    "azure-7b-2xL40S-v1",
    "azure-7b-4xA10-v0",
    "azure-13b-2xH100-v1",
    "azure-13b-4xA100-80GB-v0",
    "sql-7b-2xA10-v1",
    "sql-7b-4xA100-80GB-v0",
    "sql-13b-2xL40S-v0",
    "sql-13b-4xA10-v1",
    "rec-7b-2xL40S-v0",
    "rec-7b-4xA10-v1",
    "rec-13b-2xA100-80GB-v1",
    "rec-13b-4xH100-v0",
    "cls-7b-2xA10-v1",
    "cls-7b-4xL40S-v0",
    "cls-13b-2xA100-80GB-v0",
    "cls-13b-4xA10-v1",
)
"""Of each workload four: both models, both numbers of GPUs and both spaces twice, and three or
four accelerators."""


@dataclass(frozen=True)
class Experiment:
    """Name a comparison; every entry is a default that the command line can replace."""

    services: tuple[str, ...]
    algorithms: tuple[str, ...]
    parallelism: tuple[int, ...] = (1,)
    seeds: int = 10
    observations: int = 30


EXPERIMENTS: Mapping[str, Experiment] = {
    "peers": Experiment(
        BALANCED,
        (
            *OURS,
            "scoot_without_rules",
            REPEATED_DEFAULT,
            "random_log",
            "random_log_with_rules",
            *PEERS,
        ),
    ),
    "forest": Experiment(
        tuple(name for name in BALANCED if name.startswith(("bot-", "cls-"))),
        ("scoot", "scoot_without_forest", "scoot_paper", "scoot_paper_without_forest", "random"),
    ),
    "parallelism": Experiment(
        BALANCED, ("scoot", "scoot_paper", "random"), parallelism=(1, 2, 4, 8), observations=60
    ),
    "vidur": Experiment(
        (
            "vidur-bot-7b-4xA100",
            "vidur-bot-70b-8xH100",
            "vidur-sql-34b-4xA100",
            "vidur-sql-20b-4xH100",
            "vidur-rec-34b-8xH100",
            "vidur-cls-20b-4xA100",
        ),
        (
            "scoot",
            "scoot_without_rules",
            "scoot_paper",
            "random",
            "random_log_with_rules",
            "optuna_gp",
            "optuna_tpe",
        ),
    ),
    "quick": Experiment(
        ("closed-*-100",),
        ("scoot", "scoot_paper", "genetic", "random", REPEATED_DEFAULT),
        seeds=3,
    ),
}
