"""The shape of a transformer: what memory and step cost follow from, read from its config.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoot_ray.core.errors import StudyError, did_you_mean

KNOWN_MODELS_FOLDER = Path(__file__).parent / "models"

# Fine-tuned siblings have the architecture of the base model.
SIBLINGS = {
    "meta-llama/Llama-2-7b-chat-hf": "meta-llama/Llama-2-7b-hf",
    "meta-llama/Llama-2-13b-chat-hf": "meta-llama/Llama-2-13b-hf",
    "meta-llama/Llama-2-70b-chat-hf": "meta-llama/Llama-2-70b-hf",
    "meta-llama/Meta-Llama-3-8B-Instruct": "meta-llama/Meta-Llama-3-8B",
    "meta-llama/Meta-Llama-3-70B-Instruct": "meta-llama/Meta-Llama-3-70B",
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Llama-3.1-8B",
    "mistralai/Mixtral-8x7B-Instruct-v0.1": "mistralai/Mixtral-8x7B-v0.1",
}

SMALLEST_VOCABULARY = 32_000  # of models that are served; Llama 2's

# Keys that change weights, cache or work, and that `ModelShape` has no field for.
NOT_MODELLED = {
    "kv_lora_rank": "latent attention",
    "n_shared_experts": "experts that every token visits",
    "shared_expert_intermediate_size": "experts that every token visits",
    "first_k_dense_replace": "dense layers before those with experts",
    "mlp_only_layers": "dense layers among those with experts",
    "quantization_config": "quantised weights",
}

REQUIRED_KEYS = (
    "num_hidden_layers",
    "hidden_size",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
)


EXPERT_KEYS = ("num_local_experts", "num_experts", "n_routed_experts")  # whichever there is


@dataclass(frozen=True)
class ModelShape:
    """Describe a decoder-only transformer with gated feed-forward layers.

    Attributes:
        name: As the user wrote it.
        num_layers: Transformer layers.
        hidden_size: Width of the residual stream.
        num_heads: Query heads.
        num_kv_heads: Key and value heads; fewer than `num_heads` under grouped-query attention.
        head_dim: Width of a head.
        intermediate_size: Width of a feed-forward layer (of one expert).
        vocab_size: Tokens that the model knows.
        max_model_len: Longest sequence, prompt and output together, in tokens.
        num_experts: Feed-forward experts per layer; 1 for a dense model.
        num_experts_per_token: Experts that one token visits.
        bytes_per_weight: 2 for the half-precision types that engines serve in.
        tie_word_embeddings: The LM head reuses the embedding's weights.
        has_qkv_bias: The query, key and value projections have biases.
    """

    name: str
    num_layers: int
    hidden_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int
    max_model_len: int
    num_experts: int = 1
    num_experts_per_token: int = 1
    bytes_per_weight: int = 2
    tie_word_embeddings: bool = False
    has_qkv_bias: bool = False

    @property
    def qkv_size(self) -> int:
        """Width of the fused query, key and value projection."""
        return (self.num_heads + 2 * self.num_kv_heads) * self.head_dim

    @property
    def num_parameters(self) -> int:
        """Count all weights, biases and norms included."""
        hidden = self.hidden_size
        attention = hidden * self.qkv_size + self.num_heads * self.head_dim * hidden
        bias = self.qkv_size if self.has_qkv_bias else 0
        router = hidden * self.num_experts if self.num_experts > 1 else 0
        feed_forward = self.num_experts * 3 * hidden * self.intermediate_size + router
        embeddings = self.vocab_size * hidden * (1 if self.tie_word_embeddings else 2)
        layer = attention + bias + feed_forward + 2 * hidden
        return self.num_layers * layer + embeddings + hidden

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights, over all GPUs."""
        return self.num_parameters * self.bytes_per_weight

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of keys and values that one token leaves in all layers, over all GPUs."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * self.bytes_per_weight

    def kv_heads_per_gpu(self, tensor_parallel_size: int) -> int:
        """Count a GPU's KV heads; they are replicated when there are fewer than GPUs."""
        return max(1, self.num_kv_heads // tensor_parallel_size)

    def fits_tensor_parallel(self, tensor_parallel_size: int) -> bool:
        """Tell whether attention heads can be divided over this many GPUs, as engines demand."""
        t = tensor_parallel_size
        kv_divides = self.num_kv_heads % t == 0 or t % self.num_kv_heads == 0
        return self.num_heads % t == 0 and kv_divides


def known_models() -> tuple[str, ...]:
    """List the Hugging Face names whose shapes come with the program."""
    stems = (path.stem for path in KNOWN_MODELS_FOLDER.glob("*.json"))
    return tuple(sorted(stem.replace("--", "/") for stem in stems))


def load_model_shape(name_or_path: str | Path) -> ModelShape:
    """Read a model's shape; nothing is downloaded.

    Args:
        name_or_path: A folder with config.json, a config.json, or a known Hugging Face name.

    Raises:
        StudyError: If there is no such model, its config.json lacks a key, or has one that is not
            modelled.
    """
    return _parse(str(name_or_path), _read_config(name_or_path))


def read_vocab_size(name_or_path: str) -> int:
    """Read how many tokens a model knows, whether or not its shape can be modelled.

    Raises:
        StudyError: If there is no such model, or its config.json does not say.
    """
    vocab_size = _read_config(name_or_path).get("vocab_size")
    if not isinstance(vocab_size, int):
        raise StudyError(f"Model {name_or_path}: config.json has no whole number for vocab_size.")
    return vocab_size


def vocab_size_of(name_or_path: str) -> int:
    """Return the tokens that a model knows; of an unknown one, those that hardly any lacks."""
    try:
        return read_vocab_size(name_or_path)
    except StudyError:
        return SMALLEST_VOCABULARY


def _read_config(name_or_path: str | Path) -> Mapping[str, Any]:
    path = Path(name_or_path)
    if path.is_dir():
        path = path / "config.json"
    if not path.is_file():
        path = _known_path(str(name_or_path))
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"Model {name_or_path}: cannot read {path}: {error}.") from None
    if not isinstance(config, dict):
        raise StudyError(f"{path}: expected an object with the model's sizes, got {config!r}.")
    return config


def _known_path(name: str) -> Path:
    folded = {known.lower(): known for known in (*known_models(), *SIBLINGS)}
    known = folded.get(name.lower())
    if known is None:
        raise StudyError(
            f"The shape of model {name!r} is not known. Give a folder that holds the model's "
            f"config.json, or one of: {', '.join(known_models())}."
            f"{did_you_mean(name, known_models())}"
        )
    return KNOWN_MODELS_FOLDER / f"{SIBLINGS.get(known, known).replace('/', '--')}.json"


def _parse(name: str, config: Mapping[str, Any]) -> ModelShape:
    missing = [key for key in REQUIRED_KEYS if not isinstance(config.get(key), int)]
    if missing:
        raise StudyError(
            f"Model {name}: config.json has no whole number for {', '.join(missing)}; "
            "expected the keys of a Llama-like decoder."
        )
    for key, what in NOT_MODELLED.items():
        if config.get(key):
            raise StudyError(
                f"Model {name}: config.json has {key}, and {what} cannot be modelled. A real "
                "engine can be tuned with it: engine.fixed then states the longest sequence."
            )
    num_heads = config["num_attention_heads"]
    return ModelShape(
        name=name,
        num_layers=config["num_hidden_layers"],
        hidden_size=config["hidden_size"],
        num_heads=num_heads,
        num_kv_heads=config.get("num_key_value_heads") or num_heads,
        head_dim=config.get("head_dim") or config["hidden_size"] // num_heads,
        intermediate_size=config.get("moe_intermediate_size") or config["intermediate_size"],
        vocab_size=config["vocab_size"],
        max_model_len=config["max_position_embeddings"],
        num_experts=next((config[key] for key in EXPERT_KEYS if config.get(key)), 1),
        num_experts_per_token=config.get("num_experts_per_tok") or 1,
        tie_word_embeddings=bool(config.get("tie_word_embeddings", False)),
        # Qwen2 has these biases without saying so in config.json.
        has_qkv_bias=bool(config.get("attention_bias", config.get("model_type") == "qwen2")),
    )
