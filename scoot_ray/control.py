"""The control of a study: a random search with the same budget, in a folder of its own.

`DIR/control` holds it as any other study: `scoot report DIR --control` runs it on the simulator,
and for a real engine `scoot tune` with `search.algorithm: random` and `--output DIR/control` does.
"""

from scoot_ray.core.errors import OutputError, StudyError
from scoot_ray.core.journal import History
from scoot_ray.core.sections import SearchSection
from scoot_ray.core.study import Study, parse_study
from scoot_ray.output import Output

FOLDER = "control"
SAME = ("engine", "service", "workload", "objective", "space", "simulator")


def control_output(output: Output) -> Output:
    """Return where the control of a study is."""
    return Output(output.path / FOLDER)


def control_of(study: Study, output: Output) -> History | None:
    """Read the control of a study, if one was run.

    Raises:
        OutputError: If what is there is no control of this study.
    """
    journal = control_output(output).journal
    if not journal.exists():
        return None
    history = journal.read()
    found = parse_study(history.header["study"], str(journal.path))
    differing = [name for name in SAME if getattr(found, name) != getattr(study, name)]
    if found.search.algorithm != "random":
        differing.append("search.algorithm (expected random)")
    if differing:
        raise OutputError(
            f"{journal.path.parent} is no control of this study: {', '.join(differing)} "
            "differ(s). Move it away, or run the control again."
        )
    return history


def control_study(study: Study) -> Study:
    """Return the control of a simulated study: nothing is confirmed, all else is the same.

    Raises:
        StudyError: If the study is not simulated: GPUs are not spent unasked.
    """
    if study.engine.kind != "simulated":
        raise StudyError(
            f"--control runs simulated studies only, and this one measures {study.engine.kind}. "
            "To spend as many GPU hours again on a control, run the study file with "
            f"`search: {{algorithm: random}}` and `--output DIR/{FOLDER}`."
        )
    search = SearchSection(
        algorithm="random",
        mode=study.search.mode,
        observations=study.search.observations,
        parallelism=study.search.parallelism,
        seed=study.search.seed,
    )
    return study.searched_by(search)
