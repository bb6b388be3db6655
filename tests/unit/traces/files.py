"""Files that tests of traces write, and rows that several of them need."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Write = Callable[..., str]


def write_lines(path: Path, *lines: Any) -> str:
    """Write lines, or objects as JSON, one a line; packed if the name says so."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    content = ("\n".join(texts) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def mooncake(
    timestamp: float, tokens: int = 1000, hashes: list[int] | None = None
) -> dict[str, Any]:
    return {
        "timestamp": timestamp,
        "input_length": tokens,
        "output_length": 5,
        "hash_ids": list(range(-(-tokens // 512))) if hashes is None else hashes,
    }
