"""What runs say together, on runs whose answers are known."""

import math

import pytest

from benchmarks.comparison.statistics import Interval, Runs
from benchmarks.comparison.tables import comparison_tables, parallelism_table
from tests.unit.benchmarks.runs import make_run


def test_the_interval_is_students() -> None:
    interval = Interval.of([1.0, 2.0, 3.0])
    assert interval.mean == 2.0
    assert interval.half == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert f"{Interval.of([0.5]).scaled(100):.0f}" == "50 ± ?", "one value has no width"
    assert math.isnan(Interval.of([]).mean)
    assert f"{Interval(0.02, 0.013):+.1%}" == "+2.0% ± 1.3%"


def test_shares_are_of_the_best_that_any_run_reached() -> None:
    runs = Runs([make_run("a", 0, 0.0, 0.4, 0.3), make_run("b", 0, 0.0, 0.1, 0.1)])
    assert runs.best_known == {"closed-online-0": 0.4}
    assert [runs.share(run) for run in runs.runs] == pytest.approx([0.75, 0.25])
    assert runs.share(runs.runs[0], 1) == 1.0


def test_a_service_that_nobody_improves_has_no_share() -> None:
    runs = Runs([make_run("a", 0, 0.0, 0.0)])
    assert runs.share(runs.runs[0]) == 0.0


def test_what_the_judges_cannot_tell_is_a_tie() -> None:
    runs = Runs(
        [
            make_run("repeated_default", 0, 0.0, 0.0, seeming=0.2, doubt=0.05),
            make_run("a", 0, 0.0, 0.50, doubt=0.05),
            make_run("b", 0, 0.0, 0.46, doubt=0.05),
            make_run("c", 0, 0.0, 0.30, doubt=0.05),
        ]
    )
    assert runs.luck == {"closed-online-0": 0.2}
    assert runs.band == {"closed-online-0": 0.05}
    duels = [runs.duel("a", other) for other in ("b", "c")]
    assert [(d.wins, d.ties, d.defeats) for d in duels] == [(0, 1, 0), (1, 0, 0)]
    assert runs.mean_ranks() == {"repeated_default": 4.0, "a": 1.5, "b": 1.5, "c": 3.0}


def test_ranks_and_duels_use_only_what_is_paired() -> None:
    runs = Runs(
        [make_run("a", seed, 0.0, 0.2 + 0.01 * seed) for seed in range(6)]
        + [make_run("b", seed, 0.0, 0.1) for seed in range(5)]
    )
    assert len(runs.complete_blocks()) == 5
    duel = runs.duel("a", "b")
    assert duel.wins == 5
    assert duel.p_value == pytest.approx(2 / 2**5)  # all five signs alike


def test_equal_algorithms_differ_by_chance_only() -> None:
    runs = Runs([make_run(name, seed, 0.0, 0.1) for name in "ab" for seed in range(3)])
    duel = runs.duel("a", "b")
    assert (duel.p_value, duel.ties, duel.difference.mean) == (1.0, 3, 0.0)


def test_observations_are_counted_to_the_best_peers_end() -> None:
    runs = Runs(
        [
            make_run("scoot", 0, 0.0, 0.2, 0.3),
            make_run("optuna_tpe", 0, 0.0, 0.1, 0.2),
            make_run("smac", 0, 0.0, 0.0, 0.1),
        ]
    )
    [table] = [t for t in comparison_tables(runs) if t.title.startswith("By service")]
    needed = {row[1]: row[4] for row in table.rows}
    assert needed == {
        "(ties within)": "",
        "scoot": "1",
        "optuna_tpe": "2",
        "smac": "-",
    }


def test_parallel_degrees_are_held_against_one_at_a_time() -> None:
    one = make_run("scoot", 0, 0.0, 0.1, 0.4, 0.4, 0.4, total_s=800.0)
    four = make_run("scoot", 0, 0.0, 0.1, 0.2, 0.4, 0.4, parallelism=4, total_s=200.0)
    rows = parallelism_table(Runs([one, four])).rows
    assert rows == (
        ("scoot", "1", "100 ± ? %", "+0.0 ± ?", "1.00", "2"),
        ("scoot", "4", "50 ± ? %", "-50.0 ± ?", "0.25", "3"),
    )
