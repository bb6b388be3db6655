"""The folder of a model without weights: its shape, and a tokenizer that stands in for its own."""

import json
import shutil
from pathlib import Path
from typing import Any

from trainables.model import KNOWN_MODELS_FOLDER, load_model_shape

MODELS = {"7b": "meta-llama/Llama-2-7b-hf", "13b": "meta-llama/Llama-2-13b-hf"}
SPECIAL_TOKENS = ("<unk>", "<s>", "</s>")


def write_shape(size: str, folder: Path) -> None:
    """Write config.json and a word-level tokenizer; a server starts with `--load-format dummy`.

    Prompts are sent as token ids, so the tokenizer only writes the answers' nonsense.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = MODELS[size].replace("/", "--")
    shutil.copyfile(KNOWN_MODELS_FOLDER / f"{name}.json", folder / "config.json")
    write_tokenizer(load_model_shape(folder).vocab_size, folder)


def write_tokenizer(vocab_size: int, folder: Path) -> None:
    """Write a tokenizer of `vocab_size` words."""
    words = [*SPECIAL_TOKENS, *(f"w{index}" for index in range(len(SPECIAL_TOKENS), vocab_size))]
    unknown, first, last = SPECIAL_TOKENS
    model = {
        "type": "WordLevel",
        "vocab": {word: index for index, word in enumerate(words)},
        "unk_token": unknown,
    }
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": model,
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": unknown,
        "bos_token": first,
        "eos_token": last,
    }
    _write(folder / "tokenizer.json", tokenizer)
    _write(folder / "tokenizer_config.json", settings)


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data) + "\n", encoding="utf-8")
