import pytest

from trainables.engines.counters import parse_counters, work_done
from trainables.engines.vllm import COUNTERS

# Lines that vLLM 0.32 wrote.
PAGE = """\
# HELP vllm:num_preemptions_total Cumulative number of preemption from the engine.
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{engine="0",model_name="tiny-llama"} 2.0
vllm:num_preemptions_created{engine="0",model_name="tiny-llama"} 1.763e+09
vllm:prefix_cache_queries_total{engine="0",model_name="tiny-llama"} 4000.0
vllm:prefix_cache_hits_total{engine="0",model_name="tiny-llama"} 1000.0
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="tiny-llama"} 99.0
vllm:iteration_tokens_total_count{engine="0",model_name="tiny-llama"} 120.0
vllm:iteration_tokens_total_sum{engine="0",model_name="tiny-llama"} 5000.0
"""


def test_counters_are_found_among_the_rest() -> None:
    assert parse_counters(PAGE, COUNTERS) == {
        "num_engine_steps": 120.0,
        "num_preemptions": 2.0,
        "prefix_cache_queries": 4000.0,
        "prefix_cache_hits": 1000.0,
    }


def test_replicas_behind_one_page_are_summed() -> None:
    page = PAGE + PAGE.replace('engine="0"', 'engine="1"')
    assert parse_counters(page, COUNTERS)["num_engine_steps"] == 240.0


@pytest.mark.parametrize("page", ["", "<html>not found</html>", "a b c\n\n"])
def test_other_pages_have_none(page: str) -> None:
    assert parse_counters(page, COUNTERS) == {}


def test_work_is_the_difference_of_two_readings() -> None:
    before = parse_counters(PAGE, COUNTERS)
    after = {name: 1.5 * value for name, value in before.items()}
    assert work_done(before, after) == {
        "num_engine_steps": 60.0,
        "num_preemptions": 1.0,
        "prefix_cache_hit_rate": 0.25,
    }
    assert work_done(before, before) == {"num_engine_steps": 0.0, "num_preemptions": 0.0}
    assert work_done({}, after) == {}
