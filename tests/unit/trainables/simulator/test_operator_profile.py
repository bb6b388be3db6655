from pathlib import Path

import pytest

from scoot_ray.core.errors import StudyError
from trainables.simulator.operator_profile import load_operator_profile

HEADER = (
    "num_tensor_parallel_workers,num_tokens,emb_ms,input_layernorm_ms,attn_pre_proj_ms,"
    "attn_rope_ms,attn_post_proj_ms,post_attention_layernorm_ms,mlp_up_proj_ms,mlp_act_ms,"
    "mlp_down_proj_ms,add_ms"
)


def row(degree: object, num_tokens: object, ms: object = 1.0) -> str:
    return f"{degree},{num_tokens}," + ",".join([str(ms)] * 10)


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "profile.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_times_are_interpolated_and_extrapolated_in_tokens(tmp_path: Path) -> None:
    path = write(tmp_path, row(1, 8, 1.0), row(1, 16, 2.0), row(1, 32, 3.0), row(2, 1), row(2, 9))
    operators = load_operator_profile(path).operators(1)
    # Four products of a layer, and six elementwise operators: the addition counts twice.
    at = {n: operators.linear_s(n) / 4e-3 for n in (1, 8, 12, 16, 24, 32, 64)}
    assert at == pytest.approx({1: 1.0, 8: 1.0, 12: 1.5, 16: 2.0, 24: 2.5, 32: 3.0, 64: 5.0})
    assert operators.elementwise_s(12) == pytest.approx(6 * 1.5e-3)


def test_a_degree_that_was_not_measured_is_an_error(tmp_path: Path) -> None:
    profile = load_operator_profile(write(tmp_path, row(1, 1), row(1, 2), row(4, 1), row(4, 2)))
    with pytest.raises(StudyError, match=r"tensor_parallel_size=2.*has 1, 4"):
        profile.operators(2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "got none"),
        ([row(1, 1)], "two rows or more"),
        ([row(1, 1), row(1, 1)], r"line 3: num_tokens=1 follows 1; expected ascending"),
        ([row(1, 4), row(1, 2)], r"line 3: num_tokens=2 follows 4"),
        ([row(1, 1), row(1, 2, "fast")], r"line 3: attn_pre_proj_ms: .*'fast'"),
        ([row(1, 1), row(1, 2, -1)], r"line 3: attn_pre_proj_ms: expected milliseconds >= 0"),
        ([row(1, 1), row(1, 2, "nan")], "line 3: attn_pre_proj_ms"),
        ([row(1, 1), row(1, 2, "")], "line 3: attn_pre_proj_ms"),
        ([row(1, 1), "1,2,0.1"], "line 3: attn_pre_proj_ms: .*None"),
        ([row(1, 1), row(1, 1.5)], r"line 3: num_tokens: expected a whole number >= 1"),
        ([row(0, 1), row(0, 2)], "line 2: num_tensor_parallel_workers"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(StudyError, match=message) as raised:
        load_operator_profile(write(tmp_path, *rows))
    assert "profile.csv" in str(raised.value)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    header = HEADER.replace("mlp_act_ms,", "").replace("add_ms", "sum_ms")
    path = write(tmp_path, row(1, 1), header=header)
    with pytest.raises(StudyError, match="line 1: the header lacks mlp_act_ms, add_ms; expected"):
        load_operator_profile(path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot read the profile"):
        load_operator_profile(tmp_path / "absent.csv")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="expected a CSV file"):
        load_operator_profile(binary)
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(StudyError, match="line 1: the header lacks"):
        load_operator_profile(empty)
