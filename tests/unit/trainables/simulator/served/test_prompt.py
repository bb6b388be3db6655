from trainables.simulator.served.prompt import make_request, tokenize


def test_four_characters_are_a_token_and_texts_that_begin_alike_have_a_common_prefix() -> None:
    short, long = tokenize("a prefix of 20 chars"), tokenize("a prefix of 20 chars, and more")
    assert len(short) == 5
    assert long[:5] == short
    assert len(tokenize("")) == 1


def test_blocks_are_known_by_their_tokens() -> None:
    shared = list(range(32))
    one, other = make_request([*shared, 1, 2], 5, 16), make_request([*shared, 3], 5, 16)
    assert (one.prompt_tokens, one.output_tokens, one.block_tokens) == (34, 5, 16)
    assert one.prefix_hashes == other.prefix_hashes
    assert len(one.prefix_hashes) == 2
    assert make_request(shared[::-1], 5, 16).prefix_hashes[0] != one.prefix_hashes[0]
