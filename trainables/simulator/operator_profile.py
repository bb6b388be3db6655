"""Measured operator times of one layer, read from CSV and interpolated.

The file has one row per tensor-parallel degree and number of tokens, and one column per operator
in milliseconds, under the names of Vidur's profiles:

    num_tensor_parallel_workers,num_tokens,attn_pre_proj_ms,...,add_ms
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from scoot_ray.core.errors import StudyError

DEGREE, TOKENS = "num_tensor_parallel_workers", "num_tokens"
LINEAR = ("attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj")
# Times of each in a layer: it adds the residual after attention and after the feed-forward part.
ELEMENTWISE = {
    "input_layernorm": 1,
    "attn_rope": 1,
    "post_attention_layernorm": 1,
    "mlp_act": 1,
    "add": 2,
}


@dataclass(frozen=True)
class Row:
    """Hold the times of one layer, in seconds, for a number of tokens."""

    num_tokens: int
    linear_s: float
    elementwise_s: float


@dataclass(frozen=True)
class ProfiledOperators:
    """Interpolate measured times between their numbers of tokens; fewer cost what the first does.

    Attributes:
        rows: At least two, ascending in tokens.
    """

    rows: tuple[Row, ...]

    def linear_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's matrix products."""
        low, high, weight = self._around(num_tokens)
        return low.linear_s + weight * (high.linear_s - low.linear_s)

    def elementwise_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's norms, rotary embedding, activation and additions."""
        low, high, weight = self._around(num_tokens)
        return low.elementwise_s + weight * (high.elementwise_s - low.elementwise_s)

    def _around(self, num_tokens: int) -> tuple[Row, Row, float]:
        """Return two rows and how far from the first to the second, or beyond, the tokens lie."""
        index = bisect_right(self.rows, num_tokens, key=lambda row: row.num_tokens)
        index = min(max(index, 1), len(self.rows) - 1)
        low, high = self.rows[index - 1], self.rows[index]
        weight = (num_tokens - low.num_tokens) / (high.num_tokens - low.num_tokens)
        return low, high, max(0.0, weight)


@dataclass(frozen=True)
class OperatorProfile:
    """Hold the operators that a file measured, by tensor-parallel degree."""

    path: Path
    by_degree: Mapping[int, ProfiledOperators]

    def operators(self, tensor_parallel_size: int) -> ProfiledOperators:
        """Return the operators of one degree.

        Raises:
            StudyError: If the file did not measure it, saying which degrees it did.
        """
        if tensor_parallel_size in self.by_degree:
            return self.by_degree[tensor_parallel_size]
        known = ", ".join(map(str, sorted(self.by_degree)))
        raise StudyError(
            f"{self.path}: no rows for tensor_parallel_size={tensor_parallel_size}; "
            f"{DEGREE} has {known}. Profile this degree too, or leave it out of the space."
        )


def load_operator_profile(path: str | Path) -> OperatorProfile:
    """Read a profile.

    Raises:
        StudyError: Naming the file, the line, and what was expected there.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path, file))
    except OSError as error:
        raise StudyError(f"{path}: cannot read the profile: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise StudyError(f"{path}: expected a CSV file of operator times.") from None
    if not rows:
        raise StudyError(f"{path}: expected rows of operator times below the header, got none.")
    by_degree: dict[int, list[Row]] = {}
    for line, degree, row in rows:
        earlier = by_degree.setdefault(degree, [])
        if earlier and row.num_tokens <= earlier[-1].num_tokens:
            raise StudyError(
                f"{path}, line {line}: {TOKENS}={row.num_tokens} follows "
                f"{earlier[-1].num_tokens}; expected ascending numbers, each once, per {DEGREE}."
            )
        earlier.append(row)
    for degree, measured in by_degree.items():
        if len(measured) == 1:
            raise StudyError(f"{path}: expected two rows or more for {DEGREE}={degree}, got one.")
    return OperatorProfile(
        path, {degree: ProfiledOperators(tuple(rows)) for degree, rows in by_degree.items()}
    )


def _rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, int, Row]]:
    """Yield line number, tensor-parallel degree and times."""
    reader = csv.DictReader(lines)
    header = reader.fieldnames or ()
    wanted = (DEGREE, TOKENS, *(f"{name}_ms" for name in (*LINEAR, *ELEMENTWISE)))
    missing = [name for name in wanted if name not in header]
    if missing:
        raise StudyError(
            f"{path}, line 1: the header lacks {', '.join(missing)}; expected {', '.join(wanted)}."
        )
    for cells in reader:
        where = f"{path}, line {reader.line_num}"
        linear_ms = sum(_number(where, cells, f"{name}_ms") for name in LINEAR)
        elementwise_ms = sum(
            times * _number(where, cells, f"{name}_ms") for name, times in ELEMENTWISE.items()
        )
        degree, num_tokens = (_count(where, cells, name) for name in (DEGREE, TOKENS))
        yield reader.line_num, degree, Row(num_tokens, linear_ms / 1e3, elementwise_ms / 1e3)


def _number(where: str, cells: Mapping[str, str | None], name: str) -> float:
    text = cells[name]
    try:
        number = float(text or "")
    except ValueError:
        number = float("nan")
    if not isfinite(number) or number < 0:
        raise StudyError(f"{where}: {name}: expected milliseconds >= 0, got {text!r}.")
    return number


def _count(where: str, cells: Mapping[str, str | None], name: str) -> int:
    text = cells[name] or ""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise StudyError(f"{where}: {name}: expected a whole number >= 1, got {text!r}.")
    return int(text)
