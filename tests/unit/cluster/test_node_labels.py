"""Node labels: conditions as Ray reads them, and accelerators under their two names."""

import pytest

from cluster.node_labels import ACCELERATOR, accelerator_selector, admits, is_same_accelerator


@pytest.mark.parametrize(
    ("condition", "admitted"),
    [("spot", "spot"), ("!spot", "on-demand"), ("in(spot, x)", "spot"), ("!in(spot,x)", None)],
)
def test_conditions(condition: str, admitted: str | None) -> None:
    labels = {} if admitted is None else {"market": admitted}
    assert admits({"market": condition}, labels)
    other = {"market": "other" if not condition.startswith("!") else "spot"}
    assert not admits({"market": condition}, other)


@pytest.mark.parametrize(
    ("ray_name", "name", "expected"),
    [
        ("A100", "A100-80GB", True),
        ("A100-80G", "A100-80GB", True),
        ("A100-40G", "A100-80GB", False),
        ("A10G", "A100-80GB", False),
        ("H100", "H200", False),
        ("L4", "L40S", False),
        ("AMD-Instinct-MI300X-OAM", "MI300X", True),
        ("B200", "b200", True),
    ],
)
def test_rays_accelerator_types(ray_name: str, name: str, expected: bool) -> None:
    assert is_same_accelerator(ray_name, name) is expected


def test_a_selector_is_made_only_where_there_is_something_to_choose() -> None:
    a100, h100 = {ACCELERATOR: "A100"}, {ACCELERATOR: "H100"}
    assert accelerator_selector("A100-80GB", [a100, a100, {}]) == {}
    assert accelerator_selector("A100-80GB", []) == {}
    assert accelerator_selector("A100-80GB", [a100, h100]) == {ACCELERATOR: "in(A100)"}
