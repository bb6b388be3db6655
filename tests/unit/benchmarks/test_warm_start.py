"""What the benchmark of `start_from` makes up: twins that are off, and relatives."""

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.comparison.simulated import SimulatedService, simulated_services
from benchmarks.paired_searches import SERVICES, share_table
from benchmarks.warm_start import SHARES, Row, distorted, relative_of
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.version import V1


def test_every_service_has_a_relative_that_is_a_service_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    trace = tmp_path_factory.mktemp("azure") / "trace.csv"
    trace.touch()  # nothing is read
    known: dict[str, SimulatedService] = {s.name: s for s in simulated_services(trace)}
    for name in SERVICES:
        relative = relative_of(known[name])
        assert relative.name in known
        assert relative.accelerator != known[name].accelerator
        assert (relative.workload, relative.base_space) == (
            known[name].workload,
            known[name].base_space,
        )


def test_constants_are_off_by_as_much_as_was_asked_for() -> None:
    exact = distorted(V1.host, np.random.default_rng(0), 0.0)
    assert exact.efficiency == Efficiency()
    assert exact.host_of(V1) == V1.host
    off = distorted(V1.host, np.random.default_rng(0), 0.5)
    assert off == distorted(V1.host, np.random.default_rng(0), 0.5)
    new, old = asdict(off.efficiency), asdict(Efficiency())
    assert all(0 < new[name] <= 1 for name in SHARES)
    logs = [np.log(new[name] / old[name]) for name in new if name not in SHARES]
    assert 0.2 < np.std(logs) < 1.0


def test_shares_and_paired_differences_are_told() -> None:
    rows = [
        Row("a", seed, source, (0.0, gain, 0.2, 0.4), 1)
        for seed in (0, 1)
        for source, gain in (("nothing", 0.1), ("twin, 0.5", 0.3))
    ]
    table = share_table(rows, {"twin, 0.5": "nothing"}, (1, 3, 30))
    cells = [list(column.cells) for column in table.columns]
    assert cells[1] == ["25 ± 0", "75 ± 0", "+50 ± 0"]  # after one
    assert cells[2] == ["100 ± 0", "100 ± 0", "+0 ± 0"]  # after three
