"""Where GPU time goes, on schedules whose shares are known."""

from benchmarks.utilisation import Utilisation
from tests.unit.benchmarks.schedules import trial


def test_a_gap_between_two_trials() -> None:
    found = Utilisation.of([trial(0, 1, 0, 4), trial(1, 1, 5, 10)], num_gpus=1, parallelism=1)
    assert (found.held, found.between_trials) == (0.9, 0.1)


def test_gpus_kept_free_for_a_large_trial() -> None:
    trials = [trial(0, 1, 0, 5), trial(1, 1, 0, 10), trial(2, 2, 10, 20)]
    found = Utilisation.of(trials, num_gpus=2, parallelism=2)
    assert found.reserved == 5 / 40
    assert found.between_trials == 0


def test_more_gpus_than_trials_may_hold() -> None:
    found = Utilisation.of([trial(0, 1, 0, 10)], num_gpus=4, parallelism=1)
    assert found.beyond_degree == 0.75
