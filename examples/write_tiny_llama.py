"""Write a tiny Llama with random weights and a tokenizer of its own, with no network.

    python examples/write_tiny_llama.py FOLDER

It answers nonsense, but an engine serves it as it serves any model: continuous batching, paged KV
cache, tensor parallelism. Four layers, 128 wide: a few megabytes, fast enough for two CPU cores.
Run it with the Python of the engine's environment, which has safetensors, tokenizers and torch.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SEED = 0
NUM_LAYERS = 4
HIDDEN_SIZE = 128
NUM_HEADS = 4
INTERMEDIATE_SIZE = 256
VOCAB_SIZE = 512
MAX_MODEL_LEN = 8192
SPECIAL_TOKENS = ("<s>", "</s>")


def write_model(folder: Path) -> None:
    """Write config.json, the weights and the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "config.json", _config())
    save_file(_weights(), folder / "model.safetensors", metadata={"format": "pt"})
    _tokenizer().save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config())


def _config() -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "num_hidden_layers": NUM_LAYERS,
        "hidden_size": HIDDEN_SIZE,
        "intermediate_size": INTERMEDIATE_SIZE,
        "num_attention_heads": NUM_HEADS,
        "num_key_value_heads": NUM_HEADS,
        "head_dim": HIDDEN_SIZE // NUM_HEADS,
        "vocab_size": VOCAB_SIZE,
        "max_position_embeddings": MAX_MODEL_LEN,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "bos_token_id": 0,
        "eos_token_id": 1,
    }


def _weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)

    def matrix(rows: int, columns: int) -> torch.Tensor:
        return (torch.randn(rows, columns, generator=generator) * 0.02).to(torch.bfloat16)

    weights = {
        "model.embed_tokens.weight": matrix(VOCAB_SIZE, HIDDEN_SIZE),
        "model.norm.weight": torch.ones(HIDDEN_SIZE, dtype=torch.bfloat16),
        "lm_head.weight": matrix(VOCAB_SIZE, HIDDEN_SIZE),
    }
    for layer in range(NUM_LAYERS):
        prefix = f"model.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            weights[f"{prefix}.self_attn.{name}.weight"] = matrix(HIDDEN_SIZE, HIDDEN_SIZE)
        for name in ("gate_proj", "up_proj"):
            weights[f"{prefix}.mlp.{name}.weight"] = matrix(INTERMEDIATE_SIZE, HIDDEN_SIZE)
        weights[f"{prefix}.mlp.down_proj.weight"] = matrix(HIDDEN_SIZE, INTERMEDIATE_SIZE)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{prefix}.{name}.weight"] = torch.ones(HIDDEN_SIZE, dtype=torch.bfloat16)
    return weights


def _tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer: one token per byte, the rest of the vocabulary is filler."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    filler = (f"<filler_{index}>" for index in range(VOCAB_SIZE))
    tokens = [*SPECIAL_TOKENS, *alphabet]
    tokens += [next(filler) for _ in range(VOCAB_SIZE - len(tokens))]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _tokenizer_config() -> dict[str, object]:
    bos, eos = SPECIAL_TOKENS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": bos,
        "eos_token": eos,
        "model_max_length": MAX_MODEL_LEN,
        "clean_up_tokenization_spaces": False,
    }


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Write the model into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    write_model(parser.parse_args().folder)


if __name__ == "__main__":
    main()
