"""The benchmark on this machine's GPU, without one."""

import pytest

from benchmarks.gpu.__main__ import known_name
from scoot_ray.core.errors import StudyError


def test_a_gpu_goes_by_its_name_in_the_table() -> None:
    assert known_name({"name": "NVIDIA H100 80GB HBM3"}) == "H100"


def test_a_gpu_whose_defaults_would_be_guessed_is_refused() -> None:
    with pytest.raises(StudyError, match=r"'NVIDIA GH200 480GB' is not known.*hardware\.py"):
        known_name({"name": "NVIDIA GH200 480GB"})
