from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.step_cost import main, relative_errors
from benchmarks.step_cost import read_profile as read_measured
from trainables.hardware import ACCELERATORS, Accelerator, find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.operator_profile import ELEMENTWISE, LINEAR
from trainables.simulator.operators import RooflineOperators

PROFILE = Path(__file__).parents[5] / "shared" / "data" / "a100_llama2_7b_linear_ops.csv"
LLAMA = load_model_shape("meta-llama/Llama-2-7b-hf")
MIXTRAL = load_model_shape("mistralai/Mixtral-8x7B-v0.1")


@pytest.fixture(scope="module")
def errors() -> pd.DataFrame:
    if not PROFILE.exists():
        pytest.skip("the profile of ../shared/data is not here")
    return relative_errors(read_measured(PROFILE), "A100-80GB", LLAMA.name)


def test_products_are_within_15_percent_of_the_profile(errors: pd.DataFrame) -> None:
    linear = errors[errors.num_tokens >= 32].linear.abs()
    assert linear.mean() < 0.06
    # The rest are 16 rows at two sizes where cuBLAS took kernels that are slower than those it
    # takes for larger sizes (tensor_parallel_size 4 from 264 tokens, and 8 from 792).
    assert (linear <= 0.15).mean() > 0.98
    assert linear.max() < 0.21


def test_products_of_few_tokens_are_within_30_percent_of_the_profile(errors: pd.DataFrame) -> None:
    few = errors[errors.num_tokens < 32].linear.abs()
    assert len(few) > 0
    assert few.max() < 0.30


def test_elementwise_operators_are_within_30_percent_of_the_profile(errors: pd.DataFrame) -> None:
    elementwise = errors.elementwise.abs()
    assert elementwise.mean() < 0.12
    assert (elementwise < 0.30).mean() > 0.99


def test_the_benchmark_reads_vidurs_layout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {f"time_stats.{name}.median": [0.1, 0.3, 0.2] for name in (*LINEAR, *ELEMENTWISE)}
    sizes = {"num_tensor_parallel_workers": [1, 1, 1], "num_tokens": [64, 64, 1]}
    path = tmp_path / "mlp.csv"
    pd.DataFrame(columns | sizes).to_csv(path)
    assert read_measured(path).mlp_act.tolist() == pytest.approx([2e-4, 2e-4])
    main(path, model=LLAMA.name, accelerator="A100-80GB")
    assert "mlp_up_proj" in capsys.readouterr().out


@given(accelerator=st.sampled_from(ACCELERATORS), num_tokens=st.integers(1, 8192))
def test_more_gpus_never_make_a_gpus_share_dearer(
    accelerator: Accelerator, num_tokens: int
) -> None:
    operators = [RooflineOperators(LLAMA, accelerator, t) for t in (1, 2, 4, 8)]
    linear = [of_degree.linear_s(num_tokens) for of_degree in operators]
    assert linear == sorted(linear, reverse=True)
    elementwise = [of_degree.elementwise_s(num_tokens) for of_degree in operators]
    assert elementwise == sorted(elementwise, reverse=True)
    # Norms are replicated: eight GPUs do not make them eight times as fast.
    assert elementwise[0] < 8 * elementwise[3]


@given(
    name=st.sampled_from([LLAMA.name, MIXTRAL.name]),
    num_tokens=st.integers(1, 4096),
    more=st.integers(1, 4096),
)
def test_more_tokens_never_cost_less(name: str, num_tokens: int, more: int) -> None:
    operators = RooflineOperators(load_model_shape(name), find_accelerator("H100"), 2)
    assert operators.linear_s(num_tokens + more) >= operators.linear_s(num_tokens)
    assert operators.elementwise_s(num_tokens + more) > operators.elementwise_s(num_tokens)


def test_a_mixture_of_experts_reads_what_its_tokens_visit() -> None:
    accelerator = find_accelerator("H100")
    operators = RooflineOperators(MIXTRAL, accelerator)
    dense = RooflineOperators(load_model_shape("mistralai/Mistral-7B-v0.1"), accelerator)
    # One token visits 2 of 8 experts; 64 visit all of them.
    assert 1.4 < operators.linear_s(1) / dense.linear_s(1) < 2.0
    assert 4.0 < operators.linear_s(64) / dense.linear_s(64) < 8.0
