"""A study as pandas frames, for notebooks: `scoot_ray.load(DIR)`."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import History
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.output import Output, open_output


@dataclass(frozen=True)
class StudyFrames:
    """One study; every frame is read when it is asked for, and kept.

    Attributes:
        output: The study's output folder.
    """

    output: Output

    @cached_property
    def study(self) -> Study:
        """The study as it was resolved."""
        return parse_study(self._history.header["study"], str(self.output.journal.path))

    @cached_property
    def result(self) -> Result:
        """The front, the recommendation, the confirmations, the noise."""
        return Result.from_history(self.study, self._history)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each finished trial, by its number.

        Columns are the record's own (`state`, `role`, `gpu_seconds`, ...) and, with a dot,
        `config.NAME`, `metrics.NAME` and `phases_s.NAME`. Metrics of a row with `is_bound` are
        bounds: at least this for a time, at most this for a rate; its `estimate.NAME` are what the
        whole test would probably have measured.
        """
        return _frame(self._history.trials)

    @cached_property
    def front(self) -> pd.DataFrame:
        """The rows of `trials` on the Pareto front, best in the first objective first."""
        return _frame(self.result.front)

    @cached_property
    def events(self) -> pd.DataFrame:
        """A row for each line of the journal after the first, as they were written."""
        return pd.json_normalize(self.output.journal.entries()[1:], max_level=1)

    def requests(self, number: int) -> pd.DataFrame:
        """A row for each request of trial `number`, in seconds since its load began.

        Raises:
            OutputError: If the trial wrote none.
        """
        name = f"trials/{number:04d}/requests.parquet"
        content = self.output.read(name)
        if content is None:
            raise OutputError(
                f"Trial {number} has no requests: {self.output.where}/{name} is not there. A trial "
                "whose engine never got to the load has none."
            )
        return pd.read_parquet(io.BytesIO(content))

    @cached_property
    def _history(self) -> History:
        return self.output.journal.read()


def load_frames(folder: str) -> StudyFrames:
    """Open the study in a folder, or under a URI.

    Raises:
        OutputError: If there is none.
    """
    output = open_output(folder)
    output.require_study()
    return StudyFrames(output)


def _frame(trials: tuple[TrialRecord, ...]) -> pd.DataFrame:
    rows: list[Mapping[str, Any]] = [_row(record) for record in trials]
    columns = None if rows else ["number", "role", "state"]
    return pd.DataFrame(rows, columns=columns).set_index("number")


def _row(record: TrialRecord) -> dict[str, Any]:
    data = record.to_json()
    nested = {
        f"{group}.{name}": value
        for group in ("config", "metrics", "phases_s")
        for name, value in data.pop(group).items()
    }
    failure = data.pop("failure") or {}
    said = {f"failure.{name}": failure.get(name) for name in ("phase", "cause", "message")}
    return {**data, **nested, **said}
