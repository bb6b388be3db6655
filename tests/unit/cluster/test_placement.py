"""The bundle that a trial claims."""

import pytest

from cluster.placement import placement_group_factory


@pytest.mark.parametrize("num_gpus", [1, 2, 8])
def test_one_packed_bundle_with_all_gpus_of_a_replica(num_gpus: int) -> None:
    factory = placement_group_factory(num_gpus)
    assert factory.bundles == [{"CPU": 1.0, "GPU": float(num_gpus)}]
    assert factory.strategy == "STRICT_PACK"
