"""Which form a study's requests are written in, settled once its engine answers."""

import json
import logging

from scoot_ray.core.sections import EngineSection
from trainables.engines.endpoint import Endpoint
from trainables.message import (
    CHAT,
    COMPLETIONS,
    MessageWriter,
    TextWriter,
    TokenIdWriter,
    prompt_field,
)
from trainables.model import vocab_size_of
from trainables.words import Words, load_words

PATHS = {"completions": COMPLETIONS, "chat": CHAT}
NUM_PROBE_WORDS = 16

logger = logging.getLogger(__name__)


async def make_writer(engine: EngineSection, endpoint: Endpoint, seed: int) -> MessageWriter:
    """Return what writes the requests of a study.

    Token ids wherever they are taken; else text, from which the tokens are deducted that the
    server's own template adds, as the server itself counts them.

    Args:
        engine: The model, its tokenizer, and the API that is measured.
        endpoint: A server that is healthy.
        seed: Decides the prompts.
    """
    path = PATHS[engine.endpoint]
    if path == COMPLETIONS and endpoint.takes_token_ids:
        vocab_size = vocab_size_of(engine.model)
        return TokenIdWriter(endpoint.model, vocab_size, seed)
    words = load_words(engine.tokenizer or engine.model)
    if words.doubt is not None:
        logger.warning(
            "Prompts are common English words, and their lengths are estimates: %s. Name the "
            "model's tokenizer with engine.tokenizer, a folder or a Hugging Face name.",
            words.doubt,
        )
    num_template_tokens = await count_template_tokens(endpoint, path, words)
    return TextWriter(endpoint.model, words, seed, path, num_template_tokens)


async def count_template_tokens(endpoint: Endpoint, path: str, words: Words) -> int:
    """Ask the server how many tokens it adds to a text; 0 if it does not say."""
    text = words.text(range(NUM_PROBE_WORDS))
    content = {"model": endpoint.model, **prompt_field(path, text), "max_tokens": 1}
    counted = await endpoint.count_prompt_tokens(path, json.dumps(content).encode())
    return max(0, (counted or NUM_PROBE_WORDS) - NUM_PROBE_WORDS)
