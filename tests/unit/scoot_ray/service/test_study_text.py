import pytest
import yaml

from scoot_ray.core.errors import StudyError
from scoot_ray.service.study_text import parse_text
from tests.integration.studies import STUDY

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_study_is_read() -> None:
    assert parse_text(yaml.safe_dump(STUDY)).name == "small"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "mapping"),
        ("- a", "mapping"),
        ("a: [", "not valid YAML"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        (LAUGHS, "aliases"),
        ("name: !!python/object/apply:os.system [id]", "not valid YAML"),
        (f"name: {'9' * 5000}", "cannot be read"),
        ("name: 2026-99-99", "cannot be read"),
        (yaml.safe_dump({**STUDY, "name": "../up"}), "name"),
        (yaml.safe_dump({**STUDY, "sevice": {}}), "Did you mean service?"),
    ],
)
def test_what_is_no_study_is_explained(text: str, expected: str) -> None:
    with pytest.raises(StudyError, match=expected.replace("?", r"\?")):
        parse_text(text)
