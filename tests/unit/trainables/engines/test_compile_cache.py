from trainables.engines.compile_cache import CACHES, cache_environment


def test_trials_of_a_study_share_the_users_own_folder() -> None:
    env = cache_environment("bot", {"XDG_CACHE_HOME": "/home/me/cache"})
    assert env.keys() == CACHES.keys()
    assert env["VLLM_CACHE_ROOT"] == "/home/me/cache/scoot-ray/bot/vllm"
    assert len(set(env.values())) == len(env)
    assert cache_environment("sql", {})["TRITON_CACHE_DIR"].endswith("/scoot-ray/sql/triton")


def test_what_the_person_has_set_stays() -> None:
    assert "TRITON_CACHE_DIR" not in cache_environment("bot", {"TRITON_CACHE_DIR": "/fast"})
