"""A figure of the report: drawn once by matplotlib, then shown as SVG in a page, SVG or PNG file.

Ink and background are those of the page, so that a figure is read in light, in dark and on paper.
Marks that have something to say carry their text: for the mouse, the keyboard and screen readers.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET  # of our own drawings, not of anything from outside

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
INK = "#3b3b3b"  # becomes the colour of the page's text
PNG_DOTS_PER_INCH = 160
WIDTH_INCHES = 9.0

STYLE: Any = {  # matplotlib's type lists each of its settings by name
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of parameters are names
}

styled = rc_context(STYLE)
"""Decorates what makes figures: matplotlib reads its settings as artists are made."""


@dataclass(frozen=True)
class Drawing:
    """A figure with its words.

    Attributes:
        name: A short identifier, the name of its file.
        title: What is seen.
        caption: How it is to be read.
        figure: The figure; marks that carry text have a gid.
        texts: The text of each such mark, by gid.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    texts: Mapping[str, str] = field(default_factory=dict)


def make_axes(
    num: int, *, columns: int = 2, height_inches: float = 3.4
) -> tuple[Figure, list[Axes]]:
    """Make a figure with `num` panels, in rows of at most `columns`."""
    columns = min(columns, num)
    rows = -(-num // columns)
    figure = Figure(figsize=(WIDTH_INCHES, rows * height_inches), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    flat: list[Axes] = list(axes.flat)
    for unused in flat[num:]:
        unused.set_axis_off()
    return figure, flat[:num]


def to_png(drawing: Drawing) -> bytes:
    """Return the figure as PNG, dark on white."""
    buffer = io.BytesIO()
    with rc_context(STYLE):
        drawing.figure.savefig(buffer, format="png", dpi=PNG_DOTS_PER_INCH)
    return buffer.getvalue()


def to_svg(drawing: Drawing) -> str:
    """Return the figure as an SVG element that takes its ink from its surroundings."""
    buffer = io.StringIO()
    # The salt makes the identifiers of a figure its own, and the same each time.
    with rc_context({**STYLE, "svg.hashsalt": drawing.name}):
        drawing.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314
    _let_it_grow(root, drawing)
    _let_marks_speak(root, drawing.texts)
    _drop_unused(root)
    return ET.tostring(root, encoding="unicode").replace(INK, "currentColor")


def _let_it_grow(root: ET.Element, drawing: Drawing) -> None:
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "figure", "aria-label": drawing.title, "class": "drawing"}


def _let_marks_speak(root: ET.Element, texts: Mapping[str, str]) -> None:
    for group in root.iter(f"{{{SVG}}}g"):
        text = texts.get(group.get("id", ""))
        if text is not None:
            group.attrib |= {"class": "mark", "tabindex": "0", "role": "img", "aria-label": text}
            title = ET.Element(f"{{{SVG}}}title")
            title.text = text
            group.insert(0, title)


def _drop_unused(root: ET.Element) -> None:
    """Remove what would reach out of the figure into the page: styles, and names nobody uses."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}metadata" or child.find(f"{{{SVG}}}style") is not None:
                parent.remove(child)
    links = " ".join(value for element in root.iter() for value in element.attrib.values())
    for element in root.iter():
        name = element.get("id")
        if name and f"#{name}" not in links and element.get("class") != "mark":
            del element.attrib["id"]
