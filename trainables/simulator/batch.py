"""What one engine step computes."""

from trainables.simulator.decode_batch import DecodeBatch
from trainables.simulator.sequence import Sequence


class Batch:
    """Collect the sequences of one step, and the sums that its cost depends on.

    Attributes:
        num_decodes: Sequences that compute one token and get the next.
        prefills: Sequences that compute a chunk of their prompt, with the chunk's tokens.
        num_tokens: Tokens computed in the step.
        context_tokens: Tokens that the decodes attend to, summed.
        num_sampled: Sequences that get a token at the end of the step.
        num_preempted: Sequences that lost their blocks while the step was scheduled.
    """

    __slots__ = (
        "context_tokens",
        "num_decodes",
        "num_preempted",
        "num_sampled",
        "num_tokens",
        "prefills",
    )

    def __init__(self) -> None:
        self.num_decodes = 0
        self.prefills: list[tuple[Sequence, int]] = []
        self.num_tokens = 0
        self.context_tokens = 0
        self.num_sampled = 0
        self.num_preempted = 0

    @property
    def num_seqs(self) -> int:
        """Count the sequences of the step."""
        return self.num_decodes + len(self.prefills)

    def add_decodes(self, decoding: DecodeBatch) -> None:
        """Let all decoding sequences compute their newest token."""
        self.num_decodes = len(decoding)
        self.context_tokens = decoding.context_tokens
        self.num_tokens += len(decoding)
        self.num_sampled += len(decoding)

    def add_prefill(self, sequence: Sequence, num_tokens: int) -> None:
        """Let a sequence compute the next `num_tokens` tokens that it has."""
        self.prefills.append((sequence, num_tokens))
        self.num_tokens += num_tokens
        if sequence.num_computed_tokens + num_tokens == sequence.num_tokens:
            self.num_sampled += 1
