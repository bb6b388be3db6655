import pytest

from scoot_ray.core.errors import StudyError
from trainables.hardware import ACCELERATORS, find_accelerator


def test_every_name_finds_itself() -> None:
    for accelerator in ACCELERATORS:
        assert find_accelerator(accelerator.name) is accelerator
        assert find_accelerator(accelerator.name.lower()) is accelerator


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("a100-80g", "A100-80GB"),
        ("A100", "A100-40GB"),
        ("nvidia_h100", "H100"),
        ("AMD-Instinct-MI300X-OAM", "MI300X"),
    ],
)
def test_common_spellings_are_accepted(alias: str, name: str) -> None:
    assert find_accelerator(alias).name == name


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(StudyError, match=r"Did you mean H100\?"):
        find_accelerator("H10O")
