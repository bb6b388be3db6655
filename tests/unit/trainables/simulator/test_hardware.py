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
        # As the driver names them.
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA L40S", "L40S"),
    ],
)
def test_common_spellings_are_accepted(alias: str, name: str) -> None:
    assert find_accelerator(alias).name == name


@pytest.mark.parametrize("name", ["NVIDIA GH200 480GB", "NVIDIA H100 NVL"])
def test_relatives_with_other_memory_are_not_taken_for_a_known_one(name: str) -> None:
    with pytest.raises(StudyError, match="is not known"):
        find_accelerator(name)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(StudyError, match=r"Did you mean H100\?"):
        find_accelerator("H10O")
