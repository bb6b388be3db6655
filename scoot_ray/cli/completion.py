"""What the shell offers when Tab is pressed; nothing, where it would take guessing."""

from collections.abc import Iterator

import typer

from scoot_ray.core.errors import ScootError
from scoot_ray.core.study import load_study
from scoot_ray.export import FORMS


def complete_setting(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters of the study on the command line, each with its values."""
    from trainables.spaces import make_space

    # An option without its value ends the parsing: the positional words are left over.
    words = [context.params.get("study_file"), *context.args]
    study_file = next(filter(None, words), None)
    if study_file is None:
        return
    try:
        parameters = make_space(load_study(study_file)).parameters
    except ScootError:  # a shell has no place for messages
        return
    for parameter in parameters:
        if parameter.name.startswith(incomplete):
            yield f"{parameter.name}=", str(parameter)


def complete_form(incomplete: str) -> list[str]:
    """Return the forms of `scoot export`."""
    return [form for form in FORMS if form.startswith(incomplete)]
