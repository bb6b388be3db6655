"""Do bundles that wait for GPUs get them in turn? Ray's placement groups alone, without studies.

    python -m benchmarks.bundle_turns

Thirty claimants share four logical GPUs of a real head for a minute each way: with Ray's own pauses
between tries, and with the short ones of the manifests that we render. A claimant takes one GPU,
keeps it for about two seconds, and asks again; as in Ray Tune, it gives the GPU back a second
later.
"""

import time
from collections.abc import Sequence

import numpy as np
import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.many_studies import RETRY_VARIABLE, fairness
from tests.ray_head import ray_head

POLL_S = 0.02
RELEASE_S = 1.0


def main(claimants: int = 30, num_gpus: int = 4, duration_s: float = 60.0) -> None:
    """Count the turns of each claimant with both pauses, and print how they spread."""
    shown = Table(title=f"{claimants} claimants on {num_gpus} logical GPUs for {duration_s:g} s")
    for heading in ("longest pause, ms", "turns: least", "median", "most", "Jain's index"):
        shown.add_column(heading)
    for pause_ms in (1000, 100):
        variables = {RETRY_VARIABLE: str(pause_ms)}
        with ray_head(num_cpus=16, num_gpus=num_gpus, variables=variables) as head:
            ray.init(head.address, log_to_driver=False)
            turns = sorted(take_turns(claimants, duration_s))
            ray.shutdown()
        middle = turns[len(turns) // 2]
        row = (pause_ms, turns[0], middle, turns[-1], f"{fairness(turns):.2f}")
        shown.add_row(*map(str, row))
    Console().print(shown)


def take_turns(claimants: int, duration_s: float) -> Sequence[int]:
    """Return how many turns each claimant began."""
    rng = np.random.default_rng(0)
    turns = [0] * claimants
    waiting = {number: _ask() for number in range(claimants)}
    holding: dict[int, tuple[PlacementGroup, float]] = {}
    leaving: list[tuple[PlacementGroup, float]] = []
    end_s = time.monotonic() + duration_s
    while (now_s := time.monotonic()) < end_s:
        for number in [n for n, group in waiting.items() if group.wait(0.001)]:
            turns[number] += 1
            holding[number] = waiting.pop(number), now_s + rng.uniform(1.5, 2.5)
        for number in [n for n, (_, until_s) in holding.items() if until_s <= now_s]:
            leaving.append((holding.pop(number)[0], now_s + RELEASE_S))
            waiting[number] = _ask()
        for group, _ in [each for each in leaving if each[1] <= now_s]:
            remove_placement_group(group)
        leaving = [each for each in leaving if each[1] > now_s]
        time.sleep(POLL_S)
    return turns


def _ask() -> PlacementGroup:
    group: PlacementGroup = placement_group([{"GPU": 1}], strategy="STRICT_PACK")
    return group


if __name__ == "__main__":
    run_command(main)
