"""The `callbacks:` of a study file."""

import pytest

from scoot_ray.core.errors import StudyError
from scoot_ray.core.study import Study, parse_study
from tests.unit.scoot_ray.reports import STUDY


def study(callbacks: object) -> Study:
    return parse_study({**STUDY, "callbacks": callbacks})


def test_names_and_options() -> None:
    wanted = study(["tensorboard", {"mlflow": {"tracking_uri": "http://localhost:5000"}}])
    assert wanted.callbacks == {
        "tensorboard": {},
        "mlflow": {"tracking_uri": "http://localhost:5000"},
    }
    assert parse_study(wanted.model_dump(mode="json")) == wanted, "as the journal has it"
    assert parse_study(STUDY).callbacks == {}


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (["tensorbord"], r"Did you mean tensorboard\?"),
        ("tensorboard", "expected a list"),
        ([["mlflow"]], "neither a name nor"),
        ([{"mlflow": 5}], "expected options as a mapping"),
        ([{"wandb": {"api_key": "secret"}}], "WANDB_API_KEY"),
        ([{"mlflow": {"tracking_token": "secret"}}], "MLFLOW_TRACKING_TOKEN"),
    ],
)
def test_what_is_no_callback(callbacks: object, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        study(callbacks)
    assert "secret'" not in str(caught.value)
