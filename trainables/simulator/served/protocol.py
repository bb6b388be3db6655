"""What clients may ask for: the requests of the OpenAI API, as far as an engine without text goes.

An answer always has the number of tokens that was asked for: a simulated model never stops by
itself, so `ignore_eos` and `min_tokens` change nothing, and neither does anything about sampling.
Where vLLM refuses a request, this does with the same status.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainables.simulator.served.prompt import tokenize

# OpenAI's default for completions. A chat's answer ends where the model ends it; here, after this.
COMPLETION_TOKENS = 16
CHAT_TOKENS = 256
PROMPT_FORMS = "expected a text, token ids, or a list that holds one of these"


class ProtocolError(Exception):
    """A request that cannot be served.

    Attributes:
        message: What is wrong.
        parameter: The field at fault, if it is one.
        status: HTTP status.
        kind: The error's type in OpenAI's sense.
    """

    def __init__(
        self,
        message: str,
        parameter: str | None = None,
        *,
        status: int = 400,
        kind: str = "BadRequestError",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter
        self.status = status
        self.kind = kind


class _Body(BaseModel):
    # Whatever a real server takes and a simulated one has no use for is passed over.
    model_config = ConfigDict(extra="ignore", frozen=True)


class StreamOptions(_Body):
    """When a stream tells how many tokens there are."""

    include_usage: bool = False
    continuous_usage_stats: bool = False


class GenerationBody(_Body):
    """What both kinds of requests have in common."""

    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    min_tokens: int = Field(default=0, ge=0)
    ignore_eos: bool = False
    n: Literal[1] | None = 1
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def default_tokens(self) -> int:
        """Length of the answer where none is stated."""
        raise NotImplementedError

    @property
    def token_ids(self) -> list[int]:
        """The prompt."""
        raise NotImplementedError

    @property
    def usage(self) -> StreamOptions:
        """What the client wants to know about the number of tokens."""
        return self.stream_options or StreamOptions()

    def output_tokens(self, num_prompt: int, max_model_len: int) -> int:
        """Return the length of the answer, which the model's context cuts short, as in vLLM.

        Raises:
            ProtocolError: If prompt and answer do not fit.
        """
        wanted = self.max_tokens or self.default_tokens
        limit = f"This model's maximum context length is {max_model_len} tokens."
        if self.max_tokens is not None and self.min_tokens > self.max_tokens:
            raise ProtocolError(
                f"min_tokens must be less than or equal to max_tokens={self.max_tokens}, "
                f"got {self.min_tokens}.",
                "min_tokens",
            )
        if num_prompt >= max_model_len:
            raise ProtocolError(
                f"{limit} However, your prompt contains {num_prompt} input tokens, which leaves "
                "no room for output. Please reduce the length of the input prompt.",
                "input_tokens",
            )
        if wanted > max_model_len:
            raise ProtocolError(f"{limit} max_tokens={wanted} is more than that.", "max_tokens")
        return min(wanted, max_model_len - num_prompt)


class CompletionBody(GenerationBody):
    """The body of /v1/completions."""

    prompt: str | list[int] | list[str] | list[list[int]]

    @property
    def default_tokens(self) -> int:
        """Length of the answer where none is stated."""
        return COMPLETION_TOKENS

    @property
    def token_ids(self) -> list[int]:
        """The prompt; a list may hold one prompt and no more.

        Raises:
            ProtocolError: If it holds none, or several.
        """
        prompt: Any = self.prompt
        if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
            if len(prompt) > 1:
                raise ProtocolError(f"prompt: {PROMPT_FORMS}; got {len(prompt)}.", "prompt")
            prompt = prompt[0]
        if not prompt:
            raise ProtocolError("Either prompt or prompt_embeds must be provided.", "prompt")
        return tokenize(prompt) if isinstance(prompt, str) else prompt


class TextPart(_Body):
    """A piece of a message; only text can be told to a simulated model."""

    type: Literal["text"]
    text: str


class Message(_Body):
    """One message of a chat."""

    role: str
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The message as a prompt shows it, behind a line with its role."""
        content = self.content or ""
        if not isinstance(content, str):
            content = "".join(part.text for part in content)
        return f"<|{self.role}|>\n{content}\n"


class ChatBody(GenerationBody):
    """The body of /v1/chat/completions."""

    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @property
    def default_tokens(self) -> int:
        """Length of the answer where none is stated."""
        return self.max_completion_tokens or CHAT_TOKENS

    @property
    def token_ids(self) -> list[int]:
        """All messages as one prompt."""
        return tokenize("".join(message.text for message in self.messages))


def parse_body(kind: type[GenerationBody], content: bytes, model: str) -> GenerationBody:
    """Read the body of a request to a server of `model`.

    Raises:
        ProtocolError: Naming what is wrong, and where.
    """
    try:
        body = kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        parameter = str(first["loc"][0]) if first["loc"] else None
        message = PROMPT_FORMS if parameter == "prompt" else first["msg"]
        raise ProtocolError(f"{parameter or 'body'}: {message}", parameter) from None
    if body.model and body.model != model:
        raise ProtocolError(
            f"The model `{body.model}` does not exist.", "model", status=404, kind="NotFoundError"
        )
    return body
