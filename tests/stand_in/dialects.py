"""How each engine reads its command line: unknown words fail as in the real one, by a real list."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

import yaml

FOLDER = Path(__file__).parent
TYPES = {"int": int, "float": float, "str": str}


@dataclass(frozen=True)
class Launch:
    """What the stand-in does with a command line that it understood.

    Attributes:
        model: The model's name, a mark on the command line.
        address: Where to listen, as `aiohttp.web.run_app` takes it.
        refusal: What the engine says of this configuration before it exits; empty if nothing.
        last_words: What it writes when it runs out of memory under load.
        greeting: What it writes when it is ready.
        warm_up_s: Seconds in which /health answers 503.
    """

    model: str
    address: Mapping[str, Any]
    refusal: str = ""
    last_words: str = "torch.OutOfMemoryError: CUDA out of memory."
    greeting: str = ""
    warm_up_s: float = 0.0
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Dialect(Protocol):
    """One engine's command line."""

    def parameters(self) -> list[str]:
        """The names that the engine knows."""
        ...

    def read(self, words: Sequence[str]) -> Launch:
        """Understand a command line, or exit as the engine does."""
        ...


class VllmDialect:
    """`-m vllm.entrypoints.openai.api_server`; the flags that tests use."""

    def parameters(self) -> list[str]:
        return [action.dest for action in self._parser()._actions]

    def read(self, words: Sequence[str]) -> Launch:
        flags = self._parser().parse_args(words)
        refusal = ""
        if flags.max_num_batched_tokens < flags.max_num_seqs:
            refusal = (
                f"ValueError: max_num_batched_tokens ({flags.max_num_batched_tokens}) must be "
                f"greater than or equal to max_num_seqs ({flags.max_num_seqs})."
            )
        return Launch(
            flags.model,
            {"path": flags.uds},
            refusal,
            last_words="ERROR 11-21 03:34:45 [core.py:1] torch.OutOfMemoryError: out of memory",
        )

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(prog="api_server.py", allow_abbrev=False)
        parser.add_argument("--model")
        parser.add_argument("--uds")
        parser.add_argument("--max-num-seqs", type=int, default=128)
        parser.add_argument("--max-num-batched-tokens", type=int, default=2048)
        parser.add_argument("--tensor-parallel-size", type=int, default=1)
        parser.add_argument("--max-model-len", type=int)
        parser.add_argument("--block-size", type=int)
        parser.add_argument("--long-prefill-token-threshold", type=int)
        for name in ("--enable-chunked-prefill", "--enable-prefix-caching", "--enforce-eager"):
            parser.add_argument(name, action=argparse.BooleanOptionalAction)
        return parser


class SglangDialect:
    """`-m sglang.launch_server`, with the flags that `read_sglang_flags.py` read."""

    def parameters(self) -> list[str]:
        options = [flag for action in self._parser()._actions for flag in action.option_strings]
        return [option.lstrip("-").replace("-", "_") for option in options]

    def read(self, words: Sequence[str]) -> Launch:
        flags = self._parser().parse_args(words)
        refusal = ""
        if flags.chunked_prefill_size and flags.chunked_prefill_size % (flags.page_size or 1):
            refusal = "AssertionError: chunked_prefill_size must be divisible by page_size"
        return Launch(
            flags.model_path,
            {"host": flags.host, "port": flags.port},
            refusal,
            last_words=(
                "[2026-11-21 03:34:45 TP0] Scheduler hit an exception: Traceback (most recent call "
                "last):\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB.\n"
                "[2026-11-21 03:34:46] Received sigquit from a child process. It usually means the "
                "child failed."
            ),
            greeting="[2026-11-21 03:34:45] The server is fired up and ready to roll!",
            warm_up_s=0.3,
        )

    def _parser(self) -> argparse.ArgumentParser:
        known = json.loads((FOLDER / "sglang_flags.json").read_text())["flags"]
        parser = argparse.ArgumentParser(prog="launch_server.py")
        for name, flag in known.items():
            options = [name, *flag.get("aliases", ())]
            destination = name.lstrip("-").replace("-", "_")
            if flag["type"] == "bool":
                parser.add_argument(
                    *options, dest=destination, action="store_true", default=flag["default"]
                )
                continue
            parser.add_argument(
                *options,
                dest=destination,
                type=TYPES[flag["type"]],
                default=flag["default"],
                choices=flag.get("choices"),
            )
        return parser


class ClickParser(argparse.ArgumentParser):
    """Complain as click does."""

    def error(self, message: str) -> NoReturn:
        word = message.rpartition(": ")[2]
        self.exit(2, f"Usage: {self.prog} [OPTIONS] MODEL\n\nError: No such option: {word}\n")


class TensorRtLlmDialect:
    """`-m tensorrt_llm.commands.serve serve MODEL`, with options in a YAML file."""

    def __init__(self) -> None:
        self._known = json.loads((FOLDER / "tensorrt_llm_options.json").read_text())

    def parameters(self) -> list[str]:
        return list(self._known["options"])

    def read(self, words: Sequence[str]) -> Launch:
        flags = self._parser().parse_args(words)
        options = yaml.safe_load(Path(flags.extra_llm_api_options).read_text())
        values = dict(_flat(options))
        unknown = [name for name in values if name not in self._known["options"]]
        if unknown:
            raise SystemExit(
                f"pydantic_core._pydantic_core.ValidationError: {len(unknown)} validation error "
                f"for TorchLlmArgs\n{unknown[0]}\n  Extra inputs are not permitted "
                f"[type=extra_forbidden, input_value={values[unknown[0]]!r}, input_type=int]"
            )
        refusal = ""
        if values.get("kv_cache_config.free_gpu_memory_fraction", 0.9) > 0.94:
            refusal = (
                "[11/21/2026-03:34:45] [TRT-LLM] [E] Failed to initialize executor on rank 0: "
                "Executor creation failed due to insufficient GPU memory.\n\n"
                "The following component could not be created: KV cache"
            )
        return Launch(
            flags.model,
            {"host": flags.host, "port": int(flags.port)},
            refusal,
            last_words=(
                "[11/21/2026-03:34:45] [TRT-LLM] [E] Encountered an error in forward function: "
                "CUDA out of memory. Tried to allocate 1 GiB."
            ),
            greeting="INFO:     Application startup complete.",
        )

    def _parser(self) -> argparse.ArgumentParser:
        parser = ClickParser(prog="trtllm-serve", allow_abbrev=False)
        parser.add_argument("command", choices=["serve"])
        parser.add_argument("model")
        for name in self._known["flags"]:
            parser.add_argument(f"--{name}")
        return parser


def _flat(options: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in options.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


# By the first part of the module that is started, or asked for its arguments.
DIALECTS: Mapping[str, type[Dialect]] = {
    "vllm": VllmDialect,
    "sglang": SglangDialect,
    "tensorrt_llm": TensorRtLlmDialect,
}


def dialect_of(module_or_script: str) -> Dialect:
    """Return the dialect of a module's name, or of a script that imports it."""
    name = next(name for name in DIALECTS if name in module_or_script)
    return DIALECTS[name]()
