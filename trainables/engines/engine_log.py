"""An engine's log: what in it a person would read first."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

TAIL_LINES = 15
TAIL_BYTES = 256 * 1024
LINE_CHARACTERS = 500

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Such as `(EngineCore pid=12) ERROR 11-21 03:34:45 [core.py:1510] ` of vLLM,
# `[2026-11-21 03:34:45 TP0] ` of SGLang, `[11/21/2026-03:34:45] [TRT-LLM] [RANK 1] [E] ` and
# `[TensorRT-LLM][ERROR] ` of TensorRT-LLM.
_PREFIX = re.compile(
    r"^(?:\(\S+ pid=\d+\) )*(?:\[\d{4}-\d\d-\d\d [^\]]*\] |\[[\d/]+-[\d:]+\] )?"
    r"(?:\[(?:TRT-LLM|TensorRT-LLM)\] ?)?(?:\[RANK \d+\] )?"
    r"(?:(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\b[: ]\s*"
    r"(?:\d\d-\d\d \d\d:\d\d:\d\d )?(?:\[[^\]]*\] ?)?"
    r"|\[(?P<mark>V|D|I|W|E|F|VERBOSE|INFO|WARNING|ERROR|FATAL)\] ?)?"
)
# One letter or digit is enough here and below: `\w+` takes minutes on a line of 256 KiB.
_PYTHON_WARNING = re.compile(r"\wWarning: ")
_CHATTER = ("DEBUG", "INFO", "WARNING", "VERBOSE", "V", "D", "I", "W")
# Stack frames and their source lines, usage texts, progress bars.
_NOISE = re.compile(r"\s*$|\s+File |\s{4}|Traceback \(|.*?\d%(?:\||\s+Completed)|usage: ")
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Interrupt|Killed)\b|.*: error: ")


def read_lines(log: Path) -> list[str]:
    """Return the informative lines of the log's last part: errors, without frames and chatter."""
    messages = map(_message, _without_warnings(_as_seen(_read_end(log))))
    return [message for message in messages if message]


def last_lines(text: str) -> tuple[str, ...]:
    """Return the last lines of a log as a terminal would show them, chatter and all."""
    lines = [line for line in _as_seen(text) if line.strip()]
    return tuple(line[:LINE_CHARACTERS] for line in lines[-TAIL_LINES:])


def tail(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last informative lines, and the first exception where it lies before them."""
    # Each process of an engine repeats the error of the one below it.
    distinct = list(dict.fromkeys(lines))
    last = distinct[-TAIL_LINES:]
    cause = next((line for line in distinct if _EXCEPTION.match(line)), None)
    if cause is not None and cause not in last:
        last = [cause, *last[1:]]
    return tuple(line[:LINE_CHARACTERS] for line in last)


def parting_lines(log: Path) -> tuple[str, ...]:
    """Return what to show of an engine that has failed; chatter where it left nothing else.

    One that the kernel killed had no time to say why.
    """
    return tail(read_lines(log)) or last_lines(_read_end(log))


def _read_end(log: Path) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _as_seen(text: str) -> list[str]:
    """Return the lines without colours, and of a progress bar only its last state."""
    lines = _ANSI.sub("", text).split("\n")
    return [line.rstrip("\r").rpartition("\r")[2] for line in lines]


def _without_warnings(lines: Sequence[str]) -> Iterator[str]:
    """Leave out Python's warnings, each with the indented source line that it quotes."""
    after_warning = False
    for line in lines:
        is_quoted = after_warning and line.startswith("  ")
        after_warning = bool(_PYTHON_WARNING.search(line))
        if not after_warning and not is_quoted:
            yield line


def _message(line: str) -> str:
    prefix = _PREFIX.match(line)
    assert prefix is not None, "every part of the prefix is optional"
    message = line[prefix.end() :]
    if (prefix["level"] or prefix["mark"]) in _CHATTER or _NOISE.match(message):
        return ""
    return message.strip()
