"""What each trial's engine wrote last, from the files of the study."""

from collections.abc import Iterable, Mapping

from scoot_ray.core.trial import TrialRecord
from scoot_ray.output import Output
from trainables.engines.engine_log import last_lines


def read_logs(output: Output, trials: Iterable[TrialRecord]) -> Mapping[int, tuple[str, ...]]:
    """Return the last lines of each trial's log by its number; what has no log is left out."""
    logs: dict[int, tuple[str, ...]] = {}
    for record in trials:
        content = record.trial_id and output.read(f"trials/{record.trial_id}/engine.log")
        if content:
            logs[record.number] = last_lines(content.decode(errors="replace"))
    return logs
