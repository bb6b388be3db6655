"""`scoot serve`: the web page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.core.errors import ServiceError

TOKEN_VARIABLE = "SCOOT_SERVE_TOKEN"  # noqa: S105  # its name
MIN_TOKEN_LENGTH = 16


def serve(
    root: Annotated[
        Path, typer.Argument(metavar="ROOT", help="Folder of the studies' output folders.")
    ] = Path("runs"),
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8420,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"File with the token that the page asks for; {TOKEN_VARIABLE} by default.",
        ),
    ] = None,
) -> None:
    """Show studies on a web page: watch, compare, start, stop and export them."""
    token = _token(token_file)
    # Ray takes seconds to import.
    from scoot_ray.service.deployment import Site, serve_until_stopped
    from scoot_ray.service.guard import digest_of

    digest = None if token is None else digest_of(token)
    serve_until_stopped(Site(root.expanduser().absolute(), host, port, digest))


def _token(file: Path | None) -> str | None:
    """Read the token, and leave no trace of it in the environment that studies get."""
    given = os.environ.pop(TOKEN_VARIABLE, None)
    source = f"The variable {TOKEN_VARIABLE}"
    if file is not None:
        source = f"--token-file {file}"
        try:
            given = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"{source}: cannot be read: {error}.") from None
    if given is None:
        return None
    token = given.strip()
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or any(c.isspace() for c in token):
        raise ServiceError(
            f"{source}: expected one word of at least {MIN_TOKEN_LENGTH} ASCII characters, such "
            "as `openssl rand -hex 32` writes."
        )
    return token
