"""The bundle that a trial claims."""

import pytest

from cluster.placement import placement_group_factory


@pytest.mark.parametrize("tensor_parallel_size", [1, 2, 8])
def test_one_packed_bundle_sized_to_tensor_parallel(tensor_parallel_size: int) -> None:
    factory = placement_group_factory({"tensor_parallel_size": tensor_parallel_size})
    assert factory.bundles == [{"CPU": 1.0, "GPU": float(tensor_parallel_size)}]
    assert factory.strategy == "STRICT_PACK"


def test_one_gpu_where_the_degree_is_not_tuned() -> None:
    assert placement_group_factory({"max_num_seqs": 8}).bundles == [{"CPU": 1.0, "GPU": 1.0}]
