"""The text of a study as somebody sends it, checked as the file is."""

import yaml

from scoot_ray.core.errors import StudyError
from scoot_ray.core.study import Study, parse_study_text

MAX_CHARACTERS = 32 * 1024
MAX_DEPTH = 32


def parse_text(text: str) -> Study:
    """Check a study in YAML.

    Raises:
        StudyError: As `load_study`; also for what makes a short text a long work: aliases and deep
            nesting.
    """
    _require_plain(text)
    return parse_study_text(text, "The text")


def _require_plain(text: str) -> None:
    depth = 0
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise StudyError(f"The text is nested too deeply: {MAX_DEPTH} levels are enough.")
            if isinstance(event, yaml.AliasEvent):
                raise StudyError("A study from the page has no YAML aliases (*name); write it out.")
    except yaml.YAMLError:
        return  # explained where it is read
