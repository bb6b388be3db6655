"""Words that are one token each: text of a known length, for servers that take no token ids."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

# With the space before it; byte-level tokenizers write it as the first, SentencePiece the second.
_WORD = re.compile(r"[Ġ▁][a-z]{2,12}")
_LETTER = re.compile(r"[A-Za-z0-9]")
MIN_PIECES = 32
MAX_PIECES = 4096
NUM_TRIED = 20_000

_ENGLISH = """
the of and to in is that for it with as was on be at by this have from or had not are but what all
were when we there can an your which their said if do will each about how up out them then she
many some so these would other into has more her two like him see time could no make than first
been its who now people my made over did down only way find use may water long little very after
called just where most know get through back much go good new write
"""
# A token each, with the space before it, in every vocabulary that English text was put into.
COMMON_WORDS = tuple(_ENGLISH.split())


@dataclass(frozen=True)
class Words:
    """Hold pieces of text of which any sequence encodes to as many tokens as it has pieces.

    Attributes:
        pieces: The pieces; separate words do not touch.
        separator: What comes between two pieces.
        opening: What comes before the first one.
        doubt: Why lengths may be wrong; None where the model's tokenizer has confirmed them.
    """

    pieces: tuple[str, ...]
    separator: str = " "
    opening: str = ""
    doubt: str | None = None

    def text(self, numbers: Sequence[int]) -> str:
        """Return the text of the pieces with these numbers."""
        return self.opening + self.separator.join([self.pieces[number] for number in numbers])


def load_words(model: str) -> Words:
    """Find words of which the model's tokenizer makes one token each.

    Without such a tokenizer they are the most common English words, and `doubt` says so.

    Args:
        model: A folder with tokenizer.json, or a Hugging Face name.
    """
    try:
        tokenizer = load_tokenizer(model)
    # The tokenizers library raises Exception itself, and the hub whatever its transport raises.
    except Exception as error:  # noqa: BLE001
        reason = " ".join(str(error).split())[:200]
        return Words(COMMON_WORDS, doubt=f"the tokenizer of {model} cannot be loaded ({reason})")
    for words in _proposals(tokenizer):
        if len(words.pieces) >= MIN_PIECES and _is_exact(words, tokenizer):
            return words
    return Words(COMMON_WORDS, doubt=f"the tokenizer of {model} has no words of one token each")


def load_tokenizer(model: str) -> Tokenizer:
    """Load a model's tokenizer, from its folder, the local cache or the Hugging Face hub."""
    folder = Path(model)
    if folder.is_dir():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    # Takes as long to import as all of the client.
    from huggingface_hub import hf_hub_download

    return Tokenizer.from_file(hf_hub_download(model, "tokenizer.json"))


def _proposals(tokenizer: Tokenizer) -> Iterator[Words]:
    vocabulary = sorted(tokenizer.get_vocab())
    words = tuple(token[1:] for token in vocabulary if _WORD.fullmatch(token))
    letters = tuple(token for token in vocabulary if _LETTER.fullmatch(token))
    # What some tokenizers put before a text, or take from it, decides which opening is right.
    for opening in (" ", ""):
        yield _that_are_tokens(Words(words, opening=opening), tokenizer)
    yield _that_are_tokens(Words(letters, separator=""), tokenizer)


def _that_are_tokens(words: Words, tokenizer: Tokenizer) -> Words:
    """Keep the pieces that are one token at the beginning of a text and after another piece."""
    tried = random.Random(0).sample(words.pieces, min(len(words.pieces), NUM_TRIED))  # noqa: S311
    both = [[words.opening + piece for piece in tried]]
    both.append([words.opening + words.separator.join([piece, piece]) for piece in tried])
    alone, twice = (tokenizer.encode_batch(texts, add_special_tokens=False) for texts in both)
    kept = [
        piece
        for piece, one, two in zip(tried, alone, twice, strict=True)
        if (len(one.ids), len(two.ids)) == (1, 2)
    ]
    return Words(tuple(sorted(kept[:MAX_PIECES])), words.separator, words.opening)


def _is_exact(words: Words, tokenizer: Tokenizer) -> bool:
    numbers = random.Random(1).choices(range(len(words.pieces)), k=2 * len(words.pieces))  # noqa: S311
    text = words.text(numbers)
    return len(tokenizer.encode(text, add_special_tokens=False).ids) == len(numbers)
