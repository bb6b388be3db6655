"""A server that somebody else started: it is only measured."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from scoot_ray.core.errors import EngineError, StudyError
from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.address import Address, LoopbackPort
from trainables.engines.endpoint import Endpoint
from trainables.engines.installed import InstalledEngine
from trainables.engines.launch import LaunchCommand
from trainables.failure import FailureRule
from trainables.message import COMPLETIONS
from trainables.prompts import FIRST_ORDINARY_TOKEN

PROBE_TOKENS = 8


class Running:
    """Any OpenAI-compatible server; there is nothing to launch or to set."""

    name = "an OpenAI-compatible server"
    default_space = "none"
    max_model_len_name = "max_model_len"
    has_twin = False
    failure_rules: Sequence[FailureRule] = ()
    last_words: Sequence[str] = ()
    counters: Mapping[str, str] = {}
    address: Callable[[int], Address] = LoopbackPort

    def launch_command(self, engine: EngineSection, config: Config) -> LaunchCommand:
        """Refuse: nobody here knows how it was started."""
        raise StudyError("engine.kind: openai is a server that is up already; it has no command.")

    def environment(
        self, study: Study, config: Config, inherited: Mapping[str, str]
    ) -> dict[str, str]:
        """Refuse, as `launch_command` does."""
        raise StudyError("engine.kind: openai is a server that is up already.")

    def installed(self, python: str) -> InstalledEngine:
        """Refuse, as `launch_command` does."""
        raise StudyError("engine.kind: openai is a server that is up already.")


class RunningEngine:
    """Measure the server at `engine.base_url`; starting and stopping it is left to others."""

    failure_rules: Sequence[FailureRule] = ()

    def __init__(self, study: Study, folder: Path) -> None:
        self._study = study
        self._folder = folder

    @property
    def log(self) -> Path:
        """A file that is never written: the server's log is elsewhere."""
        return self._folder / "engine.log"

    async def start(self, config: Config) -> Endpoint:
        """Return where the server answers.

        Raises:
            EngineError: If it does not; nobody here is starting it, so waiting is of no use.
        """
        engine = self._study.engine
        endpoint = Endpoint(
            engine.model,
            url=server_url(engine),
            health_path="/v1/models",
            headers=authorization(engine),
        )
        if not await endpoint.is_healthy():
            raise EngineError(
                f"{endpoint.health_url} does not answer with status 200; check engine.base_url, "
                "the key that engine.api_key_env names, and that the server is up."
            )
        return replace(endpoint, takes_token_ids=await takes_token_ids(endpoint))

    async def wait_exit(self) -> int | None:
        """Wait for ever: its process is not ours to watch."""
        await asyncio.Event().wait()
        return None

    async def stop(self) -> None:
        """Leave the server as it is."""


async def takes_token_ids(endpoint: Endpoint) -> bool:
    """Ask a server for a completion of a few token ids, which not every server takes."""
    prompt = [FIRST_ORDINARY_TOKEN + number for number in range(PROBE_TOKENS)]
    content = {"model": endpoint.model, "prompt": prompt, "max_tokens": 1}
    return not await endpoint.refuses(COMPLETIONS, json.dumps(content).encode())


def server_url(engine: EngineSection) -> str:
    """Return the address without the version: `http://host:8000` of `http://host:8000/v1/`.

    Raises:
        StudyError: If none is stated.
    """
    if engine.base_url is None:
        raise StudyError(
            "engine.base_url: is missing; write where the server answers, such as "
            "http://localhost:8000/v1."
        )
    return engine.base_url.rstrip("/").removesuffix("/v1")


def authorization(engine: EngineSection) -> dict[str, str]:
    """Return the header with the key that the named variable holds.

    Raises:
        StudyError: If the variable is not set.
    """
    if engine.api_key_env is None:
        return {}
    key = os.environ.get(engine.api_key_env)
    if not key:
        raise StudyError(
            f"engine.api_key_env: the variable {engine.api_key_env} is not set; export it with the "
            "server's API key."
        )
    return {"Authorization": f"Bearer {key}"}
