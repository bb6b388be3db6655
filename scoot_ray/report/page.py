"""An HTML page that is one file: its style and its script are in it, and it needs no network."""

import html
from collections.abc import Iterable
from importlib.resources import files


def render_page(name: str, parts: Iterable[str], scripts: Iterable[str] = ()) -> str:
    """Return a page titled `name` that is made of parts in HTML.

    Args:
        name: Escaped here.
        parts: Whole elements, in order.
        scripts: JavaScript that the parts rely on.
    """
    title = f"SCOOT-Ray: {html.escape(name)}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title><style>{_asset('page.css')}</style>",
            *(f"<script>{script}</script>" for script in scripts),
            "</head><body><main>",
            f"<h1>{title}</h1>",
            *parts,
            f"</main><script>{_asset('page.js')}</script>",
            "</body></html>",
        ]
    )


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
