"""Texts of a known length, against tokenizers of the three kinds that models have."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from trainables.words import Words, load_tokenizer, load_words

ENGLISH = [f"{a} {b} the quick brown fox jumps over a lazy dog" for a in "abc" for b in "def"]
SYLLABLES = ("ba", "co", "di", "fu", "ga", "ho", "ki", "lu", "mo", "ne", "pi", "ru", "sa", "tu")
LEXICON = [first + second + last for first in SYLLABLES for second in SYLLABLES for last in "nst"]


def byte_level() -> Tokenizer:
    """As GPT-2, Llama 3 and Qwen have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([" ".join(LEXICON)] * 3, trainer)
    return tokenizer


def sentence_piece() -> Tokenizer:
    """As Llama 2 and Mistral have it: no words, and a space of its own before every text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    pieces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=["<unk>"], show_progress=False)
    trained.train_from_iterator([" ".join(LEXICON)] * 3, trainer)
    tokenizer.model = trained.model
    tokenizer.normalizer = normalizers.Sequence(pieces)
    return tokenizer


def letters() -> Tokenizer:
    """Bytes with no merges, as the tiny Llama of the examples has it."""
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={t: n for n, t in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


@pytest.fixture(params=[byte_level, sentence_piece, letters], scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make: Callable[[], Tokenizer] = request.param
    folder = tmp_path_factory.mktemp("model")
    make().save(str(folder / "tokenizer.json"))
    return folder


def test_any_text_has_as_many_tokens_as_pieces(folder: Path) -> None:
    words, tokenizer = load_words(str(folder)), load_tokenizer(str(folder))
    assert words.doubt is None
    assert len(words.pieces) >= 32

    @given(st.lists(st.integers(0, len(words.pieces) - 1), min_size=1, max_size=300))
    def check(numbers: list[int]) -> None:
        ids = tokenizer.encode(words.text(numbers), add_special_tokens=False).ids
        assert len(ids) == len(numbers)

    check()


def test_texts_that_begin_alike_have_tokens_that_do(folder: Path) -> None:
    words, tokenizer = load_words(str(folder)), load_tokenizer(str(folder))
    common = [1, 5, 2, 7, 3] * 20
    a, b = (
        tokenizer.encode(words.text([*common, *rest]), add_special_tokens=False).ids
        for rest in ([4, 4, 4], [6, 8])
    )
    assert a[: len(common)] == b[: len(common)]


@pytest.mark.parametrize("content", ["{}", "not JSON", None])
def test_without_a_tokenizer_the_doubt_is_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    words = load_words(str(tmp_path))
    assert words.doubt is not None
    assert str(tmp_path) in words.doubt
    assert words.text([0, 1]) == "the of"


def test_a_tokenizer_without_such_words_is_doubted(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1}, unk_token="<unk>"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    words = load_words(str(tmp_path))
    assert isinstance(words, Words)
    assert words.doubt == f"the tokenizer of {tmp_path} has no words of one token each"
